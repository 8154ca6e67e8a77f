/*
 * HalfSipHash-1-3 with a 64-bit result (Aumasson, Bernstein; the form Linux has in lib/siphash.c):
 * keyed, so that nobody outside can make tables collide or guess an identity. Runs of bytes end in a word with their
 * length, so the sum of all lengths is not mixed in once more. The state lives in memory because the portable subset
 * returns one i32.
 */

import { ld32, ld32le, st32 } from "../machine.ts";
import { HASH_STATE, HEADER_KEY } from "../memory/layout.ts";

const V0: i32 = HASH_STATE;
const V1: i32 = HASH_STATE + 4;
const V2: i32 = HASH_STATE + 8;
const V3: i32 = HASH_STATE + 12;
/** Eight zero bytes. */
const ZERO: i32 = HASH_STATE + 24;

export function hashBegin(): void {
  const k0: i32 = ld32(HEADER_KEY);
  const k1: i32 = ld32(HEADER_KEY + 4);
  st32(V0, k0);
  st32(V1, k1 ^ 0xee);
  st32(V2, 0x6c796765 ^ k0);
  st32(V3, 0x74656462 ^ k1);
}

/** Mixes `n` little-endian words at `p`, then the word `last`: the state stays in locals, which is what makes it quick. */
function mix(p: i32, n: i32, last: i32): void {
  let v0: i32 = ld32(V0);
  let v1: i32 = ld32(V1);
  let v2: i32 = ld32(V2);
  let v3: i32 = ld32(V3);
  for (let i: i32 = 0; i <= n; i++) {
    const m: i32 = i < n ? ld32le(p + (i << 2)) : last;
    v3 = v3 ^ m;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 = v0 ^ m;
  }
  st32(V0, v0);
  st32(V1, v1);
  st32(V2, v2);
  st32(V3, v3);
}

/** Mixes one 32-bit word in. */
export function hashWord(m: i32): void {
  mix(0, 0, m);
}

/** Mixes `len` bytes in; the last word holds their length above the up to three that are left, so "a"+"b" and "ab" differ when taken apart. */
export function hashBytes(p: i32, len: i32): void {
  const words: i32 = len >> 2;
  const left: i32 = ld32le(p + (words << 2)) & ((1 << ((len & 3) << 3)) - 1);
  mix(p, words, left | (len << 24));
}

/** Mixes a 16-byte address and a word in. */
export function hashAddress(p: i32, word: i32): void {
  mix(p, 4, word);
}

function finish(): void {
  mix(ZERO, 2, 0);
}

/** The low word of the result; hashHigh must be asked after it. */
export function hashEnd(): i32 {
  st32(V2, ld32(V2) ^ 0xee);
  finish();
  return ld32(V1) ^ ld32(V3);
}

/** The high word of the result that hashEnd began. */
export function hashHigh(): i32 {
  st32(V1, ld32(V1) ^ 0xdd);
  finish();
  return ld32(V1) ^ ld32(V3);
}
