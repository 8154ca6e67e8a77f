/*
 * Scenario 7: a terminal that registered and fell silent stays reachable behind a NAT that forgets a
 * mapping after 8 s. A registers and is idle for 30 s, then B calls it: it must ring within 2 s.
 */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { Capture } from "./capture.ts";
import { type Configuration, Culvert, nodeHost } from "./culvert.ts";
import { Lab, SERVER } from "./lab.ts";
import { file, lab, labPath, program, scenario } from "./requirement.ts";
import { sipp, sippRun } from "./sipp.ts";

const needs = [...lab(), ...["sipp", "kamailio", "tshark"].map(program), file(nodeHost)];
const MAPPING_S = 8;
const IDLE_MS = 30_000;
/** Where nothing keeps the mapping: half as long again as it lives. */
const FORGOTTEN_MS = 12_000;
const RING_S = 2;
const scripts = join(labPath, "sipp");

interface Outcome {
  code: number;
  /** Seconds from the caller's first INVITE to its 180; infinite when none came. */
  ringS: number;
  /** SIP requests that reached the idle terminal before the call. */
  probes: number;
  output: string;
}

/** Seconds between the first INVITE that left and the first 180 that came back. */
async function ringSeconds(capture: Capture): Promise<number> {
  const rows = await capture.fields("sip", ["frame.time_epoch", "sip.Method", "sip.Status-Code"]);
  const at = (found: (row: string[]) => boolean): number => Number(rows.find(found)?.[0] ?? Number.NaN);
  const seconds = at((row) => row[2] === "180") - at((row) => row[1] === "INVITE");
  return Number.isNaN(seconds) ? Number.POSITIVE_INFINITY : seconds;
}

async function idleThenCall(nat: "cone" | "none", idleMs: number, change?: (configuration: Configuration) => void): Promise<Outcome> {
  const made = await Lab.up({ nat, mappingSeconds: MAPPING_S });
  try {
    const culvert = change === undefined ? undefined : await Culvert.inLab(made, 150, change);
    const callee = { remote: `${SERVER}:5060`, port: 5060, netns: "vl-ta", folder: made.folder };
    const atCallee = await Capture.start("vl-ta", "eth0", join(made.folder, "callee.pcap"), "udp", 120);
    const atCaller = await Capture.start("vl-tb", "eth0", join(made.folder, "caller.pcap"), "udp port 5060", 120);
    const registered = await sippRun({ ...callee, scenario: join(scripts, "register.xml"), user: "a", calls: 1, seconds: 10 });
    expect(registered.code, registered.output.slice(-1000) + (culvert?.tail ?? "")).toBe(0);
    const uas = sipp({ ...callee, scenario: join(scripts, "uas.xml"), mediaPort: 6000, seconds: 100, extra: ["-aa"] });
    await sleep(idleMs);
    const probes = await atCallee.count("udp dst port 5060 and dst host 10.11.0.10 and greater 200");
    const { code, output } = await sippRun({
      remote: `${SERVER}:5060`,
      scenario: join(scripts, "uac_rtp.xml"),
      user: "a",
      port: 5060,
      mediaPort: 6000,
      calls: 1,
      seconds: 10,
      netns: "vl-tb",
      folder: made.folder,
    });
    await uas.stop();
    await Promise.all([atCallee.stop(), atCaller.stop()]);
    const outcome = { code, ringS: await ringSeconds(atCaller), probes, output: output.slice(-1500) + (culvert?.tail ?? "") };
    await culvert?.stop();
    return outcome;
  } finally {
    await made.down();
  }
}

function keepaliveOff(configuration: Configuration): void {
  configuration.realms.access!.keepalive = 0;
}

function keepaliveShort(configuration: Configuration): void {
  configuration.realms.access!.keepalive = 5;
}

describe(`a NAT that forgets after ${MAPPING_S} s`, () => {
  scenario("control: no NAT, no Culvert: it rings", needs.slice(0, -1), 120, async () => {
    const { code, output, ringS } = await idleThenCall("none", FORGOTTEN_MS);
    expect(code, output).toBe(0);
    expect(ringS).toBeLessThan(RING_S);
  });

  scenario("control: NAT, no Culvert: it does not", needs.slice(0, -1), 120, async () => {
    const { code, ringS } = await idleThenCall("cone", FORGOTTEN_MS);
    expect(code).not.toBe(0);
    expect(ringS).toBe(Number.POSITIVE_INFINITY);
  });

  scenario("control: Culvert with its keep-alive off: it does not", needs, 150, async () => {
    const { code, output, ringS, probes } = await idleThenCall("cone", FORGOTTEN_MS, keepaliveOff);
    expect(probes, output).toBe(1);
    expect(code, output).not.toBe(0);
    expect(ringS, output).toBe(Number.POSITIVE_INFINITY);
  });

  scenario(`Culvert keeps the mapping: it rings within ${RING_S} s`, needs, 150, async () => {
    const { code, output, ringS, probes } = await idleThenCall("cone", IDLE_MS, keepaliveShort);
    expect(probes, output).toBeGreaterThan(3);
    expect(code, output).toBe(0);
    expect(ringS, output).toBeLessThan(RING_S);
    console.log(`rings after ${ringS.toFixed(3)} s, ${probes} requests and responses reached the idle terminal`);
  });
});
