/*
 * Caseless words: keywords are compared four bytes at a time as lower-case little-endian numbers, since the portable
 * subset has no strings and processors load them so: "sip:", read from its end, is 0x3a706973. `0x20` folds the case of
 * letters and leaves `-`, `.`, `/` and digits as they are; callers have tokenised before, so control bytes do not reach
 * this far.
 */

import { ld32le, ld8 } from "../machine.ts";
import { CLASS_SPACE, CLASS_TOKEN, classEnd, classHas } from "./class.ts";

/** Four bytes at `p`, folded to lower case. */
export function fold32(p: i32): i32 {
  return ld32le(p) | 0x20202020;
}

export function fold16(p: i32): i32 {
  return (ld32le(p) & 0xffff) | 0x2020;
}

export function fold8(p: i32): i32 {
  return ld8(p) | 0x20;
}

/** Is it a hyphen itself? Folding makes a bare CR look like one. */
export function isHyphen(p: i32): boolean {
  return ld8(p) === 45;
}

/** Exclusive end of the token (RFC 3261 25.1) that begins at `p`. */
export function tokenEnd(p: i32, end: i32): i32 {
  return classEnd(p, end, CLASS_TOKEN);
}

export function isToken(c: i32): boolean {
  return classHas(c, CLASS_TOKEN);
}

export function isSpace(c: i32): boolean {
  return classHas(c, CLASS_SPACE);
}

/** Does the name in [p, end) end in ".invalid", so that it is nobody's (RFC 2606 2)? */
export function isInvalid(p: i32, end: i32): boolean {
  return end - p > 8 && fold32(end - 8) === 0x766e692e && fold32(end - 4) === 0x64696c61;
}

/** First position in [p, end) that is not white space. */
export function spaceSkip(p: i32, end: i32): i32 {
  return p < end && ld8(p) <= 32 ? classEnd(p, end, CLASS_SPACE) : p;
}

/** Exclusive end of [p, end) without the white space it ends in. */
export function spaceTrim(p: i32, end: i32): i32 {
  let at: i32 = end;
  while (at > p && ld8(at - 1) <= 32 && isSpace(ld8(at - 1))) at--;
  return at;
}
