/*
 * Base32 in lower case without padding (RFC 4648 6): URI parameters are compared without case, and some phones fold it.
 */

import { ld8, st8 } from "../machine.ts";

/** Writes the `len` bytes at `from` as base32 at `to`. Returns the position after it. */
export function base32Write(to: i32, from: i32, len: i32): i32 {
  let at: i32 = to;
  let bits: i32 = 0;
  let held: i32 = 0;
  for (let i: i32 = 0; i < len; i++) {
    held = ((held << 8) | ld8(from + i)) & 0xffff;
    bits = bits + 8;
    while (bits >= 5) {
      bits = bits - 5;
      st8(at, digit((held >> bits) & 31));
      at++;
    }
  }
  if (bits > 0) {
    st8(at, digit((held << (5 - bits)) & 31));
    at++;
  }
  return at;
}

function digit(v: i32): i32 {
  return v < 26 ? 97 + v : 24 + v;
}

function valueOf(c: i32): i32 {
  if (c >= 50 && c <= 55) return c - 24;
  const low: i32 = c | 32;
  return low >= 97 && low <= 122 ? low - 97 : -1;
}

/** Reads `len` characters at `from` to bytes at `to`, at most `max` of them. Returns how many, -1 when they are no canonical base32. */
export function base32Read(to: i32, from: i32, len: i32, max: i32): i32 {
  let n: i32 = 0;
  let bits: i32 = 0;
  let held: i32 = 0;
  for (let i: i32 = 0; i < len; i++) {
    const value: i32 = valueOf(ld8(from + i));
    if (value < 0) return -1;
    held = ((held << 5) | value) & 0xfff;
    bits = bits + 5;
    if (bits >= 8) {
      if (n >= max) return -1;
      bits = bits - 8;
      st8(to + n, (held >> bits) & 255);
      n++;
    }
  }
  return bits < 5 && (held & ((1 << bits) - 1)) === 0 ? n : -1;
}
