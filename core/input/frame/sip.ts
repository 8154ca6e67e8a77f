/*
 * Where the head of a SIP message ends, and how long the message is, in a stream (RFC 3261 7.5, 18.3): the empty line,
 * then Content-Length bytes. The search goes on where the last piece of the stream ended.
 */

import { ld8, scan8, st32 } from "../../machine.ts";
import { FRAME_SCAN } from "../../memory/layout.ts";
import { FAULT_CONTENT_LENGTH, fault } from "../../memory/reason.ts";
import { decimalRead, digitsEnd } from "../../bytes/decimal.ts";
import { lineEnd, nameEnd } from "../../bytes/line.ts";
import { fold16, fold32, fold8, spaceSkip } from "../../bytes/word.ts";

/* How the bytes before ended. */
export const SCAN_LINE: i32 = 0;
/** In a line feed. */
const SCAN_FEED: i32 = 1;
/** In a line feed and a carriage return. */
const SCAN_RETURN: i32 = 2;

/** Position after an empty line that begins at `p`, the start of a line; 0 when there is none, and FRAME_SCAN when the piece ends in it. */
function emptyEnd(p: i32, end: i32): i32 {
  if (p === end) st32(FRAME_SCAN, SCAN_FEED);
  else if (ld8(p) === 10) return p + 1;
  else if (ld8(p) === 13) {
    if (p + 1 === end) st32(FRAME_SCAN, SCAN_RETURN);
    else if (ld8(p + 1) === 10) return p + 2;
  }
  return 0;
}

/** Position after the empty line, 0 when it has not come; then FRAME_SCAN says how [p, end) ends. `scan` says how the bytes before did. */
export function headEnd(p: i32, end: i32, scan: i32): i32 {
  st32(FRAME_SCAN, SCAN_LINE);
  if (scan === SCAN_RETURN && ld8(p) === 10) return p + 1;
  let found: i32 = scan === SCAN_FEED ? emptyEnd(p, end) : 0;
  for (let lf: i32 = scan8(p, end, 10); found === 0 && lf < end; lf = scan8(lf + 1, end, 10)) found = emptyEnd(lf + 1, end);
  return found;
}

/** Is [p, end) the name Content-Length, or its compact form (RFC 3261 20.14)? */
function isLength(p: i32, end: i32): boolean {
  if (end - p === 1) return fold8(p) === 0x6c;
  if (end - p !== 14 || ld8(p + 7) !== 45) return false;
  return fold32(p) === 0x746e6f63 && fold16(p + 4) === 0x6e65 && fold8(p + 6) === 0x74 && fold32(p + 8) === 0x676e656c && fold16(p + 12) === 0x6874;
}

/** Value of the Content-Length header whose value is [p, end): 1*DIGIT. Returns -1 for anything else. */
function lengthRead(p: i32, end: i32): i32 {
  const from: i32 = spaceSkip(p, end);
  const stop: i32 = digitsEnd(from, end);
  return spaceSkip(stop, end) === end ? decimalRead(from, stop) : -1;
}

/**
 * Bytes of the message that begins at `p` and whose head ends at `end`: without Content-Length there is no body. Returns
 * a fault when the length is none, or when two headers differ: where the next message begins would be a guess.
 */
export function messageLength(p: i32, end: i32): i32 {
  let length: i32 = -1;
  let line: i32 = scan8(p, end, 10) + 1;
  while (line < end) {
    const stop: i32 = lineEnd(line, end);
    const first: i32 = fold8(line);
    const colon: i32 = first === 0x6c || first === 0x63 ? scan8(line, stop, 58) : stop;
    if (colon < stop && isLength(line, nameEnd(line, colon))) {
      const value: i32 = lengthRead(colon + 1, stop);
      if (value < 0 || (length >= 0 && value !== length)) return fault(FAULT_CONTENT_LENGTH, line);
      length = value;
    }
    line = stop + 1;
  }
  if (length < 0) return end - p;
  return length > 0xffffff ? fault(FAULT_CONTENT_LENGTH, p) : end - p + length;
}
