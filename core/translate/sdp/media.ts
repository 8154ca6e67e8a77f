/*
 * What an SDP says about one side of a flow: where its media is wanted, whether it is held (RFC 3264 5.1, 8.4), and
 * what that means for the latch (SPEC R2): only a new offer or answer opens it again.
 */

import { ld32, st32 } from "../../machine.ts";
import { HEADER_NOW } from "../../memory/layout.ts";
import { REALM_LATCH_WINDOW } from "../../memory/config.ts";
import {
  MEDIA_ADDRESS,
  MEDIA_FLAGS,
  MEDIA_FLAG_EXISTING,
  MEDIA_FLAG_INACTIVE,
  MEDIA_FLAG_MUX,
  MEDIA_FLAG_RECVONLY,
  MEDIA_FLAG_SENDONLY,
  MEDIA_PORT,
  MEDIA_PROTO,
  MEDIA_RTCP_ADDRESS,
  MEDIA_RTCP_PORT,
  PROTO_MSRP,
  SETUP_MASK,
} from "../../memory/message.ts";
import {
  FLOW_FLAGS,
  FLOW_FLAGS_BEFORE,
  FLOW_FLAG_HELD_ACCESS,
  FLOW_FLAG_HELD_CORE,
  FLOW_FLAG_MUX,
  FLOW_FLAG_RENEWED,
  FLOW_FLAG_STANDING,
  FLOW_PROTO,
  FLOW_PROTO_BEFORE,
  FLOW_SETUP_ACCESS,
  FLOW_SETUP_CORE,
  FLOW_WINDOW,
  LATCHED_PROBATION,
  LATCHED_PINHOLE,
  LATCH_RUN,
  LATCH_STATE,
  SIDE_ACCESS,
  SIDE_BEFORE_RTCP_ADDRESS,
  SIDE_BEFORE_RTCP_PORT,
  SIDE_BEFORE_RTP_ADDRESS,
  SIDE_BEFORE_RTP_PORT,
  SIDE_CORE,
  SIDE_LATCH_RTCP,
  SIDE_LATCH_RTP,
  OPEN_RTCP,
  OPEN_RTP,
  SIDE_OPEN,
  SIDE_REALM,
  SIDE_RTCP_ADDRESS,
  SIDE_RTCP_PORT,
  SIDE_RTP_ADDRESS,
  SIDE_RTP_PORT,
} from "../../memory/tables.ts";
import { addressCopy, addressEqual, isUnspecified } from "../../bytes/address.ts";
import { isOverTcp, sideAt, sideMoved } from "../../table/flow.ts";
import { realmAt } from "../../table/service.ts";
import { isOpen } from "./reach.ts";
import { setupThere } from "./setup.ts";

/** The hold flag of a side. */
function heldFlag(side: i32): i32 {
  return side === SIDE_ACCESS ? FLOW_FLAG_HELD_ACCESS : FLOW_FLAG_HELD_CORE;
}

function setupShift(side: i32): i32 {
  return side === SIDE_ACCESS ? FLOW_SETUP_ACCESS : FLOW_SETUP_CORE;
}

/** The bits of FLOW_FLAGS that a description of this side sets, and one of the other leaves. */
export function sideFlags(side: i32): i32 {
  return heldFlag(side) | (SETUP_MASK << setupShift(side));
}

function sideSnapshot(block: i32): void {
  st32(block + SIDE_BEFORE_RTP_PORT, ld32(block + SIDE_RTP_PORT));
  st32(block + SIDE_BEFORE_RTCP_PORT, ld32(block + SIDE_RTCP_PORT));
  addressCopy(block + SIDE_BEFORE_RTP_ADDRESS, block + SIDE_RTP_ADDRESS);
  addressCopy(block + SIDE_BEFORE_RTCP_ADDRESS, block + SIDE_RTCP_ADDRESS);
}

/** Notes what a flow is before an offer. */
export function flowSnapshot(flow: i32): void {
  st32(flow + FLOW_FLAGS_BEFORE, ld32(flow + FLOW_FLAGS) | FLOW_FLAG_STANDING);
  st32(flow + FLOW_PROTO_BEFORE, ld32(flow + FLOW_PROTO));
  sideSnapshot(sideAt(flow, SIDE_ACCESS));
  sideSnapshot(sideAt(flow, SIDE_CORE));
}

/** Begins the window of a flow anew, as long as the realm of a side has it. */
function windowOpen(flow: i32, block: i32): void {
  st32(flow + FLOW_WINDOW, (ld32(HEADER_NOW) + ld32(realmAt(ld32(block + SIDE_REALM)) + REALM_LATCH_WINDOW)) | 0);
}

/** The same when one of its sides is to move. */
export function windowReopen(flow: i32): void {
  if (sideMoved(sideAt(flow, SIDE_CORE))) windowOpen(flow, sideAt(flow, SIDE_CORE));
  if (sideMoved(sideAt(flow, SIDE_ACCESS))) windowOpen(flow, sideAt(flow, SIDE_ACCESS));
}

/** Lets the media of a side move: its latches are open again, for as long as the window. */
export function sideReopen(flow: i32, side: i32): void {
  const block: i32 = sideAt(flow, side);
  windowOpen(flow, block);
  latchOpen(block + SIDE_LATCH_RTP);
  latchOpen(block + SIDE_LATCH_RTCP);
}

