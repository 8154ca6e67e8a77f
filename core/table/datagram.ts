/*
 * Datagrams of which fragments have come (RFC 791 3.2, RFC 8200 4.5): whole frames in blocks, so that what is not ours can
 * go on as it came. Fragments that overlap spoil their datagram until it is forgotten (RFC 5722 4; IPv4 is kept to the
 * same); an exact duplicate is dropped alone.
 * Invariant: DATAGRAM_HELD bytes stand in the chain, none twice; the fragments of all datagrams hold half of the blocks at most.
 */

import { copy, copy16, equal16, ld32, st32 } from "../machine.ts";
import { TCP_HEADER, UDP_HEADER } from "../memory/header.ts";
import { BLOCK_SIZE, CAPACITY_BLOCKS, COUNTERS, HEADER_NOW } from "../memory/layout.ts";
import {
  WIRE_END,
  WIRE_HELD,
  WIRE_ID,
  WIRE_MORE,
  WIRE_OFFSET,
  WIRE_START,
  WIRE_STOP,
  WIRE_TRAFFIC,
  WIRE_TRANSPORT,
  WIRE_TTL,
  WIRE_VERSION,
} from "../memory/frame.ts";
import { PACKET_DESTINATION, PACKET_PROTOCOL, PACKET_SOURCE, PROTOCOL_TCP } from "../memory/packet.ts";
import { REASON_FRAGMENT, REASON_FRAGMENTS_FULL, REASON_FRAGMENTS_LATE, REASON_FRAGMENT_BAD } from "../memory/reason.ts";
import {
  BLOCK_BYTES,
  BLOCK_FRAME_LEN,
  BLOCK_LEN,
  BLOCK_OFFSET,
  BLOCK_SKIP,
  DATAGRAM_COUNT,
  DATAGRAM_DESTINATION,
  DATAGRAM_FIRST,
  DATAGRAM_HASH,
  DATAGRAM_HELD,
  DATAGRAM_ID,
  DATAGRAM_KEY,
  DATAGRAM_LABELS,
  DATAGRAM_SOURCE,
  DATAGRAM_SPOILED,
  DATAGRAM_TOTAL,
  DATAGRAM_TRAFFIC,
  DATAGRAM_TTL,
  RECORD_LINK,
} from "../memory/tables.ts";
import { hashAddress, hashBegin, hashEnd } from "../bytes/hash.ts";
import { labelsAre, labelsHash, labelsWrite } from "./label.ts";
import { CHAIN_MAX, SLAB_BLOCKS, SLAB_DATAGRAMS, chainAdd, chainFirst, chainNext, chainRemove, recordAt, recordGive, recordTake, timerOf } from "./slab.ts";
import { timerSet, timerStop } from "./timer.ts";

/** How long fragments are waited for (RFC 8200 4.5, RFC 1122 3.3.2: 60 seconds). */
const WAIT: i32 = 60000;
/** Fragments of one datagram. */
const FRAGMENTS_MAX: i32 = 128;
const LENGTH_MAX: i32 = 65535;
/** ECN of a packet that met congestion: one such fragment is enough (RFC 3168 5.3). */
const CONGESTED: i32 = 3;

function datagramAt(index: i32): i32 {
  return recordAt(SLAB_DATAGRAMS, index);
}

function blockAt(index: i32): i32 {
  return recordAt(SLAB_BLOCKS, index);
}

/** What tells datagrams with one identification apart besides their addresses: in IPv4 the protocol. */
function keyOf(packet: i32): i32 {
  return ld32(WIRE_VERSION) === 4 ? ld32(packet + PACKET_PROTOCOL) : -1;
}

function keyHash(packet: i32): i32 {
  hashBegin();
  hashAddress(packet + PACKET_SOURCE, ld32(WIRE_ID));
  hashAddress(packet + PACKET_DESTINATION, keyOf(packet));
  labelsHash(packet);
  return hashEnd();
}

function isOf(index: i32, hash: i32, packet: i32): boolean {
  const d: i32 = datagramAt(index);
  if (ld32(d + DATAGRAM_HASH) !== hash || ld32(d + DATAGRAM_ID) !== ld32(WIRE_ID) || ld32(d + DATAGRAM_KEY) !== keyOf(packet)) return false;
  if (!labelsAre(d + DATAGRAM_LABELS, packet)) return false;
  return equal16(d + DATAGRAM_SOURCE, packet + PACKET_SOURCE) && equal16(d + DATAGRAM_DESTINATION, packet + PACKET_DESTINATION);
}

