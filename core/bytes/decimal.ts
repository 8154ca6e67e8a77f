/*
 * Decimal numbers: 1*DIGIT as RFC 3261 25.1 and RFC 8866 9 write them, and back.
 * Invariant: nothing past `end` is read; a number that leaves 31 bits is refused, never wrapped.
 */

import { ctz32, decimal8, ld8, mul, nondigits8, st8 } from "../machine.ts";

/** Exclusive end of the run of digits that begins at `p`. */
export function digitsEnd(p: i32, end: i32): i32 {
  let at: i32 = p;
  let run: i32 = 8;
  while (run === 8 && at < end) {
    run = ctz32(nondigits8(at) | 0x100);
    at = at + run;
  }
  return at < end ? at : end;
}

/** Value of the run of digits [p, end) that digitsEnd found, leading zeros allowed; -1 when it is empty or above 2^31-1. */
export function decimalRead(p: i32, end: i32): i32 {
  const n: i32 = end - p;
  if (n > 8) return decimalReadLong(p, end);
  return n <= 0 ? -1 : decimal8(p, n);
}

/** The same for nine digits and more, which may leave 31 bits. */
function decimalReadLong(p: i32, end: i32): i32 {
  let value: i32 = 0;
  for (let at: i32 = p; at < end; at++) {
    const digit: i32 = (ld8(at) - 48) | 0;
    if (value > 214748364 || (value === 214748364 && digit > 7)) return -1;
    value = (value << 3) + (value << 1) + digit;
  }
  return value;
}

/* A quotient by 10, 100 or 10000 of a small number is a product and a shift (Granlund, Montgomery 1994). */

/** Writes a value below 100 as two digits. */
function pairWrite(p: i32, value: i32): void {
  const tens: i32 = mul(value, 103) >> 10;
  st8(p, 48 + tens);
  st8(p + 1, 48 + value - mul(tens, 10));
}

/** Writes a value below 10,000 as four digits. */
function fourWrite(p: i32, value: i32): void {
  const hundreds: i32 = mul(value, 5243) >> 19;
  pairWrite(p, hundreds);
  pairWrite(p + 2, value - mul(hundreds, 100));
}

/** Writes a value below 10,000 without leading zeros; returns the position after it. */
function fewWrite(p: i32, value: i32): i32 {
  if (value < 10) {
    st8(p, 48 + value);
    return p + 1;
  }
  if (value < 100) {
    pairWrite(p, value);
    return p + 2;
  }
  if (value < 1000) {
    const hundreds: i32 = mul(value, 5243) >> 19;
    st8(p, 48 + hundreds);
    pairWrite(p + 1, value - mul(hundreds, 100));
    return p + 3;
  }
  fourWrite(p, value);
  return p + 4;
}

/** Writes a value >= 0 at `p`; returns the position after it. */
export function decimalWrite(p: i32, value: i32): i32 {
  if (value < 10000) return fewWrite(p, value);
  const above: i32 = (value / 10000) | 0;
  const at: i32 = above < 10000 ? fewWrite(p, above) : decimalWriteLong(p, above);
  fourWrite(at, value - mul(above, 10000));
  return at + 4;
}

/** The same for the digits above the fourth of a value from 100,000,000 on. */
function decimalWriteLong(p: i32, value: i32): i32 {
  const above: i32 = (value / 10000) | 0;
  const at: i32 = fewWrite(p, above);
  fourWrite(at, value - mul(above, 10000));
  return at + 4;
}
