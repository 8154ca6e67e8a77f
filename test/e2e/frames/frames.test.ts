/*
 * Packet mode with real programs: calls of sipp whose INVITE comes in fragments, with media both ways, carried in whole frames from one
 * end to the other; beside them what is not for Culvert. First in the middle of a cable, then for two terminals with one and
 * the same address in two VLANs, then on a router, whose stack must not send on what Culvert takes.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { Capture } from "../capture.ts";
import { type Configuration, Culvert, denoHost, interceptionApply, nodeHost } from "../culvert.ts";
import { must, Program, stopAll } from "../process.ts";
import { file, program, root, scenario } from "../requirement.ts";
import { sipp, sippRun } from "../sipp.ts";
import {
  type Addresses,
  type Netns,
  netnsOf,
  networkDown,
  PLAIN,
  plainUp,
  ROUTED,
  routedUp,
  SERVER_MAC,
  TAGGED,
  taggedUp,
  TERMINAL,
  VLANS,
  within,
} from "./network.ts";

const RECORDINGS = "/usr/share/sip-tester";
const needs = [root(), ...["ip", "sipp", "tcpdump", "tshark", "python3"].map(program), file(nodeHost), file(resolve("dist/shim.node")), file(RECORDINGS)];
const CALLER = resolve("test/e2e/router/caller.xml");
const TAGGER = resolve("test/e2e/frames/tagger.py");
/** Makes an INVITE of more than 3000 bytes. */
const PADDING = "x".repeat(2600);
const PORT = 5062;
const MEDIA = 25_062;
/** Of 33 packets a second, for a second and a half; sipp is slow to begin. */
const MEDIA_LEAST = 10;
/** Somebody at the address refuses a connection. */
const REFUSED = `import socket, sys
try: socket.create_connection((sys.argv[1], 9), 5)
except ConnectionRefusedError: sys.exit(0)
sys.exit(1)`;
const TRANSFER_BYTES = 8_000_000;
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "culvert-frames-"));
});

afterEach(async () => {
  await stopAll();
  if (process.env.CULVERT_E2E === "1") await networkDown();
});

afterAll(() => {
  if (process.env.CULVERT_KEEP !== "1") rmSync(folder, { recursive: true, force: true });
});

function configurationOf({ service, server, media, core }: Addresses, interfaces: Record<string, object>): Configuration {
  return {
    interfaces,
    realms: { access: { interface: "acc", media }, core: { interface: "net", address: core, nextHop: SERVER_MAC } },
    services: { voice: { address: service, servers: [server], transports: { tcp: false } } },
    log: { format: "json" },
  };
}

const NODE = [process.execPath, nodeHost];
const DENO = [resolve("node_modules/.bin/deno"), "run", "-A", denoHost];

function start(configuration: Configuration, host = NODE): Promise<Culvert> {
  return Culvert.start(folder, configuration, host, 100, netnsOf("px"));
}

/** What it counted, once it is stopped. */
async function totalsOf(culvert: Culvert): Promise<Record<string, number>> {
  await culvert.stop();
  const line = culvert.program.output.split("\n").find((text) => text.includes('"msg":"stopped"'));
  return JSON.parse(line!) as Record<string, number>;
}

/** A server that sends media back. */
function serve({ server }: Addresses): void {
  const netns = netnsOf("sv");
  sipp({ scenario: "uas", local: server, port: 5060, mediaPort: 30_000, seconds: 60, folder, netns, extra: ["-rtp_echo", "-aa", "-mi", server] });
}

interface Called {
  code: number;
  output: string;
  /** What the terminal saw. */
  capture: Capture;
}

/** A call from a terminal, which plays a recording. */
async function call(terminal: Netns, to: Addresses, recording = "g711a.pcap", seconds = 10): Promise<Called> {
  const own = join(folder, terminal);
  mkdirSync(own, { recursive: true });
  const path = join(own, "caller.xml");
  writeFileSync(path, readFileSync(CALLER, "utf8").replace("g711a.pcap", recording));
  const capture = await Capture.start(netnsOf(terminal), "eth0", join(own, "seen.pcap"), "udp", 40);
  const ended = await sippRun({
    scenario: path,
    remote: `${to.service}:5060`,
    user: "anybody",
    local: TERMINAL,
    port: PORT,
    mediaPort: MEDIA,
    calls: 1,
    seconds,
    folder: own,
    netns: netnsOf(terminal),
    extra: ["-mi", TERMINAL, "-key", "pad", PADDING, "-timeout_error"],
  });
  await capture.stop();
  return { ...ended, capture };
}

/** Media packets of a payload type that the terminal got. */
function media({ capture }: Called, type: number): Promise<number> {
  return capture.count(`udp and dst port ${MEDIA} and udp[9] & 0x7f = ${type}`);
}

