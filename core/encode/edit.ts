/*
 * Edits and their texts. Texts are written into the TEXT region; an edit replaces [at, end) of the message by one.
 * Invariant: edits ascend and do not overlap (callers edit a place once); a full region is remembered and ends in FAULT_EDITS, never in a half rewrite.
 */

import { copy, copy16, ld32, mul, st32, st32be, st8 } from "../machine.ts";
import { EDITS, EDIT_MAX, EDIT_SIZE, HEADER_TEXT_TOP, MESSAGE, TEXT, TEXT_SIZE } from "../memory/layout.ts";
import { EDIT_AT, EDIT_END, EDIT_LEN, EDIT_TEXT, MESSAGE_EDIT_COUNT } from "../memory/message.ts";
import { addressWrite, hostWrite } from "../bytes/address.ts";
import { decimalWrite } from "../bytes/decimal.ts";
import { hexWrite } from "../bytes/hex.ts";

/** The longest text that one put may add without asking: an address in brackets with a port. */
const ROOM: i32 = 64;

export function editsReset(): void {
  st32(MESSAGE + MESSAGE_EDIT_COUNT, 0);
  st32(HEADER_TEXT_TOP, TEXT);
}

export function editAt(index: i32): i32 {
  return EDITS + mul(index, EDIT_SIZE);
}

export function editCount(): i32 {
  return ld32(MESSAGE + MESSAGE_EDIT_COUNT);
}

function top(): i32 {
  const at: i32 = ld32(HEADER_TEXT_TOP);
  return at + ROOM > TEXT + TEXT_SIZE ? TEXT + TEXT_SIZE - ROOM : at;
}

export function textByte(c: i32): void {
  const at: i32 = top();
  st8(at, c);
  st32(HEADER_TEXT_TOP, at + 1);
}

/** Up to four bytes, the first in the highest: 0x3b637674 is ";cvt". */
export function textWord(word: i32, len: i32): void {
  const at: i32 = top();
  st32be(at, word);
  st32(HEADER_TEXT_TOP, at + len);
}

export function textDecimal(value: i32): void {
  st32(HEADER_TEXT_TOP, decimalWrite(top(), value));
}

/** Eight hexadecimal digits. */
export function textHex(value: i32): void {
  st32(HEADER_TEXT_TOP, hexWrite(top(), value));
}

/** An address as SDP and `received` write it. */
export function textAddress(address: i32): void {
  st32(HEADER_TEXT_TOP, addressWrite(top(), address));
}

/** An address as a URI writes it, with `:port` unless the port is -1. */
export function textHost(address: i32, port: i32): void {
  let at: i32 = hostWrite(top(), address);
  if (port >= 0) {
    st8(at, 58);
    at = decimalWrite(at + 1, port);
  }
  st32(HEADER_TEXT_TOP, at);
}

/** A host that stands as text at `p`, with `:port`; 16 bytes at most. */
export function textHostBytes(p: i32, len: i32, port: i32): void {
  const at: i32 = top();
  copy(at, p, len);
  st8(at + len, 58);
  st32(HEADER_TEXT_TOP, decimalWrite(at + len + 1, port));
}

/** Bytes from elsewhere in memory. Longer than a spelling may be, they are cut off by the region's end. */
export function textBytes(p: i32, len: i32): void {
  const at: i32 = ld32(HEADER_TEXT_TOP);
  if (at + len + ROOM > TEXT + TEXT_SIZE) return;
  copy(at, p, len);
  st32(HEADER_TEXT_TOP, at + len);
}

/** Is there room for `len` bytes more? If not the message is given up: editsFit says so. */
export function textRoom(len: i32): boolean {
  if (ld32(HEADER_TEXT_TOP) + len + ROOM < TEXT + TEXT_SIZE) return true;
  st32(HEADER_TEXT_TOP, TEXT + TEXT_SIZE - ROOM);
  return false;
}

/** Position where the next text begins. */
export function textMark(): i32 {
  return ld32(HEADER_TEXT_TOP);
}

/** Takes back the texts from `mark` on. */
export function textDrop(mark: i32): void {
  st32(HEADER_TEXT_TOP, mark);
}

/** An edit of [at, end) by what was written since `mark`. */
export function editAppend(at: i32, end: i32, mark: i32): void {
  editText(at, end, mark, (ld32(HEADER_TEXT_TOP) - mark) | 0);
}

/** An edit of [at, end) by `len` bytes at `text`, put in its place in message order. */
function editText(at: i32, end: i32, text: i32, len: i32): void {
  const count: i32 = editCount();
  st32(MESSAGE + MESSAGE_EDIT_COUNT, count + 1);
  if (count >= EDIT_MAX) return;
  let index: i32 = count;
  while (index > 0 && ld32(editAt(index - 1) + EDIT_AT) > at) {
    copy16(editAt(index), editAt(index - 1));
    index--;
  }
  const e: i32 = editAt(index);
  st32(e + EDIT_AT, at);
  st32(e + EDIT_END, end);
  st32(e + EDIT_TEXT, text);
  st32(e + EDIT_LEN, len);
}

/** Did everything fit? */
export function editsFit(): boolean {
  return editCount() <= EDIT_MAX && ld32(HEADER_TEXT_TOP) + ROOM < TEXT + TEXT_SIZE;
}

/** Bytes by which the edits inside [from, to] lengthen the message. */
export function editsDelta(from: i32, to: i32): i32 {
  let delta: i32 = 0;
  for (let i: i32 = 0; i < editCount(); i++) {
    const e: i32 = editAt(i);
    if (ld32(e + EDIT_AT) < from || ld32(e + EDIT_END) > to) continue;
    delta = (delta + ld32(e + EDIT_LEN) - ld32(e + EDIT_END) + ld32(e + EDIT_AT)) | 0;
  }
  return delta;
}
