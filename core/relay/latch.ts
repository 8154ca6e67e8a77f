/*
 * First-packet latching (SPEC R2, RFC 7362 4, CONFORMANCE 72 to 75). Tiers: the signalled address and port, the
 * signalled or signaling source's address with any port, anything; which of them count is the realm's policy, and all but
 * the first only inside a window after the offer or answer. The first valid packet is followed at once; PROBATION packets
 * in a row lock it. A locked latch moves only after a new offer or answer, or, inside the window, to the signalled address.
 */

import { ld16be, ld32, ld32be, st32 } from "../machine.ts";
import { HEADER_NOW } from "../memory/layout.ts";
import { LATCH_ANY, LATCH_STRICT, REALM_LATCH } from "../memory/config.ts";
import { PACKET_SOURCE, PACKET_SOURCE_PORT } from "../memory/packet.ts";
import {
  CALL_SERVICE,
  CALL_TERMINAL,
  FLOW_CALL,
  FLOW_WINDOW,
  LATCHED_LOCKED,
  LATCHED_NOT,
  LATCHED_PINHOLE,
  LATCHED_PROBATION,
  LATCH_ADDRESS,
  LATCH_PORT,
  LATCH_RUN,
  LATCH_SEQUENCE,
  LATCH_SSRC,
  LATCH_STATE,
  LATCH_TIER,
  SIDE_ACCESS,
  SIDE_LATCH_RTP,
  SIDE_REALM,
  SIDE_RTCP_ADDRESS,
  SIDE_RTP_ADDRESS,
  SIDE_RTP_PORT,
  TERMINAL_ADDRESS,
} from "../memory/tables.ts";
import { addressCopy, addressEqual } from "../bytes/address.ts";
import { callAt } from "../table/call.ts";
import { rtcpPortOf, sideMoved } from "../table/flow.ts";
import { realmAt, serverFind, serviceAt } from "../table/service.ts";
import { terminalAt } from "../table/terminal.ts";

/** Packets in a row from one source that lock a latch (as Asterisk's probation). */
const PROBATION: i32 = 4;
/** Sequence numbers that may be missing between two packets in a row. */
const GAP: i32 = 128;

const TIER_SIGNALLED: i32 = 1;
const TIER_SOURCE: i32 = 2;
const TIER_ANY: i32 = 3;
/** Not allowed at all. */
const TIER_NONE: i32 = 9;

function isWindowOpen(flow: i32): boolean {
  return ((ld32(flow + FLOW_WINDOW) - ld32(HEADER_NOW)) | 0) >= 0;
}

/** Does the call's signaling on this side come from that address: the terminal's, or one of the servers'? */
function isSignaling(call: i32, side: i32, source: i32): boolean {
  if (side === SIDE_ACCESS) return addressEqual(source, terminalAt(ld32(call + CALL_TERMINAL)) + TERMINAL_ADDRESS);
  return serverFind(serviceAt(ld32(call + CALL_SERVICE)), source, -1) >= 0;
}

/** TIER_* that the packet's source comes by. */
function tierOf(flow: i32, block: i32, side: i32, packet: i32, rtcp: boolean): i32 {
  const source: i32 = packet + PACKET_SOURCE;
  const address: i32 = block + (rtcp ? SIDE_RTCP_ADDRESS : SIDE_RTP_ADDRESS);
  const port: i32 = rtcp ? rtcpPortOf(block) : ld32(block + SIDE_RTP_PORT);
  const same: boolean = addressEqual(source, address);
  if (same && port === ld32(packet + PACKET_SOURCE_PORT)) return TIER_SIGNALLED;
  const policy: i32 = ld32(realmAt(ld32(block + SIDE_REALM)) + REALM_LATCH);
  if (policy === LATCH_STRICT || !isWindowOpen(flow)) return TIER_NONE;
  if (same || isSignaling(callAt(ld32(flow + FLOW_CALL)), side, source)) return TIER_SOURCE;
  return policy === LATCH_ANY ? TIER_ANY : TIER_NONE;
}