/** Index of the datagram that the fragment in hand belongs to, made when it is the first; -1 when there is no room. */
function datagramOpen(packet: i32): i32 {
  const hash: i32 = keyHash(packet);
  let next: i32 = chainFirst(SLAB_DATAGRAMS, hash);
  for (let i: i32 = 0; i < CHAIN_MAX && next !== 0; i++) {
    if (isOf(next - 1, hash, packet)) return next - 1;
    next = chainNext(SLAB_DATAGRAMS, next - 1);
  }
  const index: i32 = recordTake(SLAB_DATAGRAMS);
  if (index < 0) return -1;
  const d: i32 = datagramAt(index);
  st32(d + DATAGRAM_HASH, hash);
  st32(d + DATAGRAM_ID, ld32(WIRE_ID));
  st32(d + DATAGRAM_KEY, keyOf(packet));
  labelsWrite(d + DATAGRAM_LABELS, packet);
  copy16(d + DATAGRAM_SOURCE, packet + PACKET_SOURCE);
  copy16(d + DATAGRAM_DESTINATION, packet + PACKET_DESTINATION);
  st32(d + DATAGRAM_TTL, 255);
  chainAdd(SLAB_DATAGRAMS, hash, index);
  timerSet(timerOf(SLAB_DATAGRAMS, index), (ld32(HEADER_NOW) + WAIT) | 0);
  return index;
}

function blocksFree(d: i32): void {
  let next: i32 = ld32(d + DATAGRAM_FIRST);
  for (let i: i32 = 0; i < FRAGMENTS_MAX && next !== 0; i++) {
    const index: i32 = next - 1;
    next = ld32(blockAt(index) + RECORD_LINK);
    recordGive(SLAB_BLOCKS, index);
  }
  st32(WIRE_HELD, (ld32(WIRE_HELD) - ld32(d + DATAGRAM_COUNT)) | 0);
  st32(d + DATAGRAM_FIRST, 0);
  st32(d + DATAGRAM_COUNT, 0);
}

/** Frees a datagram with its fragments. */
export function datagramGive(index: i32): void {
  const d: i32 = datagramAt(index);
  blocksFree(d);
  timerStop(timerOf(SLAB_DATAGRAMS, index));
  chainRemove(SLAB_DATAGRAMS, ld32(d + DATAGRAM_HASH), index);
  recordGive(SLAB_DATAGRAMS, index);
}

/** Its time is up; counted unless it was spoiled, which was. */
export function datagramExpire(index: i32): void {
  const counter: i32 = COUNTERS + (REASON_FRAGMENTS_LATE << 2);
  if (ld32(datagramAt(index) + DATAGRAM_SPOILED) === 0) st32(counter, (ld32(counter) + 1) | 0);
  datagramGive(index);
}

/** Nothing more of the datagram is taken, nor anything of it that is still to come. */
function spoil(d: i32): i32 {
  blocksFree(d);
  st32(d + DATAGRAM_SPOILED, 1);
  return -REASON_FRAGMENT_BAD;
}

/** Does the fragment in hand, [offset, end), go with what is there? 0, 1 for an exact duplicate, 2 when it does not. */
function fits(d: i32, offset: i32, end: i32): i32 {
  const total: i32 = ld32(d + DATAGRAM_TOTAL);
  const last: boolean = ld32(WIRE_MORE) === 0;
  let next: i32 = ld32(d + DATAGRAM_FIRST);
  for (let i: i32 = 0; i < FRAGMENTS_MAX && next !== 0; i++) {
    const block: i32 = blockAt(next - 1);
    const from: i32 = ld32(block + BLOCK_OFFSET);
    const to: i32 = from + ld32(block + BLOCK_LEN);
    if (from === offset && to === end) return last === (total === end) ? 1 : 2;
    if ((offset < to && from < end) || (last && to > end)) return 2;
    next = ld32(block + RECORD_LINK);
  }
  return total !== 0 && (last || end > total) ? 2 : 0;
}

/** Keeps the frame in hand. Returns false when there is no room. */
function fragmentKeep(d: i32, offset: i32, len: i32): boolean {
  const frame: i32 = (ld32(WIRE_END) - ld32(WIRE_START)) | 0;
  if (frame > BLOCK_SIZE - BLOCK_BYTES || ld32(WIRE_HELD) >= ld32(CAPACITY_BLOCKS) >> 1 || ld32(d + DATAGRAM_COUNT) >= FRAGMENTS_MAX) return false;
  const index: i32 = recordTake(SLAB_BLOCKS);
  if (index < 0) return false;
  const block: i32 = blockAt(index);
  st32(block + BLOCK_OFFSET, offset);
  st32(block + BLOCK_LEN, len);
  st32(block + BLOCK_SKIP, ld32(WIRE_TRANSPORT) - ld32(WIRE_START));
  st32(block + BLOCK_FRAME_LEN, frame);
  copy(block + BLOCK_BYTES, ld32(WIRE_START), frame);
  st32(block + RECORD_LINK, ld32(d + DATAGRAM_FIRST));
  st32(d + DATAGRAM_FIRST, index + 1);
  st32(d + DATAGRAM_COUNT, ld32(d + DATAGRAM_COUNT) + 1);
  st32(WIRE_HELD, ld32(WIRE_HELD) + 1);
  return true;
}

