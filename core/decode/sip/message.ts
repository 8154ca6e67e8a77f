/*
 * A SIP message in one datagram or frame (RFC 3261 7, 18.3, 25.1): one pass over the lines fills the Message record
 * and appends its mentions. Folded headers, compact names, white space before the colon and bare LF are legal.
 * Invariant: nothing at or after `end` is read, and what is not understood is left alone or ends in a fault.
 */

import { clear, ld32, ld8, scan8, scanSpace, st32 } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import {
  CONTENT_NONE,
  CONTENT_OTHER,
  MENTION_BEFORE,
  MESSAGE_BODY,
  MESSAGE_CALL_ID,
  MESSAGE_CALL_ID_LINE,
  MESSAGE_CONTENT,
  MESSAGE_CONTENT_LENGTH,
  MESSAGE_CSEQ,
  MESSAGE_CSEQ_LINE,
  MESSAGE_CSEQ_METHOD,
  MESSAGE_DECODED,
  MESSAGE_END,
  MESSAGE_EXPIRES,
  MESSAGE_FLAG_AUTH_INT,
  MESSAGE_FLAG_EARLY,
  MESSAGE_FLAG_ENCODED,
  MESSAGE_FLAG_REQUIRE_ICE,
  MESSAGE_FROM_LINE,
  MESSAGE_FROM_TAG,
  MESSAGE_LENGTH,
  MESSAGE_METHOD,
  MESSAGE_SESSION,
  MESSAGE_START,
  MESSAGE_STATUS,
  MESSAGE_TO_LINE,
  MESSAGE_TO_TAG,
  MESSAGE_VIA,
  MESSAGE_VIA_COUNT,
  METHOD_OTHER,
  ROLE_CONTACT,
  ROLE_CONTENT_LENGTH,
  ROLE_EXPIRES,
  ROLE_PATH,
  ROLE_RECORD_ROUTE,
  ROLE_REFER_TO,
  ROLE_REQUEST_URI,
  ROLE_ROUTE,
  ROLE_SERVICE_ROUTE,
} from "../../memory/message.ts";
import {
  FAULT_CONTENT_LENGTH,
  FAULT_CONTENT_SHORT,
  FAULT_CSEQ,
  FAULT_HEADER,
  FAULT_MENTIONS,
  FAULT_MISSING_HEADER,
  FAULT_NO_VIA,
  FAULT_START_LINE,
  fault,
} from "../../memory/reason.ts";
import { decimalRead, digitsEnd } from "../../bytes/decimal.ts";
import { emptyLine, lineEnd, nameEnd, valueEnd } from "../../bytes/line.ts";
import { fold16, fold32, fold8, spaceSkip, tokenEnd } from "../../bytes/word.ts";
import { mentionAt, mentionCount, mentionNumber } from "../mention.ts";
import { contentRead, isEarlySession, isEncoded } from "./content.ts";
import { methodRead } from "./method.ts";
import {
  NAME_AUTHORIZATION,
  NAME_CALL_ID,
  NAME_CONTACT,
  NAME_CONTENT_ENCODING,
  NAME_CONTENT_LENGTH,
  NAME_CONTENT_TYPE,
  NAME_CSEQ,
  NAME_DISPOSITION,
  NAME_EXPIRES,
  NAME_FROM,
  NAME_OTHER,
  NAME_PATH,
  NAME_RECORD_ROUTE,
  NAME_REFER_TO,
  NAME_REQUIRE,
  NAME_ROUTE,
  NAME_SERVICE_ROUTE,
  NAME_SESSION_EXPIRES,
  NAME_TO,
  NAME_TRANSFER_ENCODING,
  NAME_VIA,
  nameRead,
  nameUsual,
  usualLength,
  usualName,
} from "./name.ts";
import { flagSet, lineNote, spanSet } from "./note.ts";
import { partyRead } from "./party.ts";
import { listRead, uriRead } from "./uri.ts";
import { viaRead } from "./via.ts";

