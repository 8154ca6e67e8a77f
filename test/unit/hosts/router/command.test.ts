import { Command } from "commander";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { nodeHost } from "../../../../hosts/node/host.ts";
import { registerRouter } from "../../../../hosts/node/router.ts";
import type { Host } from "../../../../hosts/shared/runtime.ts";
import { configurationText } from "./configuration.ts";

let printed: string[];
let exitCode: number;
let host: Host;

beforeEach(() => {
  printed = [];
  exitCode = 0;
  host = {
    ...nodeHost,
    readFile: async (path) => new TextEncoder().encode(path === "parallel.yaml" ? configurationText("{ mode: parallel }") : configurationText()),
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(process.stdout, "write").mockImplementation((text) => printed.push(String(text)) > 0);
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function router(...words: string[]): Promise<void> {
  const program = new Command("culvert");
  const open = (): never => {
    throw new Error("the machine was opened");
  };
  registerRouter(program, host, { open, isOurs: async () => false });
  await program.parseAsync(["router", ...words], { from: "user" });
}

test("one thing at a time", async () => {
  for (const words of [[], ["--apply", "--print"]]) {
    await router(...words);
    expect(printed.pop()).toBe("culvert: say what to do: one of --apply, --remove and --print");
    expect(exitCode).toBe(1);
  }
});

test("--print says it for this machine, or for another", async () => {
  await router("--print");
  expect(printed.join("")).toMatch(/^#!\/bin\/sh\n/);
  await router("--print", "junos", "-c", "parallel.yaml");
  expect(printed.pop()).toMatch(/^# Junos/);
  expect(exitCode).toBe(0);
});

test("--print for a router that has nothing to do", async () => {
  await router("--print", "vyos");
  expect(printed).toEqual([
    "culvert: nothing is asked of a router in serial mode, where packets pass through this machine; set `interception: { mode: parallel }`",
  ]);
  expect(exitCode).toBe(1);
});

test("who is not root is told what to do, and nothing is touched", async () => {
  await router("--apply");
  expect(printed).toEqual([
    "culvert: routing can be changed by root only: run `sudo culvert router --apply` once; `culvert run` does not need root after that",
  ]);
  expect(exitCode).toBe(2);
});
