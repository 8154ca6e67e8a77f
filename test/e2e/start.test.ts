/*
 * First run (SPEC O5): `npm start` in a fresh clone installs, builds and starts the proxy with the demo softswitch,
 * and any user agent pointed at it can place a call.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { baresip } from "./baresip.ts";
import { nodeHost } from "./culvert.ts";
import { Program, stopAll } from "./process.ts";
import { heardBy } from "./recording.ts";
import { type Requirement, file, program, scenario } from "./requirement.ts";
import { type SippOptions, sippFigures, sippRun } from "./sipp.ts";

const ADDRESS = "127.0.0.1";
const UP = /Culvert is up at/;
const INSTALL_SECONDS = 300;
const folder = join(tmpdir(), `culvert-start-${process.pid}`);

beforeAll(() => void mkdirSync(folder, { recursive: true }));
afterAll(async () => {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
});

/** npm must be able to install: a registry that answers. */
function registry(): Requirement {
  if (process.env.CULVERT_E2E !== "1") return "";
  return spawnSync("npm", ["ping"], { timeout: 20_000, stdio: "ignore" }).status === 0 ? "" : "npm registry";
}

/** What a clone would hold: everything that git tracks or would. */
function clone(to: string): void {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { encoding: "utf8", maxBuffer: 64 << 20 });
  for (const path of listed.split("\0")) if (path !== "" && existsSync(path)) cpSync(path, join(to, path));
}

function lanAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === "IPv4" && !address.internal)?.address;
}

function calls(address: string, port: number): SippOptions {
  return { scenario: "uac", remote: `${address}:${port}`, user: "echo", local: address, port: 5562, mediaPort: 7000, calls: 10, rate: 10, seconds: 20, folder };
}

function demo(args: string[], seconds: number): Program {
  return new Program(process.execPath, [nodeHost, "demo", ...args], { seconds, interrupt: true });
}

describe("npm start in a fresh clone", () => {
  const needs = [registry(), ...["npm", "git"].map(program)];
  const missing = needs.some((need) => need !== "") || process.env.CULVERT_E2E !== "1";
  let started: Program;

  beforeAll(
    async () => {
      if (missing) return;
      const fresh = join(folder, "clone");
      clone(fresh);
      started = new Program("npm", ["start"], { seconds: INSTALL_SECONDS + 120, cwd: fresh, interrupt: true });
      await started.until(UP, INSTALL_SECONDS);
    },
    (INSTALL_SECONDS + 10) * 1000,
  );

  scenario("sipp -sn uac -s echo ends with 10 successful calls", [...needs, program("sipp")], 60, async () => {
    const options = calls(ADDRESS, 5060);
    const { code, output } = await sippRun(options);
    expect(code, output.slice(-1500) + started.output.slice(-3000)).toBe(0);
    expect(sippFigures(options)).toMatchObject({ successful: 10, failed: 0 });
  });

  for (const [user, hz] of [
    ["echo", 700],
    ["tone", 440],
  ] as const) {
    scenario(`baresip hears ${hz} Hz from ${user}`, [...needs, program("baresip")], 60, async () => {
      const own = join(folder, user);
      const dial = `sip:${user}@${ADDRESS}`;
      const ended = await baresip({
        folder: own,
        user: "phone",
        server: ADDRESS,
        listen: `${ADDRESS}:5570`,
        device: ADDRESS,
        toneHz: 700,
        seconds: 8,
        registerEvery: 60,
        dial,
      }).ended;
      const heard = heardBy(own, hz);
      const report = ended.output.slice(-1500) + started.output.slice(-3000);
      expect(heard.windows, report).toBeGreaterThan(15);
      expect(heard.good / heard.windows, report).toBeGreaterThan(0.9);
    });
  }

  scenario("Ctrl-C ends it cleanly", needs, 30, async () => {
    const { output } = await started.stop();
    expect(output).toMatch(/"msg":"stopped"/);
    expect(output).not.toMatch(/Error|npm error/);
  });
});

describe("culvert demo", () => {
  scenario("says what to do when the port is taken", [file(nodeHost)], 30, async () => {
    const taken = createSocket("udp4");
    await new Promise<void>((resolve) => taken.bind(5160, ADDRESS, resolve));
    const { code, output } = await demo(["--listen", `${ADDRESS}:5160`], 20).ended;
    await new Promise<void>((resolve) => taken.close(() => resolve()));
    expect(code, output).toBe(2);
    expect(output).toMatch(/127\.0\.0\.1:5160: another program uses/);
    expect(output).toContain("npm start -- --listen 127.0.0.1:5162");
  });

  for (const address of ["0.0.0.0", "name.example", "192.0.2.1:0x", "::1"]) {
    scenario(`refuses to listen on ${address}`, [file(nodeHost)], 30, async () => {
      const { code, output } = await demo(["--listen", address], 20).ended;
      expect(code, output).toBe(1);
      expect(output).toMatch(/give one IPv4 address of this machine/);
    });
  }

  const lan = lanAddress();
  scenario("serves phones on the local network", [file(nodeHost), program("sipp"), lan === undefined ? "a network" : ""], 60, async () => {
    const running = demo(["--listen", `${lan}:5164`], 50);
    await running.until(UP, 20);
    const options = calls(lan ?? "", 5164);
    const { code, output } = await sippRun(options);
    const ended = await running.stop();
    expect(code, output.slice(-1500) + ended.output).toBe(0);
    expect(sippFigures(options)).toMatchObject({ successful: 10, failed: 0 });
    expect(ended.code).toBe(0);
  });
});
