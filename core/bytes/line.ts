/*
 * Lines of a head: where one ends with those that are folded into it, where its value ends, whether it is the empty one.
 */

import { ld8, scan8 } from "../machine.ts";
import { spaceTrim } from "./word.ts";

/** Position after the empty line at `line`, 0 when the line is none. */
export function emptyLine(line: i32, end: i32): i32 {
  const c: i32 = ld8(line);
  if (c === 10) return line + 1;
  return c === 13 && line + 1 < end && ld8(line + 1) === 10 ? line + 2 : 0;
}

/** Exclusive end of the header line that begins at `p`, folded lines included (RFC 3261 7.3.1): the position of its last LF, or `end`. */
export function lineEnd(p: i32, end: i32): i32 {
  let at: i32 = scan8(p, end, 10);
  while (at + 1 < end && ld8(at + 1) <= 32 && (ld8(at + 1) === 32 || ld8(at + 1) === 9)) at = scan8(at + 1, end, 10);
  return at;
}

/** Exclusive end of the name whose line begins at `p`: spaces, tabs and line ends that were folded may stand before the colon (RFC 3261 25.1, HCOLON). */
export function nameEnd(p: i32, colon: i32): i32 {
  let at: i32 = colon;
  while (at > p && ld8(at - 1) <= 32) {
    const c: i32 = ld8(at - 1);
    if (c === 32 || c === 9) at--;
    else if (c === 10) at = at - (at - p > 1 && ld8(at - 2) === 13 ? 2 : 1);
    else break;
  }
  return at;
}

/** Exclusive end of the value whose line ends at `end`: most end in one CR. */
export function valueEnd(p: i32, end: i32): i32 {
  return end - p > 1 && ld8(end - 1) === 13 && ld8(end - 2) > 32 ? end - 1 : spaceTrim(p, end);
}
