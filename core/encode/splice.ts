/*
 * One pass from the message and its edits to the bytes that leave: everything between two edits is copied as it is
 * (SPEC T2).
 */

import { copy, copyOver, ld32 } from "../machine.ts";
import { EDIT_AT, EDIT_END, EDIT_LEN, EDIT_TEXT } from "../memory/message.ts";
import { editAt, editCount } from "./edit.ts";

/** Bytes that copyOver may write behind what it copies. */
const OVER: i32 = 31;

/** Writes [p, end) with its edits to `to`, which has room up to `limit`. Returns the length, -1 when it does not fit. */
export function splice(p: i32, end: i32, to: i32, limit: i32): i32 {
  let from: i32 = p;
  let at: i32 = to;
  const count: i32 = editCount();
  const last: i32 = limit - OVER;
  for (let i: i32 = 0; i < count; i++) {
    const e: i32 = editAt(i);
    const kept: i32 = (ld32(e + EDIT_AT) - from) | 0;
    const len: i32 = ld32(e + EDIT_LEN);
    if (kept < 0 || at + kept + len > last) return -1;
    copyOver(at, from, kept);
    copyOver(at + kept, ld32(e + EDIT_TEXT), len);
    at = at + kept + len;
    from = ld32(e + EDIT_END);
  }
  if (at + end - from > limit) return -1;
  copy(at, from, end - from);
  return at + end - from - to;
}
