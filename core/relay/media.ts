/*
 * The media relay (SPEC R1, R2): a packet at one of our ports goes out of the port on the other side to where that side
 * was learned to be, its bytes untouched (CONFORMANCE 77). Nothing is sent to a terminal that has not sent, unless its
 * signaling comes from the very address; nothing from a stranger passes.
 */

import { ld32, ld8, st32 } from "../machine.ts";
import { HEADER_NOW } from "../memory/layout.ts";
import { NAT_NEVER, POOL_ADDRESS, REALM_NAT } from "../memory/config.ts";
import { PROTO_RTP } from "../memory/message.ts";
import { EVENT_LATCHED, HINT_MEDIA, OUTPUT_SEND } from "../memory/output.ts";
import { PACKET_AT, PACKET_LEN } from "../memory/packet.ts";
import {
  REASON_IDLE_PORT,
  REASON_MEDIA_GARBAGE,
  REASON_MEDIA_NO_REMOTE,
  REASON_MEDIA_PINHOLE,
  REASON_MEDIA_STRANGER,
  REASON_RELAYED,
} from "../memory/reason.ts";
import {
  FLOW_PROTO,
  FLOW_SEEN,
  LATCHED_NOT,
  LATCHED_PINHOLE,
  LATCHED_PROBATION,
  LATCH_ADDRESS,
  LATCH_OCTETS,
  LATCH_OCTETS_HIGH,
  LATCH_PACKETS,
  LATCH_PORT,
  LATCH_STATE,
  PORT_FLOW_CORE,
  PORT_FLOW_RTCP,
  PORT_INDEX,
  SIDE_ACCESS,
  SIDE_CORE,
  SIDE_LATCH_RTCP,
  SIDE_LATCH_RTP,
  OPEN_RTCP,
  OPEN_RTP,
  SIDE_OPEN,
  SIDE_POOL,
  SIDE_PORT,
  SIDE_REALM,
  SIDE_RTCP_ADDRESS,
  SIDE_RTCP_PORT,
  SIDE_RTP_ADDRESS,
  SIDE_RTP_PORT,
} from "../memory/tables.ts";
import { addressEqual } from "../bytes/address.ts";
import { outputEvent, outputHint, outputSend } from "../output/queue.ts";
import { isFramed, isFraming } from "../table/adjacency.ts";
import { flowAt, isOverTcp, rtcpPortOf, sideAt, sideMoved } from "../table/flow.ts";
import { poolAt } from "../table/port.ts";
import { realmAt } from "../table/service.ts";
import { SLAB_FLOWS, handleOf } from "../table/slab.ts";
import { CONTENT_OTHER, CONTENT_RTCP, CONTENT_RTP, CONTENT_WEAK, LATCH_LEARNED, LATCH_REFUSED, latchPass } from "./latch.ts";
import { isElsewhere, wayLearn, waySet } from "./way.ts";

const CONTENT_GARBAGE: i32 = 0;

/** RTCP packet types (RFC 5761 4), which may share a port with RTP. */
function isControl(payload: i32, len: i32): boolean {
  return len >= 8 && ld8(payload + 1) >= 192 && ld8(payload + 1) <= 223;
}

/** What a datagram is on a port for RTP or RTCP, by its first byte (RFC 7983 7). What belongs to the other port is weak. */
function contentOf(payload: i32, len: i32, rtcp: boolean): i32 {
  if (len < 1) return CONTENT_WEAK;
  const first: i32 = ld8(payload);
  if (first >= 128 && first <= 191) {
    if (isControl(payload, len)) return rtcp ? CONTENT_RTCP : CONTENT_WEAK;
    return len >= 12 && !rtcp ? CONTENT_RTP : CONTENT_WEAK;
  }
  if (first <= 3 || (first >= 16 && first <= 79)) return CONTENT_WEAK;
  return len < 12 ? CONTENT_WEAK : CONTENT_GARBAGE;
}

function count(latch: i32, len: i32): void {
  st32(latch + LATCH_PACKETS, (ld32(latch + LATCH_PACKETS) + 1) | 0);
  const before: i32 = ld32(latch + LATCH_OCTETS);
  const after: i32 = (before + len) & 0x7fffffff;
  st32(latch + LATCH_OCTETS, after);
  if (after < before) st32(latch + LATCH_OCTETS_HIGH, ld32(latch + LATCH_OCTETS_HIGH) + 1);
}

/** Sends to an address and port from our port on that side. */
function send(block: i32, rtcp: boolean, address: i32, port: i32, payload: i32, len: i32): i32 {
  const local: i32 = (ld32(block + SIDE_PORT) + (rtcp ? 1 : 0)) | 0;
  outputSend(OUTPUT_SEND, ld32(block + SIDE_REALM), poolAt(ld32(block + SIDE_POOL)) + POOL_ADDRESS, local, address, port, payload, len);
  outputHint(HINT_MEDIA);
  return REASON_RELAYED;
}

