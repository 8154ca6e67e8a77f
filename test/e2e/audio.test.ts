/*
 * Scenarios 1 and 2: two real user agents behind two NATs, each hears the other's tone; then with
 * symmetric NATs in front of homes that use the same private addresses; then encrypted end to end (SDES).
 */

import { describe, expect } from "vitest";
import { Culvert, nodeHost } from "./culvert.ts";
import { Lab, type LabOptions } from "./lab.ts";
import type { Ended } from "./process.ts";
import { file, lab, program, scenario } from "./requirement.ts";

const needs = [...lab(), ...["baresip", "kamailio", "python3"].map(program)];
const PAIR_SECONDS = 14;

/** Registers both, A calls B; exit 0 when each heard the other. `account` is added to their account lines. */
function pair(made: Lab, account: string): Promise<Ended> {
  return made.script("baresip/pair.sh", ["vl-ta", "vl-tb", "203.0.113.20", String(PAIR_SECONDS)], PAIR_SECONDS + 20, { ACC: account });
}

async function pairIn(options: LabOptions, withCulvert: boolean, account = ""): Promise<Ended> {
  const made = await Lab.up(options);
  try {
    const culvert = withCulvert ? await Culvert.inLab(made, 60) : undefined;
    const ended = await pair(made, account);
    ended.output += culvert?.tail ?? "";
    await culvert?.stop();
    return ended;
  } finally {
    await made.down();
  }
}

/** Share of energy that each recording holds of its own user's tone: what it must not hear. */
function crossed(output: string): number[] {
  return [...output.matchAll(/heard: .*Hz best ([\d.]+)\)/g)].map((match) => Number(match[1]));
}

describe("SIP audio through two NATs", () => {
  scenario("control: without NAT it works by itself", needs, 60, async () => {
    const { code, output } = await pairIn({ nat: "none" }, false);
    expect(code, output).toBe(0);
  });

  scenario("control: with NAT and no Culvert there is no call", needs, 60, async () => {
    const { code, output } = await pairIn({ nat: "cone" }, false);
    expect(code, output).toBe(1);
    expect(output).not.toMatch(/windows [1-9]/);
  });

  for (const options of [{ nat: "cone" }, { nat: "sym", overlap: true }] as LabOptions[]) {
    const name = options.overlap === true ? "symmetric NATs, both homes with the same addresses" : "port preserving NATs";
    scenario(`${name}: each hears the other`, [...needs, file(nodeHost)], 90, async () => {
      const { code, output } = await pairIn(options, true);
      expect(code, output).toBe(0);
      expect(crossed(output)).toHaveLength(2);
      for (const share of crossed(output)) expect(share, output).toBeLessThan(0.5);
      console.log(output.match(/^b[ab] heard: .*$/gm)?.join("\n"));
    });
  }

  scenario("a registrar that asks for a password accepts them", [...needs, file(nodeHost)], 90, async () => {
    const { code, output } = await pairIn({ nat: "cone", authenticate: true }, true);
    expect(code, output).toBe(0);
  });

  scenario("SRTP goes through untouched", [...needs, file(nodeHost)], 90, async () => {
    const { code, output } = await pairIn({ nat: "cone" }, true, ";mediaenc=srtp-mand");
    expect(code, output).toBe(0);
  });
});
