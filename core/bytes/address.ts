/*
 * Addresses as people write them, and as 16 bytes: IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2).
 * Literals are compared by these bytes, never as text (RFC 5954 4.2). Written in the canonical form
 * of RFC 5952 4.
 */

import { copy16, ctz32, equal16, ld16be, ld32be, ld32le, ld8, mul, nondigits16, st16be, st32, st32be, st8 } from "../machine.ts";
import { hexValue } from "./hex.ts";
import { octetWrite } from "./octet.ts";

/** The word ::ffff in network order, third of the four words of a mapped IPv4 address. */
const MAPPED: i32 = 0xffff;

export function isMapped(p: i32): boolean {
  return ld32be(p + 8) === MAPPED && ld32be(p) === 0 && ld32be(p + 4) === 0;
}

/** 0.0.0.0 or :: : a hold (RFC 3264 8.4) or nothing at all. */
export function isUnspecified(p: i32): boolean {
  return ld32be(p + 12) === 0 && ld32be(p) === 0 && ld32be(p + 4) === 0 && (ld32be(p + 8) === 0 || ld32be(p + 8) === MAPPED);
}

/** 255.255.255.255: those of networks cannot be told. */
export function isBroadcast(p: i32): boolean {
  return isMapped(p) && ld32be(p + 12) === -1;
}

/** 224.0.0.0/4 or ff00::/8. */
export function isMulticast(p: i32): boolean {
  if (isMapped(p)) return (ld8(p + 12) & 0xf0) === 0xe0;
  return ld8(p) === 0xff;
}

/** An address that is not routed between networks: RFC 1918, those of carriers (RFC 6598), link-local, unique local IPv6 (RFC 4193). */
export function isPrivate(p: i32): boolean {
  if (!isMapped(p)) return (ld8(p) & 0xfe) === 0xfc || (ld16be(p) & 0xffc0) === 0xfe80;
  const a: i32 = ld8(p + 12);
  const b: i32 = ld8(p + 13);
  return a === 10 || (a === 172 && (b & 0xf0) === 16) || (a === 192 && b === 168) || (a === 100 && (b & 0xc0) === 64) || (a === 169 && b === 254);
}

/** Are two 16-byte addresses the same? Both stand at multiples of four. */
export function addressEqual(a: i32, b: i32): boolean {
  return equal16(a, b);
}

export function addressCopy(to: i32, from: i32): void {
  copy16(to, from);
}

/** Value of the one to three digits that end before `p`. */
function octetRead(p: i32, digits: i32): i32 {
  const word: i32 = ld32le(p - 4) & 0x0f0f0f00 & (-1 << ((4 - digits) << 3));
  return (word >>> 24) + mul((word >>> 16) & 15, 10) + mul((word >>> 8) & 15, 100);
}

/** Other than 0 unless `digits` is 1 to 3. */
function isNoLength(digits: i32): i32 {
  return ((digits - 1) | digits) & ~3;
}

/**
 * Reads the 32 bits of a dotted quad at `p`, written to `to` in network order. Returns the position after it, or 0 when it is none.
 * Where the dots are is told from all sixteen bytes at once, and what may be wrong is gathered: with digits that nobody can foresee branches cost more.
 */
function quadRead(p: i32, end: i32, to: i32): i32 {
  const room: i32 = end - p < 16 ? end - p : 16;
  const first: i32 = nondigits16(p) | (-1 << room);
  const second: i32 = first & (first - 1);
  const third: i32 = second & (second - 1);
  const a: i32 = ctz32(first);
  const b: i32 = ctz32(second);
  const c: i32 = ctz32(third);
  const d: i32 = ctz32(third & (third - 1));
  const lengths: i32 = isNoLength(a) | isNoLength(b - a - 1) | isNoLength(c - b - 1) | isNoLength(d - c - 1);
  if (lengths !== 0) return 0;
  const dots: i32 = (ld8(p + a) ^ 46) | (ld8(p + b) ^ 46) | (ld8(p + c) ^ 46);
  const v: i32 = octetRead(p + a, a);
  const w: i32 = octetRead(p + b, b - a - 1);
  const x: i32 = octetRead(p + c, c - b - 1);
  const y: i32 = octetRead(p + d, d - c - 1);
  if (dots !== 0 || (v | w | x | y) > 255) return 0;
  st32be(to, (v << 24) | (w << 16) | (x << 8) | y);
  return p + d;
}

/** Reads a dotted quad at `p` into 16 bytes at `to`. Returns the position after it, or 0 when it is none. */
export function ip4Read(p: i32, end: i32, to: i32): i32 {
  const stop: i32 = quadRead(p, end, to + 12);
  if (stop !== 0) prefixWrite(to);
  return stop;
}

