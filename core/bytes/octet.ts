/*
 * Octets as decimal text by table: three characters and how many of them count. The table is written at boot, in memory
 * like everything else.
 */

import { ld32, ld32be, st32, st32be, st8 } from "../machine.ts";
import { OCTETS } from "../memory/layout.ts";
import { decimalWrite } from "./decimal.ts";

const LENGTH_MASK: i32 = 255;

export function octetsInit(): void {
  for (let value: i32 = 0; value < 256; value++) {
    const entry: i32 = OCTETS + (value << 2);
    const len: i32 = decimalWrite(entry, value) - entry;
    for (let at: i32 = entry + len; at < entry + 4; at++) st8(at, 0);
    st8(entry + 3, len);
    st32(entry, ld32be(entry));
  }
}

/** Writes an octet at `p`, where four bytes must be free; returns the position after it. */
export function octetWrite(p: i32, value: i32): i32 {
  const entry: i32 = ld32(OCTETS + (value << 2));
  st32be(p, entry);
  return p + (entry & LENGTH_MASK);
}
