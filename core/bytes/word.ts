/*
 * Caseless words: keywords are compared four bytes at a time as lower-case big-endian numbers,
 * since the portable subset has no strings. `0x20` folds the case of letters and leaves `-`, `.`, `/`
 * and digits as they are; callers have tokenised before, so control bytes do not reach this far.
 */

import { ld16be, ld32be, ld8 } from "../machine.ts";

/** Four bytes at `p`, folded to lower case. */
export function fold32(p: i32): i32 {
  return ld32be(p) | 0x20202020;
}

export function fold16(p: i32): i32 {
  return ld16be(p) | 0x2020;
}

export function fold8(p: i32): i32 {
  return ld8(p) | 0x20;
}

/** token of RFC 3261 25.1: alphanumerics and - . ! % * _ + ` ' ~ */
export function isToken(c: i32): boolean {
  if (c >= 48 && c <= 57) return true;
  const low: i32 = c | 32;
  if (low >= 97 && low <= 122) return true;
  return c === 45 || c === 46 || c === 33 || c === 37 || c === 42 || c === 95 || c === 43 || c === 96 || c === 39 || c === 126;
}

/** Exclusive end of the token that begins at `p`. */
export function tokenEnd(p: i32, end: i32): i32 {
  let at: i32 = p;
  while (at < end && isToken(ld8(at))) at++;
  return at;
}

/** Space, tab, or a line end that folding left inside a value (RFC 3261 7.3.1). */
export function isSpace(c: i32): boolean {
  return c === 32 || c === 9 || c === 13 || c === 10;
}

/** First position in [p, end) that is not white space. */
export function spaceSkip(p: i32, end: i32): i32 {
  let at: i32 = p;
  while (at < end && isSpace(ld8(at))) at++;
  return at;
}

/** Exclusive end of [p, end) without the white space it ends in. */
export function spaceTrim(p: i32, end: i32): i32 {
  let at: i32 = end;
  while (at > p && isSpace(ld8(at - 1))) at--;
  return at;
}
