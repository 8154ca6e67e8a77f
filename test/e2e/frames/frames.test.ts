/*
 * Packet mode with real programs, calls beside what is not for Culvert: in the middle of a cable, over IPv4 and IPv6; then on a
 * router, whose stack must not send on what Culvert takes; with a server behind a gateway that the machine has to find; and by two workers.
 */

import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { Capture } from "../capture.ts";
import { type Configuration, type Culvert, denoHost, interceptionApply } from "../culvert.ts";
import { must, Program } from "../process.ts";
import { file, program, scenario } from "../requirement.ts";
import { allTotalsOf, call, expectFramed, expectSums, folder, MEDIA_LEAST, media, needs, serve, start, totalsOf } from "./call.ts";
import { type Addresses, GATED, GATED6, gatewayUp, netnsOf, PLAIN, PLAIN6, plainUp, ROUTED, routedUp, SERVER_MAC, within } from "./network.ts";

/** Somebody at the address refuses a connection. */
const REFUSED = `import socket, sys
try: socket.create_connection((sys.argv[1], 9), 5)
except ConnectionRefusedError: sys.exit(0)
sys.exit(1)`;
const TRANSFER_BYTES = 8_000_000;
const DENO = [resolve("node_modules/.bin/deno"), "run", "-A", denoHost];

function configurationOf(
  { service, server, media: ours, core }: Addresses,
  interfaces: Record<string, object>,
  way: { nextHop?: string } = { nextHop: SERVER_MAC },
): Configuration {
  return {
    interfaces,
    realms: { access: { interface: "acc", media: ours }, core: { interface: "net", address: core, ...way } },
    services: { voice: { address: service, servers: [server], transports: { tcp: false } } },
    log: { format: "json" },
  };
}

/** A call, whose INVITE comes in fragments, and what is for the machines themselves. */
async function callThrough(addresses: Addresses, culvert: Culvert): Promise<void> {
  const called = await call("t1", addresses);
  expect(called.code, called.output.slice(-2500) + culvert.tail).toBe(0);
  expect(await media(called, 8), culvert.tail).toBeGreaterThan(MEDIA_LEAST);
  for (const address of [addresses.server, addresses.media]) await must(within("t1", "python3", "-c", REFUSED, address));
}

scenario("a call in the middle of a cable; what is not for Culvert goes on, and its own machine is reached", needs, 90, async () => {
  await plainUp(PLAIN);
  serve(PLAIN);
  const control = await call("t1", PLAIN, "g711a.pcap", 3);
  expect(control.code, "without Culvert nobody carries anything").not.toBe(0);

  const culvert = await start(configurationOf(PLAIN, { acc: { peer: "net" }, net: { peer: "acc" } }));
  const servers = await Capture.start(netnsOf("sv"), "eth0", join(folder, "servers.pcap"), "udp or icmp", 60);
  await callThrough(PLAIN, culvert);
  await servers.stop();
  expect(await servers.count(`udp and src host ${PLAIN.terminal}`), "the server sees Culvert's addresses alone").toBe(0);
  expect(await servers.count("icmp[icmptype] = icmp-unreach"), "nobody refuses anything").toBe(0);
  const methods = await servers.fields("sip.Request-Line", ["sip.Method", "sip.CSeq.seq"]);
  expect(methods.map(([method]) => method)).toEqual(["INVITE", "ACK", "BYE"]);

  writeFileSync(join(folder, "large"), Buffer.alloc(TRANSFER_BYTES, "culvert "));
  const web = new Program("python3", ["-m", "http.server", "8000", "--directory", folder], {
    seconds: 40,
    netns: netnsOf("sv"),
    env: { PYTHONUNBUFFERED: "1" },
  });
  await web.until(/Serving/, 10);
  const fetch = `import urllib.request, hashlib; print(hashlib.sha256(urllib.request.urlopen("http://${PLAIN.server}:8000/large", timeout=15).read()).hexdigest())`;
  const sum = (await must(within("sv", "sha256sum", join(folder, "large")))).split(" ")[0]!;
  expect(await must(within("t1", "python3", "-c", fetch)), "TCP in frames that are yet to be cut").toContain(sum);

  const totals = await totalsOf(culvert);
  expectFramed(totals);
  expect(totals["bridged"]).toBeGreaterThan(100);
});

