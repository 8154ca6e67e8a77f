/*
 * Both hosts and both builds of the core over loopback, without root: the demo softswitch behind Culvert, sipp registers
 * and calls through it, baresip hears its echo. By portable sockets and by the fastest way that there is: root has batched ones.
 */

import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { Softswitch } from "../../hosts/demo/softswitch.ts";
import { baresip } from "./baresip.ts";
import { Culvert, denoHost, loopbackConfiguration, NODE, nodeHost } from "./culvert.ts";
import { stopAll } from "./process.ts";
import { heardBy } from "./recording.ts";
import { type Requirement, file, labPath, program, scenario } from "./requirement.ts";
import { type SippOptions, sipp, sippFigures, sippRun } from "./sipp.ts";

const ADDRESS = "127.0.0.1";
const PORT = 5560;
const SERVICE = `${ADDRESS}:${PORT}`;
const scripts = join(labPath, "sipp");
const root = join(tmpdir(), `culvert-loopback-${process.pid}`);
const deno = resolve("node_modules/.bin/deno");

interface Host {
  name: string;
  command: string[];
  core: string;
  io: string;
  needs: Requirement[];
}

const hosts: Host[] = [
  { name: "node", command: NODE, core: "wasm", io: "auto", needs: [file(nodeHost)] },
  { name: "node", command: NODE, core: "js", io: "portable", needs: [file(nodeHost)] },
  { name: "deno", command: [deno, "run", "--allow-all", "--unstable-net", denoHost], core: "wasm", io: "auto", needs: [file(denoHost), file(deno)] },
  { name: "deno", command: [deno, "run", "--allow-all", "--unstable-net", denoHost], core: "js", io: "portable", needs: [file(denoHost), file(deno)] },
];

let softswitch: Softswitch;

beforeAll(async () => {
  mkdirSync(root, { recursive: true });
  softswitch = await Softswitch.start({ address: ADDRESS, port: 0, media: { first: 40_000, last: 44_999 }, log: () => undefined });
});

afterAll(async () => {
  await stopAll();
  await softswitch.close();
  rmSync(root, { recursive: true, force: true });
});

for (const host of hosts) {
  describe(`${host.name}, ${host.core} core, io: ${host.io}`, () => {
    const folder = join(root, `${host.name}-${host.core}`);
    const missing = host.needs.some((need) => need !== "");
    let culvert: Culvert;

    beforeAll(async () => {
      if (missing) return;
      mkdirSync(folder, { recursive: true });
      const configuration = { ...loopbackConfiguration(folder, PORT, `${ADDRESS}:${softswitch.port}`), io: host.io };
      culvert = await Culvert.start(folder, configuration, host.command, 200, undefined, ["--core", host.core]);
    });
    afterAll(async () => {
      if (culvert === undefined) return;
      await culvert.stop();
      // The media came this way, and nothing went wrong unseen.
      expect(Number(/"relayed":(\d+)/.exec(culvert.program.output)?.[1])).toBeGreaterThan(500);
      expect(culvert.program.output).not.toMatch(/"trapped"|exception/);
    });

    const call = (name: string, user: string): SippOptions => ({
      scenario: name,
      remote: SERVICE,
      user,
      local: ADDRESS,
      port: 5562,
      mediaPort: 7000,
      calls: 10,
      rate: 10,
      seconds: 25,
      folder,
    });

    scenario("sipp's own caller reaches echo", [...host.needs, program("sipp")], 60, async () => {
      const options = call("uac", "echo");
      const { code, output } = await sippRun(options);
      expect(code, output.slice(-1500) + culvert.tail).toBe(0);
      // Repetitions are a matter of the machine's time here; scenario 5 counts them.
      expect(sippFigures(options), culvert.tail).toMatchObject({ successful: 10, failed: 0 });
    });

    for (const flow of ["rtp", "lateoffer", "reinvite_hold", "early", "cancel"]) {
      scenario(`a registered user is called: ${flow}`, [...host.needs, program("sipp"), file(scripts)], 60, async () => {
        const callee = { local: ADDRESS, remote: SERVICE, port: 5561, folder };
        const registered = await sippRun({ ...callee, scenario: join(scripts, "register.xml"), user: "b", calls: 1, seconds: 10 });
        expect(registered.code, culvert.tail).toBe(0);
        const answers = flow === "early" || flow === "cancel" ? `uas_${flow}.xml` : "uas.xml";
        const uas = sipp({ ...callee, scenario: join(scripts, answers), mediaPort: 6000, seconds: 50, extra: ["-aa"] });
        const { code, output } = await sippRun(call(join(scripts, `uac_${flow}.xml`), "b"));
        await uas.stop();
        expect(code, output.slice(-1500) + culvert.tail).toBe(0);
      });
    }

    scenario("baresip hears its own tone from echo", [...host.needs, program("baresip")], 40, async () => {
      const own = join(folder, "phone");
      const ended = await baresip({
        folder: own,
        user: "phone",
        server: SERVICE,
        listen: `${ADDRESS}:5570`,
        device: ADDRESS,
        toneHz: 700,
        seconds: 8,
        registerEvery: 60,
        dial: `sip:echo@${SERVICE}`,
      }).ended;
      const heard = heardBy(own, 700);
      expect(heard.windows, ended.output.slice(-1500) + culvert.tail).toBeGreaterThan(15);
      expect(heard.good / heard.windows, JSON.stringify(heard)).toBeGreaterThan(0.9);
    });
  });
}

describe("control", () => {
  scenario("without Culvert nobody answers there", [program("sipp")], 60, async () => {
    const options: SippOptions = { scenario: "uac", remote: SERVICE, user: "echo", local: ADDRESS, port: 5562, calls: 1, rate: 1, seconds: 5, folder: root };
    expect((await sippRun(options)).code).not.toBe(0);
  });
});
