/*
 * Decimal numbers: 1*DIGIT as RFC 3261 25.1 and RFC 8866 9 write them, and back.
 * Invariant: nothing past `end` is read; a number that leaves 31 bits is refused, never wrapped.
 */

import { ld8, st8 } from "../machine.ts";
import { CLASS_DIGIT, classEnd } from "./class.ts";

/** Exclusive end of the run of digits that begins at `p`. */
export function digitsEnd(p: i32, end: i32): i32 {
  return classEnd(p, end, CLASS_DIGIT);
}

/** Value of the digits in [p, end), leading zeros allowed; -1 when empty, not all digits or above 2^31-1. */
export function decimalRead(p: i32, end: i32): i32 {
  if (p >= end) return -1;
  let value: i32 = 0;
  for (let at: i32 = p; at < end; at++) {
    const digit: i32 = (ld8(at) - 48) | 0;
    if (digit < 0 || digit > 9) return -1;
    if (value > 214748364 || (value === 214748364 && digit > 7)) return -1;
    value = (value << 3) + (value << 1) + digit;
  }
  return value;
}

/** Number of digits of a value >= 0. */
function decimalLength(value: i32): i32 {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10000) return 4;
  if (value < 100000) return 5;
  let n: i32 = 5;
  let rest: i32 = (value / 100000) | 0;
  while (rest > 0) {
    n++;
    rest = (rest / 10) | 0;
  }
  return n;
}

/** Writes a value >= 0 at `p`; returns the position after it. */
export function decimalWrite(p: i32, value: i32): i32 {
  const end: i32 = p + decimalLength(value);
  let at: i32 = end;
  let rest: i32 = value;
  while (at > p) {
    const next: i32 = (rest / 10) | 0;
    at--;
    st8(at, 48 + (rest - ((next << 3) + (next << 1))));
    rest = next;
  }
  return end;
}
