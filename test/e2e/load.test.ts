/*
 * Scenario 5: 1,000 calls at 50 a second between two NATs. None fails, fewer than 1 % of the messages are
 * repeated, and what the calls held is given back within 35 s.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { Culvert, nodeHost } from "./culvert.ts";
import { Lab, type LabOptions, SERVER } from "./lab.ts";
import { file, lab, labPath, program, scenario } from "./requirement.ts";
import { type Figures, type SippOptions, silenced, sipp, sippFigures, sippRun } from "./sipp.ts";

const CALLS = 1000;
/** Enough to show that the lab is not what fails. */
const CONTROL_CALLS = 200;
const RATE = 50;
const BACK_WITHIN_S = 35;
/** Messages that sipp's caller sends and expects in one call: INVITE, 180, 200, ACK, BYE, 200. */
const MESSAGES = 6;
/** Calls that linger for 32 s, two legs each, and room to spare. */
const CAPACITY = { terminals: 1000, calls: 6000 };
/** With media 5,000 packets a second pass twice, beside two sipps on the same two processors. */
const MEDIA_CALLS = 500;
const MEDIA_RATE = 25;
/** What the lab's caller plays in its 3 s, one packet each 30 ms. */
const PACKETS = 100;
const needs = [...lab(), ...["sipp", "kamailio"].map(program)];
const scripts = join(labPath, "sipp");

/** The lab's caller and callee without their RTP: this is about signaling. */
function silent(folder: string, name: string): string {
  const path = join(folder, `silent_${name}`);
  writeFileSync(path, silenced(readFileSync(join(scripts, name), "utf8")));
  return path;
}

interface Load {
  code: number;
  output: string;
  figures: Figures;
}

async function load(made: Lab, calls: number, afterRegister: () => void): Promise<Load> {
  const callee = { remote: `${SERVER}:5060`, port: 5060, netns: "vl-tb", folder: made.folder };
  const registered = await sippRun({ ...callee, scenario: join(scripts, "register.xml"), user: "b", calls: 1, seconds: 10 });
  expect(registered.code, registered.output.slice(-1000)).toBe(0);
  afterRegister();
  const uas = sipp({ ...callee, scenario: silent(made.folder, "uas.xml"), mediaPort: 6000, seconds: 100, extra: ["-aa"] });
  const options: SippOptions = {
    remote: `${SERVER}:5060`,
    port: 5060,
    scenario: silent(made.folder, "uac_rtp.xml"),
    user: "b",
    mediaPort: 6000,
    calls,
    rate: RATE,
    seconds: 60,
    netns: "vl-ta",
    folder: made.folder,
  };
  const { code, output } = await sippRun(options);
  await sleep(1000);
  await uas.stop();
  return { code, output: output.slice(-1500), figures: sippFigures(options) };
}

/** Loads without Culvert. */
async function control(options: LabOptions, calls: number): Promise<Load> {
  const made = await Lab.up(options);
  try {
    return await load(made, calls, () => undefined);
  } finally {
    await made.down();
  }
}

describe(`${CALLS} calls at ${RATE} a second`, () => {
  scenario("control: no NAT, no Culvert: the lab itself carries them", needs, 120, async () => {
    const { code, output, figures } = await control({ nat: "none" }, CONTROL_CALLS);
    expect(code, output).toBe(0);
    expect(figures).toMatchObject({ successful: CONTROL_CALLS, failed: 0 });
  });

  scenario("control: NAT, no Culvert: none succeeds", needs, 150, async () => {
    const { figures } = await control({ nat: "cone" }, 10);
    expect(figures).toMatchObject({ successful: 0, failed: 10 });
  });

  scenario("through Culvert none fails, and everything is given back", [...needs, file(nodeHost)], 240, async () => {
    const made = await Lab.up({ nat: "cone" });
    try {
      const culvert = await Culvert.inLab(made, 200, (configuration) => void (configuration.capacity = CAPACITY));
      let idle = 0;
      const { code, output, figures } = await load(made, CALLS, () => void (idle = culvert.descriptors));
      const report = `${output}\n${JSON.stringify(figures)}${culvert.tail}`;
      expect(code, report).toBe(0);
      expect(figures, report).toMatchObject({ successful: CALLS, failed: 0 });
      expect(figures.retransmissions, report).toBeLessThan(0.01 * MESSAGES * CALLS);
      let waited = 0;
      for (; waited < BACK_WITHIN_S && culvert.descriptors > idle; waited++) await sleep(1000);
      expect(culvert.descriptors, `descriptors, idle ${idle}, ${waited} s after the last call${culvert.tail}`).toBe(idle);
      // A call has two legs here, and each that began has ended.
      for (const event of ["call-started", "call-answered", "call-ended"]) expect(culvert.events(event), event).toBe(2 * CALLS);
      console.log(`${JSON.stringify(figures)}; descriptors idle ${idle}, back after ${waited} s`);
      await culvert.stop();
    } finally {
      await made.down();
    }
  });

  scenario(`${MEDIA_CALLS} at ${MEDIA_RATE} a second with media both ways`, [...needs, file(nodeHost)], 180, async () => {
    const made = await Lab.up({ nat: "cone" });
    try {
      const culvert = await Culvert.inLab(made, 120, (configuration) => void (configuration.capacity = CAPACITY));
      const { code, output } = await made.script("sipp/run.sh", ["rtp", "vl-ta", "vl-tb", SERVER, String(MEDIA_CALLS), String(MEDIA_RATE)], 90, {
        STRICT: "1",
      });
      expect(code, output + culvert.tail).toBe(0);
      const [, atA, atB] = /RTP got A (\d+) B (\d+)/.exec(output) ?? [];
      for (const received of [atA, atB]) expect(Number(received), output).toBeGreaterThan(0.95 * PACKETS * MEDIA_CALLS);
      console.log(output.trim());
      await culvert.stop();
    } finally {
      await made.down();
    }
  });
});
