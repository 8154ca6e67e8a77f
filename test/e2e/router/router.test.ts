/*
 * Interception as `culvert router` sets it up: serial, parallel with either way back, both at once, the service addresses on
 * an interface of the box, two proxies with one address. In each, sipp calls by UDP and TCP over IPv4 and IPv6, with INVITEs in
 * fragments, and two telephones talk through Kamailio. Then what is left when Culvert is killed, and when all is taken back.
 */

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { SHIM } from "../../shim.ts";
import { Capture } from "../capture.ts";
import { nodeHost } from "../culvert.ts";
import { must, Program, stopAll } from "../process.ts";
import { file, lab, labPath, program, scenario } from "../requirement.ts";
import { Box, configurationOf, INVENTED, parallelTo, RETURNS, type Services, TAKEN_OVER } from "./box.ts";
import { type Called, calls, serversStart, type Terminal, telephones } from "./call.ts";
import { netnsOf, networkDown, networkUp, proxyAway, proxyHome, REGISTRAR, SERVER, stateOf, within } from "./network.ts";

const needs = [...lab(), ...["sipp", "kamailio", "baresip", "setpriv"].map(program), file(nodeHost)];
const enabled = process.env.CULVERT_E2E === "1" && needs.every((need) => need === "");
const FILE_SECONDS = 900;
/** Of 33 packets a second, for a second and a half; sipp is slow to begin. */
const MEDIA_LEAST = 10;
/** Packets of terminals themselves that servers must not see while Culvert takes them. */
const FROM_TERMINALS = "src net 10.1.0.0/24 or src net 10.5.0.0/24 or src net fd00:1::/64 or src net fd00:5::/64";
let folder = "";

beforeAll(async () => {
  if (!enabled) return;
  folder = mkdtempSync(join(tmpdir(), "culvert-router-"));
  chmodSync(folder, 0o755);
  await networkUp();
  serversStart(folder, FILE_SECONDS);
  const options = { seconds: FILE_SECONDS, env: { W: folder } };
  const registrar = new Program("bash", [join(labPath, "server.sh"), "unaware", String(FILE_SECONDS), netnsOf("sv"), REGISTRAR], options);
  await registrar.until(/READY/, 10);
});

afterAll(async () => {
  if (!enabled) return;
  await stopAll();
  await networkDown();
  if (process.env.CULVERT_KEEP !== "1") rmSync(folder, { recursive: true, force: true });
});

function expectAnswered(called: Called[], tail: string): void {
  for (const { name, code, output, media } of called) {
    expect(code, `${name}\n${output.slice(-2500)}${tail}`).toBe(0);
    expect(media, `${name}${tail}`).toBeGreaterThan(MEDIA_LEAST);
  }
}

/** Everything that a terminal can do, at once; both telephones hear each other. */
async function everything(terminal: Terminal, services: Services, tail: () => string): Promise<void> {
  const [called, talk] = await Promise.all([calls(terminal, services, folder), telephones(terminal, services.registrar, folder)]);
  expectAnswered(called, tail());
  for (const { windows, good } of talk.heard) {
    expect(windows, talk.output + tail()).toBeGreaterThan(5);
    expect(good, talk.output + tail()).toBeGreaterThan(windows / 2);
  }
}

/** Sets boxes up, makes the terminals call, and leaves nothing. The servers see nobody but the proxies. */
async function through(boxes: Box[], terminals: Terminal[], services: Services): Promise<void> {
  const capture = await Capture.start(netnsOf("sv"), "eth0", join(folder, "servers.pcap"), FROM_TERMINALS, 60);
  try {
    for (const box of boxes) await box.up();
    await Promise.all(terminals.map((terminal) => everything(terminal, services, () => boxes.map((box) => box.tail).join("\n"))));
  } finally {
    await capture.stop();
    for (const box of [...boxes].reverse()) await box.down();
  }
  expect(await capture.count()).toBe(0);
}

