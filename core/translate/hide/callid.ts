/*
 * Call-IDs where the topology is hidden (CONFORMANCE 28; RFC 3261 8.1.1.4): many hold an address. Each side has its own in
 * clear; the other side has them as "cvt" and letters and digits, a word of RFC 3261 25.1, wherever one is written.
 * Invariant: both ways are inverses of each other, for every method and header; what is not sealed here is the sender's
 * own, whatever it looks like, and one that is too long passes both ways. Tables know the form that the terminal has.
 */

import { copy, ld32, ld8, st32, st8 } from "../../machine.ts";
import { MESSAGE, SCRATCH_CALL_ID, SCRATCH_UNESCAPED } from "../../memory/layout.ts";
import { isInbound } from "../../memory/context.ts";
import { MESSAGE_CALL_ID, MESSAGE_CALL_ID_LEN } from "../../memory/message.ts";
import { SEALED_MAX, SEAL_MAX, SEAL_TEXT, sealPut, sealRead, sealWrite } from "../../bytes/seal.ts";
import { hexValue } from "../../bytes/hex.ts";
import { editAppend, textByte, textBytes, textMark, textRoom } from "../../encode/edit.ts";
import { HIDDEN_CALL_ID, exposedNote, purposeFrom, purposeTo } from "./hiding.ts";

/** Characters of "cvt". */
const MARK: i32 = 3;
/** The longest that is looked at: what callIdTurn makes of SEAL_MAX bytes. */
export const LONGEST: i32 = MARK + SEALED_MAX;

/** "cvt" at `p`. */
function isMarked(p: i32, len: i32): boolean {
  return len > MARK && ld8(p) === 99 && ld8(p + 1) === 118 && ld8(p + 2) === 116;
}

/** Makes at SCRATCH_CALL_ID what the other side has for the Call-ID at `p`. Returns its length, 0 when it passes as it is. */
export function callIdTurn(p: i32, len: i32): i32 {
  const opened: i32 = isMarked(p, len) ? sealRead(purposeTo(HIDDEN_CALL_ID), p + MARK, len - MARK) : -1;
  if (opened > 0) {
    copy(SCRATCH_CALL_ID, SEAL_TEXT, opened);
    return opened;
  }
  if (len === 0) return 0;
  if (len > SEAL_MAX) {
    exposedNote();
    return 0;
  }
  sealPut(0, p, len);
  st8(SCRATCH_CALL_ID, 99);
  st8(SCRATCH_CALL_ID + 1, 118);
  st8(SCRATCH_CALL_ID + 2, 116);
  return sealWrite(SCRATCH_CALL_ID + MARK, purposeFrom(HIDDEN_CALL_ID), len) - SCRATCH_CALL_ID;
}

/** Replaces the Call-ID in [p, end) by what the other side has for it. */
export function callIdMap(p: i32, end: i32): void {
  const len: i32 = callIdTurn(p, end - p);
  if (len === 0 || !textRoom(len)) return;
  const mark: i32 = textMark();
  textBytes(SCRATCH_CALL_ID, len);
  editAppend(p, end, mark);
}

/**
 * Replaces the Call-ID of the message in hand. From here to callIdReset what stands for it is the form that the terminal
 * has, by which tables know calls and registrations.
 */
export function callIdBegin(): void {
  const p: i32 = ld32(MESSAGE + MESSAGE_CALL_ID);
  const mark: i32 = textMark();
  callIdMap(p, p + ld32(MESSAGE + MESSAGE_CALL_ID_LEN));
  if (isInbound() || textMark() === mark) return;
  st32(MESSAGE + MESSAGE_CALL_ID, mark);
  st32(MESSAGE + MESSAGE_CALL_ID_LEN, textMark() - mark);
}

/** Lets what stands for the Call-ID of the message in hand be the form that the other side has, without an edit. */
export function callIdOpen(): void {
  const len: i32 = callIdTurn(ld32(MESSAGE + MESSAGE_CALL_ID), ld32(MESSAGE + MESSAGE_CALL_ID_LEN));
  if (len > 0) callIdReset(SCRATCH_CALL_ID, len);
}

/** Puts the Call-ID of the message in hand back to where it came as. */
export function callIdReset(p: i32, len: i32): void {
  st32(MESSAGE + MESSAGE_CALL_ID, p);
  st32(MESSAGE + MESSAGE_CALL_ID_LEN, len);
}

/** Value of the escape at `p` (RFC 3261 25.1 escaped), -1 when it is none. */
function escapeRead(p: i32, end: i32): i32 {
  if (end - p < 3 || ld8(p) !== 37) return -1;
  const high: i32 = hexValue(ld8(p + 1));
  const low: i32 = hexValue(ld8(p + 2));
  return high < 0 || low < 0 ? -1 : (high << 4) | low;
}

/** Exclusive end of the Call-ID that begins at `p` of a URI's header: its semicolon, mostly escaped. */
function escapedEnd(p: i32, end: i32): i32 {
  let at: i32 = p;
  while (at < end && ld8(at) !== 59 && escapeRead(at, end) !== 59) at++;
  return at;
}

/** Writes without its escapes what stands in [p, end), at SCRATCH_UNESCAPED. Returns the length, -1 when it is too long. */
function unescape(p: i32, end: i32): i32 {
  let at: i32 = p;
  let n: i32 = 0;
  while (at < end) {
    if (n === LONGEST) return -1;
    const value: i32 = escapeRead(at, end);
    st8(SCRATCH_UNESCAPED + n, value < 0 ? ld8(at) : value);
    at = value < 0 ? at + 1 : at + 3;
    n++;
  }
  return n;
}

/** May it stand as it is in a URI's header: letters, digits, - . _ ~ and the like (RFC 3261 25.1 hvalue)? */
function isPlain(c: i32): boolean {
  if ((c >= 48 && c <= 57) || ((c | 32) >= 97 && (c | 32) <= 122)) return true;
  return c === 45 || c === 46 || c === 95 || c === 126 || c === 33 || c === 42;
}

function hexDigit(v: i32): i32 {
  return v < 10 ? 48 + v : 55 + v;
}

function escapedWrite(p: i32, len: i32): void {
  for (let i: i32 = 0; i < len; i++) {
    const c: i32 = ld8(p + i);
    if (isPlain(c)) {
      textByte(c);
    } else {
      textByte(37);
      textByte(hexDigit(c >> 4));
      textByte(hexDigit(c & 15));
    }
  }
}

/** Replaces the Call-ID that the value [p, end) of a URI's header begins with; its escapes come out in their usual form. */
export function callIdMapEscaped(p: i32, end: i32): void {
  const stop: i32 = escapedEnd(p, end);
  const plain: i32 = unescape(p, stop);
  if (plain < 0) {
    exposedNote();
    return;
  }
  const len: i32 = callIdTurn(SCRATCH_UNESCAPED, plain);
  if (len === 0 || !textRoom(len + (len << 1))) return;
  const mark: i32 = textMark();
  escapedWrite(SCRATCH_CALL_ID, len);
  editAppend(p, stop, mark);
}
