/*
 * First-packet latching (SPEC R2, RFC 7362 4, CONFORMANCE 72 to 75). The first packet of an allowed source (tier.ts) is
 * followed at once; PROBATION packets in a row lock it. A latch that is not locked goes to a better source at once, and to
 * any other allowed one, a rival, only when its holder has fallen silent and the rival has sent as many in a row. A locked
 * one moves only after a new offer or answer, or, inside the window, to the signalled address.
 * Invariant: while the holder of a latch goes on sending, nothing of an equal or worse source passes or is followed.
 */

import { ld16be, ld32, ld32be, st32 } from "../machine.ts";
import { HEADER_NOW } from "../memory/layout.ts";
import { PACKET_AT, PACKET_SOURCE, PACKET_SOURCE_PORT } from "../memory/packet.ts";
import {
  FLOW_FLAGS,
  FLOW_FLAG_MUX,
  LATCHED_LOCKED,
  LATCHED_NOT,
  LATCHED_PINHOLE,
  LATCHED_PROBATION,
  LATCH_ADDRESS,
  LATCH_HEARD,
  LATCH_PORT,
  LATCH_RIVAL,
  LATCH_RIVAL_RUN,
  LATCH_RUN,
  LATCH_SEQUENCE,
  LATCH_SSRC,
  LATCH_STATE,
  LATCH_TIER,
  SIDE_LATCH_RTCP,
  SIDE_LATCH_RTP,
  SIDE_RTCP_ADDRESS,
  SIDE_RTP_ADDRESS,
} from "../memory/tables.ts";
import { addressCopy, addressEqual } from "../bytes/address.ts";
import { hashAddress, hashBegin, hashEnd, hashWord } from "../bytes/hash.ts";
import { sideMoved } from "../table/flow.ts";
import { TIER_ANY, TIER_NONE, TIER_SIGNALLED, TIER_SOURCE, isWindowOpen, tierOf } from "./tier.ts";

/** Packets in a row from one source that lock a latch (as Asterisk's probation). */
const PROBATION: i32 = 4;
/** Sequence numbers that may be missing between two packets in a row. */
const GAP: i32 = 128;
/** Milliseconds after which a holder counts as silent: ten packets of RTP; three reports of RTCP (RFC 3550 6.2). */
const SILENT: i32 = 200;
const SILENT_CONTROL: i32 = 15000;
/** Tier of a holder that proved nothing: below that of any media. */
const TIER_WEAK: i32 = 8;

/* What a datagram is to the latch of its port. */
/** No media of this port (STUN, DTLS, short ones, RTCP at the port of RTP): may open the path, wins nothing. */
export const CONTENT_WEAK: i32 = 1;
export const CONTENT_RTP: i32 = 2;
export const CONTENT_RTCP: i32 = 3;
/** Media of a protocol that has neither SSRC nor sequence numbers that we know of (UDPTL). */
export const CONTENT_OTHER: i32 = 4;

function isLatchedTo(latch: i32, packet: i32): boolean {
  return ld32(latch + LATCH_PORT) === ld32(packet + PACKET_SOURCE_PORT) && addressEqual(latch + LATCH_ADDRESS, packet + PACKET_SOURCE);
}

/** SSRC of RTP or RTCP (RFC 3550 5.1, 6.4.1), 0 where there is none. */
function ssrcOf(payload: i32, content: i32): i32 {
  if (content === CONTENT_RTP) return ld32be(payload + 8);
  return content === CONTENT_RTCP ? ld32be(payload + 4) : 0;
}

function sequenceOf(payload: i32, content: i32): i32 {
  return content === CONTENT_RTP ? ld16be(payload + 2) : 0;
}

/** Does `sequence` go on from `before`? Only RTP has such numbers. */
function isNext(before: i32, sequence: i32, content: i32): boolean {
  const ahead: i32 = (sequence - before) & 0xffff;
  return content !== CONTENT_RTP || (ahead > 0 && ahead < GAP);
}

/** A packet of the holder: the same stream going on lengthens the run, another begins it anew; a rival has to begin anew as well. */
function holderCount(latch: i32, payload: i32, content: i32): void {
  st32(latch + LATCH_RIVAL_RUN, 0);
  if (content === CONTENT_WEAK) return;
  const ssrc: i32 = ssrcOf(payload, content);
  const sequence: i32 = sequenceOf(payload, content);
  const goes: boolean = ld32(latch + LATCH_SSRC) === ssrc && isNext(ld32(latch + LATCH_SEQUENCE), sequence, content);
  const run: i32 = goes ? ld32(latch + LATCH_RUN) + 1 : 1;
  st32(latch + LATCH_SSRC, ssrc);
  st32(latch + LATCH_SEQUENCE, sequence);
  st32(latch + LATCH_RUN, run);
  if (ld32(latch + LATCH_TIER) === TIER_WEAK) st32(latch + LATCH_TIER, TIER_SOURCE);
  st32(latch + LATCH_STATE, run >= PROBATION ? LATCHED_LOCKED : LATCHED_PROBATION);
}

