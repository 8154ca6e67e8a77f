/*
 * `npm run e2e [-- NAME ...]`: all scenarios, or those of the files named. First those that measure time and load, with the
 * machine to themselves; then those in the lab's namespaces, in two halves, and those that have namespaces of their own or loopback,
 * in three groups beside each other: most of all is waiting. Within a group there is one file after the other (vitest.config.ts).
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { lockTake } from "./lock.ts";

const running = new Set<ChildProcess>();

/** Where names of network namespaces are, for this program alone: so two labs have the same names and do not meet. */
const APART = ["unshare", "--mount", "sh", "-c", 'mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec "$@"', "sh"];

/** Runs a group, with `apart` under names of its own, which takes root. Returns the exit code. */
async function group(name: string, apart = false): Promise<number> {
  const args = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--config",
    "test/e2e/vitest.config.ts",
    "--passWithNoTests",
    "--project",
    name,
    ...process.argv.slice(2),
  ];
  const env = { ...process.env, CULVERT_E2E_LOCK: String(process.pid) };
  const [file, ...rest] = [...(apart && process.getuid?.() === 0 ? APART : []), process.execPath, ...args];
  const child = spawn(file!, rest, { stdio: "inherit", env });
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
  const codes = [await group("alone"), ...(await Promise.all([group("lab"), group("twin", true), group("own")]))];
  process.exitCode = Math.max(...codes);
} finally {
  release();
}