for (const receive of ["packet", "xdp"] as const) {
  scenario(
    `a call over IPv6 in the middle of a cable, where neighbours are found through Culvert, by ${receive} rings`,
    [...needs, program("ethtool")],
    60,
    async () => {
      await plainUp(PLAIN6);
      // XDP sees no tags that a device has taken off.
      for (const device of ["acc", "net"]) await must(within("px", "ethtool", "-K", device, "rxvlan", "off"));
      serve(PLAIN6);
      const control = await call("t1", PLAIN6, "g711a.pcap", 3);
      expect(control.code, "without Culvert nobody carries anything").not.toBe(0);

      const culvert = await start(configurationOf(PLAIN6, { acc: { peer: "net", receive }, net: { peer: "acc", receive } }));
      const servers = await Capture.start(netnsOf("sv"), "eth0", join(folder, "servers6.pcap"), "ip6", 40);
      const called = await call("t1", PLAIN6);
      for (const address of [PLAIN6.server, PLAIN6.media]) await must(within("t1", "python3", "-c", REFUSED, address));
      await servers.stop();
      expect(called.code, called.output.slice(-2500) + culvert.tail).toBe(0);
      expect(await media(called, 8), culvert.tail).toBeGreaterThan(MEDIA_LEAST);
      expect(await servers.count(`udp and src host ${PLAIN6.terminal}`), "the server sees Culvert's addresses alone").toBe(0);
      expect(await servers.count(`tcp and src host ${PLAIN6.terminal}`), "and the terminal, where it talks to it").toBeGreaterThan(0);
      expect(await servers.count("icmp6 and ip6[40] = 1"), "nobody refuses anything").toBe(0);
      expect(await servers.count("ip6 proto 44"), "the INVITE is longer than a link takes").toBeGreaterThan(1);
      // A UDP checksum is a must (RFC 8200 8.1), and what leaves is complete.
      expect(await expectSums(servers, `ipv6.src == ${PLAIN6.core}`)).toBeGreaterThan(MEDIA_LEAST);
      expect(await expectSums(called.capture, `ipv6.dst == ${PLAIN6.terminal}`)).toBeGreaterThan(MEDIA_LEAST);
      expectFramed(await totalsOf(culvert));
    },
  );
}

for (const addresses of [GATED, GATED6]) {
  scenario(`a server behind a gateway that nobody named: the machine finds it, for ${addresses.server}`, needs, 60, async () => {
    await gatewayUp(addresses);
    serve(addresses);
    const control = await call("t1", addresses, "g711a.pcap", 3);
    expect(control.code, "without Culvert nobody carries anything").not.toBe(0);

    const culvert = await start(configurationOf(addresses, { acc: {}, net: {} }, {}));
    await must(within("px", "ip", "neigh", "flush", "dev", "net"));
    const gateway = await Capture.start(netnsOf("sx"), "near", join(folder, "gateway.pcap"), "", 40);
    const called = await call("t1", addresses);
    await gateway.stop();
    expect(called.code, called.output.slice(-2500) + culvert.tail).toBe(0);
    expect(await media(called, 8), culvert.tail).toBeGreaterThan(MEDIA_LEAST);
    expect(await gateway.count("arp[6:2] = 1 or (icmp6 and ip6[40] = 135)"), "somebody asks for the gateway").toBeGreaterThan(0);
    const methods = await gateway.fields("sip.Request-Line", ["sip.Method", "sip.CSeq.seq"]);
    expect(
      methods.map(([method]) => method),
      "the first packet waits for the answer",
    ).toEqual(["INVITE", "ACK", "BYE"]);
    const totals = await totalsOf(culvert);
    for (const fault of ["sendFailed", "bindFailed", "noSocket", "trapped", "lost"]) expect(totals).not.toHaveProperty(fault);
    // Signaling by the stack, and media until some has come from the server, which says the way.
    expect(totals["sent"]).toBeGreaterThanOrEqual(methods.length);
    expect(totals["framed"]).toBeGreaterThan(2 * MEDIA_LEAST);
  });
}