/** RTCP must come from where RTP came from, once that is known (CONFORMANCE 75). */
function isPartner(block: i32, packet: i32): boolean {
  const rtp: i32 = block + SIDE_LATCH_RTP;
  return ld32(rtp + LATCH_STATE) < LATCHED_PROBATION || addressEqual(rtp + LATCH_ADDRESS, packet + PACKET_SOURCE);
}

function isLatchedTo(latch: i32, packet: i32): boolean {
  return ld32(latch + LATCH_PORT) === ld32(packet + PACKET_SOURCE_PORT) && addressEqual(latch + LATCH_ADDRESS, packet + PACKET_SOURCE);
}

function latchTake(latch: i32, packet: i32, state: i32, tier: i32): void {
  addressCopy(latch + LATCH_ADDRESS, packet + PACKET_SOURCE);
  st32(latch + LATCH_PORT, ld32(packet + PACKET_SOURCE_PORT));
  st32(latch + LATCH_STATE, state);
  st32(latch + LATCH_TIER, tier);
  st32(latch + LATCH_RUN, 0);
}

/** Counts a packet of the candidate: the same stream going on lengthens the run, another begins it anew. */
function runCount(latch: i32, payload: i32, rtcp: boolean): void {
  const ssrc: i32 = ld32be(payload + (rtcp ? 4 : 8));
  const sequence: i32 = ld16be(payload + 2);
  const ahead: i32 = (sequence - ld32(latch + LATCH_SEQUENCE)) & 0xffff;
  const goes: boolean = ld32(latch + LATCH_SSRC) === ssrc && (rtcp || (ahead > 0 && ahead < GAP));
  const run: i32 = goes ? ld32(latch + LATCH_RUN) + 1 : 1;
  st32(latch + LATCH_SSRC, ssrc);
  st32(latch + LATCH_SEQUENCE, sequence);
  st32(latch + LATCH_RUN, run);
  if (run >= PROBATION) st32(latch + LATCH_STATE, LATCHED_LOCKED);
}

export const LATCH_REFUSED: i32 = 0;
const LATCH_ALLOWED: i32 = 1;
/** The packet gave the latch a new address. */
export const LATCH_LEARNED: i32 = 2;

/**
 * May this packet pass, and what does it teach? `strong` when its content proves a media source (RTP or RTCP with at
 * least 12 or 8 bytes, or any datagram of a single-port protocol); a weak one may open the path but not win it.
 */
export function latchPass(flow: i32, block: i32, side: i32, latch: i32, packet: i32, payload: i32, rtcp: boolean, strong: boolean, stream: boolean): i32 {
  const state: i32 = ld32(latch + LATCH_STATE);
  const held: boolean = state !== LATCHED_NOT && isLatchedTo(latch, packet);
  if (held && state === LATCHED_LOCKED) return LATCH_ALLOWED;
  if (state === LATCHED_LOCKED && ld32(latch + LATCH_TIER) === TIER_SIGNALLED) return LATCH_REFUSED;
  if (rtcp && !isPartner(block, packet)) return LATCH_REFUSED;
  const tier: i32 = tierOf(flow, block, side, packet, rtcp);
  if (tier === TIER_NONE && !held) return LATCH_REFUSED;
  if (state === LATCHED_LOCKED && (tier !== TIER_SIGNALLED || !isWindowOpen(flow) || !strong)) return LATCH_REFUSED;
  if (!strong) {
    if (held || state !== LATCHED_NOT) return held ? LATCH_ALLOWED : LATCH_REFUSED;
    latchTake(latch, packet, LATCHED_PINHOLE, tier);
    return LATCH_LEARNED;
  }
  const better: boolean = state < LATCHED_PROBATION || tier < ld32(latch + LATCH_TIER);
  if (!held && !better) return LATCH_REFUSED;
  if (!held) latchTake(latch, packet, stream ? LATCHED_PROBATION : LATCHED_LOCKED, tier);
  else if (state === LATCHED_PINHOLE && sideMoved(block)) return LATCH_ALLOWED;
  else if (state === LATCHED_PINHOLE) st32(latch + LATCH_STATE, stream ? LATCHED_PROBATION : LATCHED_LOCKED);
  if (stream) runCount(latch, payload, rtcp);
  return held ? LATCH_ALLOWED : LATCH_LEARNED;
}