/** Notes which of a side's addresses may be sent to unheard: a=rtcp may name another host than c= (RFC 3605), or none. */
function openSet(call: i32, side: i32, block: i32): void {
  const realm: i32 = ld32(block + SIDE_REALM);
  const rtcp: i32 = block + SIDE_RTCP_ADDRESS;
  const rtp: i32 = isOpen(call, side, realm, block + SIDE_RTP_ADDRESS) ? OPEN_RTP : 0;
  st32(block + SIDE_OPEN, rtp | (!isUnspecified(rtcp) && isOpen(call, side, realm, rtcp) ? OPEN_RTCP : 0));
}

/** Puts one side of a flow back to what it was described as before the offer. */
function sideRestore(call: i32, flow: i32, side: i32): void {
  const block: i32 = sideAt(flow, side);
  if (sideMoved(block)) sideReopen(flow, side);
  st32(block + SIDE_RTP_PORT, ld32(block + SIDE_BEFORE_RTP_PORT));
  st32(block + SIDE_RTCP_PORT, ld32(block + SIDE_BEFORE_RTCP_PORT));
  addressCopy(block + SIDE_RTP_ADDRESS, block + SIDE_BEFORE_RTP_ADDRESS);
  addressCopy(block + SIDE_RTCP_ADDRESS, block + SIDE_BEFORE_RTCP_ADDRESS);
  openSet(call, side, block);
}

/** Puts a flow back to what it was before an offer of `side` failed: what both sides said, or, for a `half`, only that one. */
export function flowRestore(call: i32, flow: i32, side: i32, half: boolean): void {
  const other: i32 = SIDE_ACCESS + SIDE_CORE - side;
  const kept: i32 = half ? sideFlags(other) : 0;
  st32(flow + FLOW_FLAGS, (ld32(flow + FLOW_FLAGS_BEFORE) & ~kept & ~FLOW_FLAG_STANDING) | (ld32(flow + FLOW_FLAGS) & kept));
  st32(flow + FLOW_PROTO, ld32(flow + FLOW_PROTO_BEFORE));
  sideRestore(call, flow, side);
  if (!half) sideRestore(call, flow, other);
}

/** Lets another source take a latch; what it holds goes on until then. */
function latchOpen(latch: i32): void {
  if (ld32(latch + LATCH_STATE) < LATCHED_PROBATION) return;
  st32(latch + LATCH_STATE, LATCHED_PINHOLE);
  st32(latch + LATCH_RUN, 0);
}

/** Takes over what the media line says about the side that wrote it. Returns false when it says the same as before. */
function sideSet(call: i32, side: i32, block: i32, media: i32, k: i32): boolean {
  const port: i32 = (ld32(media + MEDIA_PORT) + (k << 1)) & 0xffff;
  const rtcp: i32 = k > 0 ? 0 : ld32(media + MEDIA_RTCP_PORT);
  const same: boolean =
    port === ld32(block + SIDE_RTP_PORT) && rtcp === ld32(block + SIDE_RTCP_PORT) && addressEqual(block + SIDE_RTP_ADDRESS, media + MEDIA_ADDRESS);
  st32(block + SIDE_RTP_PORT, port);
  st32(block + SIDE_RTCP_PORT, rtcp);
  addressCopy(block + SIDE_RTP_ADDRESS, media + MEDIA_ADDRESS);
  addressCopy(block + SIDE_RTCP_ADDRESS, ld32(media + MEDIA_RTCP_ADDRESS + 8) !== 0 ? media + MEDIA_RTCP_ADDRESS : media + MEDIA_ADDRESS);
  openSet(call, side, block);
  return !same;
}

/** FLOW_FLAG_RENEWED unless a new description keeps the connection that there is (RFC 4145 5); MSRP knows no a=connection (RFC 6135 4.4). */
function renewed(flow: i32, media: i32, fresh: boolean): i32 {
  if (!fresh) return ld32(flow + FLOW_FLAGS) & FLOW_FLAG_RENEWED;
  const kept: boolean = (ld32(media + MEDIA_FLAGS) & MEDIA_FLAG_EXISTING) !== 0 && ld32(media + MEDIA_PROTO) !== PROTO_MSRP;
  return isOverTcp(ld32(media + MEDIA_PROTO)) && !kept ? FLOW_FLAG_RENEWED : 0;
}

/** Takes the media line of `side` over into the flow of its session `k`. */
export function flowSignal(call: i32, flow: i32, side: i32, media: i32, k: i32, fresh: boolean): void {
  const block: i32 = sideAt(flow, side);
  const flags: i32 = ld32(media + MEDIA_FLAGS);
  const still: boolean = isUnspecified(media + MEDIA_ADDRESS);
  const held: boolean = still || (flags & (MEDIA_FLAG_SENDONLY | MEDIA_FLAG_RECVONLY | MEDIA_FLAG_INACTIVE)) !== 0;
  const kept: i32 = ld32(flow + FLOW_FLAGS) & sideFlags(SIDE_ACCESS + SIDE_CORE - side);
  const own: i32 = ((flags & MEDIA_FLAG_MUX) !== 0 ? FLOW_FLAG_MUX : 0) | (held ? heldFlag(side) : 0);
  st32(flow + FLOW_FLAGS, kept | own | (setupThere(call, media) << setupShift(side)) | renewed(flow, media, fresh));
  st32(flow + FLOW_PROTO, ld32(media + MEDIA_PROTO));
  if (still || ld32(media + MEDIA_PORT) === 0) return;
  if (sideSet(call, side, block, media, k) || fresh) sideReopen(flow, side);
}
