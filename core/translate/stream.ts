/*
 * Media over TCP (RFC 4145, RFC 6714 6.2): the end that is active connects to a port of ours, and the one that is passive is dialled
 * then. The host joins the two, so none of their bytes are seen here.
 * Invariant: one that is dialled has an accepted one beside it, and what ends one of the two ends the other.
 */

import { ld32, st32 } from "../machine.ts";
import { HEADER_NOW } from "../memory/layout.ts";
import { POOL_ADDRESS, POOL_MEDIA } from "../memory/config.ts";
import { SETUP_ACTIVE, SETUP_ACTPASS, SETUP_MASK, SETUP_NONE, SETUP_PASSIVE } from "../memory/message.ts";
import { TRANSPORT_TCP } from "../memory/packet.ts";
import { REASON_IDLE_PORT, REASON_MEDIA_NO_REMOTE, REASON_MEDIA_TAKEN } from "../memory/reason.ts";
import {
  CALL_SERVICE,
  CONNECTION_FLOW,
  CONNECTION_LOCAL,
  CONNECTION_LOCAL_PORT,
  FLOW_CALL,
  FLOW_FLAGS,
  FLOW_FLAG_RENEWED,
  FLOW_PROTO,
  FLOW_SEEN,
  FLOW_SETUP_ACCESS,
  FLOW_SETUP_CORE,
  FLOW_STREAM_ACCESS,
  FLOW_STREAM_CORE,
  PORT_FLOW,
  SIDE_ACCESS,
  SIDE_CORE,
  OPEN_RTP,
  SIDE_OPEN,
  SIDE_POOL,
  SIDE_PORT,
  SIDE_REALM,
  SIDE_RTP_ADDRESS,
  SIDE_RTP_PORT,
} from "../memory/tables.ts";
import { addressCopy } from "../bytes/address.ts";
import { outputDial } from "../output/queue.ts";
import { callAt } from "../table/call.ts";
import { connectionAt, connectionFlow } from "../table/connection.ts";
import { flowAt, isOverTcp, sideAt } from "../table/flow.ts";
import { isOwn, kindElsewhere, poolAt, poolOf, portOwner } from "../table/port.ts";
import { SLAB_CONNECTIONS, handleIndex, handleOf } from "../table/slab.ts";
import { connectionClose, connectionHang, connectionOpen } from "./connect.ts";

/** Where a flow has the handle of its connection on a side. */
function handleAt(flow: i32, side: i32): i32 {
  return flow + (side === SIDE_ACCESS ? FLOW_STREAM_ACCESS : FLOW_STREAM_CORE);
}

/** Index of the connection of a flow on a side, -1 for none. */
function streamOf(flow: i32, side: i32): i32 {
  return handleIndex(SLAB_CONNECTIONS, ld32(handleAt(flow, side)));
}

/** Are both ends of a flow connected, or one and the other dialled? */
export function isJoined(flow: i32): boolean {
  return streamOf(flow, SIDE_ACCESS) >= 0 && streamOf(flow, SIDE_CORE) >= 0;
}

/** SETUP_* of a side. */
function setupOf(flow: i32, side: i32): i32 {
  return (ld32(flow + FLOW_FLAGS) >> (side === SIDE_ACCESS ? FLOW_SETUP_ACCESS : FLOW_SETUP_CORE)) & SETUP_MASK;
}

/** Hangs up what a flow has. */
export function streamsHang(flow: i32): void {
  const access: i32 = streamOf(flow, SIDE_ACCESS);
  const core: i32 = streamOf(flow, SIDE_CORE);
  if (access >= 0) connectionHang(access);
  if (core >= 0) connectionHang(core);
}

/** A connection is gone, or did not come to be: the other goes, too. */
export function streamClose(index: i32): void {
  const flow: i32 = flowAt(connectionFlow(index));
  connectionClose(index);
  streamsHang(flow);
  st32(flow + FLOW_SEEN, ld32(HEADER_NOW));
}

/** Index of a new connection of a flow on a side; negative reason when it cannot be. */
function streamOpen(index: i32, side: i32, address: i32, port: i32): i32 {
  const flow: i32 = flowAt(index);
  const realm: i32 = ld32(sideAt(flow, side) + SIDE_REALM);
  const opened: i32 = connectionOpen(ld32(callAt(ld32(flow + FLOW_CALL)) + CALL_SERVICE), realm, -1, TRANSPORT_TCP, address, port);
  if (opened < 0) return opened;
  st32(connectionAt(opened) + CONNECTION_FLOW, index + 1);
  st32(handleAt(flow, side), handleOf(SLAB_CONNECTIONS, opened));
  return opened;
}

