/*
 * The portability seam, JavaScript side. `machine.asc.ts` has the same exports for AssemblyScript;
 * build.ts swaps the files. Widths stand in the names because generics are erased in JavaScript.
 *
 * Invariant: `be` accessors read and write network order at any alignment; `ld32`/`st32` are native
 * order and want a multiple of four. `memory` is the parameter of the factory that the bundle becomes.
 */

declare const memory: ArrayBuffer;

const bytes = new Uint8Array(memory);
const words = new Int32Array(memory);

export function ld8(p: i32): i32 {
  return bytes[p] as i32;
}

export function st8(p: i32, v: i32): void {
  bytes[p] = v;
}

export function ld16be(p: i32): i32 {
  return ((bytes[p] as i32) << 8) | (bytes[p + 1] as i32);
}

export function st16be(p: i32, v: i32): void {
  bytes[p] = v >> 8;
  bytes[p + 1] = v;
}

export function ld32be(p: i32): i32 {
  return ((bytes[p] as i32) << 24) | ((bytes[p + 1] as i32) << 16) | ((bytes[p + 2] as i32) << 8) | (bytes[p + 3] as i32);
}

export function st32be(p: i32, v: i32): void {
  bytes[p] = v >> 24;
  bytes[p + 1] = v >> 16;
  bytes[p + 2] = v >> 8;
  bytes[p + 3] = v;
}

export function ld32(p: i32): i32 {
  return words[p >> 2] as i32;
}

export function st32(p: i32, v: i32): void {
  words[p >> 2] = v;
}

/** Copies `len` bytes; the ranges do not overlap. */
export function copy(to: i32, from: i32, len: i32): void {
  if (len > 48) bytes.copyWithin(to, from, from + len);
  else for (let i = 0; i < len; i++) bytes[to + i] = bytes[from + i] as i32;
}

/** Copies `len` bytes and, when they are no more than 512, up to 31 that follow, so that whole words move; the ranges do not overlap. */
export function copyOver(to: i32, from: i32, len: i32): void {
  copy(to, from, len > 512 ? len : (len + 31) & -32);
}

export function fill(p: i32, v: i32, len: i32): void {
  bytes.fill(v, p, p + len);
}

/** Zeroes `len` bytes, a multiple of 32, at `p`, a multiple of eight. */
export function clear(p: i32, len: i32): void {
  const end: i32 = (p + len) >> 2;
  for (let i: i32 = p >> 2; i < end; i++) words[i] = 0;
}

/** Low 32 bits of a product: plain `*` leaves 53-bit floats behind in JavaScript. */
export function mul(a: i32, b: i32): i32 {
  return Math.imul(a, b);
}

/** High 32 bits of the product of two unsigned numbers: scales a random word to a range without division. */
export function mulhu(a: i32, b: i32): i32 {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const mid = ah * bl + ((al * bl) >>> 16);
  const low = al * bh + (mid & 0xffff);
  return (ah * bh + Math.floor(mid / 65536) + (low >>> 16)) | 0;
}

/** Copies a 16-byte address; both stand at multiples of four. */
export function copy16(to: i32, from: i32): void {
  const a: i32 = to >> 2;
  const b: i32 = from >> 2;
  words[a] = words[b] as i32;
  words[a + 1] = words[b + 1] as i32;
  words[a + 2] = words[b + 2] as i32;
  words[a + 3] = words[b + 3] as i32;
}

/** Writes those bits of 16 bytes that a mask has; all stand at multiples of four. */
export function mask16(to: i32, from: i32, mask: i32): void {
  const a: i32 = to >> 2;
  const b: i32 = from >> 2;
  const m: i32 = mask >> 2;
  words[a] = (words[b] as i32) & (words[m] as i32);
  words[a + 1] = (words[b + 1] as i32) & (words[m + 1] as i32);
  words[a + 2] = (words[b + 2] as i32) & (words[m + 2] as i32);
  words[a + 3] = (words[b + 3] as i32) & (words[m + 3] as i32);
}

/** Are two 16-byte addresses the same? Both stand at multiples of four. */
export function equal16(a: i32, b: i32): boolean {
  const i: i32 = a >> 2;
  const j: i32 = b >> 2;
  return words[i + 3] === words[j + 3] && words[i + 2] === words[j + 2] && words[i + 1] === words[j + 1] && words[i] === words[j];
}

/** A bit for each of the eight bytes at `p` that is no digit, the lowest for the first. */
export function nondigits8(p: i32): i32 {
  let mask = 0;
  for (let i = 0; i < 8; i++) if ((bytes[p + i] as i32) < 48 || (bytes[p + i] as i32) > 57) mask |= 1 << i;
  return mask;
}

/** The same of sixteen. */
export function nondigits16(p: i32): i32 {
  return nondigits8(p) | (nondigits8(p + 8) << 8);
}

/** Value of the `n` digits at `p`, one to eight of them. */
export function decimal8(p: i32, n: i32): i32 {
  let value = 0;
  for (let i = 0; i < n; i++) value = value * 10 + ((bytes[p + i] as i32) & 15);
  return value;
}

/** Four bytes at any alignment, the first in the lowest. */
export function ld32le(p: i32): i32 {
  return (bytes[p] as i32) | ((bytes[p + 1] as i32) << 8) | ((bytes[p + 2] as i32) << 16) | ((bytes[p + 3] as i32) << 24);
}

/** How many bits of a word are set (Warren, "Hacker's Delight", 5-1). */
export function popcount32(v: i32): i32 {
  const pairs = v - ((v >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Index of the lowest set bit, 32 for zero. */
export function ctz32(v: i32): i32 {
  return v === 0 ? 32 : 31 - Math.clz32(v & -v);
}

/** Position of the first `byte` in [p, end), or `end`. */
export function scan8(p: i32, end: i32, byte: i32): i32 {
  for (let at = p; at < end; at++) if (bytes[at] === byte) return at;
  return end;
}

/** Position of the first byte in [p, end) that is not above space, or `end`. */
export function scanSpace(p: i32, end: i32): i32 {
  for (let at = p; at < end; at++) if ((bytes[at] as i32) <= 32) return at;
  return end;
}

/** Are `len` bytes at `a` and `b` the same? */
export function equal(a: i32, b: i32, len: i32): boolean {
  for (let i = 0; i < len; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}