/** "SIP/2.0" at `p`, in any case (RFC 3261 7.1). */
function isVersion(p: i32, end: i32): boolean {
  return end - p === 7 && fold32(p) === 0x2f706973 && ld8(p + 4) === 50 && ld8(p + 5) === 46 && ld8(p + 6) === 48;
}

function statusRead(p: i32, end: i32): i32 {
  const stop: i32 = digitsEnd(p, end);
  const status: i32 = stop - p === 3 ? decimalRead(p, stop) : -1;
  if (status < 100 || status > 699) return fault(FAULT_START_LINE, p);
  if (stop < end && ld8(stop) !== 32) return fault(FAULT_START_LINE, stop);
  st32(MESSAGE + MESSAGE_STATUS, status);
  return 0;
}

/** Reads the request or status line in [p, end). Returns 0 or a fault. */
function startLineRead(p: i32, end: i32): i32 {
  if (end - p > 8 && isVersion(p, p + 7) && ld8(p + 7) === 32) return statusRead(p + 8, end);
  const methodEnd: i32 = scan8(p, end, 32);
  const method: i32 = methodRead(p, methodEnd);
  const version: i32 = end - 7;
  if (method === METHOD_OTHER && (methodEnd === p || tokenEnd(p, methodEnd) !== methodEnd)) return fault(FAULT_START_LINE, p);
  if (version <= methodEnd + 2 || !isVersion(version, end) || ld8(version - 1) !== 32) return fault(FAULT_START_LINE, version);
  const space: i32 = scanSpace(methodEnd + 1, version - 1);
  if (space < version - 1) return fault(FAULT_START_LINE, space);
  st32(MESSAGE + MESSAGE_METHOD, method);
  const m: i32 = uriRead(ROLE_REQUEST_URI, methodEnd + 1, version - 1);
  return m < 0 ? m : 0;
}

function cseqRead(p: i32, end: i32): i32 {
  const from: i32 = spaceSkip(p, end);
  const stop: i32 = digitsEnd(from, end);
  const number: i32 = decimalRead(from, stop);
  const method: i32 = spaceSkip(stop, end);
  if (number < 0 || method === stop || method >= end) return fault(FAULT_CSEQ, p);
  st32(MESSAGE + MESSAGE_CSEQ, number);
  st32(MESSAGE + MESSAGE_CSEQ_METHOD, methodRead(method, scanSpace(method, end)));
  return 0;
}

/** 1*DIGIT with white space around it; a second one must say the same (RFC 3261 20.14, RFC 4475 3.3.9). */
function lengthRead(p: i32, end: i32): i32 {
  const from: i32 = spaceSkip(p, end);
  const stop: i32 = digitsEnd(from, end);
  const value: i32 = decimalRead(from, stop);
  const before: i32 = ld32(MESSAGE + MESSAGE_CONTENT_LENGTH);
  if (value < 0 || spaceSkip(stop, end) !== end || (before >= 0 && before !== value)) return fault(FAULT_CONTENT_LENGTH, p);
  st32(MESSAGE + MESSAGE_CONTENT_LENGTH, value);
  if (!mentionNumber(ROLE_CONTENT_LENGTH, from, stop, value)) return fault(FAULT_MENTIONS, p);
  st32(mentionAt((mentionCount() - 1) | 0) + MENTION_BEFORE, ld32(MESSAGE + MESSAGE_LENGTH));
  st32(MESSAGE + MESSAGE_LENGTH, mentionCount());
  return 0;
}

function expiresRead(p: i32, end: i32): i32 {
  const from: i32 = spaceSkip(p, end);
  const stop: i32 = digitsEnd(from, end);
  const value: i32 = decimalRead(from, stop);
  if (value < 0) return 0;
  st32(MESSAGE + MESSAGE_EXPIRES, value);
  return mentionNumber(ROLE_EXPIRES, from, stop, value) ? 0 : fault(FAULT_MENTIONS, p);
}

