/*
 * Which pages of the tables may have changed, so that a host that saves them copies those alone.
 * Invariant: whatever writes to a table has its address from a function that marks the page; one that only reads may mark, too.
 */

import { fill, st8 } from "../machine.ts";
import { PAGE_SHIFT, REGION_DIRTY, REGION_END, table } from "../memory/layout.ts";

/** Marks the page of the record at `at`. Returns the address. */
export function dirtyMark(at: i32): i32 {
  st8(table(REGION_DIRTY) + (at >> PAGE_SHIFT), 1);
  return at;
}

/** Nothing has changed. */
export function dirtyInit(): void {
  fill(table(REGION_DIRTY), 0, (table(REGION_END) - table(REGION_DIRTY)) | 0);
}
