/*
 * The built core proves what it does not do (DESIGN 4): it imports nothing, it cannot grow its memory, it has no
 * tables and no state beside its memory, it never calls itself; and the JavaScript build leaves nothing on the heap.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import wabt from "wabt";
import { type Binary, binaryRead, recursionIn } from "./binary.ts";

const FOLDER = join("dist", "tidy");

/** Everything that the core must not have, in one module. */
const PLANTED = `(module
  (import "env" "clock" (func $clock (result i32)))
  (memory (export "memory") 1 2)
  (table 1 funcref) (elem (i32.const 0) $odd)
  (global $state (mut i32) (i32.const 0))
  (data (i32.const 0) "x")
  (type $t (func (param i32) (result i32)))
  (func $even (param i32) (result i32) (call $odd (memory.grow (local.get 0))))
  (func $odd (export "odd") (param i32) (result i32) (call $even (call_indirect (type $t) (local.get 0) (i32.const 0)))))`;

let planted: Binary;

beforeAll(async () => {
  const { parseWat } = await wabt();
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, "planted.wasm"), parseWat("planted.wat", PLANTED).toBinary({}).buffer);
  planted = binaryRead(join(FOLDER, "planted.wasm"));
});

describe("a module", () => {
  test("the reader sees what it is for", () => {
    expect(planted.imports).toHaveLength(1);
    expect(planted.exports).toEqual(["func odd", "memory memory"]);
    expect(planted.tables).toBe(2);
    expect(planted.globals).toBe(1);
    expect(planted.data).toBe(1);
    expect(planted.instructions).toContain("memory.grow");
    expect(planted.instructions).toContain("call_indirect");
    expect(recursionIn(planted.calls)).toBeDefined();
  });
});

describe.each(["core.wasm", "small.wasm"])("%s", (file) => {
  const core = binaryRead(join("dist", file));

  test("imports nothing and exports the contract", () => {
    expect(core.imports).toEqual([]);
    expect(core.exports).toEqual(["func boot", "func input", "func output", "func region", "memory memory"]);
  });

  test("does not allocate", () => {
    expect(core.instructions).not.toContain("memory.grow");
    expect(core.memories).toHaveLength(1);
    expect(core.memories[0]).toMatch(/max=\d+/);
  });

  test("jumps nowhere that is not written", () => {
    expect(core.tables).toBe(0);
    expect(core.instructions).not.toContain("call_indirect");
  });

  test("has no state beside its memory, which starts as zeros", () => {
    expect(core.globals).toBe(0);
    expect(core.data).toBe(0);
  });

  test("reads integers only", () => {
    expect([...core.instructions].filter((name) => /^f(32|64)\./.test(name))).toEqual([]);
  });

  test("never calls itself, so its stack has a bound", () => {
    expect(core.calls.size).toBeGreaterThan(4);
    expect(recursionIn(core.calls)).toBeUndefined();
  });
});

/** Bytes an input, over some rounds. */
interface Growth {
  least: number;
  middle: number;
}

describe("core.js", () => {
  /** Bytes that each input leaves on the heap, after warm-up, without a collection in between. */
  async function heapPerInput(mode: string): Promise<Record<string, Growth>> {
    const outfile = join(FOLDER, "heap.mjs");
    await build({ entryPoints: ["test/tidy/heap.ts"], bundle: true, format: "esm", platform: "node", packages: "external", outfile, logLevel: "warning" });
    const text = execFileSync(process.execPath, ["--expose-gc", "--max-semi-space-size=64", outfile, mode], { encoding: "utf8" });
    return JSON.parse(text) as Record<string, Growth>;
  }

  test("the measurement sees an allocation of one object an input", async () => {
    const growth = await heapPerInput("planted");
    for (const [name, { middle }] of Object.entries(growth)) expect(middle, name).toBeGreaterThan(8);
  }, 60_000);

  test("leaves nothing on the heap, whatever comes in", async () => {
    const growth = await heapPerInput("core");
    expect(Object.keys(growth).length).toBeGreaterThanOrEqual(5);
    for (const [name, { least }] of Object.entries(growth)) expect(least, name).toBeLessThan(0.5);
  }, 60_000);
});
