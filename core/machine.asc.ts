/*
 * The portability seam, AssemblyScript side: the same exports as machine.ts, by intrinsics.
 * Only this file may use u64, generics or decorators.
 */

// @ts-nocheck: these are AssemblyScript builtins, which the TypeScript compiler does not know.

/** Has the engine vectors of 16 bytes? Answered when the module is optimised (bindings/wasm/optimize.ts), which takes the other way out. */
let vectors: i32 = 1;

@inline export function ld8(p: i32): i32 {
  return load<u8>(p);
}

@inline export function st8(p: i32, v: i32): void {
  store<u8>(p, v);
}

@inline export function ld16be(p: i32): i32 {
  return i32(bswap<u16>(load<u16>(p)));
}

@inline export function st16be(p: i32, v: i32): void {
  store<u16>(p, bswap<u16>(u16(v)));
}

@inline export function ld32be(p: i32): i32 {
  return bswap<i32>(load<i32>(p));
}

@inline export function st32be(p: i32, v: i32): void {
  store<i32>(p, bswap<i32>(v));
}

@inline export function ld32(p: i32): i32 {
  return load<i32>(p);
}

@inline export function st32(p: i32, v: i32): void {
  store<i32>(p, v);
}

export function copy(to: i32, from: i32, len: i32): void {
  if (len > 512) {
    memory.copy(to, from, len);
    return;
  }
  if (len >= 16) {
    const last = len - 16;
    for (let i = 0; i < last; i += 16) copy16(to + i, from + i);
    copy16(to + last, from + last);
  } else if (len >= 8) {
    store<u64>(to, load<u64>(from));
    store<u64>(to + len - 8, load<u64>(from + len - 8));
  } else if (len >= 4) {
    store<u32>(to, load<u32>(from));
    store<u32>(to + len - 4, load<u32>(from + len - 4));
  } else {
    for (let i = 0; i < len; i++) store<u8>(to + i, load<u8>(from + i));
  }
}

@inline export function copyOver(to: i32, from: i32, len: i32): void {
  if (len > 512) {
    memory.copy(to, from, len);
    return;
  }
  for (let i = 0; i < len; i += 32) {
    copy16(to + i, from + i);
    copy16(to + i + 16, from + i + 16);
  }
}

export function fill(p: i32, v: i32, len: i32): void {
  memory.fill(p, u8(v), len);
}

@inline export function clear(p: i32, len: i32): void {
  for (let i = 0; i < len; i += 32) {
    if (vectors !== 0) {
      v128.store(p + i, i64x2.splat(0));
      v128.store(p + i, i64x2.splat(0), 16);
    } else {
      store<u64>(p + i, 0);
      store<u64>(p + i, 0, 8);
      store<u64>(p + i, 0, 16);
      store<u64>(p + i, 0, 24);
    }
  }
}

@inline export function mul(a: i32, b: i32): i32 {
  return a * b;
}

@inline export function mulhu(a: i32, b: i32): i32 {
  return i32((u64(u32(a)) * u64(u32(b))) >> 32);
}

/**
 * Position of the first byte that is at most `most` after `flip`, sixteen bytes a step where there are vectors, or eight:
 * then a lane borrows when what it holds, its top bit clear, is smaller. The last step may look past `end`, which the layout
 * allows (memory goes on), and forgets what it saw there.
 */
@inline function scanAtMost(p: i32, end: i32, flip: i32, most: i32): i32 {
  while (p < end) {
    if (vectors !== 0) {
      const x: v128 = v128.xor(v128.load(p), i8x16.splat(i8(flip)));
      const hit: i32 = i8x16.bitmask(i8x16.le_u(x, i8x16.splat(i8(most))));
      if (hit != 0) return min<i32>(p + ctz<i32>(hit), end);
      p += 16;
    } else {
      const x: u64 = load<u64>(p) ^ (u64(flip) * 0x0101010101010101);
      const hit: u64 = (x - u64(most + 1) * 0x0101010101010101) & ~x & 0x8080808080808080;
      if (hit != 0) return min<i32>(p + i32(ctz<u64>(hit) >> 3), end);
      p += 8;
    }
  }
  return end;
}

export function scan8(p: i32, end: i32, byte: i32): i32 {
  return scanAtMost(p, end, byte, 0);
}

export function scanSpace(p: i32, end: i32): i32 {
  return scanAtMost(p, end, 0, 32);
}

@inline export function copy16(to: i32, from: i32): void {
  if (vectors !== 0) {
    v128.store(to, v128.load(from));
  } else {
    store<u64>(to, load<u64>(from));
    store<u64>(to, load<u64>(from, 8), 8);
  }
}

@inline export function mask16(to: i32, from: i32, mask: i32): void {
  if (vectors !== 0) {
    v128.store(to, v128.and(v128.load(from), v128.load(mask)));
  } else {
    store<u64>(to, load<u64>(from) & load<u64>(mask));
    store<u64>(to, load<u64>(from, 8) & load<u64>(mask, 8), 8);
  }
}

@inline export function equal16(a: i32, b: i32): boolean {
  if (vectors !== 0) return !v128.any_true(v128.xor(v128.load(a), v128.load(b)));
  return ((load<u64>(a, 8) ^ load<u64>(b, 8)) | (load<u64>(a) ^ load<u64>(b))) == 0;
}

/** The top bit of each lane that holds no digit, then the eight of them side by side by one multiplication. */
@inline export function nondigits8(p: i32): i32 {
  const x: u64 = load<u64>(p) ^ 0x3030303030303030;
  const hit: u64 = (((x & 0x7f7f7f7f7f7f7f7f) + 0x7676767676767676) | x) & 0x8080808080808080;
  return i32(((hit >> 7) * 0x0102040810204080) >> 56);
}

@inline export function nondigits16(p: i32): i32 {
  if (vectors !== 0) {
    const x: v128 = i8x16.sub(v128.load(p), i8x16.splat(48));
    return i8x16.bitmask(i8x16.gt_u(x, i8x16.splat(9)));
  }
  return nondigits8(p) | (nondigits8(p + 8) << 8);
}

/** Pairs of digits, then of pairs, then of those: three multiplications (Lemire, "Quickly parsing eight digits", 2018). */
export function decimal8(p: i32, n: i32): i32 {
  let x: u64 = (load<u64>(p) << u64((8 - n) << 3)) & 0x0f0f0f0f0f0f0f0f;
  x = ((x * 2561) >> 8) & 0x00ff00ff00ff00ff;
  x = ((x * 6553601) >> 16) & 0x0000ffff0000ffff;
  return i32((x * 42949672960001) >> 32);
}

@inline export function ld32le(p: i32): i32 {
  return load<i32>(p);
}

export function equal(a: i32, b: i32, len: i32): boolean {
  if (len >= 8) {
    const last = len - 8;
    for (let i = 0; i < last; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false;
    return load<u64>(a + last) == load<u64>(b + last);
  }
  for (let i = 0; i < len; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

@inline export function popcount32(v: i32): i32 {
  return popcnt<i32>(v);
}

@inline export function ctz32(v: i32): i32 {
  return ctz<i32>(v);
}
