/*
 * How a core begins: by a boot, or with what another process left in its memory.
 */

import * as abi from "./core.ts";
import type { Core } from "./core.ts";
import type { Log } from "./log.ts";
import { verdictName } from "./names.ts";

/** Has the core look over and take over what it has in memory, and announce it. Returns why it does not, or undefined. */
function restore(core: Core, clock: () => number, drain: () => void): string | undefined {
  try {
    let result = 0;
    do {
      result = core.input(abi.KIND_RESTORE, result, clock());
      drain();
    } while (result > 0);
    return result < 0 ? verdictName(result) : undefined;
  } catch (error) {
    // A process that ends here would find the same state when it is started again.
    return (error as Error).stack ?? "";
  }
}

/** Boots a configured core. Throws what a person can read when the core refuses the configuration. */
export function coreBoot(core: Core, now: number): void {
  const fault = core.boot(now);
  if (fault >= 0) return;
  const problem = `${verdictName(fault)}, position ${abi.faultPosition(fault)}`;
  throw new Error(`the core refuses the configuration (${problem}); please report this together with the configuration`);
}

/**
 * Has a configured core go on with its memory, if that is of a process before, or boots it. Returns whether it goes on. Throws as
 * coreBoot.
 */
export function coreBegin(core: Core, restored: boolean, clock: () => number, drain: () => void, log: Log): boolean {
  const cause = restored ? restore(core, clock, drain) : undefined;
  if (restored && cause === undefined) return true;
  if (restored) log.warn({ cause }, "the core refuses the saved state, so calls that were up are not known");
  coreBoot(core, clock());
  drain();
  return false;
}