/** The option tag "ice" or "trickle-ice" in [p, end) (RFC 8839 7.2, RFC 8840 12.4). */
function isIceOption(p: i32, end: i32): boolean {
  if (fold16(end - 3) !== 0x6369 || fold8(end - 1) !== 0x65) return false;
  return end - p === 3 || (end - p === 11 && fold32(p) === 0x63697274 && fold32(p + 4) === 0x2d656c6b);
}

/** Does a Require header name ICE? */
function requireRead(p: i32, end: i32): void {
  let at: i32 = p;
  while (at < end) {
    const stop: i32 = tokenEnd(at, end);
    if (stop - at >= 3 && isIceOption(at, stop)) flagSet(MESSAGE_FLAG_REQUIRE_ICE);
    at = stop > at ? stop : at + 1;
  }
}

/** Session-Expires: delta-seconds and parameters (RFC 4028 4). */
function sessionExpiresRead(p: i32, end: i32): void {
  const from: i32 = spaceSkip(p, end);
  const seconds: i32 = decimalRead(from, digitsEnd(from, end));
  st32(MESSAGE + MESSAGE_SESSION, seconds > 0 ? seconds : 0);
}

/** Does a credential use qop=auth-int, whose digest covers the body (RFC 7616 3.4.3)? */
function authorizationRead(p: i32, end: i32): void {
  for (let at: i32 = scan8(p, end, 45); at + 4 <= end; at = scan8(at + 1, end, 45)) {
    if (at - p >= 4 && fold32(at - 4) === 0x68747561 && fold32(at) === 0x746e692d) flagSet(MESSAGE_FLAG_AUTH_INT);
  }
}

/** Reads the header `name`, whose line begins at `line`, with the value [p, end). Returns 0 or a fault. */
function headerRead(name: i32, line: i32, p: i32, end: i32): i32 {
  switch (name) {
    case NAME_VIA:
      return viaRead(p, end);
    case NAME_CONTACT:
      return listRead(ROLE_CONTACT, p, end);
    case NAME_ROUTE:
      return listRead(ROLE_ROUTE, p, end);
    case NAME_RECORD_ROUTE:
      return listRead(ROLE_RECORD_ROUTE, p, end);
    case NAME_PATH:
      return listRead(ROLE_PATH, p, end);
    case NAME_SERVICE_ROUTE:
      return listRead(ROLE_SERVICE_ROUTE, p, end);
    case NAME_REFER_TO:
      return listRead(ROLE_REFER_TO, p, end);
    case NAME_CONTENT_LENGTH:
      return lengthRead(p, end);
    case NAME_EXPIRES:
      return expiresRead(p, end);
    case NAME_FROM:
      return partyRead(line, p, end, MESSAGE_FROM_LINE, MESSAGE_FROM_TAG);
    case NAME_TO:
      return partyRead(line, p, end, MESSAGE_TO_LINE, MESSAGE_TO_TAG);
    case NAME_CALL_ID:
      spanSet(MESSAGE_CALL_ID, spaceSkip(p, end), end);
      return lineNote(MESSAGE_CALL_ID_LINE, line, end) ? 0 : fault(FAULT_HEADER, line);
    case NAME_CSEQ:
      return lineNote(MESSAGE_CSEQ_LINE, line, end) ? cseqRead(p, end) : fault(FAULT_HEADER, line);
    default:
      return contentHeaderRead(name, p, end);
  }
}

/** The headers that say something about the body, or about what may be done with it. */
function contentHeaderRead(name: i32, p: i32, end: i32): i32 {
  if (name === NAME_CONTENT_TYPE) st32(MESSAGE + MESSAGE_CONTENT, contentRead(p, end));
  else if (name === NAME_CONTENT_ENCODING) flagSet(MESSAGE_FLAG_ENCODED);
  else if (name === NAME_TRANSFER_ENCODING && isEncoded(p, end)) flagSet(MESSAGE_FLAG_ENCODED);
  else if (name === NAME_DISPOSITION && isEarlySession(p, end)) flagSet(MESSAGE_FLAG_EARLY);
  else if (name === NAME_REQUIRE) requireRead(p, end);
  else if (name === NAME_SESSION_EXPIRES) sessionExpiresRead(p, end);
  else if (name === NAME_AUTHORIZATION) authorizationRead(p, end);
  return 0;
}

