/*
 * The declarations of the built core: a program that links it compiles against them, and one that mistakes them does not.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const FOLDER = join("dist", "test", "types");
const IMPORTS = `import { createCore } from "../../core.js";\nimport * as abi from "../../abi.js";\n`;

function compile(name: string, program: string): string {
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, `${name}.ts`);
  writeFileSync(file, IMPORTS + program);
  const options = ["--noEmit", "--strict", "--ignoreConfig", "--target", "es2022", "--module", "nodenext", "--types", ""];
  return spawnSync(process.execPath, [join("node_modules", "typescript", "bin", "tsc"), ...options, file], { encoding: "utf8" }).stdout;
}

test("a program that links the core compiles", () => {
  const program = `
const core = createCore(new ArrayBuffer(65536));
const end: number = core.region(abi.REGION_END);
const verdict: number = core.input(abi.KIND_DATAGRAM, 0, 0);
const reason: number = verdict < 0 ? abi.faultReason(verdict) : abi.VERDICT_RELAYED;
console.log(end, reason, core.boot(0), core.output());
`;
  expect(compile("right", `declare const console: { log(...values: unknown[]): void };${program}`)).toBe("");
});

test("one that mistakes it does not", () => {
  expect(compile("wrong", "createCore(65536).input(abi.NO_SUCH_KIND);")).toMatch(/TS2345[\s\S]*TS2339|TS2339[\s\S]*TS2345/);
});