function headNote(d: i32): void {
  const congested: boolean = (ld32(d + DATAGRAM_TRAFFIC) & CONGESTED) === CONGESTED || (ld32(WIRE_TRAFFIC) & CONGESTED) === CONGESTED;
  if (ld32(WIRE_OFFSET) === 0) st32(d + DATAGRAM_TRAFFIC, ld32(WIRE_TRAFFIC));
  if (congested) st32(d + DATAGRAM_TRAFFIC, ld32(d + DATAGRAM_TRAFFIC) | CONGESTED);
  if (ld32(WIRE_TTL) < ld32(d + DATAGRAM_TTL)) st32(d + DATAGRAM_TTL, ld32(WIRE_TTL));
}

/** Can this be a fragment at all: full in eights unless it is the last, inside a datagram, a first one with its transport header (RFC 1858 3, RFC 7112 5)? */
function isSound(packet: i32, offset: i32, len: i32): boolean {
  const least: i32 = ld32(packet + PACKET_PROTOCOL) === PROTOCOL_TCP ? TCP_HEADER : UDP_HEADER;
  if (len <= 0 || offset + len > LENGTH_MAX || (ld32(WIRE_MORE) !== 0 && (len & 7) !== 0)) return false;
  return offset > 0 || len >= least;
}

/** Takes the fragment in hand. Returns the index of its datagram, which is complete, or why there is none yet, negative. */
export function fragmentTake(packet: i32): i32 {
  const offset: i32 = ld32(WIRE_OFFSET);
  const len: i32 = (ld32(WIRE_STOP) - ld32(WIRE_TRANSPORT)) | 0;
  if (!isSound(packet, offset, len)) return -REASON_FRAGMENT_BAD;
  const index: i32 = datagramOpen(packet);
  if (index < 0) return -REASON_FRAGMENTS_FULL;
  const d: i32 = datagramAt(index);
  if (ld32(d + DATAGRAM_SPOILED) !== 0) return -REASON_FRAGMENT_BAD;
  const fit: i32 = fits(d, offset, offset + len);
  if (fit === 1) return -REASON_FRAGMENT;
  if (fit === 2) return spoil(d);
  if (!fragmentKeep(d, offset, len)) return -REASON_FRAGMENTS_FULL;
  headNote(d);
  st32(d + DATAGRAM_HELD, ld32(d + DATAGRAM_HELD) + len);
  if (ld32(WIRE_MORE) === 0) st32(d + DATAGRAM_TOTAL, offset + len);
  return ld32(d + DATAGRAM_HELD) === ld32(d + DATAGRAM_TOTAL) ? index : -REASON_FRAGMENT;
}

/** Puts a complete datagram together at `to`: it is the packet in hand from now on. */
export function datagramJoin(index: i32, to: i32): void {
  const d: i32 = datagramAt(index);
  let next: i32 = ld32(d + DATAGRAM_FIRST);
  for (let i: i32 = 0; i < FRAGMENTS_MAX && next !== 0; i++) {
    const block: i32 = blockAt(next - 1);
    copy(to + ld32(block + BLOCK_OFFSET), block + BLOCK_BYTES + ld32(block + BLOCK_SKIP), ld32(block + BLOCK_LEN));
    next = ld32(block + RECORD_LINK);
  }
  st32(WIRE_TRANSPORT, to);
  st32(WIRE_STOP, to + ld32(d + DATAGRAM_TOTAL));
  st32(WIRE_TTL, ld32(d + DATAGRAM_TTL));
  st32(WIRE_TRAFFIC, ld32(d + DATAGRAM_TRAFFIC));
}

/** Block of a datagram's fragment, the next after `block` or (0) the one that came last; 0 for no more. */
export function fragmentNext(index: i32, block: i32): i32 {
  const next: i32 = block === 0 ? ld32(datagramAt(index) + DATAGRAM_FIRST) : ld32(block + RECORD_LINK);
  return next === 0 ? 0 : blockAt(next - 1);
}