describe("real programs in every topology", () => {
  scenario("two proxies with one address: one serial, one parallel and back by the default gateway", needs, 60, async () => {
    const first = new Box("p1", folder, configurationOf("p1", ["acc"], TAKEN_OVER, {}));
    const second = new Box("p2", folder, configurationOf("p2", ["net"], TAKEN_OVER, parallelTo("p2")));
    await through([first, second], ["t1", "t2"], TAKEN_OVER);
  });

  scenario("parallel, back by a configured route", needs, 90, async () => {
    await proxyAway();
    const plain = new Box("p2", folder, configurationOf("p2", ["net"], TAKEN_OVER, parallelTo("p2")));
    await plain.up();
    const control = await calls("t2", TAKEN_OVER, folder, { families: [6], seconds: 3 });
    await plain.down();
    for (const { code } of control) expect(code, "answers go astray without the route").not.toBe(0);
    await through([new Box("p2", folder, configurationOf("p2", ["net"], TAKEN_OVER, parallelTo("p2", RETURNS)))], ["t2"], TAKEN_OVER);
    await proxyHome();
  });

  scenario("serial and parallel at once", needs, 60, async () => {
    const interception = { ...parallelTo("p1"), mode: "both" };
    await through([new Box("p1", folder, configurationOf("p1", ["acc", "net"], TAKEN_OVER, interception))], ["t1", "t2"], TAKEN_OVER);
  });

  scenario("the service addresses on an interface of the box", needs, 60, async () => {
    await through([new Box("p1", folder, configurationOf("p1", ["acc"], INVENTED, { kind: "local" }))], ["t1"], INVENTED);
  });

  scenario("transparent sockets, of which the box has no address", [...needs, file(SHIM)], 60, async () => {
    await through([new Box("p1", folder, configurationOf("p1", ["acc"], TAKEN_OVER, { kind: "tproxy" }))], ["t1"], TAKEN_OVER);
  });

  scenario("what a rule forwards goes on in the terminal's name", needs, 60, async () => {
    const configuration = configurationOf("p1", ["acc"], TAKEN_OVER, {});
    configuration.realms["access"]!["terminals"] = ["10.1.0.0/24"];
    configuration["rules"] = [
      { from: "10.1.0.10", to: SERVER[4], forward: true },
      { to: SERVER[4], proxy: "plain" },
    ];
    const box = new Box("p1", folder, configuration);
    const capture = await Capture.start(netnsOf("sv"), "eth0", join(folder, "forwarded.pcap"), "udp and src host 10.1.0.10 and dst port 5060", 40);
    try {
      await box.up();
      const [called] = await calls("t1", TAKEN_OVER, folder, { families: [4], transports: ["u1"] });
      expect(called!.code, called!.output.slice(-2500) + box.tail).toBe(0);
    } finally {
      await capture.stop();
      await box.down();
    }
    // Sent anew by Culvert, and a hop away from it: what Linux forwards has lost two of 64.
    expect(await capture.count("ip[8] = 63"), box.tail).toBeGreaterThan(1);
    expect(await capture.count("ip[8] = 62")).toBe(0);
  });
});

/** What tells a neighbour that a service address is here: an answer about it, or a question in its name. */
const SILENCE = [
  "arp and (arp[14:4] = 0xcb007105 or arp[14:4] = 0xcb007106)",
  "icmp6 and ip6[40] = 136 and ip6[48:4] = 0xfd000099",
  "icmp6 and (ip6[40] = 135 or ip6[40] = 136) and src net fd00:99::/64",
];

describe("neighbours", () => {
  for (const { device, at, by } of [
    { device: "lo", at: "t1", by: "eth0" },
    { device: "net", at: "rt", by: "to-p1" },
  ] as const) {
    scenario(`hear nothing of service addresses on ${device}`, needs, 60, async () => {
      const box = new Box("p1", folder, configurationOf("p1", ["acc"], INVENTED, { kind: "local", device }));
      const capture = await Capture.start(netnsOf(at), by, join(folder, "neighbours.pcap"), "arp or icmp6", 40);
      try {
        await box.up();
        // The proxy has forgotten the terminal, and must ask for it to answer.
        for (const line of ["neigh flush dev acc", "-6 neigh flush dev acc"]) await must(within("p1", "ip", ...line.split(" ")));
        expectAnswered(await calls("t1", INVENTED, folder), box.tail);
        // Somebody takes the service addresses for neighbours.
        for (const address of [INVENTED[4], INVENTED[6]]) await must(within(at, "ip", "route", "add", address, "dev", by));
        await within(at, "bash", "-c", `echo > /dev/udp/${INVENTED[4]}/5060; echo > /dev/udp/${INVENTED[6]}/5060; sleep 2`);
        for (const address of [INVENTED[4], INVENTED[6]]) await must(within(at, "ip", "route", "del", address, "dev", by));
      } finally {
        await capture.stop();
        await box.down();
      }
      expect(await capture.count("arp[6:2] = 1 and arp[24:4] = 0xcb007106")).toBeGreaterThan(0);
      expect(await capture.count("icmp6 and ip6[40] = 135 and ip6[48:4] = 0xfd000099")).toBeGreaterThan(0);
      for (const filter of SILENCE) expect(await capture.count(filter), filter).toBe(0);
    });
  }
});