scenario("a router by Deno: its stack carries everything but what Culvert takes", [...needs, file(DENO[0]!), file(denoHost)], 90, async () => {
  await routedUp(ROUTED);
  serve(ROUTED);
  const configuration = configurationOf(ROUTED, { acc: {}, net: {} });
  await interceptionApply(folder, configuration, netnsOf("px"));
  const culvert = await start(configuration, DENO);
  const servers = await Capture.start(netnsOf("sv"), "eth0", join(folder, "routed.pcap"), "ip", 60);
  const called = await call("t1", ROUTED);
  await must(within("t1", "python3", "-c", REFUSED, ROUTED.server));
  await servers.stop();
  expect(called.code, called.output.slice(-2500) + culvert.tail).toBe(0);
  expect(await media(called, 8), culvert.tail).toBeGreaterThan(MEDIA_LEAST);
  expect(await servers.count(`udp and src host ${ROUTED.terminal}`), "the server sees Culvert's addresses alone").toBe(0);
  expect(await servers.count(`tcp and src host ${ROUTED.terminal}`), "and the terminal, where it talks to it").toBeGreaterThan(0);
  expect(await servers.count("icmp[icmptype] = icmp-unreach"), "nobody refuses anything").toBe(0);
  expectFramed(await totalsOf(culvert));
});

/** A terminal that the hash of its address gives to the other worker: PLAIN's is the second one's. */
const OTHER = { ...PLAIN, terminal: "10.1.0.13" };

/** Which workers calls were started by. */
function starters(culvert: Culvert): number[] {
  return culvert.logged<{ worker: number }>('"event":"call-started"').map(({ worker }) => worker);
}

scenario("two workers in the middle of a cable: each takes its terminals' calls, once, and is replaced when it is killed", needs, 120, async () => {
  await plainUp(PLAIN);
  await must(within("t1", "ip", "addr", "add", `${OTHER.terminal}/24`, "dev", "eth0"));
  await must(within("px", "ip", "route", "add", OTHER.terminal, "dev", "acc"));
  serve(PLAIN);
  const secret = "000102030405060708090a0b0c0d0e0f";
  const culvert = await start({ ...configurationOf(PLAIN, { acc: { peer: "net" }, net: { peer: "acc" } }), workers: 2, secret });
  const servers = await Capture.start(netnsOf("sv"), "eth0", join(folder, "workers.pcap"), "udp or icmp", 100);
  await callThrough(PLAIN, culvert);
  await callThrough(OTHER, culvert);
  expect(starters(culvert), culvert.tail).toEqual([1, 0]);

  // The one that carries what is nobody's is killed: in a moment there is another.
  process.kill(culvert.workers[0]!, "SIGKILL");
  await culvert.program.until(/"worker":0[^\n]*a worker ended/, 5);
  await sleep(2000);
  await callThrough(OTHER, culvert);
  await callThrough(PLAIN, culvert);
  expect(starters(culvert), culvert.tail).toEqual([1, 0, 0, 1]);

  await servers.stop();
  const methods = await servers.fields("sip.Request-Line", ["sip.Method", "sip.CSeq.seq"]);
  expect(
    methods.map(([method]) => method),
    "each message once",
  ).toEqual(Array.from({ length: 4 }, () => ["INVITE", "ACK", "BYE"]).flat());
  for (const { terminal } of [PLAIN, OTHER]) expect(await servers.count(`udp and src host ${terminal}`), "the server sees Culvert's addresses alone").toBe(0);
  expect(await servers.count("icmp[icmptype] = icmp-unreach"), "nobody refuses anything").toBe(0);
  const totals = await allTotalsOf(culvert);
  for (const one of totals) expectFramed(one);
  expect(totals).toHaveLength(2);
});
