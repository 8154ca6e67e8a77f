/*
 * The demo softswitch by itself, over loopback: whatever fails here is not Culvert's fault.
 */

import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { Softswitch } from "../../hosts/demo/softswitch.ts";
import { baresip } from "./baresip.ts";
import { heardBy } from "./recording.ts";
import { file, labPath, program, scenario } from "./requirement.ts";
import { type SippOptions, sipp, sippFigures, sippRun } from "./sipp.ts";

const ADDRESS = "127.0.0.1";
const folder = join(tmpdir(), `culvert-softswitch-${process.pid}`);
const scripts = join(labPath, "sipp");
let softswitch: Softswitch;
let remote = "";

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  softswitch = await Softswitch.start({ address: ADDRESS, port: 0, media: { first: 20000, last: 29999 }, log: () => undefined });
  remote = `${ADDRESS}:${softswitch.port}`;
});

afterAll(async () => {
  await softswitch.close();
  rmSync(folder, { recursive: true, force: true });
});

function call(name: string, user: string, calls: number, rate: number): SippOptions {
  return { scenario: name, remote, user, local: ADDRESS, port: 15062, mediaPort: 17000, calls, rate, seconds: 25, folder };
}

describe("demo softswitch, no proxy", () => {
  scenario("sipp's own caller reaches echo", [program("sipp")], 40, async () => {
    const options = call("uac", "echo", 10, 10);
    const { code, output } = await sippRun(options);
    expect(code, output.slice(-2000)).toBe(0);
    expect(sippFigures(options)).toMatchObject({ successful: 10, failed: 0 });
  });

  for (const flow of ["rtp", "lateoffer", "reinvite_hold"]) {
    scenario(`echo answers ${flow}`, [program("sipp"), file(scripts)], 40, async () => {
      const { code, output } = await sippRun(call(join(scripts, `uac_${flow}.xml`), "echo", 2, 2));
      expect(code, output.slice(-2000)).toBe(0);
    });
  }

  scenario("ring is cancelled", [program("sipp"), file(scripts)], 40, async () => {
    const { code, output } = await sippRun(call(join(scripts, "uac_cancel.xml"), "ring", 2, 2));
    expect(code, output.slice(-2000)).toBe(0);
  });

  for (const flow of ["rtp", "lateoffer", "reinvite_hold", "early", "cancel"]) {
    scenario(`a registered user is called: ${flow}`, [program("sipp"), file(scripts)], 60, async () => {
      const callee = { local: ADDRESS, remote, port: 15061, folder };
      const registered = await sippRun({ ...callee, scenario: join(scripts, "register.xml"), user: "b", calls: 1, seconds: 10 });
      expect(registered.code).toBe(0);
      const answers = flow === "early" || flow === "cancel" ? `uas_${flow}.xml` : "uas.xml";
      const uas = sipp({ ...callee, scenario: join(scripts, answers), mediaPort: 16000, seconds: 40 });
      const { code, output } = await sippRun(call(join(scripts, `uac_${flow}.xml`), "b", 4, 4));
      await uas.stop();
      expect(code, output.slice(-2000)).toBe(0);
    });
  }

  scenario("an unknown user is not found", [program("sipp")], 40, async () => {
    const options = call("uac", "nobody", 1, 1);
    const { code } = await sippRun(options);
    expect(code).toBe(1);
    expect(sippFigures(options).failed).toBe(1);
  });

  for (const [user, sentHz, heardHz] of [
    ["echo", 700, 700],
    ["tone", 700, 440],
  ] as const) {
    scenario(`baresip hears ${heardHz} Hz from ${user}`, [program("baresip")], 40, async () => {
      const own = join(folder, user);
      const server = remote;
      await baresip({
        folder: own,
        user: "phone",
        server,
        listen: `${ADDRESS}:15070`,
        device: ADDRESS,
        toneHz: sentHz,
        seconds: 8,
        registerEvery: 60,
        dial: `sip:${user}@${server}`,
      }).ended;
      const heard = heardBy(own, heardHz);
      expect(heard.windows).toBeGreaterThan(15);
      expect(heard.good / heard.windows).toBeGreaterThan(0.9);
    });
  }

  scenario("no call is left over", [], 10, async () => {
    expect(softswitch.calls).toBe(0);
  });
});
