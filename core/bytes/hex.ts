/*
 * Hexadecimal digits. A 32-bit number as eight of them in lower case is how our own tags and branches say that they are ours.
 */

import { ld8, st8 } from "../machine.ts";

/** Value of a digit in either case, -1 for what is none. */
export function hexValue(c: i32): i32 {
  if (c >= 48 && c <= 57) return c - 48;
  const low: i32 = c | 32;
  return low >= 97 && low <= 102 ? low - 87 : -1;
}

function hexDigit(value: i32, i: i32): i32 {
  const digit: i32 = (value >> (28 - (i << 2))) & 15;
  return digit < 10 ? 48 + digit : 87 + digit;
}

/** Writes eight digits at `p`; returns the position after them. */
export function hexWrite(p: i32, value: i32): i32 {
  for (let i: i32 = 0; i < 8; i++) st8(p + i, hexDigit(value, i));
  return p + 8;
}

/** Do the eight bytes at `p` write this value? Takes as long whether they do or not. */
export function hexIs(p: i32, value: i32): boolean {
  let wrong: i32 = 0;
  for (let i: i32 = 0; i < 8; i++) wrong = wrong | (ld8(p + i) ^ hexDigit(value, i));
  return wrong === 0;
}
