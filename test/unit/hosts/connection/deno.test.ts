/*
 * The tests beside this one on Deno, which runs the same files with its own sockets and TLS.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const deno = resolve("node_modules/.bin/deno");

/** Files, and how many of their tests there are at least. */
const FILES: [name: string, least: number][] = [
  ["stream", 6],
  ["websocket", 6],
  ["media", 4],
];

for (const [name, least] of FILES) {
  test.skipIf(!existsSync(deno))(`${name} on Deno [skipped without the npm package deno]`, async () => {
    const file = `test/unit/hosts/connection/${name}.test.ts`;
    const runner = spawn(deno, ["run", "--allow-all", "node_modules/vitest/vitest.mjs", "run", "--reporter=json", file], {
      env: { ...process.env, NO_COLOR: "1" },
    });
    let output = "";
    runner.stdout.on("data", (data) => (output += data));
    runner.stderr.on("data", (data) => (output += data));
    const [code] = await once(runner, "close");
    expect(code, output).toBe(0);
    expect(Number(/"numPassedTests":(\d+)/.exec(output)?.[1]), output).toBeGreaterThanOrEqual(least);
  });
}