function prefixWrite(to: i32): void {
  st32(to, 0);
  st32(to + 4, 0);
  st32be(to + 8, MAPPED);
}

/** Writes the four bytes of an IPv4 address at `p` as sixteen. */
export function mappedWrite(to: i32, p: i32): void {
  prefixWrite(to);
  st32be(to + 12, ld32be(p));
}

/** Moves the groups after a `::` to the end and clears the gap: `n` groups were read, the gap stands before group `gap`. */
function gapSpread(to: i32, n: i32, gap: i32): void {
  let from: i32 = n - 1;
  let at: i32 = 7;
  while (from >= gap) {
    st16be(to + (at << 1), ld16be(to + (from << 1)));
    from--;
    at--;
  }
  while (at >= gap) {
    st16be(to + (at << 1), 0);
    at--;
  }
}

/** Reads an IPv6 literal without brackets (RFC 4291 2.2) into `to`. Returns the position after it, or 0. */
export function ip6Read(p: i32, end: i32, to: i32): i32 {
  let at: i32 = p;
  let n: i32 = 0;
  let gap: i32 = -1;
  if (at + 1 < end && ld8(at) === 58 && ld8(at + 1) === 58) {
    gap = 0;
    at = at + 2;
  }
  while (n < 8 && at < end) {
    const start: i32 = at;
    let group: i32 = 0;
    while (at < end && at - start < 5 && hexValue(ld8(at)) >= 0) {
      group = (group << 4) | hexValue(ld8(at));
      at++;
    }
    if (at === start) break;
    if (at < end && ld8(at) === 46 && n <= 6) {
      const stop: i32 = quadRead(start, end, to + (n << 1));
      if (stop === 0) return 0;
      at = stop;
      n = n + 2;
      break;
    }
    if (at - start > 4) return 0;
    st16be(to + (n << 1), group);
    n++;
    if (at >= end || ld8(at) !== 58) break;
    if (at + 1 < end && ld8(at + 1) === 58) {
      if (gap >= 0) return 0;
      gap = n;
      at = at + 2;
    } else {
      if (at + 1 >= end || hexValue(ld8(at + 1)) < 0) return 0;
      at++;
    }
  }
  if (gap < 0) return n === 8 ? at : 0;
  if (n > 7) return 0;
  gapSpread(to, n, gap);
  return at;
}

function ip4Write(p: i32, address: i32): i32 {
  let at: i32 = octetWrite(p, ld8(address + 12));
  for (let i: i32 = 13; i < 16; i++) {
    st8(at, 46);
    at = octetWrite(at + 1, ld8(address + i));
  }
  return at;
}

function hexWrite(p: i32, group: i32): i32 {
  let at: i32 = p;
  let shift: i32 = 12;
  while (shift > 0 && group >> shift === 0) shift = shift - 4;
  while (shift >= 0) {
    const digit: i32 = (group >> shift) & 15;
    st8(at, digit < 10 ? 48 + digit : 87 + digit);
    at++;
    shift = shift - 4;
  }
  return at;
}

/** First group of the longest run of two or more zero groups, with its length in the low byte: (first << 8) | length; 0 for none. */
function zeroRun(address: i32): i32 {
  let best: i32 = 0;
  let length: i32 = 1;
  let i: i32 = 0;
  while (i < 8) {
    let j: i32 = i;
    while (j < 8 && ld16be(address + (j << 1)) === 0) j++;
    if (j - i > length) {
      length = j - i;
      best = (i << 8) | length;
    }
    i = j > i ? j : i + 1;
  }
  return best;
}

function ip6Write(p: i32, address: i32): i32 {
  const run: i32 = zeroRun(address);
  const first: i32 = run === 0 ? 8 : run >> 8;
  const after: i32 = run === 0 ? 8 : (run >> 8) + (run & 255);
  let at: i32 = p;
  let i: i32 = 0;
  while (i < 8) {
    if (i === first) {
      st8(at, 58);
      st8(at + 1, 58);
      at = at + 2;
      i = after;
      continue;
    }
    if (i > 0 && i !== after) {
      st8(at, 58);
      at++;
    }
    at = hexWrite(at, ld16be(address + (i << 1)));
    i++;
  }
  return at;
}

/** Writes an address without brackets; at most 39 bytes. Returns the position after it. */
export function addressWrite(p: i32, address: i32): i32 {
  return isMapped(address) ? ip4Write(p, address) : ip6Write(p, address);
}

/** Writes an address as a URI host (RFC 3261 25.1): IPv6 in brackets. */
export function hostWrite(p: i32, address: i32): i32 {
  if (isMapped(address)) return ip4Write(p, address);
  st8(p, 91);
  const at: i32 = ip6Write(p + 1, address);
  st8(at, 93);
  return at + 1;
}
