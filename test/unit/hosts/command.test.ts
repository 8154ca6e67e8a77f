import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { commandLine } from "../../../hosts/shared/command.ts";
import { nodeHost } from "../../../hosts/node/host.ts";
import type { Host } from "../../../hosts/shared/runtime.ts";
import { fakeRuntime, type FakeRuntime } from "./fakeruntime.ts";

const GOOD = `
realms: { access: { address: 192.0.2.1 }, core: { address: 10.9.0.2 } }
services: { voice: { address: 203.0.113.5, servers: [10.9.0.10] } }
log: { level: error }
`;

let runtime: FakeRuntime;
let host: Host;
let exitCode: number;
let printed: string[];
let stop: ((signal: string) => void) | undefined;

beforeEach(() => {
  runtime = fakeRuntime();
  exitCode = 0;
  printed = [];
  stop = undefined;
  host = {
    ...nodeHost,
    runtime,
    terminal: false,
    readFile: async (path) => {
      if (path === "missing.yaml") throw new Error("no such file");
      return new TextEncoder().encode(path === "good.yaml" ? GOOD : "realms: 5");
    },
    onStop: (callback) => {
      stop = callback;
    },
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  vi.spyOn(console, "log").mockImplementation((line: string) => void printed.push(line));
  vi.spyOn(console, "error").mockImplementation((line: string) => void printed.push(line));
});

afterEach(() => {
  vi.restoreAllMocks();
});

const culvert = (...words: string[]) => commandLine(host).parseAsync(words, { from: "user" });

test("check: a good file", async () => {
  await culvert("check", "-c", "good.yaml");
  expect(printed).toEqual(["good.yaml: fine, 2 realms, 1 service, 2 rules"]);
  expect(exitCode).toBe(0);
});

test("check: a bad file", async () => {
  await culvert("check", "-c", "bad.yaml");
  expect(printed).toEqual(
    [
      "bad.yaml:1:9: error: realms: must be a mapping of names, and is a number",
      "bad.yaml:1:1: error: services: is missing; it must be a mapping of names",
    ].sort(),
  );
  expect(exitCode).toBe(1);
});

test("check: no file", async () => {
  await culvert("check", "-c", "missing.yaml");
  expect(printed).toEqual(["missing.yaml: error: cannot be read: no such file; give another file with -c"]);
  expect(exitCode).toBe(1);
});

test("run: up until a signal, then every socket is closed", async () => {
  await culvert("run", "-c", "good.yaml", "--core", "js");
  expect([...runtime.sockets.keys()]).toContain("203.0.113.5 5060");
  stop!("SIGTERM");
  expect(runtime.sockets.size).toBe(0);
  expect(exitCode).toBe(0);
});

test("run: an address that is not here is exit code 2 and advice", async () => {
  runtime.refuse.set("203.0.113.5", "EADDRNOTAVAIL");
  await culvert("run", "-c", "good.yaml", "--core", "js");
  expect(printed.join()).toContain("culvert: cannot open UDP 203.0.113.5:5060");
  expect(exitCode).toBe(2);
});
