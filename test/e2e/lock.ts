/*
 * One end-to-end run at a time on a machine: the lab's namespaces have fixed names. The lock is a file
 * that holds the pid of its owner; a dead owner's lock is taken over. What a run starts shares its lock (CULVERT_E2E_LOCK).
 */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const path = join(tmpdir(), "culvert-e2e.lock");
const WAIT_MS = 15 * 60 * 1000;
const STEP_MS = 2000;

function take(owner: number): boolean {
  try {
    writeFileSync(path, String(owner), { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}

/** Pid of who holds it now, if he lives. */
function ownerFind(): number | undefined {
  try {
    const owner = Number(readFileSync(path, "utf8"));
    process.kill(owner, 0);
    return owner;
  } catch {
    return undefined;
  }
}

/** Waits until nobody else has it. Returns what gives it back, or does nothing when `owner` had it already. */
export async function lockTake(owner: number): Promise<() => void> {
  for (let waited = 0; !take(owner); waited += STEP_MS) {
    const other = ownerFind();
    if (other === owner) return () => undefined;
    if (other === undefined) rmSync(path, { force: true });
    else if (waited >= WAIT_MS) throw new Error(`another end-to-end run holds ${path}`);
    else await sleep(STEP_MS);
  }
  return () => rmSync(path, { force: true });
}

export default function setup(): Promise<() => void> {
  return lockTake(Number(process.env.CULVERT_E2E_LOCK ?? process.pid));
}