describe("a killed proxy", () => {
  for (const fallback of ["forward", "drop"] as const) {
    scenario(`leaves signaling to ${fallback}`, needs, 60, async () => {
      const box = new Box("p1", folder, configurationOf("p1", ["acc"], TAKEN_OVER, { fallback }));
      try {
        await box.up();
        await box.kill();
        const capture = await Capture.start(netnsOf("sv"), "eth0", join(folder, "killed.pcap"), FROM_TERMINALS, 40);
        const called = await calls("t1", TAKEN_OVER, folder, { seconds: fallback === "drop" ? 3 : 8 });
        await capture.stop();
        if (fallback === "forward") expectAnswered(called, "");
        for (const { code } of fallback === "drop" ? called : []) expect(code).not.toBe(0);
        expect((await capture.count("port 5060")) > 0).toBe(fallback === "forward");
        await box.start();
        expectAnswered(await calls("t1", TAKEN_OVER, folder), box.tail);
      } finally {
        await box.down();
      }
    });
  }
});

describe("transparent sockets", () => {
  scenario("are given what is for a service, while they are there", [...needs, program("python3")], 60, async () => {
    const box = new Box("p1", folder, configurationOf("p1", ["acc"], TAKEN_OVER, { kind: "tproxy" }));
    const before = await stateOf("p1");
    const script = resolve("test/e2e/router/transparent.py");
    const ask = async (address: string): Promise<string> => (await within("t1", "python3", script, "ask", address)).output;
    try {
      await box.router("--apply");
      for (const address of [SERVER[4], SERVER[6]]) {
        const answering = new Program("python3", [script, "answer", address], { seconds: 20, netns: netnsOf("p1") });
        await answering.until(/ready/, 5);
        expect(await ask(address)).toBe(`udp 3000 bytes to ${address}\ntcp 3000 bytes to ${address}\n`);
        answering.signal("SIGKILL");
        await answering.ended;
        expect(await ask(address)).not.toMatch(/bytes/);
      }
    } finally {
      await box.router("--remove");
    }
    expect(await stateOf("p1")).toBe(before);
  });
});

describe("culvert router", () => {
  const kinds = ["shadow", "tproxy", "local"].map((kind) => ({ kind, returns: [{ via: "10.3.0.1", to: "10.1.0.0/24" }, { via: "fd00:3::1" }] }));
  for (const interception of kinds) {
    scenario(`${interception.kind}: twice is once, by itself and as a script; nothing is left`, needs, 60, async () => {
      const configuration = configurationOf("p1", ["acc"], INVENTED, interception);
      configuration.realms["access"]!["terminals"] = ["10.1.0.0/24"];
      const box = new Box("p1", folder, configuration);
      const before = await stateOf("p1");
      await box.router("--apply");
      const set = await stateOf("p1");
      expect(set).not.toBe(before);
      expect(await box.router("--apply")).toMatch(/nothing to do/);
      expect(await stateOf("p1")).toBe(set);
      await box.router("--remove");
      expect(await stateOf("p1")).toBe(before);
      expect(await box.router("--remove")).toMatch(/nothing to do/);
      if (interception.kind === "tproxy") return;
      for (let time = 0; time < 2; time++) await box.script("linux", "p1", "apply");
      expect(await stateOf("p1")).toBe(set);
      await box.script("linux", "p1", "remove");
      expect(await stateOf("p1")).toBe(before);
    });
  }

  scenario("takes back what it did when a step fails", needs, 30, async () => {
    const before = await stateOf("p1");
    const box = new Box("p1", folder, configurationOf("p1", ["acc"], TAKEN_OVER, { returns: [{ via: "198.18.0.1", interface: "acc" }] }));
    await expect(box.router("--apply")).rejects.toThrow(/198\.18\.0\.1.*failed: .*; what was done before it is taken back/);
    expect(await stateOf("p1")).toBe(before);
  });

  scenario("finds what is its own without its record", needs, 30, async () => {
    const before = await stateOf("p1");
    const box = new Box("p1", folder, configurationOf("p1", ["acc"], TAKEN_OVER, {}));
    await box.router("--apply");
    rmSync(join(box.folder, "router.json"));
    const other = new Box("p1", folder, configurationOf("p1", ["net"], INVENTED, { preference: 300 }));
    await other.router("--apply");
    await other.router("--remove");
    // Settings of the first are lost with its record.
    const settings = [
      "ipv6.conf.all.forwarding",
      "ipv6.ip_nonlocal_bind",
      "ipv4.conf.all.arp_announce",
      "ipv4.conf.acc.forwarding",
      "ipv4.conf.net.forwarding",
    ];
    await must(within("p1", "sysctl", "-qw", ...settings.map((name) => `net.${name}=0`)));
    expect(await stateOf("p1")).toBe(before);
  });
});
