/*
 * Multipart bodies (RFC 2046 5.1, RFC 5621 4): finds the parts that are descriptions or documents, also in a multipart inside of
 * another. A part that is encoded, signed or of any other type is left alone.
 * Invariant: a delimiter is looked for among those of all multiparts that are open, the inmost first.
 */

import { equal, ld32, ld8, scan8, st32 } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import {
  CONTENT_DOCUMENT,
  CONTENT_FRAGMENT,
  CONTENT_MULTIPART,
  CONTENT_OTHER,
  CONTENT_SDP,
  DEPTH_MAX,
  MENTION_URI,
  MENTION_URI_END,
  MESSAGE_BOUNDARIES,
  MESSAGE_BOUNDARY,
  MESSAGE_BOUNDARY_LEN,
  MESSAGE_DEPTH,
  ROLE_CONTENT_LENGTH,
} from "../../memory/message.ts";
import { FAULT_MENTIONS, fault } from "../../memory/reason.ts";
import { decimalRead, digitsEnd } from "../../bytes/decimal.ts";
import { lineEnd } from "../../bytes/line.ts";
import { spaceSkip, tokenEnd } from "../../bytes/word.ts";
import { mentionAt, mentionCount, mentionNumber } from "../mention.ts";
import { contentRead, isEarlySession, isEncoded } from "./content.ts";
import { NAME_CONTENT_ENCODING, NAME_CONTENT_LENGTH, NAME_CONTENT_TYPE, NAME_DISPOSITION, NAME_TRANSFER_ENCODING, nameRead } from "./name.ts";

/** Parts of one body that are looked at. */
const PART_MAX: i32 = 32;

/* What partNext writes of a part: where it stands, CONTENT_*, and whether it is of an early session. */
export const PART_AT: i32 = 0;
export const PART_END: i32 = 4;
export const PART_CONTENT: i32 = 8;
export const PART_EARLY: i32 = 12;
/* While its head is read: mention of its Content-Length, -1 for none. */
const PART_LENGTH: i32 = 16;

/** Opens a multipart whose boundary was read last. Returns false when it stands too deep. */
export function multipartOpen(): boolean {
  const depth: i32 = ld32(MESSAGE + MESSAGE_DEPTH);
  if (depth >= DEPTH_MAX) return false;
  st32(MESSAGE + MESSAGE_BOUNDARIES + (depth << 3), ld32(MESSAGE + MESSAGE_BOUNDARY));
  st32(MESSAGE + MESSAGE_BOUNDARIES + (depth << 3) + 4, ld32(MESSAGE + MESSAGE_BOUNDARY_LEN));
  st32(MESSAGE + MESSAGE_DEPTH, depth + 1);
  return true;
}

/** Number of the inmost open multipart whose delimiter begins at `p`, behind its two hyphens; -1 for none. */
function delimiterAt(p: i32, end: i32, depth: i32): i32 {
  for (let k: i32 = depth - 1; k >= 0; k--) {
    const len: i32 = ld32(MESSAGE + MESSAGE_BOUNDARIES + (k << 3) + 4);
    if (p + len <= end && equal(p, ld32(MESSAGE + MESSAGE_BOUNDARIES + (k << 3)), len)) return k;
  }
  return -1;
}

/** Position of the next delimiter line of the outer `depth` multiparts at or after `p`, `end` for none. */
function delimiterFind(p: i32, end: i32, depth: i32): i32 {
  let at: i32 = p;
  while (at + 2 < end) {
    if (ld8(at) === 45 && ld8(at + 1) === 45 && delimiterAt(at + 2, end, depth) >= 0) return at;
    at = scan8(at, end, 10) + 1;
  }
  return end;
}

/** Takes the delimiter line at `p`: multiparts inside of its own are over, and its own when it closes (RFC 2046 5.1.1). Returns whether a part follows. */
function delimiterTake(p: i32, end: i32): boolean {
  const k: i32 = delimiterAt(p + 2, end, ld32(MESSAGE + MESSAGE_DEPTH));
  const after: i32 = p + 2 + ld32(MESSAGE + MESSAGE_BOUNDARIES + (k << 3) + 4);
  const closes: boolean = after + 1 < end && ld8(after) === 45 && ld8(after + 1) === 45;
  st32(MESSAGE + MESSAGE_DEPTH, closes ? k : k + 1);
  return !closes;
}

