/*
 * Scenario 4: the call flows of sipp between two NATs, 20 calls each, STRICT: every call as scripted, the
 * media of both sides through, and not one packet from the servers' side to a private address.
 */

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { Capture } from "./capture.ts";
import { Culvert, nodeHost } from "./culvert.ts";
import { PRIVATE, exposures } from "./exposure.ts";
import { Lab, type LabOptions, SERVER } from "./lab.ts";
import { file, lab, program, scenario } from "./requirement.ts";

/** Each takes the half minute in which the caller gives up, for the same reason. */
const FAILING = ["rtp", "early"];
const FLOWS = ["rtp", "reinvite_hold", "lateoffer", "early", "cancel"];
const CALLS = 20;
const RATE = 5;
const SHARE = 0.95;
/** The lab's callee plays on for 0.5 s after BYE, one packet each 30 ms: nobody has to carry those. */
const TAIL = 17;
const needs = [...lab(), ...["sipp", "kamailio", "tshark"].map(program)];

interface Traffic {
  sent: number;
  received: number;
}

interface Flow {
  code: number;
  output: string;
  a: Traffic;
  b: Traffic;
}

async function traffic(capture: Capture, address: string): Promise<Traffic> {
  const [sent, received] = [await capture.count(`src host ${address}`), await capture.count(`dst host ${address}`)];
  return { sent, received };
}

/** Runs one flow with the lab's script and counts the media at both terminals. */
async function flowRun(made: Lab, flow: string, calls: number, options: LabOptions, env: Record<string, string>): Promise<Flow> {
  const homes = ["10.11.0.10", options.overlap === true ? "10.11.0.10" : "10.12.0.10"] as const;
  const start = (netns: string, address: string): Promise<Capture> =>
    Capture.start(
      netns,
      "eth0",
      join(made.folder, `${netns}-${flow}.pcap`),
      `udp and ((src host ${address} and src portrange 6000-7999) or (dst host ${address} and dst portrange 6000-7999))`,
      60,
    );
  const captures = [await start("vl-ta", homes[0]), await start("vl-tb", homes[1])] as const;
  const { code, output } = await made.script("sipp/run.sh", [flow, "vl-ta", "vl-tb", SERVER, String(calls), String(RATE)], 60, env);
  await Promise.all(captures.map((capture) => capture.stop()));
  return { code, output, a: await traffic(captures[0], homes[0]), b: await traffic(captures[1], homes[1]) };
}

describe("call flows without Culvert", () => {
  for (const nat of ["none", "cone"] as const) {
    describe(`NAT ${nat}`, () => {
      let made: Lab;
      beforeAll(async () => void (made = await Lab.up({ nat })));
      afterAll(() => made.down());
      for (const flow of nat === "none" ? FLOWS : FAILING) {
        scenario(`control: ${flow} ${nat === "none" ? "works" : "fails"}`, needs, 90, async () => {
          const { code, output, a } = await flowRun(made, flow, 1, { nat }, {});
          if (nat === "none") expect(code, output).toBe(0);
          else expect(code, output).not.toBe(0);
          if (nat === "cone") expect(a.received).toBe(0);
        });
      }
    });
  }
});

for (const options of [{ nat: "cone" }, { nat: "sym", overlap: true }] as LabOptions[]) {
  const name = options.overlap === true ? "two symmetric NATs, both homes with the same addresses" : "two NATs";
  describe(`call flows through Culvert, ${name}`, () => {
    let made: Lab;
    let culvert: Culvert;
    beforeAll(async () => {
      made = await Lab.up(options);
      culvert = await Culvert.inLab(made, 400);
    });
    afterAll(async () => {
      await culvert?.stop();
      await made?.down();
    });

    for (const flow of FLOWS) {
      scenario(`${flow}: ${CALLS} calls`, [...needs, file(nodeHost)], 90, () => flowJudge(made, culvert, flow, options));
    }
  });
}

/** Every call as scripted, both ways heard, nothing private on the servers' side. */
async function flowJudge(made: Lab, culvert: Culvert, flow: string, options: LabOptions): Promise<void> {
  const core = await Capture.start("vl-sv", "eth0", join(made.folder, `core-${flow}.pcap`), "udp port 5060", 90);
  const { code, output, a, b } = await flowRun(made, flow, CALLS, options, { STRICT: "1" });
  await core.stop();
  const report = `${output} A ${JSON.stringify(a)} B ${JSON.stringify(b)}${culvert.tail}`;
  expect(code, report).toBe(0);
  expect(output, report).toMatch(/to private addresses 0$/m);
  expect(await exposures(core, "sip", PRIVATE), report).toEqual([]);
  console.log(`${output.trim()}; A ${JSON.stringify(a)} B ${JSON.stringify(b)}`);
  if (flow === "cancel") return;
  expect(a.sent, report).toBeGreaterThan(CALLS * 10);
  expect(b.received, report).toBeGreaterThanOrEqual(SHARE * a.sent);
  expect(a.received, report).toBeGreaterThanOrEqual(SHARE * (b.sent - CALLS * TAIL));
}
