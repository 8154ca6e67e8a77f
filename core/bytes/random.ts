/*
 * xoshiro128** (Blackman, Vigna 2018) for what must be hard to guess from outside but need not be secret for
 * ever: port choice (RFC 6056 3.3), branches and tags of our own messages. Seeded from the host's key.
 */

import { ld32, ld32be, mul, mulhu, st32 } from "../machine.ts";
import { HEADER_KEY, HEADER_RANDOM } from "../memory/layout.ts";

export function randomSeed(): void {
  for (let i: i32 = 0; i < 16; i = i + 4) st32(HEADER_RANDOM + i, ld32be(HEADER_KEY + i) ^ 0x5bd1e995);
  if ((ld32(HEADER_RANDOM) | ld32(HEADER_RANDOM + 4) | ld32(HEADER_RANDOM + 8) | ld32(HEADER_RANDOM + 12)) === 0) st32(HEADER_RANDOM, 1);
  for (let i: i32 = 0; i < 16; i++) randomWord();
}

export function randomWord(): i32 {
  const s0: i32 = ld32(HEADER_RANDOM);
  const s1: i32 = ld32(HEADER_RANDOM + 4);
  const s2: i32 = ld32(HEADER_RANDOM + 8) ^ s0;
  const s3: i32 = ld32(HEADER_RANDOM + 12) ^ s1;
  const five: i32 = mul(s1, 5);
  const result: i32 = mul((five << 7) | (five >>> 25), 9);
  st32(HEADER_RANDOM + 4, s1 ^ s2);
  st32(HEADER_RANDOM, s0 ^ s3);
  st32(HEADER_RANDOM + 8, s2 ^ (s1 << 9));
  st32(HEADER_RANDOM + 12, (s3 << 11) | (s3 >>> 21));
  return result;
}

/** A number in [0, n), n > 0. */
export function randomBelow(n: i32): i32 {
  return mulhu(randomWord(), n);
}
