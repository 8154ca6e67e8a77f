/*
 * Header names that only a service asks for that hides its topology or has a domain: those whose value begins with Call-IDs (RFC 3261 20.21,
 * 3891 6.1, 3911 7.1, 4538 7), and those that tell about an element (RFC 3261 20.35, 20.41, 20.43) or somebody's identity. Asked line by line, apart
 * from the names that every message is read for.
 */

import { fold16, fold32, fold8, isHyphen } from "../../bytes/word.ts";

const TRACE_NONE: i32 = 0;
/** Replaces, Join, Target-Dialog: one Call-ID and its parameters. */
export const TRACE_DIALOG: i32 = 1;
/** In-Reply-To: Call-IDs with commas between them. */
export const TRACE_REPLY: i32 = 2;
/** User-Agent, Server, Warning. */
export const TRACE_ELEMENT: i32 = 3;
/** Call-ID, as a header of a URI. */
export const TRACE_CALL_ID: i32 = 4;

/** From, To, P-Preferred-Identity, P-Asserted-Identity. */
export const TRACE_IDENTITY: i32 = 5;

/** TRACE_* of the header name in [p, end). */
export function traceRead(p: i32, end: i32): i32 {
  const len: i32 = end - p;
  if (len < 4) return traceOfShort(p, len);
  const word: i32 = fold32(p);
  if (len === 4) return word === 0x6e696f6a ? TRACE_DIALOG : word === 0x6d6f7266 ? TRACE_IDENTITY : TRACE_NONE;
  if (len === 6) return word === 0x76726573 && fold16(p + 4) === 0x7265 ? TRACE_ELEMENT : TRACE_NONE;
  if (len === 7) return traceOf7(p, word);
  if (len === 8) return word === 0x6c706572 && fold32(p + 4) === 0x73656361 ? TRACE_DIALOG : TRACE_NONE;
  if (len === 10) return word === 0x72657375 && fold32(p + 4) === 0x6567612d && fold16(p + 8) === 0x746e && isHyphen(p + 4) ? TRACE_ELEMENT : TRACE_NONE;
  if (len === 11) return isInReplyTo(p) ? TRACE_REPLY : TRACE_NONE;
  if (len === 13) return isTargetDialog(p) ? TRACE_DIALOG : TRACE_NONE;
  return (len === 19 && isAsserted(p)) || (len === 20 && isPreferred(p)) ? TRACE_IDENTITY : TRACE_NONE;
}

/** "To", and the compact "f" and "t". */
function traceOfShort(p: i32, len: i32): i32 {
  const compact: boolean = len === 1 && (fold8(p) === 0x66 || fold8(p) === 0x74);
  return compact || (len === 2 && fold16(p) === 0x6f74) ? TRACE_IDENTITY : TRACE_NONE;
}

/** "P-Asserted-Identity" (RFC 3325 9.1). */
function isAsserted(p: i32): boolean {
  const named: boolean = fold32(p) === 0x73612d70 && fold32(p + 4) === 0x74726573 && fold32(p + 8) === 0x692d6465 && fold32(p + 12) === 0x746e6564;
  return named && fold32(p + 15) === 0x79746974 && isHyphen(p + 1) && isHyphen(p + 10);
}

/** "P-Preferred-Identity" (RFC 3325 9.2). */
function isPreferred(p: i32): boolean {
  const named: boolean = fold32(p) === 0x72702d70 && fold32(p + 4) === 0x72656665 && fold32(p + 8) === 0x2d646572 && fold32(p + 12) === 0x6e656469;
  return named && fold32(p + 16) === 0x79746974 && isHyphen(p + 1) && isHyphen(p + 11);
}

function traceOf7(p: i32, word: i32): i32 {
  const last: i32 = fold32(p + 3);
  if (word === 0x6e726177 && last === 0x676e696e) return TRACE_ELEMENT;
  return word === 0x6c6c6163 && last === 0x64692d6c && isHyphen(p + 4) ? TRACE_CALL_ID : TRACE_NONE;
}

function isInReplyTo(p: i32): boolean {
  return fold32(p) === 0x722d6e69 && fold32(p + 4) === 0x796c7065 && fold32(p + 7) === 0x6f742d79 && isHyphen(p + 2) && isHyphen(p + 8);
}

function isTargetDialog(p: i32): boolean {
  const named: boolean = fold32(p) === 0x67726174 && fold32(p + 4) === 0x642d7465 && fold32(p + 8) === 0x6f6c6169;
  return named && isHyphen(p + 6) && fold8(p + 12) === 0x67;
}