/** Everything by frames: nothing was sent by a socket, and nothing went wrong. */
function expectFramed(totals: Record<string, number>): void {
  expect(totals).not.toHaveProperty("sent");
  for (const fault of ["sendFailed", "bindFailed", "noSocket", "trapped", "lost"]) expect(totals).not.toHaveProperty(fault);
  expect(totals["framed"]).toBeGreaterThan(2 * MEDIA_LEAST);
}

scenario("a call in the middle of a cable; what is not for Culvert goes on, and its own machine is reached", needs, 90, async () => {
  await plainUp();
  serve(PLAIN);
  const control = await call("t1", PLAIN, "g711a.pcap", 3);
  expect(control.code, "without Culvert nobody carries anything").not.toBe(0);

  const culvert = await start(configurationOf(PLAIN, { acc: { peer: "net" }, net: { peer: "acc" } }));
  const servers = await Capture.start(netnsOf("sv"), "eth0", join(folder, "servers.pcap"), "udp or icmp", 60);
  const called = await call("t1", PLAIN);
  expect(called.code, called.output.slice(-2500) + culvert.tail).toBe(0);
  expect(await media(called, 8), culvert.tail).toBeGreaterThan(MEDIA_LEAST);
  for (const address of [PLAIN.server, PLAIN.media]) await must(within("t1", "python3", "-c", REFUSED, address));
  await servers.stop();
  expect(await servers.count(`udp and src host ${TERMINAL}`), "the server sees Culvert's addresses alone").toBe(0);
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

scenario("two terminals with one address in two VLANs, both in calls at once", needs, 90, async () => {
  await taggedUp();
  serve(TAGGED);
  const tagger = new Program("python3", [TAGGER, "trunk", `${VLANS.t1}=one`, `${VLANS.t2}=two`], { seconds: 80, netns: netnsOf("sw") });
  await tagger.until(/READY/, 10);
  const control = await call("t1", TAGGED, "g711a.pcap", 3);
  expect(control.code, "without Culvert nobody carries anything").not.toBe(0);

  const culvert = await start(configurationOf(TAGGED, { acc: {}, net: {} }));
  const trunk = await Capture.start(netnsOf("sw"), "trunk", join(folder, "trunk.pcap"), "", 60);
  const called = await Promise.all([call("t1", TAGGED), call("t2", TAGGED, "dtmf_2833_1.pcap")]);
  await trunk.stop();
  for (const { code, output } of called) expect(code, output.slice(-2500) + culvert.tail).toBe(0);
  const [first, second] = called as [Called, Called];
  const types = { first: 8, second: 101 };
  expect(await media(first, types.first), culvert.tail).toBeGreaterThan(MEDIA_LEAST);
  expect(await media(second, types.second), culvert.tail).toBeGreaterThan(0);
  expect([await media(first, types.second), await media(second, types.first)], "neither hears the other").toEqual([0, 0]);
  const calls = await Promise.all(
    called.map(async ({ capture }) => new Set((await capture.fields("sip.Call-ID", ["sip.Call-ID", "sip.CSeq.seq"])).map(([id]) => id))),
  );
  expect(calls.map((ids) => ids.size)).toEqual([1, 1]);
  expect([...calls[0]!]).not.toEqual([...calls[1]!]);
  for (const vlan of Object.values(VLANS)) expect(await trunk.count(`vlan ${vlan}`)).toBeGreaterThan(MEDIA_LEAST);
  expect(await trunk.count("not vlan and ip"), "all of it is tagged").toBe(0);
  expectFramed(await totalsOf(culvert));
});

scenario("a router by Deno: its stack carries everything but what Culvert takes", [...needs, file(DENO[0]!), file(denoHost)], 90, async () => {
  await routedUp();
  serve(ROUTED);
  const configuration = configurationOf(ROUTED, { acc: {}, net: {} });
  await interceptionApply(folder, configuration, netnsOf("px"));
  const culvert = await start(configuration, DENO);
  const servers = await Capture.start(netnsOf("sv"), "eth0", join(folder, "routed.pcap"), "ip", 60);
  const called = await call("t1", ROUTED);
  await must(within("t1", "python3", "-c", REFUSED, ROUTED.server));
  // tcpdump hands on what it has once a second.
  await sleep(1100);
  await servers.stop();
  expect(called.code, called.output.slice(-2500) + culvert.tail).toBe(0);
  expect(await media(called, 8), culvert.tail).toBeGreaterThan(MEDIA_LEAST);
  expect(await servers.count(`udp and src host ${TERMINAL}`), "the server sees Culvert's addresses alone").toBe(0);
  expect(await servers.count(`tcp and src host ${TERMINAL}`), "and the terminal, where it talks to it").toBeGreaterThan(0);
  expect(await servers.count("icmp[icmptype] = icmp-unreach"), "nobody refuses anything").toBe(0);
  expectFramed(await totalsOf(culvert));
});