/** Index of the mention made of a part's Content-Length, -1 when it is no number, -2 when there are too many. */
function lengthRead(p: i32, end: i32): i32 {
  const from: i32 = spaceSkip(p, end);
  const stop: i32 = digitsEnd(from, end);
  const value: i32 = decimalRead(from, stop);
  if (value < 0) return -1;
  return mentionNumber(ROLE_CONTENT_LENGTH, from, stop, value) ? mentionCount() - 1 : -2;
}

/** Reads a header of a part. */
function headerRead(name: i32, p: i32, end: i32, to: i32): void {
  if (name === NAME_CONTENT_TYPE) {
    if (ld32(to + PART_CONTENT) === 0) st32(to + PART_CONTENT, contentRead(p, end));
  } else if (name === NAME_CONTENT_ENCODING || (name === NAME_TRANSFER_ENCODING && isEncoded(p, end))) {
    st32(to + PART_CONTENT, CONTENT_OTHER);
  } else if (name === NAME_DISPOSITION) {
    st32(to + PART_EARLY, isEarlySession(p, end) ? 1 : 0);
  } else if (name === NAME_CONTENT_LENGTH) {
    st32(to + PART_LENGTH, lengthRead(p, end));
  }
}

/** Reads the head of the part that begins at `p`, folded lines included. Returns where its body begins. */
function headRead(p: i32, end: i32, to: i32): i32 {
  st32(to + PART_CONTENT, 0);
  st32(to + PART_EARLY, 0);
  st32(to + PART_LENGTH, -1);
  let line: i32 = p;
  while (line < end && ld8(line) !== 13 && ld8(line) !== 10) {
    const stop: i32 = lineEnd(line, end);
    const nameEnd: i32 = tokenEnd(line, stop);
    const colon: i32 = spaceSkip(nameEnd, stop);
    if (colon < stop && ld8(colon) === 58) headerRead(nameRead(line, nameEnd), colon + 1, stop, to);
    line = stop + 1;
  }
  const body: i32 = scan8(line, end, 10) + 1;
  return body < end ? body : end;
}

/** The line end before a delimiter belongs to the delimiter (RFC 2046 5.1.1). */
function partEnd(p: i32, next: i32): i32 {
  let at: i32 = next;
  if (at > p && ld8(at - 1) === 10) at--;
  if (at > p && ld8(at - 1) === 13) at--;
  return at;
}

/**
 * The next part with a description or document at or after `p`, a position inside a multipart body that ends at `end`: PART_* words are
 * written to `to`; a Content-Length of its own, or of a multipart around it, becomes a mention. Returns the position where
 * the search goes on, 0 when there is no more, or a fault.
 */
export function partNext(p: i32, end: i32, to: i32): i32 {
  let at: i32 = delimiterFind(p, end, ld32(MESSAGE + MESSAGE_DEPTH));
  for (let i: i32 = 0; i < PART_MAX && at < end; i++) {
    const follows: boolean = delimiterTake(at, end);
    const depth: i32 = ld32(MESSAGE + MESSAGE_DEPTH);
    const head: i32 = scan8(at, end, 10) + 1;
    const next: i32 = head < end ? delimiterFind(head, end, depth) : end;
    at = next;
    if (!follows || head >= end) continue;
    const body: i32 = headRead(head, next, to);
    const length: i32 = ld32(to + PART_LENGTH);
    if (length === -2) return fault(FAULT_MENTIONS, head);
    st32(to + PART_AT, body);
    st32(to + PART_END, partEnd(body, next));
    if (length >= 0) {
      st32(mentionAt(length) + MENTION_URI, body);
      st32(mentionAt(length) + MENTION_URI_END, ld32(to + PART_END));
    }
    const content: i32 = ld32(to + PART_CONTENT);
    if (content === CONTENT_SDP || content === CONTENT_FRAGMENT || content === CONTENT_DOCUMENT) return next;
    if (content === CONTENT_MULTIPART && multipartOpen()) at = delimiterFind(body, end, depth + 1);
  }
  return 0;
}