/** Is there no NAT in this realm, so that SDP says where media is wanted, wherever it comes from (RFC 3264 5.1)? */
function isPlain(block: i32): boolean {
  return ld32(realmAt(ld32(block + SIDE_REALM)) + REALM_NAT) === NAT_NEVER;
}

/** Has a side that may be sent to unheard moved, and not sent from there yet? It may be a relay that waits as well (RFC 7362 4). */
function isLeft(block: i32, latch: i32): boolean {
  return ld32(latch + LATCH_STATE) === LATCHED_PINHOLE && (ld32(block + SIDE_OPEN) & OPEN_RTP) !== 0 && sideMoved(block);
}

/** Is that our own pair of ports on this side? What is sent there would come back as the other side's (CONFORMANCE 76). */
function isOurs(block: i32, address: i32, port: i32): boolean {
  return ((port ^ ld32(block + SIDE_PORT)) & -2) === 0 && addressEqual(address, poolAt(ld32(block + SIDE_POOL)) + POOL_ADDRESS);
}

/** Sends towards one side: to where it was learned, or where it was signalled if that may be trusted. */
function sendTowards(block: i32, rtcp: boolean, payload: i32, len: i32): i32 {
  const rtp: i32 = block + SIDE_LATCH_RTP;
  const latch: i32 = rtcp ? block + SIDE_LATCH_RTCP : rtp;
  const plain: boolean = (isPlain(block) && ld32(block + SIDE_RTP_PORT) !== 0) || isLeft(block, rtp);
  if (!plain && ld32(latch + LATCH_STATE) !== LATCHED_NOT) return send(block, rtcp, latch + LATCH_ADDRESS, ld32(latch + LATCH_PORT), payload, len);
  const port: i32 = rtcp ? rtcpPortOf(block) : ld32(block + SIDE_RTP_PORT);
  if (!plain && rtcp && ld32(rtp + LATCH_STATE) >= LATCHED_PROBATION) {
    const explicit: boolean = ld32(block + SIDE_RTCP_PORT) !== 0;
    return send(block, true, rtp + LATCH_ADDRESS, explicit ? port : (ld32(rtp + LATCH_PORT) + 1) & 0xffff, payload, len);
  }
  const address: i32 = block + (rtcp ? SIDE_RTCP_ADDRESS : SIDE_RTP_ADDRESS);
  if ((ld32(block + SIDE_OPEN) & (rtcp ? OPEN_RTCP : OPEN_RTP)) === 0 || port === 0 || isOurs(block, address, port)) return REASON_MEDIA_NO_REMOTE;
  return send(block, rtcp, address, port, payload, len);
}

/** Relays the packet that came to a media port with this owner. Returns its reason. */
export function mediaRelay(owner: i32, packet: i32): i32 {
  const index: i32 = owner & PORT_INDEX;
  const flow: i32 = flowAt(index);
  const side: i32 = (owner & PORT_FLOW_CORE) !== 0 ? SIDE_CORE : SIDE_ACCESS;
  const rtcp: boolean = (owner & PORT_FLOW_RTCP) !== 0;
  const block: i32 = sideAt(flow, side);
  const latch: i32 = block + (rtcp ? SIDE_LATCH_RTCP : SIDE_LATCH_RTP);
  const payload: i32 = ld32(packet + PACKET_AT);
  const len: i32 = ld32(packet + PACKET_LEN);
  const stream: boolean = ld32(flow + FLOW_PROTO) === PROTO_RTP;
  if ((rtcp && !stream) || isOverTcp(ld32(flow + FLOW_PROTO))) return REASON_IDLE_PORT;
  const content: i32 = stream ? contentOf(payload, len, rtcp) : len > 0 ? CONTENT_OTHER : CONTENT_WEAK;
  if (content === CONTENT_GARBAGE) return REASON_MEDIA_GARBAGE;
  if (isFramed(packet) && isElsewhere(index, side, rtcp, packet)) return REASON_MEDIA_STRANGER;
  const passed: i32 = latchPass(flow, block, side, packet, rtcp, content);
  if (passed === LATCH_REFUSED) return REASON_MEDIA_STRANGER;
  if (passed === LATCH_LEARNED) outputEvent(EVENT_LATCHED, handleOf(SLAB_FLOWS, index), side);
  wayLearn(index, side, rtcp, packet);
  count(latch, len);
  st32(flow + FLOW_SEEN, ld32(HEADER_NOW));
  const other: i32 = SIDE_ACCESS + SIDE_CORE - side;
  const reason: i32 = sendTowards(sideAt(flow, other), rtcp, payload, len);
  if (isFraming() && reason === REASON_RELAYED) waySet(index, other, rtcp);
  return reason === REASON_MEDIA_NO_REMOTE && content === CONTENT_WEAK ? REASON_MEDIA_PINHOLE : reason;
}
