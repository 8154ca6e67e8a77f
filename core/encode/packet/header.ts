/*
 * Link, IP and UDP headers as they leave (SPEC T1). Invariant: an IP packet written here is one of our own (RFC 4787
 * REQ-13): own identification, no options.
 */

import { copy, ld32, ld8, st16be, st32be, st8 } from "../../machine.ts";
import { ADJACENCY_ADDRESSES, ADJACENCY_DEPTH, ADJACENCY_LABELS, ADJACENCY_TAG, ADJACENCY_TAG_INNER } from "../../memory/frame.ts";
import {
  ETHERNET_HEADER,
  FRAGMENT_HEADER,
  IP4_HEADER,
  IP6_HEADER,
  NEXT_FRAGMENT,
  TYPE_IP4,
  TYPE_IP6,
  TYPE_MPLS,
  TYPE_VLAN,
  UDP_HEADER,
} from "../../memory/header.ts";
import { isMapped } from "../../bytes/address.ts";
import { sumAdd, sumEnd } from "../../bytes/checksum.ts";

const BOTTOM: i32 = 0x100;

/** Bytes of the link header towards an adjacency. */
export function linkSize(a: i32): i32 {
  const tags: i32 = (ld32(a + ADJACENCY_TAG) !== 0 ? 4 : 0) + (ld32(a + ADJACENCY_TAG_INNER) !== 0 ? 4 : 0);
  return ETHERNET_HEADER + tags + (ld32(a + ADJACENCY_DEPTH) << 2);
}

/** Bytes of it that count in what an interface takes: labels (RFC 3032 3.3) and tags, but for an outer one of 802.1Q, which frames are longer for. */
export function linkShare(a: i32): i32 {
  const free: i32 = ld32(a + ADJACENCY_TAG) >>> 16 === TYPE_VLAN ? 4 : 0;
  return (linkSize(a) - ETHERNET_HEADER - free) | 0;
}

function tagWrite(p: i32, tag: i32): i32 {
  if (tag === 0) return p;
  st32be(p, tag);
  return p + 4;
}

/** Writes the link header at `p`: the outer tag with this PCP, labels with this traffic class and TTL (RFC 3032 2.4.3: that of IP). */
export function linkWrite(p: i32, a: i32, pcp: i32, traffic: i32, ttl: i32, six: boolean): void {
  const depth: i32 = ld32(a + ADJACENCY_DEPTH);
  const outer: i32 = ld32(a + ADJACENCY_TAG);
  copy(p, a + ADJACENCY_ADDRESSES, 12);
  let at: i32 = tagWrite(p + 12, outer === 0 ? 0 : (outer & ~0xf000) | (pcp << 13));
  at = tagWrite(at, ld32(a + ADJACENCY_TAG_INNER));
  st16be(at, depth > 0 ? TYPE_MPLS : six ? TYPE_IP6 : TYPE_IP4);
  at = at + 2;
  for (let i: i32 = 0; i < depth; i++) {
    const label: i32 = ld32(a + ADJACENCY_LABELS + (i << 2));
    st32be(at, (label << 12) | (traffic << 9) | (i === depth - 1 ? BOTTOM : 0) | ttl);
    at = at + 4;
  }
}

/** IPv4 header for `len` bytes behind it (RFC 791 3.1); `place` is the word of flags and fragment offset. */
export function ip4Write(p: i32, len: i32, id: i32, place: i32, traffic: i32, ttl: i32, protocol: i32, source: i32, destination: i32): void {
  st8(p, 0x45);
  st8(p + 1, traffic);
  st16be(p + 2, IP4_HEADER + len);
  st16be(p + 4, id);
  st16be(p + 6, place);
  st8(p + 8, ttl);
  st8(p + 9, protocol);
  st16be(p + 10, 0);
  copy(p + 12, source + 12, 4);
  copy(p + 16, destination + 12, 4);
  st16be(p + 10, sumEnd(sumAdd(0, p, IP4_HEADER)));
}

/** IPv6 header for `len` bytes behind it (RFC 8200 3). */
export function ip6Write(p: i32, len: i32, traffic: i32, ttl: i32, protocol: i32, source: i32, destination: i32): void {
  st32be(p, 0x60000000 | (traffic << 20));
  st16be(p + 4, len);
  st8(p + 6, protocol);
  st8(p + 7, ttl);
  copy(p + 8, source, 16);
  copy(p + 24, destination, 16);
}

/** IPv6 header and fragment header (RFC 8200 4.5) for `len` bytes behind them; `place` is the word of offset and M. */
export function ip6FragmentWrite(p: i32, len: i32, id: i32, place: i32, traffic: i32, ttl: i32, protocol: i32, source: i32, destination: i32): void {
  ip6Write(p, FRAGMENT_HEADER + len, traffic, ttl, NEXT_FRAGMENT, source, destination);
  st8(p + IP6_HEADER, protocol);
  st8(p + IP6_HEADER + 1, 0);
  st16be(p + IP6_HEADER + 2, place);
  st32be(p + IP6_HEADER + 4, id);
}

/** UDP header for `len` bytes of payload behind it. */
export function udpWrite(p: i32, source: i32, destination: i32, len: i32, checksum: i32): void {
  st16be(p, source);
  st16be(p + 2, destination);
  st16be(p + 4, UDP_HEADER + len);
  st16be(p + 6, checksum);
}

/** Is an address not one of IPv4? */
export function isSix(address: i32): boolean {
  return ld8(address) !== 0 || !isMapped(address);
}
