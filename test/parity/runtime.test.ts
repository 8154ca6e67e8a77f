/*
 * bindings/c/wasm.h against the WebAssembly engine of Node: every operation on boundary and random operands,
 * every edge of memory, on this machine and, under qemu-user, on aarch64, armhf, mips (big-endian) and mipsel.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import wabt from "wabt";
import { PAGE, WasmEngine } from "./engine.ts";
import { CROSS, driverBuild, NATIVE, NativeEngine, targetMissing } from "./native.ts";
import { probeText } from "./probe.ts";

const SIZE = 2 * PAGE;
const EDGES = [0, 1, 2, 7, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe];
const FILE = join("dist", "parity", "probe.wasm");

let wasm: WasmEngine;

beforeAll(async () => {
  const { parseWat } = await wabt();
  const binary = parseWat("probe.wat", probeText(), { bulk_memory: true, sign_extension: true }).toBinary({}).buffer;
  mkdirSync(join("dist", "parity"), { recursive: true });
  writeFileSync(FILE, binary);
  wasm = new WasmEngine(await WebAssembly.compile(new Uint8Array(binary)));
});

/** Operand pairs: all edges against all edges, in both halves. */
function operands(): Uint8Array[] {
  const pairs: Uint8Array[] = [];
  let seed = 12345;
  const next = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) | 0);
  for (const low of EDGES) {
    for (const high of EDGES) {
      const view = new DataView(new ArrayBuffer(16));
      [low, high, high, low].forEach((word, i) => view.setUint32(4 * i, (pairs.length & 1) === 1 && (i & 1) === 1 ? next() : word, true));
      pairs.push(new Uint8Array(view.buffer));
    }
  }
  return pairs;
}

function outcome(call: () => number): number | "trap" {
  try {
    return call();
  } catch (error) {
    if ((error as Error).name === "RuntimeError") return "trap";
    throw error;
  }
}

for (const target of [NATIVE, ...CROSS]) {
  const missing = targetMissing(target);
  describe.skipIf(missing !== undefined)(`${target.name}${missing ? ` (${missing})` : ""}`, () => {
    let c: NativeEngine;

    beforeAll(() => {
      c = new NativeEngine(target, driverBuild(target, FILE, {}));
    }, 60_000);

    afterAll(() => c.close());

    test("every operation gives the same memory", async () => {
      await wasm.open(SIZE);
      await c.open(SIZE);
      for (const pair of operands()) {
        wasm.write(0, pair);
        const [, result] = await Promise.all([c.write(0, pair), c.input(0, 0, 0)]);
        expect(result).toBe(wasm.input(0, 0, 0));
        expect(Buffer.compare(await c.read(0, 8192), wasm.read(0, 8192)), Buffer.from(pair).toString("hex")).toBe(0);
      }
      expect(await c.pages()).toEqual(wasm.pages());
    }, 60_000);

    test("an access traps exactly where WebAssembly's does", async () => {
      await wasm.open(SIZE);
      await c.open(SIZE);
      for (const at of [
        0,
        1,
        SIZE - 65,
        SIZE - 64,
        SIZE - 63,
        SIZE - 17,
        SIZE - 16,
        SIZE - 15,
        SIZE - 8,
        SIZE - 7,
        SIZE - 1,
        SIZE,
        -1,
        -16,
        0x7fffffff,
        -0x80000000,
      ]) {
        for (const name of ["boot", "region"] as const) {
          const theirs = await c[name](at).catch(() => "trap" as const);
          expect(theirs, `${name}(${at})`).toBe(outcome(() => wasm[name](at)));
        }
        expect(await c.pages()).toEqual(wasm.pages());
      }
    });

    test("a division that has no result traps", async () => {
      for (const [x, y] of [
        [1, 0],
        [-0x80000000, -1],
        [7, -1],
        [-7, 2],
      ] as const) {
        const words = new DataView(new ArrayBuffer(16));
        words.setInt32(0, x, true);
        words.setInt32(8, y, true);
        const bytes = new Uint8Array(words.buffer);
        wasm.write(0, bytes);
        await c.write(0, bytes);
        expect(await c.output().catch(() => "trap" as const)).toBe(outcome(() => wasm.output()));
      }
    });
  });
}