/** Bytes that nameUsual may look at. */
const USUAL_MAX: i32 = 16;

/** Reads the header lines from `p` on. Returns the position of the body, or a fault. */
function headersRead(p: i32, end: i32): i32 {
  let line: i32 = p;
  while (line < end) {
    const empty: i32 = emptyLine(line, end);
    if (empty !== 0) return empty;
    const usual: i32 = end - line > USUAL_MAX ? nameUsual(line) : 0;
    const stop: i32 = lineEnd(line, end);
    const colon: i32 = usual !== 0 ? line + usualLength(usual) : scan8(line, stop, 58);
    if (usual === 0 && (colon === line || colon === stop)) return fault(FAULT_HEADER, line);
    const name: i32 = usual !== 0 ? usualName(usual) : nameRead(line, nameEnd(line, colon));
    if (name !== NAME_OTHER) {
      const result: i32 = headerRead(name, line, colon + 1, valueEnd(colon + 1, stop));
      if (result < 0) return result;
    }
    line = stop + 1;
  }
  return end;
}

/** What every message must have, and a CSeq of the method it has (RFC 3261 8.1.1). Returns 0 or a fault. */
function mandatoryCheck(): i32 {
  if (ld32(MESSAGE + MESSAGE_VIA_COUNT) === 0) return fault(FAULT_NO_VIA, 0);
  const missing: boolean =
    ld32(MESSAGE + MESSAGE_FROM_LINE) === 0 ||
    ld32(MESSAGE + MESSAGE_TO_LINE) === 0 ||
    ld32(MESSAGE + MESSAGE_CALL_ID_LINE) === 0 ||
    ld32(MESSAGE + MESSAGE_CSEQ_LINE) === 0;
  if (missing) return fault(FAULT_MISSING_HEADER, 0);
  const method: i32 = ld32(MESSAGE + MESSAGE_METHOD);
  return method !== 0 && method !== ld32(MESSAGE + MESSAGE_CSEQ_METHOD) ? fault(FAULT_CSEQ, 0) : 0;
}

/** Settles where the body ends (RFC 3261 18.3): bytes beyond Content-Length are not part of the message. Returns 0 or a fault. */
function bodySettle(body: i32, end: i32): i32 {
  const length: i32 = ld32(MESSAGE + MESSAGE_CONTENT_LENGTH);
  st32(MESSAGE + MESSAGE_BODY, body);
  if (length > end - body) return fault(FAULT_CONTENT_SHORT, body);
  const stop: i32 = length < 0 ? end : body + length;
  st32(MESSAGE + MESSAGE_END, stop);
  if (stop === body) st32(MESSAGE + MESSAGE_CONTENT, CONTENT_NONE);
  else if (ld32(MESSAGE + MESSAGE_CONTENT) === CONTENT_NONE) st32(MESSAGE + MESSAGE_CONTENT, CONTENT_OTHER);
  return 0;
}

/** Decodes the head of the message in [p, end). Returns 0 or a fault. */
export function messageDecode(p: i32, end: i32): i32 {
  clear(MESSAGE, MESSAGE_DECODED);
  let start: i32 = p;
  while (start < end && (ld8(start) === 13 || ld8(start) === 10)) start++;
  st32(MESSAGE + MESSAGE_START, start);
  st32(MESSAGE + MESSAGE_CONTENT_LENGTH, -1);
  st32(MESSAGE + MESSAGE_EXPIRES, -1);
  st32(MESSAGE + MESSAGE_VIA, -1);
  const lf: i32 = scan8(start, end, 10);
  const stop: i32 = lf > start && ld8(lf - 1) === 13 ? lf - 1 : lf;
  let result: i32 = startLineRead(start, stop);
  if (result < 0) return result;
  const body: i32 = headersRead(lf + 1, end);
  if (body < 0) return body;
  result = mandatoryCheck();
  if (result < 0) return result;
  return bodySettle(body, end);
}
