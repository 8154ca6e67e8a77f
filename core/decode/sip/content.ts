/*
 * Bodies: what a Content-Type says, and the application/sdp parts of a multipart one, also of one inside it (RFC 5621 4.2,
 * RFC 2046 5.1). Found by Content-Type, never by the first "v=" (CONFORMANCE 48).
 */

import { equal, ld32, ld8, scan8, st32 } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import {
  CONTENT_MULTIPART,
  CONTENT_OTHER,
  CONTENT_SDP,
  MENTION_URI,
  MENTION_URI_END,
  MESSAGE_BOUNDARIES,
  MESSAGE_BOUNDARY_COUNT,
  ROLE_CONTENT_LENGTH,
} from "../../memory/message.ts";
import { FAULT_MENTIONS, fault } from "../../memory/reason.ts";
import { decimalRead, digitsEnd } from "../../bytes/decimal.ts";
import { fold16, fold32, fold8, spaceSkip, tokenEnd } from "../../bytes/word.ts";
import { mentionAt, mentionCount, mentionNumber } from "../mention.ts";
import { NAME_CONTENT_LENGTH, NAME_CONTENT_TYPE, nameRead } from "./name.ts";
import { quoteSkip } from "./uri.ts";

/** Parts of one body that are looked at. */
const PART_MAX: i32 = 32;
/** How deep multiparts are entered. */
const BOUNDARY_MAX: i32 = 4;

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

function isBoundary(p: i32, end: i32): boolean {
  return end - p === 8 && fold32(p) === 0x6e756f62 && fold32(p + 4) === 0x79726164;
}

/** Adds the boundary at [p, end). Returns false when it is empty or one too many. */
function boundaryAdd(p: i32, end: i32): boolean {
  const count: i32 = ld32(MESSAGE + MESSAGE_BOUNDARY_COUNT);
  if (end <= p || count >= BOUNDARY_MAX) return false;
  st32(MESSAGE + MESSAGE_BOUNDARIES + (count << 3), p);
  st32(MESSAGE + MESSAGE_BOUNDARIES + (count << 3) + 4, end - p);
  st32(MESSAGE + MESSAGE_BOUNDARY_COUNT, count + 1);
  return true;
}

/** Notes the boundary parameter of a multipart type. Returns false when there is none to note. */
function boundaryRead(p: i32, end: i32): boolean {
  let at: i32 = spaceSkip(p, end);
  while (at < end && ld8(at) === 59) {
    const name: i32 = spaceSkip(at + 1, end);
    const nameEnd: i32 = tokenEnd(name, end);
    let value: i32 = spaceSkip(nameEnd, end);
    if (value >= end || ld8(value) !== 61) return false;
    value = spaceSkip(value + 1, end);
    const quoted: boolean = value < end && ld8(value) === 34;
    let stop: i32 = value;
    if (quoted) stop = quoteSkip(value, end);
    else while (stop < end && ld8(stop) !== 59 && ld8(stop) > 32) stop++;
    if (isBoundary(name, nameEnd)) return quoted ? boundaryAdd(value + 1, stop - 1) : boundaryAdd(value, stop);
    at = spaceSkip(stop, end);
  }
  return false;
}

/** "application/sdp" and nothing else in [p, end). */
function isUsual(p: i32, end: i32): boolean {
  return end - p === 15 && fold32(p) === 0x6c707061 && fold32(p + 4) === 0x74616369 && fold32(p + 8) === 0x2f6e6f69 && isSdp(p + 12, end);
}

/** CONTENT_* of a Content-Type value; the boundary of a multipart type is noted in the message, behind those around it. */
export function contentRead(p: i32, end: i32): i32 {
  const type: i32 = spaceSkip(p, end);
  if (isUsual(type, end)) return CONTENT_SDP;
  const typeEnd: i32 = tokenEnd(type, end);
  const slash: i32 = spaceSkip(typeEnd, end);
  if (slash >= end || ld8(slash) !== 47) return CONTENT_OTHER;
  const subtype: i32 = spaceSkip(slash + 1, end);
  const subtypeEnd: i32 = tokenEnd(subtype, end);
  if (isApplication(type, typeEnd) && isSdp(subtype, subtypeEnd)) return CONTENT_SDP;
  return isMultipart(type, typeEnd) && boundaryRead(subtypeEnd, end) ? CONTENT_MULTIPART : CONTENT_OTHER;
}

