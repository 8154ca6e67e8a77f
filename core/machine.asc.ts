/*
 * The portability seam, AssemblyScript side: the same exports as machine.ts, by intrinsics.
 * Only this file may use u64, generics or decorators.
 */

// @ts-nocheck: these are AssemblyScript builtins, which the TypeScript compiler does not know.

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
  if (len > 128) {
    memory.copy(to, from, len);
    return;
  }
  if (len >= 8) {
    const last = len - 8;
    for (let i = 0; i < last; i += 8) store<u64>(to + i, load<u64>(from + i));
    store<u64>(to + last, load<u64>(from + last));
  } else if (len >= 4) {
    store<u32>(to, load<u32>(from));
    store<u32>(to + len - 4, load<u32>(from + len - 4));
  } else {
    for (let i = 0; i < len; i++) store<u8>(to + i, load<u8>(from + i));
  }
}

export function fill(p: i32, v: i32, len: i32): void {
  memory.fill(p, u8(v), len);
}

@inline export function clear(p: i32, len: i32): void {
  for (let i = 0; i < len; i += 8) store<u64>(p + i, 0);
}

@inline export function mul(a: i32, b: i32): i32 {
  return a * b;
}

@inline export function mulhu(a: i32, b: i32): i32 {
  return i32((u64(u32(a)) * u64(u32(b))) >> 32);
}

/**
 * Eight bytes a step: a byte equals `byte` where the lane of `x ^ pattern` is zero. The last step may look past `end`,
 * which the layout allows (memory goes on), and forgets what it saw there.
 */
export function scan8(p: i32, end: i32, byte: i32): i32 {
  const pattern: u64 = u64(byte) * 0x0101010101010101;
  while (p < end) {
    const x: u64 = load<u64>(p) ^ pattern;
    const hit: u64 = (x - 0x0101010101010101) & ~x & 0x8080808080808080;
    if (hit != 0) {
      const at: i32 = p + i32(ctz<u64>(hit) >> 3);
      return at < end ? at : end;
    }
    p += 8;
  }
  return end;
}

export function equal(a: i32, b: i32, len: i32): boolean {
  let i = 0;
  while (i + 8 <= len) {
    if (load<u64>(a + i) != load<u64>(b + i)) return false;
    i += 8;
  }
  while (i < len) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
    i++;
  }
  return true;
}

@inline export function ctz32(v: i32): i32 {
  return ctz<i32>(v);
}
