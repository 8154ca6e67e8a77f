/*
 * Scenarios 1 to 3: two real user agents behind two NATs, each hears the other's tone; then with
 * symmetric NATs in front of homes that use the same private addresses; then by TCP, and one by TCP and one by UDP;
 * then encrypted end to end (SDES).
 */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { certificateMake } from "../certificate.ts";
import { type Configuration, Culvert, nodeHost } from "./culvert.ts";
import { Lab, type LabOptions, SERVER } from "./lab.ts";
import type { Ended } from "./process.ts";
import { type Heard, heardBy } from "./recording.ts";
import { file, lab, program, scenario } from "./requirement.ts";

const needs = [...lab(), ...["baresip", "kamailio", "python3"].map(program)];
const PAIR_SECONDS = 14;

/** Registers both, A calls B; exit 0 when each heard the other. `env` is for the lab's script: TP, ACC. */
function pair(made: Lab, env: Record<string, string>): Promise<Ended> {
  const server = env.TP === "tls" ? `${SERVER}:5060` : SERVER;
  return made.script("baresip/pair.sh", ["vl-ta", "vl-tb", server, String(PAIR_SECONDS)], PAIR_SECONDS + 20, env);
}

type Change = (configuration: Configuration, folder: string) => void;

async function pairIn(options: LabOptions, withCulvert: boolean, env: Record<string, string> = {}, change: Change = () => undefined): Promise<Ended> {
  const made = await Lab.up(options);
  try {
    const culvert = withCulvert ? await Culvert.inLab(made, 60, (configuration) => change(configuration, made.folder)) : undefined;
    const ended = await pair(made, env);
    ended.output += culvert?.tail ?? "";
    await culvert?.stop();
    return ended;
  } finally {
    await made.down();
  }
}

/** A by TCP and B by UDP, as the lab's pair.sh does it for both alike. */
async function mixedIn(options: LabOptions): Promise<{ heard: Heard[]; output: string }> {
  const made = await Lab.up(options);
  try {
    const culvert = await Culvert.inLab(made, 60);
    const agent = (folder: string, netns: string, user: string, tone: number, seconds: number, transport: string, ...args: string[]): Promise<Ended> =>
      made.script("baresip/ua.sh", [join(made.folder, folder), netns, user, SERVER, String(tone), String(seconds), ...args], seconds + 10, { TP: transport });
    const called = agent("bb", "vl-tb", "b", 880, PAIR_SECONDS, "udp");
    await sleep(2000);
    await Promise.all([called, agent("ba", "vl-ta", "a", 440, PAIR_SECONDS - 3, "tcp", "-e", `/dial sip:b@${SERVER}`)]);
    const heard = [heardBy(join(made.folder, "ba"), 880), heardBy(join(made.folder, "bb"), 440)];
    const output = `${JSON.stringify(heard)}${culvert.tail}`;
    await culvert.stop();
    return { heard, output };
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
    const { code, output } = await pairIn({ nat: "cone" }, true, { ACC: ";mediaenc=srtp-mand" });
    expect(code, output).toBe(0);
  });

  scenario("by TLS, to a registrar that knows TCP: each hears the other", [...needs, program("openssl"), file(nodeHost)], 90, async () => {
    const { code, output } = await pairIn({ nat: "cone" }, true, { TP: "tls" }, ({ services }, folder) => {
      Object.assign(services["voice"]!, { transports: { tcp: false, tls: 5060 }, tls: certificateMake(folder, "voice", [`IP:${SERVER}`]) });
    });
    expect(code, output).toBe(0);
  });

  scenario("one by TCP, one by UDP: each hears the other", [...needs, file(nodeHost)], 90, async () => {
    const { heard, output } = await mixedIn({ nat: "cone" });
    for (const { windows, good } of heard) expect(good, output).toBeGreaterThan(windows / 2);
  });

  scenario("by TCP: each hears the other", [...needs, file(nodeHost)], 90, async () => {
    const { code, output } = await pairIn({ nat: "cone" }, true, { TP: "tcp" });
    expect(code, output).toBe(0);
  });
});