/** Counts a packet of a rival. Returns how many there were in a row. */
function rivalCount(latch: i32, packet: i32, content: i32): i32 {
  const payload: i32 = ld32(packet + PACKET_AT);
  hashBegin();
  hashAddress(packet + PACKET_SOURCE, ld32(packet + PACKET_SOURCE_PORT));
  hashWord(ssrcOf(payload, content));
  const rival: i32 = hashEnd();
  const sequence: i32 = sequenceOf(payload, content);
  const before: i32 = ld32(latch + LATCH_RIVAL_RUN);
  const row: i32 = before >>> 16;
  const goes: boolean = row > 0 && ld32(latch + LATCH_RIVAL) === rival && isNext(before & 0xffff, sequence, content);
  const run: i32 = !goes ? 1 : row < PROBATION ? row + 1 : row;
  st32(latch + LATCH_RIVAL, rival);
  st32(latch + LATCH_RIVAL_RUN, (run << 16) | sequence);
  return run;
}

/** Has the holder sent nothing for a while? */
function isSilent(latch: i32, rtcp: boolean): boolean {
  return ((ld32(HEADER_NOW) - ld32(latch + LATCH_HEARD)) | 0) >= (rtcp ? SILENT_CONTROL : SILENT);
}

/** May this packet of an allowed source that does not hold the latch take it? */
function mayTake(flow: i32, block: i32, latch: i32, packet: i32, rtcp: boolean, tier: i32, content: i32): boolean {
  const state: i32 = ld32(latch + LATCH_STATE);
  const strong: boolean = content !== CONTENT_WEAK;
  if (!strong && tier === TIER_ANY) return false;
  if (state === LATCHED_NOT) return true;
  if (state === LATCHED_LOCKED) return strong && tier === TIER_SIGNALLED && isWindowOpen(flow);
  const held: i32 = ld32(latch + LATCH_TIER);
  if (!strong && held !== TIER_WEAK) return false;
  if (strong && (tier < held || tier === TIER_SIGNALLED || (state === LATCHED_PINHOLE && sideMoved(block)))) return true;
  return rivalCount(latch, packet, content) >= PROBATION && isSilent(latch, rtcp);
}

/**
 * May RTCP be learned from there: from the host that RTP comes from, once that is known (CONFORMANCE 75), or the one that
 * a=rtcp names (RFC 3605 2.1)? Not where it shares RTP's port (RFC 5761 5.1.1).
 */
function isPartner(flow: i32, block: i32, packet: i32, tier: i32): boolean {
  if ((ld32(flow + FLOW_FLAGS) & FLOW_FLAG_MUX) !== 0) return false;
  const rtp: i32 = block + SIDE_LATCH_RTP;
  if (ld32(rtp + LATCH_STATE) === LATCHED_NOT || ld32(rtp + LATCH_TIER) === TIER_WEAK) return true;
  return addressEqual(rtp + LATCH_ADDRESS, packet + PACKET_SOURCE) || (tier === TIER_SIGNALLED && hasOwnControl(block));
}

function hasOwnControl(block: i32): boolean {
  return !addressEqual(block + SIDE_RTCP_ADDRESS, block + SIDE_RTP_ADDRESS);
}

function latchTake(block: i32, latch: i32, packet: i32, rtcp: boolean, tier: i32, content: i32): void {
  const control: i32 = block + SIDE_LATCH_RTCP;
  addressCopy(latch + LATCH_ADDRESS, packet + PACKET_SOURCE);
  st32(latch + LATCH_PORT, ld32(packet + PACKET_SOURCE_PORT));
  st32(latch + LATCH_STATE, LATCHED_PINHOLE);
  st32(latch + LATCH_TIER, content === CONTENT_WEAK ? TIER_WEAK : tier);
  st32(latch + LATCH_RUN, 0);
  st32(latch + LATCH_HEARD, ld32(HEADER_NOW));
  holderCount(latch, ld32(packet + PACKET_AT), content);
  /* RTCP that was learned from elsewhere before RTP goes with it. */
  if (!rtcp && content !== CONTENT_WEAK && !hasOwnControl(block) && !addressEqual(control + LATCH_ADDRESS, latch + LATCH_ADDRESS))
    st32(control + LATCH_STATE, LATCHED_NOT);
}

export const LATCH_REFUSED: i32 = 0;
const LATCH_ALLOWED: i32 = 1;
/** The packet gave the latch a new address. */
export const LATCH_LEARNED: i32 = 2;

/** May this packet pass, and what does it teach? `content` is CONTENT_*. */
export function latchPass(flow: i32, block: i32, side: i32, packet: i32, rtcp: boolean, content: i32): i32 {
  const latch: i32 = block + (rtcp ? SIDE_LATCH_RTCP : SIDE_LATCH_RTP);
  const state: i32 = ld32(latch + LATCH_STATE);
  if (state !== LATCHED_NOT && isLatchedTo(latch, packet)) {
    st32(latch + LATCH_HEARD, ld32(HEADER_NOW));
    /* A place that the last description has left does not lock again, or the new one would come too late. */
    const left: boolean = state === LATCHED_PINHOLE && ld32(latch + LATCH_TIER) !== TIER_WEAK && sideMoved(block);
    if (state !== LATCHED_LOCKED && !left) holderCount(latch, ld32(packet + PACKET_AT), content);
    return LATCH_ALLOWED;
  }
  if (state === LATCHED_LOCKED && ld32(latch + LATCH_TIER) === TIER_SIGNALLED) return LATCH_REFUSED;
  const tier: i32 = tierOf(flow, block, side, packet, rtcp);
  if (tier === TIER_NONE || (rtcp && !isPartner(flow, block, packet, tier))) return LATCH_REFUSED;
  if (!mayTake(flow, block, latch, packet, rtcp, tier, content)) return LATCH_REFUSED;
  latchTake(block, latch, packet, rtcp, tier, content);
  return LATCH_LEARNED;
}
