/*
 * The Chaskey-12 permutation (Mouha et al., ISO/IEC 29192-6) in Even-Mansour form, under two keys derived at boot, and
 * over it a synthetic-IV mode (Rogaway, Shrimpton 2006) for up to 32 bytes: the 64-bit tag authenticates them
 * (CBC-MAC over exactly two blocks) and starts the key stream. So a token hides what it says and cannot be made or bent
 * by anyone without the key.
 */

import { fill, ld32, ld32be, ld8, st32, st32be, st8 } from "../machine.ts";
import { CIPHER_STATE, HEADER_KEY } from "../memory/layout.ts";

/** The 16 bytes that encipher works on, as four words. */
export const BLOCK: i32 = CIPHER_STATE;
const KEY_TAG: i32 = CIPHER_STATE + 16;
const KEY_STREAM: i32 = CIPHER_STATE + 32;
/** The 32 bytes that are sealed or opened, zero-padded. */
export const CIPHER_TEXT: i32 = CIPHER_STATE + 48;
/** The eight bytes of the tag. */
export const CIPHER_TAG: i32 = CIPHER_STATE + 80;
export const CIPHER_TEXT_SIZE: i32 = 32;
export const CIPHER_TAG_SIZE: i32 = 8;

function permute(): void {
  let v0: i32 = ld32(BLOCK);
  let v1: i32 = ld32(BLOCK + 4);
  let v2: i32 = ld32(BLOCK + 8);
  let v3: i32 = ld32(BLOCK + 12);
  for (let i: i32 = 0; i < 12; i++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 13) | (v3 >>> 19)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 7) | (v1 >>> 25)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  st32(BLOCK, v0);
  st32(BLOCK + 4, v1);
  st32(BLOCK + 8, v2);
  st32(BLOCK + 12, v3);
}

/** XORs the key onto the block, permutes, XORs the key again. */
export function encipher(key: i32): void {
  for (let i: i32 = 0; i < 16; i = i + 4) st32(BLOCK + i, ld32(BLOCK + i) ^ ld32(key + i));
  permute();
  for (let i: i32 = 0; i < 16; i = i + 4) st32(BLOCK + i, ld32(BLOCK + i) ^ ld32(key + i));
}

/** Derives a key of 16 bytes from the host's secret; another label, another key. */
export function keyDerive(key: i32, label: i32): void {
  for (let i: i32 = 0; i < 16; i = i + 4) st32(BLOCK + i, ld32be(HEADER_KEY + i) ^ label);
  permute();
  for (let i: i32 = 0; i < 16; i = i + 4) st32(key + i, ld32(BLOCK + i) ^ ld32be(HEADER_KEY + i));
}

/** Derives the two keys from the host's secret. */
export function cipherInit(): void {
  keyDerive(KEY_TAG, 0x63767461);
  keyDerive(KEY_STREAM, 0x63767473);
}

/** Leaves the tag of CIPHER_TEXT in the first two words of the block. */
function tagCompute(): void {
  fill(BLOCK, 0, 16);
  for (let half: i32 = 0; half < CIPHER_TEXT_SIZE; half = half + 16) {
    for (let i: i32 = 0; i < 16; i = i + 4) st32(BLOCK + i, ld32(BLOCK + i) ^ ld32be(CIPHER_TEXT + half + i));
    encipher(KEY_TAG);
  }
}

/** XORs the first `len` bytes of CIPHER_TEXT with the key stream that CIPHER_TAG starts. */
function streamApply(len: i32): void {
  for (let half: i32 = 0; half < len; half = half + 16) {
    st32(BLOCK, ld32be(CIPHER_TAG));
    st32(BLOCK + 4, ld32be(CIPHER_TAG + 4));
    st32(BLOCK + 8, half);
    st32(BLOCK + 12, 0);
    encipher(KEY_STREAM);
    for (let i: i32 = 0; i < 16 && half + i < len; i++) {
      const word: i32 = ld32(BLOCK + (i & 12));
      st8(CIPHER_TEXT + half + i, ld8(CIPHER_TEXT + half + i) ^ ((word >> (24 - ((i & 3) << 3))) & 255));
    }
  }
}

/** Seals the first `len` bytes of CIPHER_TEXT (the rest must be zero): CIPHER_TAG and those bytes are the sealed form. */
export function cipherSeal(len: i32): void {
  tagCompute();
  st32be(CIPHER_TAG, ld32(BLOCK));
  st32be(CIPHER_TAG + 4, ld32(BLOCK + 4));
  streamApply(len);
}

/** Opens what cipherSeal made of `len` bytes, in place. Returns false when it was not made under our key. */
export function cipherOpen(len: i32): boolean {
  streamApply(len);
  fill(CIPHER_TEXT + len, 0, CIPHER_TEXT_SIZE - len);
  tagCompute();
  const wrong: i32 = (ld32(BLOCK) ^ ld32be(CIPHER_TAG)) | (ld32(BLOCK + 4) ^ ld32be(CIPHER_TAG + 4));
  return wrong === 0;
}