/** Is nothing of this machine there but a media port, which another call may well be sent to? What else it serves is nobody's media. */
function isElsewhere(address: i32, port: i32): boolean {
  const pool: i32 = poolOf(address, port);
  if (pool >= 0) return (portOwner(pool, port) & PORT_FLOW) !== 0;
  return !isOwn(address) || kindElsewhere(address, port) === POOL_MEDIA;
}

/** Can this side be dialled: is it to be connected to, at an address that is good for it, and known? */
function isDialable(flow: i32, side: i32): boolean {
  const block: i32 = sideAt(flow, side);
  const setup: i32 = setupOf(flow, side);
  const port: i32 = ld32(block + SIDE_RTP_PORT);
  if ((setup !== SETUP_PASSIVE && setup !== SETUP_ACTPASS) || port === 0) return false;
  return (ld32(block + SIDE_OPEN) & OPEN_RTP) !== 0 && isElsewhere(block + SIDE_RTP_ADDRESS, port);
}

/** May this side connect? Its answer, or the other's, may come later than its connection. */
function isAwaited(flow: i32, side: i32): boolean {
  const other: i32 = SIDE_ACCESS + SIDE_CORE - side;
  const own: i32 = setupOf(flow, side);
  if (own === SETUP_NONE) return isDialable(flow, other);
  return (own === SETUP_ACTIVE || own === SETUP_ACTPASS) && (setupOf(flow, other) === SETUP_NONE || isDialable(flow, other));
}

/** Dials the side that lacks a connection, once it can be. Returns 0 or a negative reason. */
export function streamJoin(index: i32): i32 {
  const flow: i32 = flowAt(index);
  const access: i32 = streamOf(flow, SIDE_ACCESS);
  const core: i32 = streamOf(flow, SIDE_CORE);
  const side: i32 = access < 0 ? SIDE_ACCESS : SIDE_CORE;
  if (access < 0 === core < 0 || !isDialable(flow, side)) return 0;
  const block: i32 = sideAt(flow, side);
  const dialled: i32 = streamOpen(index, side, block + SIDE_RTP_ADDRESS, ld32(block + SIDE_RTP_PORT));
  if (dialled < 0) return dialled;
  const c: i32 = connectionAt(dialled);
  addressCopy(c + CONNECTION_LOCAL, poolAt(ld32(block + SIDE_POOL)) + POOL_ADDRESS);
  st32(c + CONNECTION_LOCAL_PORT, ld32(block + SIDE_PORT));
  outputDial(dialled, block + SIDE_RTP_ADDRESS, ld32(block + SIDE_RTP_PORT), handleOf(SLAB_CONNECTIONS, access < 0 ? core : access));
  return 0;
}

/**
 * Takes the connection that comes to a flow on this side from address and port, which may. Returns its index or a negative
 * reason. It takes the place of another only after a new description, and once.
 */
export function streamAccept(index: i32, side: i32, address: i32, port: i32): i32 {
  const flow: i32 = flowAt(index);
  if (!isOverTcp(ld32(flow + FLOW_PROTO))) return -REASON_IDLE_PORT;
  if (!isAwaited(flow, side)) return -REASON_MEDIA_NO_REMOTE;
  const free: boolean = streamOf(flow, SIDE_ACCESS) < 0 && streamOf(flow, SIDE_CORE) < 0;
  const flags: i32 = ld32(flow + FLOW_FLAGS);
  if (!free && (flags & FLOW_FLAG_RENEWED) === 0) return -REASON_MEDIA_TAKEN;
  streamsHang(flow);
  const accepted: i32 = streamOpen(index, side, address, port);
  if (accepted < 0) return accepted;
  st32(flow + FLOW_FLAGS, flags & ~FLOW_FLAG_RENEWED);
  const refused: i32 = streamJoin(index);
  if (refused < 0) connectionClose(accepted);
  return refused < 0 ? refused : accepted;
}

/** When a flow last showed a sign of life: now, for one that is connected. */
export function flowSeen(flow: i32): i32 {
  return isJoined(flow) ? ld32(HEADER_NOW) : ld32(flow + FLOW_SEEN);
}
