/*
 * Every input, and every message of one, ends in exactly one reason, which is counted.
 */

import { ld32, st32 } from "../machine.ts";
import { COUNTERS, HEADER_REASON } from "../memory/layout.ts";

/** Notes the outcome. Returns the verdict. */
export function conclude(reason: i32, verdict: i32): i32 {
  st32(HEADER_REASON, reason);
  st32(COUNTERS + (reason << 2), (ld32(COUNTERS + (reason << 2)) + 1) | 0);
  return verdict;
}
