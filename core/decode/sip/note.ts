/*
 * What the readers of headers note in the Message record: spans (a position and a length, in two words), lines, flags.
 */

import { ld32, st32 } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import { MESSAGE_FLAGS } from "../../memory/message.ts";

/** Notes position and length in two words of the message. */
export function spanSet(field: i32, p: i32, end: i32): void {
  st32(MESSAGE + field, p);
  st32(MESSAGE + field + 4, end - p);
}

export function flagSet(flag: i32): void {
  st32(MESSAGE + MESSAGE_FLAGS, ld32(MESSAGE + MESSAGE_FLAGS) | flag);
}

/** Notes the line of a header of which there may be one (RFC 4475 3.3.8). Returns false when it is the second. */
export function lineNote(field: i32, line: i32, end: i32): boolean {
  if (ld32(MESSAGE + field) !== 0) return false;
  spanSet(field, line, end);
  return true;
}
