/*
 * `npm run e2e [-- NAME ...]`: all scenarios, or those of the files named. First those that measure time and load, with the
 * machine to themselves; then those in the lab's namespaces and those that have namespaces of their own or loopback, beside
 * each other: most of both is waiting. Within a group there is one file after the other (vitest.config.ts).
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { lockTake } from "./lock.ts";

const running = new Set<ChildProcess>();

/** Runs a group. Returns the exit code. */
async function group(name: string): Promise<number> {
  const args = ["run", "--config", "test/e2e/vitest.config.ts", "--passWithNoTests", "--project", name, ...process.argv.slice(2)];
  const env = { ...process.env, CULVERT_E2E_LOCK: String(process.pid) };
  const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", ...args], { stdio: "inherit", env });
  running.add(child);
  const [code] = (await once(child, "exit")) as [number | null];
  running.delete(child);
  return code ?? 1;
}

// Groups end what they started. Of Ctrl-C they hear by themselves.
process.on("SIGINT", () => undefined);
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => void running.forEach((child) => void child.kill(signal)));
const release = await lockTake(process.pid);
try {
  const codes = [await group("alone"), ...(await Promise.all(["lab", "own"].map(group)))];
  process.exitCode = Math.max(...codes);
} finally {
  release();
}
