/*
 * What kind of message a datagram on a signaling port is, by its first bytes; the rule has matched before
 * (CONFORMANCE 42, 43, 106).
 */

import { ld32be, ld8 } from "../machine.ts";
import { isToken } from "../bytes/word.ts";

/** CRLF, zero bytes or nothing: a keep-alive (RFC 5626 3.5.1, and what phones send on UDP). */
export const SNIFF_KEEPALIVE: i32 = 1;
/** STUN: magic cookie, first two bits zero (RFC 8489 5). */
export const SNIFF_STUN: i32 = 2;
export const SNIFF_SIP: i32 = 3;
const SNIFF_OTHER: i32 = 4;

/** Longest datagram that is looked at for being nothing but line ends or zero bytes. */
const BLANK_MAX: i32 = 8;
const COOKIE: i32 = 0x2112a442;

function isBlank(p: i32, end: i32): boolean {
  if (end - p > BLANK_MAX) return false;
  for (let at: i32 = p; at < end; at++) {
    const c: i32 = ld8(at);
    if (c !== 13 && c !== 10 && c !== 0) return false;
  }
  return true;
}

/** SNIFF_* of the payload in [p, end). */
export function sniff(p: i32, end: i32): i32 {
  if (isBlank(p, end)) return SNIFF_KEEPALIVE;
  const first: i32 = ld8(p);
  if (first < 2 && end - p >= 20 && ld32be(p + 4) === COOKIE) return SNIFF_STUN;
  return isToken(first) || first === 13 || first === 10 ? SNIFF_SIP : SNIFF_OTHER;
}
