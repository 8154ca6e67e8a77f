/*
 * SDP attribute names that matter to a media proxy (RFC 8866 6), told apart by length and whole words. Names are
 * case-sensitive in SDP, but deployed in any case: folding does no harm to these.
 */

import { ld8 } from "../../machine.ts";
import { fold16, fold32, fold8 } from "../../bytes/word.ts";

export const ATTRIBUTE_OTHER: i32 = 0;
/** a=rtcp (RFC 3605). */
export const ATTRIBUTE_RTCP: i32 = 1;
/** a=rtcp-mux (RFC 5761). */
export const ATTRIBUTE_MUX: i32 = 2;
export const ATTRIBUTE_SENDONLY: i32 = 3;
export const ATTRIBUTE_RECVONLY: i32 = 4;
export const ATTRIBUTE_INACTIVE: i32 = 5;
export const ATTRIBUTE_SENDRECV: i32 = 6;
/** Anything of RFC 8839 5 and RFC 8840 4.4. */
export const ATTRIBUTE_ICE: i32 = 7;
/** a=altc (RFC 6947). */
export const ATTRIBUTE_ALTC: i32 = 8;
/** a=group (RFC 5888); the value tells whether it is ANAT (RFC 4091). */
export const ATTRIBUTE_GROUP: i32 = 9;

/** a=mid (RFC 5888 4). */
export const ATTRIBUTE_MID: i32 = 10;
/** a=setup, a=connection (RFC 4145). */
export const ATTRIBUTE_SETUP: i32 = 11;
export const ATTRIBUTE_CONNECTION: i32 = 12;
/** a=msrp-cema (RFC 6714). */
export const ATTRIBUTE_CEMA: i32 = 13;

function attributeOf8(p: i32): i32 {
  const first: i32 = fold32(p);
  const second: i32 = fold32(p + 4);
  if (first === 0x70637472 && second === 0x78756d2d) return ATTRIBUTE_MUX;
  if (first === 0x646e6573 && second === 0x796c6e6f) return ATTRIBUTE_SENDONLY;
  if (first === 0x76636572 && second === 0x796c6e6f) return ATTRIBUTE_RECVONLY;
  if (first === 0x63616e69 && second === 0x65766974) return ATTRIBUTE_INACTIVE;
  if (first === 0x646e6573 && second === 0x76636572) return ATTRIBUTE_SENDRECV;
  return ATTRIBUTE_OTHER;
}

function isIce(p: i32, len: i32): boolean {
  if (len >= 7 && len <= 12 && fold32(p) === 0x2d656369) return true;
  if (len === 9) return fold32(p) === 0x646e6163 && fold32(p + 4) === 0x74616469 && fold8(p + 8) === 0x65;
  if (len === 17 && fold32(p) === 0x6f6d6572) return fold32(p + 7) === 0x646e6163 && fold32(p + 13) === 0x73657461;
  if (len === 17 && fold32(p) === 0x2d646e65) return fold32(p + 7) === 0x646e6163 && fold32(p + 13) === 0x73657461;
  return false;
}

/** "rtpm", "fmtp" or "ptim" at `p`: most of the lines of a description, told from the rest by one word. */
export function isCodecLine(p: i32): boolean {
  const word: i32 = fold32(p);
  return word === 0x6d707472 || word === 0x70746d66 || word === 0x6d697470;
}

/** ATTRIBUTE_* of the name in [p, end). */
export function attributeRead(p: i32, end: i32): i32 {
  const len: i32 = end - p;
  if (len === 3) return fold16(p) === 0x696d && fold8(p + 2) === 0x64 ? ATTRIBUTE_MID : ATTRIBUTE_OTHER;
  if (len === 4) {
    if (fold32(p) === 0x70637472) return ATTRIBUTE_RTCP;
    return fold32(p) === 0x63746c61 ? ATTRIBUTE_ALTC : ATTRIBUTE_OTHER;
  }
  if (len === 5) {
    if (fold8(p + 4) !== 0x70) return ATTRIBUTE_OTHER;
    return fold32(p) === 0x756f7267 ? ATTRIBUTE_GROUP : fold32(p) === 0x75746573 ? ATTRIBUTE_SETUP : ATTRIBUTE_OTHER;
  }
  if (len === 8) {
    const plain: i32 = attributeOf8(p);
    if (plain !== ATTRIBUTE_OTHER) return plain;
  }
  if (len === 9 && fold32(p) === 0x7072736d && fold32(p + 4) === 0x6d65632d && fold8(p + 8) === 0x61) return ATTRIBUTE_CEMA;
  if (len === 10 && fold32(p) === 0x6e6e6f63 && fold32(p + 4) === 0x69746365 && fold16(p + 8) === 0x6e6f) return ATTRIBUTE_CONNECTION;
  return isIce(p, len) ? ATTRIBUTE_ICE : ATTRIBUTE_OTHER;
}

/** "ANAT" at the start of a group's value. */
export function isAnat(p: i32, end: i32): boolean {
  return end - p >= 4 && fold32(p) === 0x74616e61 && (end - p === 4 || ld8(p + 4) <= 32);
}
