/*
 * Texts of up to SEAL_MAX bytes under our key: the synthetic-IV mode of cipher.ts (Rogaway, Shrimpton 2006) for any length.
 * The 64-bit tag is a CBC-MAC whose first block says purpose and length, so that no text is the beginning of another and
 * what was sealed for one purpose does not open for another; it starts the key stream. Deterministic: the same text gives
 * the same letters and digits each time, so a retransmission is one and nothing is remembered.
 */

import { copy, fill, ld32, ld32be, ld8, st32, st32be, st8 } from "../machine.ts";
import { SEAL_STATE } from "../memory/layout.ts";
import { base32Read, base32Write } from "./base32.ts";
import { BLOCK, encipher, keyDerive } from "./cipher.ts";

const KEY_TAG: i32 = SEAL_STATE;
const KEY_STREAM: i32 = SEAL_STATE + 16;
/** The tag, with the text right behind it: what base32 spells. */
const TAG: i32 = SEAL_STATE + 40;
const TAG_SIZE: i32 = 8;
/** What is to be sealed, and what was opened. */
export const SEAL_TEXT: i32 = SEAL_STATE + 48;
export const SEAL_MAX: i32 = 256;
/** Letters and digits that sealWrite makes of a text of SEAL_MAX bytes. */
export const SEALED_MAX: i32 = 423;

/** Derives the two keys from the host's secret. */
export function sealInit(): void {
  keyDerive(KEY_TAG, 0x63767474);
  keyDerive(KEY_STREAM, 0x63767478);
}

/** Leaves the tag of the first `len` bytes of SEAL_TEXT in the first two words of the block. */
function tagCompute(purpose: i32, len: i32): void {
  fill(SEAL_TEXT + len, 0, (16 - (len & 15)) & 15);
  st32(BLOCK, purpose);
  st32(BLOCK + 4, len);
  st32(BLOCK + 8, 0);
  st32(BLOCK + 12, 0);
  encipher(KEY_TAG);
  for (let at: i32 = 0; at < len; at = at + 16) {
    for (let i: i32 = 0; i < 16; i = i + 4) st32(BLOCK + i, ld32(BLOCK + i) ^ ld32be(SEAL_TEXT + at + i));
    encipher(KEY_TAG);
  }
}

/** XORs the first `len` bytes of SEAL_TEXT with the key stream that the tag starts. */
function streamApply(len: i32): void {
  for (let at: i32 = 0; at < len; at = at + 16) {
    st32(BLOCK, ld32be(TAG));
    st32(BLOCK + 4, ld32be(TAG + 4));
    st32(BLOCK + 8, at);
    st32(BLOCK + 12, 0);
    encipher(KEY_STREAM);
    for (let i: i32 = 0; i < 16 && at + i < len; i++) {
      const word: i32 = ld32(BLOCK + (i & 12));
      st8(SEAL_TEXT + at + i, ld8(SEAL_TEXT + at + i) ^ ((word >> (24 - ((i & 3) << 3))) & 255));
    }
  }
}

/** Puts `len` bytes, SEAL_MAX at most, where sealWrite takes them, `from` bytes behind its beginning. */
export function sealPut(from: i32, p: i32, len: i32): void {
  copy(SEAL_TEXT + from, p, len);
}

/** Seals the first `len` bytes of SEAL_TEXT and writes them at `to`. Returns the position after it. */
export function sealWrite(to: i32, purpose: i32, len: i32): i32 {
  tagCompute(purpose, len);
  st32be(TAG, ld32(BLOCK));
  st32be(TAG + 4, ld32(BLOCK + 4));
  streamApply(len);
  return base32Write(to, TAG, TAG_SIZE + len);
}

/** Opens the `len` characters at `p` into SEAL_TEXT. Returns the length of the text, -1 when it was not sealed under our key for this purpose. */
export function sealRead(purpose: i32, p: i32, len: i32): i32 {
  const size: i32 = base32Read(TAG, p, len, TAG_SIZE + SEAL_MAX) - TAG_SIZE;
  if (size <= 0) return -1;
  streamApply(size);
  tagCompute(purpose, size);
  const wrong: i32 = (ld32(BLOCK) ^ ld32be(TAG)) | (ld32(BLOCK + 4) ^ ld32be(TAG + 4));
  return wrong === 0 ? size : -1;
}
