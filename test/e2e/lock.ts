/*
 * One end-to-end run at a time on a machine: the lab's namespaces have fixed names. The lock is a file
 * that holds the pid of its owner; a dead owner's lock is taken over.
 */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const path = join(tmpdir(), "culvert-e2e.lock");
const WAIT_MS = 15 * 60 * 1000;
const STEP_MS = 2000;

function take(): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}

function ownerLives(): boolean {
  try {
    process.kill(Number(readFileSync(path, "utf8")), 0);
    return true;
  } catch {
    return false;
  }
}

export default async function setup(): Promise<() => void> {
  for (let waited = 0; !take(); waited += STEP_MS) {
    if (!ownerLives()) rmSync(path, { force: true });
    else if (waited >= WAIT_MS) throw new Error(`another end-to-end run holds ${path}`);
    else await sleep(STEP_MS);
  }
  return () => rmSync(path, { force: true });
}
