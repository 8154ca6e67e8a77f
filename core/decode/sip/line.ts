/*
 * The header lines of the message in hand (RFC 3261 7.3.1), for what walks them again: the decoder has found them to be
 * well-formed, so each has its colon.
 */

import { ld32, scan8 } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import { MESSAGE_BODY, MESSAGE_START } from "../../memory/message.ts";
import { emptyLine, lineEnd, valueEnd } from "../../bytes/line.ts";

/** The header line at `p`, 0 when the head ends there. */
function lineHere(p: i32): i32 {
  const end: i32 = ld32(MESSAGE + MESSAGE_BODY);
  return p < end && emptyLine(p, end) === 0 ? p : 0;
}

/** Position of the first header line, 0 for none. */
export function lineFirst(): i32 {
  return lineHere(scan8(ld32(MESSAGE + MESSAGE_START), ld32(MESSAGE + MESSAGE_BODY), 10) + 1);
}

/** Position behind the line that begins at `line`, its line end included. */
export function lineAfter(line: i32): i32 {
  const end: i32 = ld32(MESSAGE + MESSAGE_BODY);
  const stop: i32 = lineEnd(line, end);
  return stop < end ? stop + 1 : end;
}

/** Position of the line behind `line`, 0 for none. */
export function lineNext(line: i32): i32 {
  return lineHere(lineAfter(line));
}

/** Position of its colon. */
export function lineColon(line: i32): i32 {
  return scan8(line, ld32(MESSAGE + MESSAGE_BODY), 58);
}

/** Exclusive end of its value. */
export function lineValueEnd(line: i32): i32 {
  return valueEnd(lineColon(line) + 1, lineEnd(line, ld32(MESSAGE + MESSAGE_BODY)));
}