/** Does a line that begins with two hyphens at `p` go on with one of the boundaries? */
function isDelimiter(p: i32, end: i32): boolean {
  for (let i: i32 = 0; i < ld32(MESSAGE + MESSAGE_BOUNDARY_COUNT); i++) {
    const boundary: i32 = MESSAGE + MESSAGE_BOUNDARIES + (i << 3);
    const len: i32 = ld32(boundary + 4);
    if (p + 2 + len <= end && equal(p + 2, ld32(boundary), len)) return true;
  }
  return false;
}

/** Position of the next delimiter line's first hyphen at or after `p`, `end` for none. */
function delimiterFind(p: i32, end: i32): i32 {
  let at: i32 = p;
  while (at + 2 < end) {
    if (ld8(at) === 45 && ld8(at + 1) === 45 && isDelimiter(at, end)) return at;
    at = scan8(at, end, 10) + 1;
  }
  return end;
}

/**
 * The next application/sdp part at or after `p`, a position inside a multipart body that ends at `end`. Its span is
 * written to the two words at `to`; a Content-Length of its own becomes a mention. A multipart part is entered: its parts
 * follow as if they were not nested (RFC 5621 4.3). Returns the position where the search goes on, 0 when there is no
 * more, or a fault.
 */
export function partNext(p: i32, end: i32, to: i32): i32 {
  let at: i32 = delimiterFind(p, end);
  for (let i: i32 = 0; i < PART_MAX && at < end; i++) {
    let line: i32 = scan8(at, end, 10) + 1;
    const next: i32 = line < end ? delimiterFind(line, end) : end;
    let content: i32 = CONTENT_OTHER;
    let length: i32 = -1;
    while (line < next && ld8(line) !== 13 && ld8(line) !== 10) {
      const stop: i32 = scan8(line, next, 10);
      const nameEnd: i32 = tokenEnd(line, stop);
      const colon: i32 = spaceSkip(nameEnd, stop);
      const name: i32 = colon < stop && ld8(colon) === 58 ? nameRead(line, nameEnd) : 0;
      if (name === NAME_CONTENT_TYPE) content = contentRead(colon + 1, stop);
      if (name === NAME_CONTENT_LENGTH) length = partLength(colon + 1, stop);
      if (length === -2) return fault(FAULT_MENTIONS, line);
      line = stop + 1;
    }
    const body: i32 = scan8(line, next, 10) + 1;
    if (body <= next && length >= 0) partLengthSpan(length, body, partEnd(body, next));
    if (content === CONTENT_SDP && body <= next) {
      st32(to, body);
      st32(to + 4, partEnd(body, next));
      return next;
    }
    at = content === CONTENT_MULTIPART && body <= next ? delimiterFind(body, next) : next;
  }
  return 0;
}

/** Notes the part whose length this mention is. */
function partLengthSpan(length: i32, body: i32, bodyEnd: i32): void {
  st32(mentionAt(length) + MENTION_URI, body);
  st32(mentionAt(length) + MENTION_URI_END, bodyEnd);
}

/** Index of the mention made of a part's Content-Length, -1 when it is no number, -2 when there are too many. */
function partLength(p: i32, end: i32): i32 {
  const from: i32 = spaceSkip(p, end);
  const stop: i32 = digitsEnd(from, end);
  const value: i32 = decimalRead(from, stop);
  if (value < 0) return -1;
  return mentionNumber(ROLE_CONTENT_LENGTH, from, stop, value) ? mentionCount() - 1 : -2;
}

/** The line end before a delimiter belongs to the delimiter (RFC 2046 5.1.1). */
function partEnd(p: i32, next: i32): i32 {
  let at: i32 = next;
  if (at > p && ld8(at - 1) === 10) at--;
  if (at > p && ld8(at - 1) === 13) at--;
  return at;
}
