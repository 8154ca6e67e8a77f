/*
 * The whole public surface of the core (DESIGN 2): write the capacities, size the memory to
 * region(REGION_END), write the configuration, boot; then one input, and output() until OUTPUT_TIMEOUT.
 */

import { layoutWrite, table } from "./memory/layout.ts";
import { pathBoot, pathInput } from "./path.ts";
import { outputTake } from "./output/queue.ts";

/** Starts with the configuration in memory at `now` (milliseconds). Returns 0 or a fault. */
export function boot(now: i32): i32 {
  return pathBoot(now);
}

/** Address of a region (REGION_*); computed from the capacities in the header, so valid before boot. */
export function region(id: i32): i32 {
  layoutWrite();
  return table(id & 31);
}

/** Takes one input of `kind` (KIND_*) with `len` payload bytes or slots at `now`. Returns a VERDICT_* or a fault (negative). */
export function input(kind: i32, len: i32, now: i32): i32 {
  return pathInput(kind, len, now);
}

/** Address of the next output record; the last is of kind OUTPUT_TIMEOUT. */
export function output(): i32 {
  return outputTake();
}
