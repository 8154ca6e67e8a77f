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

export function fill(p: i32, v: i32, len: i32): void {
  bytes.fill(v, p, p + len);
}

/** Zeroes `len` bytes; both `p` and `len` are multiples of eight. */
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

/** Index of the lowest set bit, 32 for zero. */
export function ctz32(v: i32): i32 {
  return v === 0 ? 32 : 31 - Math.clz32(v & -v);
}

/** Position of the first `byte` in [p, end), or `end`. */
export function scan8(p: i32, end: i32, byte: i32): i32 {
  for (let at = p; at < end; at++) if (bytes[at] === byte) return at;
  return end;
}

/** Are `len` bytes at `a` and `b` the same? */
export function equal(a: i32, b: i32, len: i32): boolean {
  for (let i = 0; i < len; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}
