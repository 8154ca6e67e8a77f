/*
 * The Internet checksum (RFC 1071) of IP, UDP and ICMP, and its incremental update (RFC 1624 3). A sum is kept in 32 bits
 * and folded to 16 before it is carried on. An IPv4 address counts as its 16 bytes here: ::ffff adds 0xffff, which is zero
 * in ones' complement, so the pseudo-headers of both families need no case of their own.
 */

import { ld16be, ld32be, ld8 } from "../machine.ts";

/** Adds the carries of a sum back in. */
export function sumFold(sum: i32): i32 {
  const once: i32 = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** `sum`, folded, and the 16-bit words of [p, p+len), folded; an odd last byte is padded with zero. At most 65,535 bytes. */
export function sumAdd(sum: i32, p: i32, len: i32): i32 {
  let total: i32 = 0;
  const words: i32 = p + (len & -4);
  for (let at: i32 = p; at < words; at += 4) {
    const word: i32 = ld32be(at);
    total += (word >>> 16) + (word & 0xffff);
  }
  if ((len & 2) !== 0) total += ld16be(words);
  if ((len & 1) !== 0) total += ld8(p + len - 1) << 8;
  return sumFold(sumFold(total) + sum);
}

/** The checksum that a folded sum stands for. */
export function sumEnd(sum: i32): i32 {
  return ~sum & 0xffff;
}

/** Folded sum of a pseudo-header (RFC 768, RFC 8200 8.1): two addresses of 16 bytes, protocol and length. */
export function pseudoSum(source: i32, destination: i32, protocol: i32, len: i32): i32 {
  return sumFold(sumAdd(sumAdd(0, source, 16), destination, 16) + sumFold(protocol + len));
}

/** `checksum` after words that sum up to `before` have become ones that sum up to `after`, both folded: HC' = ~(~HC + ~m + m'). */
export function checksumUpdate(checksum: i32, before: i32, after: i32): i32 {
  return ~sumFold((~checksum & 0xffff) + (~before & 0xffff) + after) & 0xffff;
}

/** A UDP checksum as it is sent: 0 means that there is none (RFC 768). */
export function udpSent(checksum: i32): i32 {
  return checksum === 0 ? 0xffff : checksum;
}
