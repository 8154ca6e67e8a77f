/*
 * What the headers of a body say about it (RFC 3261 20.15, RFC 5621 4): a description is found by its Content-Type, never
 * by the first "v=" (CONFORMANCE 48).
 */

import { ld32, ld8, st32 } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import {
  CONTENT_DOCUMENT,
  CONTENT_FRAGMENT,
  CONTENT_MULTIPART,
  CONTENT_OTHER,
  CONTENT_SDP,
  MESSAGE_BOUNDARY,
  MESSAGE_BOUNDARY_LEN,
} from "../../memory/message.ts";
import { fold16, fold32, fold8, spaceSkip, tokenEnd } from "../../bytes/word.ts";
import { quoteSkip } from "./uri.ts";

/** "application" at [p, p+11). */
function isApplication(p: i32, end: i32): boolean {
  return end - p === 11 && fold32(p) === 0x6c707061 && fold32(p + 4) === 0x74616369 && fold16(p + 8) === 0x6f69 && fold8(p + 10) === 0x6e;
}

function isMultipart(p: i32, end: i32): boolean {
  return end - p === 9 && fold32(p) === 0x746c756d && fold32(p + 4) === 0x72617069 && fold8(p + 8) === 0x74;
}

function isSdp(p: i32, end: i32): boolean {
  return end - p === 3 && fold16(p) === 0x6473 && fold8(p + 2) === 0x70;
}

/** "trickle-ice-sdpfrag" (RFC 8840 9). */
function isFragment(p: i32, end: i32): boolean {
  if (end - p !== 19 || fold32(p) !== 0x63697274 || fold32(p + 4) !== 0x2d656c6b || fold32(p + 8) !== 0x2d656369) return false;
  return fold32(p + 12) === 0x66706473 && fold32(p + 15) === 0x67617266;
}

/** The subtypes of CONTENT_DOCUMENT (RFC 4235 4, RFC 3680 5, RFC 4575 3, RFC 4662 5, RFC 4826 3). */
function isDocument(p: i32, end: i32): boolean {
  const len: i32 = end - p;
  if (len < 8 || fold32(end - 4) !== 0x6c6d782b) return false;
  const word: i32 = fold32(p);
  const info: boolean = fold32(end - 8) === 0x6f666e69;
  if (len === 8) return word === 0x696d6c72;
  if (len === 11) return word === 0x69676572 && info;
  if (len === 15) return word === 0x6c616964 && fold32(p + 4) === 0x692d676f && info;
  if (len === 18) return word === 0x6f736572 && fold32(p + 4) === 0x65637275 && fold32(p + 8) === 0x73696c2d && fold16(p + 12) === 0x7374;
  return len === 19 && word === 0x666e6f63 && fold32(p + 4) === 0x6e657265 && fold32(p + 8) === 0x692d6563 && info;
}

/** "signed" or "encrypted": what is inside must not change, or cannot (RFC 3261 23.3). */
function isSealed(p: i32, end: i32): boolean {
  if (end - p === 6) return fold32(p) === 0x6e676973 && fold16(p + 4) === 0x6465;
  return end - p === 9 && fold32(p) === 0x72636e65 && fold32(p + 4) === 0x65747079 && fold8(p + 8) === 0x64;
}

/** "early-session" as a Content-Disposition (RFC 3959 5). */
export function isEarlySession(p: i32, end: i32): boolean {
  const type: i32 = spaceSkip(p, end);
  if (tokenEnd(type, end) - type !== 13 || fold32(type) !== 0x6c726165 || fold32(type + 4) !== 0x65732d79) return false;
  return fold32(type + 8) === 0x6f697373 && fold8(type + 12) === 0x6e;
}

/** A Content-Transfer-Encoding under which the text does not stand as it is (RFC 2045 6): neither 7bit, 8bit nor binary. */
export function isEncoded(p: i32, end: i32): boolean {
  const type: i32 = spaceSkip(p, end);
  const len: i32 = tokenEnd(type, end) - type;
  if (len === 4) return fold16(type + 1) !== 0x6962 || fold8(type + 3) !== 0x74;
  return len !== 6 || fold32(type) !== 0x616e6962 || fold16(type + 4) !== 0x7972;
}

function isBoundary(p: i32, end: i32): boolean {
  return end - p === 8 && fold32(p) === 0x6e756f62 && fold32(p + 4) === 0x79726164;
}

/** Notes the boundary parameter of a multipart type. */
function boundaryRead(p: i32, end: i32): void {
  let at: i32 = spaceSkip(p, end);
  while (at < end && ld8(at) === 59) {
    const name: i32 = spaceSkip(at + 1, end);
    const nameEnd: i32 = tokenEnd(name, end);
    let value: i32 = spaceSkip(nameEnd, end);
    if (value >= end || ld8(value) !== 61) return;
    value = spaceSkip(value + 1, end);
    const quoted: boolean = value < end && ld8(value) === 34;
    let stop: i32 = value;
    if (quoted) stop = quoteSkip(value, end);
    else while (stop < end && ld8(stop) !== 59 && ld8(stop) > 32) stop++;
    if (isBoundary(name, nameEnd)) {
      st32(MESSAGE + MESSAGE_BOUNDARY, quoted ? value + 1 : value);
      st32(MESSAGE + MESSAGE_BOUNDARY_LEN, quoted ? stop - value - 2 : stop - value);
    }
    at = spaceSkip(stop, end);
  }
}

/** "application/sdp" and nothing else in [p, end). */
function isUsual(p: i32, end: i32): boolean {
  return end - p === 15 && fold32(p) === 0x6c707061 && fold32(p + 4) === 0x74616369 && fold32(p + 8) === 0x2f6e6f69 && isSdp(p + 12, end);
}

/** CONTENT_* of a subtype of application. */
function applicationRead(p: i32, end: i32): i32 {
  if (isSdp(p, end)) return CONTENT_SDP;
  if (isFragment(p, end)) return CONTENT_FRAGMENT;
  return isDocument(p, end) ? CONTENT_DOCUMENT : CONTENT_OTHER;
}

/** CONTENT_* of a Content-Type value; the boundary of a multipart type is noted in the message. */
export function contentRead(p: i32, end: i32): i32 {
  const type: i32 = spaceSkip(p, end);
  if (isUsual(type, end)) return CONTENT_SDP;
  const typeEnd: i32 = tokenEnd(type, end);
  const slash: i32 = spaceSkip(typeEnd, end);
  if (slash >= end || ld8(slash) !== 47) return CONTENT_OTHER;
  const subtype: i32 = spaceSkip(slash + 1, end);
  const subtypeEnd: i32 = tokenEnd(subtype, end);
  if (isApplication(type, typeEnd)) return applicationRead(subtype, subtypeEnd);
  if (!isMultipart(type, typeEnd) || isSealed(subtype, subtypeEnd)) return CONTENT_OTHER;
  st32(MESSAGE + MESSAGE_BOUNDARY_LEN, 0);
  boundaryRead(subtypeEnd, end);
  return ld32(MESSAGE + MESSAGE_BOUNDARY_LEN) > 0 ? CONTENT_MULTIPART : CONTENT_OTHER;
}
