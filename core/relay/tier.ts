/*
 * How well the source of a media packet is founded (SPEC R2, RFC 7362 4 and 5): the signalled address and port; another port
 * of that address, or the address that the call's signaling comes from; anything. All but the first only inside a window
 * after the offer or answer, and only as far as the realm's policy goes.
 * Invariant: an address that a NAT hides is nobody's source, so that who only knows what stands in SDP has nothing to forge.
 */

import { ld32 } from "../machine.ts";
import { HEADER_NOW } from "../memory/layout.ts";
import { LATCH_ANY, LATCH_STRICT, NAT_ALWAYS, NAT_NEVER, REALM_LATCH, REALM_NAT } from "../memory/config.ts";
import { PACKET_SOURCE, PACKET_SOURCE_PORT } from "../memory/packet.ts";
import {
  CALL_BINDING,
  CALL_ENDED,
  CALL_SERVICE,
  CALL_STATE,
  CALL_TERMINAL,
  FLOW_CALL,
  FLOW_WINDOW,
  SIDE_ACCESS,
  SIDE_CORE,
  SIDE_REALM,
  SIDE_RTCP_ADDRESS,
  SIDE_RTP_ADDRESS,
  SIDE_RTP_PORT,
  TERMINAL_ADDRESS,
} from "../memory/tables.ts";
import { addressEqual, isPrivate } from "../bytes/address.ts";
import { isSpelledAt } from "../table/binding.ts";
import { callAt } from "../table/call.ts";
import { rtcpPortOf, sideAt } from "../table/flow.ts";
import { isOwn, kindElsewhere, poolOf } from "../table/port.ts";
import { realmAt, serverFind, serviceAt } from "../table/service.ts";
import { terminalAt } from "../table/terminal.ts";

export const TIER_SIGNALLED: i32 = 1;
export const TIER_SOURCE: i32 = 2;
export const TIER_ANY: i32 = 3;
/** Not allowed at all. */
export const TIER_NONE: i32 = 9;

/** May sources other than the signalled one come: for a while after an offer or answer, and in a call that has not ended? */
export function isWindowOpen(flow: i32): boolean {
  if (ld32(callAt(ld32(flow + FLOW_CALL)) + CALL_STATE) === CALL_ENDED) return false;
  return ((ld32(flow + FLOW_WINDOW) - ld32(HEADER_NOW)) | 0) >= 0;
}

/** Does the call's signaling on this side come from that address: the terminal's, or one of the servers'? */
function isSignaling(call: i32, side: i32, source: i32): boolean {
  if (side === SIDE_ACCESS) return addressEqual(source, terminalAt(ld32(call + CALL_TERMINAL)) + TERMINAL_ADDRESS);
  return serverFind(serviceAt(ld32(call + CALL_SERVICE)), source, -1) >= 0;
}

/**
 * Does a NAT stand between us and the signalled address? In a realm that may have some: where signaling comes from another
 * address, and the signalled one is private (RFC 1918) while that one is public, or is not what the terminal calls itself.
 */
function isHidden(call: i32, side: i32, nat: i32, signalled: i32): boolean {
  if (side === SIDE_CORE || nat === NAT_NEVER) return false;
  const seen: i32 = terminalAt(ld32(call + CALL_TERMINAL)) + TERMINAL_ADDRESS;
  if (addressEqual(signalled, seen)) return false;
  if (nat === NAT_ALWAYS) return true;
  return isPrivate(signalled) && !(isPrivate(seen) && isSpelledAt(ld32(call + CALL_BINDING), seen));
}

/** TIER_* that the packet's source comes by. */
export function tierOf(flow: i32, block: i32, side: i32, packet: i32, rtcp: boolean): i32 {
  const call: i32 = callAt(ld32(flow + FLOW_CALL));
  const realm: i32 = realmAt(ld32(block + SIDE_REALM));
  const policy: i32 = ld32(realm + REALM_LATCH);
  const source: i32 = packet + PACKET_SOURCE;
  const sourcePort: i32 = ld32(packet + PACKET_SOURCE_PORT);
  const signalled: i32 = block + (rtcp ? SIDE_RTCP_ADDRESS : SIDE_RTP_ADDRESS);
  const same: boolean = addressEqual(source, signalled) && (policy === LATCH_STRICT || !isHidden(call, side, ld32(realm + REALM_NAT), signalled));
  if (same && sourcePort === (rtcp ? rtcpPortOf(block) : ld32(block + SIDE_RTP_PORT))) return TIER_SIGNALLED;
  if (policy === LATCH_STRICT || !isWindowOpen(flow)) return TIER_NONE;
  if (same || isSignaling(call, side, source)) return TIER_SOURCE;
  /* Our own ports are nobody's source but where they were signalled: media would go round in circles. */
  return policy === LATCH_ANY && poolOf(source, sourcePort) < 0 && kindElsewhere(source, sourcePort) === 0 ? TIER_ANY : TIER_NONE;
}

/**
 * May media over TCP come from that address: the signalled one, the one that the call's signaling comes from, or as the realm's
 * policy says? There is no window: who has shaken hands has not forged his address.
 */
export function isAdmitted(flow: i32, side: i32, source: i32): boolean {
  const call: i32 = callAt(ld32(flow + FLOW_CALL));
  if (ld32(call + CALL_STATE) === CALL_ENDED) return false;
  const block: i32 = sideAt(flow, side);
  const realm: i32 = realmAt(ld32(block + SIDE_REALM));
  const policy: i32 = ld32(realm + REALM_LATCH);
  const signalled: i32 = block + SIDE_RTP_ADDRESS;
  if (addressEqual(source, signalled) && (policy === LATCH_STRICT || !isHidden(call, side, ld32(realm + REALM_NAT), signalled))) return true;
  if (policy === LATCH_STRICT) return false;
  return isSignaling(call, side, source) || (policy === LATCH_ANY && !isOwn(source));
}
