/*
 * Address keys: an address, or an end of an address prefix, as a key of table/edge.ts.
 * IPv4 stands in the IPv4-mapped block (RFC 4291 2.5.5.2), so both families are one space.
 */

import { copy, ld32, ld32be, st32, st32be } from "../machine.ts";
import { KEY_FLIP } from "./edge.ts";

export const ADDRESS_SIZE: i32 = 16;
export const PREFIX_MAX: i32 = 128;
/** Offset of the IPv4 address in its mapped form. */
export const MAPPED_HOST: i32 = 12;
/** Third word of a mapped address. */
export const MAPPED_MARK: i32 = 0xffff;

/** Writes the key of the address at `address`. */
export function addressKey(address: i32, key: i32): void {
  prefixLow(address, PREFIX_MAX, key);
}

/** Writes the last key whose third word is `mark`: the last one in the mapped block, or the last one before it. */
export function mappedKey(mark: i32, key: i32): void {
  st32(key, KEY_FLIP);
  st32(key + 4, KEY_FLIP);
  st32(key + 8, mark ^ KEY_FLIP);
  st32(key + MAPPED_HOST, -1 ^ KEY_FLIP);
}

/** The bits of a word that a prefix which has `bits` of it left covers. */
function wordMask(bits: i32): i32 {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}

/** Writes the first key of the prefix. Bits past the prefix are not looked at: 192.0.2.9/24 is 192.0.2.0/24. */
export function prefixLow(address: i32, prefix: i32, low: i32): void {
  for (let i: i32 = 0; i < ADDRESS_SIZE; i += 4) {
    st32(low + i, (ld32be(address + i) & wordMask(prefix - (i << 3))) ^ KEY_FLIP);
  }
}

/** Adds the bits of a prefix to those of a mask of addresses. */
export function prefixMask(prefix: i32, mask: i32): void {
  for (let i: i32 = 0; i < ADDRESS_SIZE; i += 4) st32be(mask + i, ld32be(mask + i) | wordMask(prefix - (i << 3)));
}

/** Writes the first key past the prefix, of at least one bit, that begins at `low`; false if there is none. */
export function prefixHigh(prefix: i32, low: i32, high: i32): boolean {
  copy(high, low, ADDRESS_SIZE);
  let step: i32 = 1 << (31 - ((prefix - 1) & 31));
  for (let i: i32 = ((prefix - 1) >> 5) << 2; i >= 0; i -= 4) {
    const word: i32 = (ld32(high + i) + step) | 0;
    st32(high + i, word);
    if (word !== KEY_FLIP) return true;
    /* The word became zero: carry into the one before it. */
    step = 1;
  }
  return false;
}
