/*
 * Flows: the media of one m= line, with an even/odd port pair of ours on each side (SPEC R1).
 * Invariant: while a flow is in use its four ports point back to it, so a media packet finds its flow in one step.
 */

import { ld32, st32 } from "../machine.ts";
import {
  CALL_FLOWS,
  FLOW_ACCESS,
  FLOW_CALL,
  FLOW_CORE,
  FLOW_LINE,
  FLOW_NEXT,
  FLOW_PROTO,
  PORT_FLOW,
  PORT_FLOW_CORE,
  PORT_FLOW_RTCP,
  SIDE_ACCESS,
  SIDE_BEFORE_RTP_ADDRESS,
  SIDE_BEFORE_RTP_PORT,
  SIDE_CORE,
  SIDE_POOL,
  SIDE_PORT,
  SIDE_REALM,
  SIDE_RTCP_PORT,
  SIDE_RTP_ADDRESS,
  SIDE_RTP_PORT,
} from "../memory/tables.ts";
import { PROTO_TCP } from "../memory/message.ts";
import { POOL_MEDIA } from "../memory/config.ts";
import { POOL_MAX } from "../memory/layout.ts";
import { addressEqual } from "../bytes/address.ts";
import { adjacencyForget, flowAdjacency } from "./adjacency.ts";
import { pairsFind, poolFind, portGive, portOwn } from "./port.ts";
import { SLAB_CALLS, SLAB_FLOWS, listPush, recordAt, recordGive, recordTake } from "./slab.ts";

export function flowAt(index: i32): i32 {
  return recordAt(SLAB_FLOWS, index);
}

/** Address of a flow's block for a side. */
export function sideAt(flow: i32, side: i32): i32 {
  return side === SIDE_CORE ? flow + FLOW_CORE : flow + FLOW_ACCESS;
}

/** Is media of this PROTO_* carried by a connection? */
export function isOverTcp(proto: i32): boolean {
  return proto >= PROTO_TCP;
}

/** Port that the peer of a side wants RTCP at when it is not muxed (RFC 3605 2.1, RFC 3550 11). */
export function rtcpPortOf(block: i32): i32 {
  const written: i32 = ld32(block + SIDE_RTCP_PORT);
  return written !== 0 ? written : (ld32(block + SIDE_RTP_PORT) + 1) & 0xffff;
}

/** Does the last offer or answer of this side name another place than the one before, so that its media is to move? */
export function sideMoved(block: i32): boolean {
  const before: i32 = ld32(block + SIDE_BEFORE_RTP_PORT);
  return before !== 0 && (before !== ld32(block + SIDE_RTP_PORT) || !addressEqual(block + SIDE_BEFORE_RTP_ADDRESS, block + SIDE_RTP_ADDRESS));
}

/**
 * Where `n` even/odd pairs in a row are free in the media pools of a realm: pool << 16 | first port; 0 when nowhere.
 * Nothing is taken yet.
 */
export function pairsAt(realm: i32, n: i32): i32 {
  for (let nth: i32 = 0; nth < POOL_MAX; nth++) {
    const pool: i32 = poolFind(realm, POOL_MEDIA, nth);
    if (pool < 0) return 0;
    const port: i32 = pairsFind(pool, n);
    if (port !== 0) return (pool << 16) | port;
  }
  return 0;
}

/** Gives a side of a flow the pair at `pair`, a place as pairsAt gives it. */
function sideOpen(index: i32, side: i32, realm: i32, pair: i32): void {
  const owner: i32 = PORT_FLOW | index | (side === SIDE_CORE ? PORT_FLOW_CORE : 0);
  const block: i32 = sideAt(flowAt(index), side);
  const port: i32 = pair & 0xffff;
  st32(block + SIDE_REALM, realm);
  st32(block + SIDE_POOL, pair >> 16);
  st32(block + SIDE_PORT, port);
  portOwn(pair >> 16, port, owner);
  portOwn(pair >> 16, port + 1, owner | PORT_FLOW_RTCP);
}

function sideClose(index: i32, side: i32): void {
  const block: i32 = sideAt(flowAt(index), side);
  const port: i32 = ld32(block + SIDE_PORT);
  if (port === 0) return;
  portGive(ld32(block + SIDE_POOL), port);
  portGive(ld32(block + SIDE_POOL), port + 1);
}

/** Gives a side of a flow the pair at `pair` in place of its own. */
export function sideRenumber(index: i32, side: i32, pair: i32): void {
  sideClose(index, side);
  sideOpen(index, side, ld32(sideAt(flowAt(index), side) + SIDE_REALM), pair);
}

/** Index of a new flow of a call with the pairs at `accessPair` and `corePair`; -1 when there is no record. */
export function flowTake(call: i32, line: i32, proto: i32, access: i32, accessPair: i32, core: i32, corePair: i32): i32 {
  const index: i32 = recordTake(SLAB_FLOWS);
  if (index < 0) return -1;
  const f: i32 = flowAt(index);
  for (let i: i32 = 0; i < 4; i++) adjacencyForget(flowAdjacency(index, i > 1, (i & 1) !== 0));
  sideOpen(index, SIDE_ACCESS, access, accessPair);
  sideOpen(index, SIDE_CORE, core, corePair);
  st32(f + FLOW_CALL, call);
  st32(f + FLOW_LINE, line);
  st32(f + FLOW_PROTO, proto);
  listPush(recordAt(SLAB_CALLS, call) + CALL_FLOWS, f + FLOW_NEXT, index);
  return index;
}

/** Frees a flow and its ports; the caller takes it off its call. */
export function flowGive(index: i32): void {
  sideClose(index, SIDE_ACCESS);
  sideClose(index, SIDE_CORE);
  recordGive(SLAB_FLOWS, index);
}
