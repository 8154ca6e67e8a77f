/*
 * Appends Mentions in message order. Invariant: positions ascend, so that the edits made from them ascend too.
 */

import { clear, ld32, mul, st32 } from "../machine.ts";
import { MENTION_SIZE, MESSAGE } from "../memory/layout.ts";
import {
  MENTION_AT,
  MENTION_END,
  MENTION_HOST_END,
  MENTION_PORT,
  MENTION_ROLE,
  MESSAGE_MENTIONS,
  MESSAGE_MENTION_COUNT,
  MESSAGE_MENTION_MOST,
} from "../memory/message.ts";

export function mentionAt(index: i32): i32 {
  return ld32(MESSAGE + MESSAGE_MENTIONS) + mul(index, MENTION_SIZE);
}

export function mentionCount(): i32 {
  return ld32(MESSAGE + MESSAGE_MENTION_COUNT);
}

/** Address of a new mention of [at, end), cleared; 0 when the message has too many. */
export function mentionAppend(role: i32, at: i32, end: i32): i32 {
  const index: i32 = mentionCount();
  if (index >= ld32(MESSAGE + MESSAGE_MENTION_MOST)) return 0;
  st32(MESSAGE + MESSAGE_MENTION_COUNT, index + 1);
  const m: i32 = mentionAt(index);
  clear(m, MENTION_SIZE);
  st32(m + MENTION_ROLE, role);
  st32(m + MENTION_AT, at);
  st32(m + MENTION_END, end);
  st32(m + MENTION_HOST_END, end);
  st32(m + MENTION_PORT, -1);
  return m;
}

/** Takes the mention just appended back. Returns 0, "no mention". */
export function mentionDrop(): i32 {
  st32(MESSAGE + MESSAGE_MENTION_COUNT, (mentionCount() - 1) | 0);
  return 0;
}

/** A number that stands in the message: its digits and value. Returns false when the message has too many mentions. */
export function mentionNumber(role: i32, at: i32, end: i32, value: i32): boolean {
  const m: i32 = mentionAppend(role, at, end);
  if (m === 0) return false;
  st32(m + MENTION_PORT, value);
  return true;
}
