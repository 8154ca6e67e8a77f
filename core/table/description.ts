/*
 * Descriptions set aside: what offers and answers said about the flows of a call, kept under a key while something else
 * is in force, either for a dialog of a forked INVITE (RFC 3261 12.1.2), whose hash is the key, or for what an UPDATE or
 * PRACK may have to give back (RFC 3311 5.1). Each is a flow record in a list of its own.
 * Invariant: it has no ports, so no packet ever meets it.
 */

import { copy, ld32, st32 } from "../machine.ts";
import {
  CALL_ASIDE,
  CALL_FLOWS,
  FLOW_CALL,
  FLOW_FLAGS,
  FLOW_KEY,
  FLOW_LINE,
  FLOW_NEXT,
  FLOW_PROTO,
  SIDE_ACCESS,
  SIDE_CORE,
  SIDE_OPEN,
  SIDE_REALM,
  SIDE_RTCP_PORT,
  SIDE_RTP_ADDRESS,
  SIDE_RTP_PORT,
} from "../memory/tables.ts";
import { callAt } from "./call.ts";
import { flowAt, sideAt } from "./flow.ts";
import { SLAB_FLOWS, listPush, listRemove, recordGive, recordTake, slabCapacity } from "./slab.ts";

/* The addresses of RTP and RTCP stand in a row. */
const ADDRESSES: i32 = 32;

/** Copies what one side of a flow is described as. */
export function sideDescribe(to: i32, from: i32, side: i32): void {
  const a: i32 = sideAt(to, side);
  const b: i32 = sideAt(from, side);
  st32(a + SIDE_REALM, ld32(b + SIDE_REALM));
  st32(a + SIDE_RTP_PORT, ld32(b + SIDE_RTP_PORT));
  st32(a + SIDE_RTCP_PORT, ld32(b + SIDE_RTCP_PORT));
  st32(a + SIDE_OPEN, ld32(b + SIDE_OPEN));
  copy(a + SIDE_RTP_ADDRESS, b + SIDE_RTP_ADDRESS, ADDRESSES);
}

/** Copies what a flow is described as. */
export function flowDescribe(to: i32, from: i32): void {
  st32(to + FLOW_PROTO, ld32(from + FLOW_PROTO));
  st32(to + FLOW_FLAGS, ld32(from + FLOW_FLAGS));
  sideDescribe(to, from, SIDE_ACCESS);
  sideDescribe(to, from, SIDE_CORE);
}

/** Index of the description of the m= line `line` under a key, -1 for none. */
export function descriptionFind(call: i32, line: i32, key: i32): i32 {
  let next: i32 = ld32(callAt(call) + CALL_ASIDE);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    const f: i32 = flowAt(next - 1);
    if (ld32(f + FLOW_KEY) === key && ld32(f + FLOW_LINE) === line) return next - 1;
    next = ld32(f + FLOW_NEXT);
  }
  return -1;
}

/** Index of the description that `flow` is to have under a key, made as the flow is described now; -1 when there is no room. */
export function descriptionTake(call: i32, flow: i32, key: i32): i32 {
  const line: i32 = ld32(flowAt(flow) + FLOW_LINE);
  const found: i32 = descriptionFind(call, line, key);
  if (found >= 0) return found;
  const index: i32 = recordTake(SLAB_FLOWS);
  if (index < 0) return -1;
  const f: i32 = flowAt(index);
  st32(f + FLOW_CALL, call);
  st32(f + FLOW_LINE, line);
  st32(f + FLOW_KEY, key);
  flowDescribe(f, flowAt(flow));
  listPush(callAt(call) + CALL_ASIDE, f + FLOW_NEXT, index);
  return index;
}

/** Sets aside what every flow of a call is described as. */
export function descriptionsSave(call: i32, key: i32): void {
  let next: i32 = ld32(callAt(call) + CALL_FLOWS);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    const flow: i32 = next - 1;
    next = ld32(flowAt(flow) + FLOW_NEXT);
    const index: i32 = descriptionTake(call, flow, key);
    if (index >= 0) flowDescribe(flowAt(index), flowAt(flow));
  }
}

/** Forgets what is under a key; under every key for 0. */
export function descriptionsDrop(call: i32, key: i32): void {
  const head: i32 = callAt(call) + CALL_ASIDE;
  let next: i32 = ld32(head);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    const index: i32 = next - 1;
    next = ld32(flowAt(index) + FLOW_NEXT);
    if (key !== 0 && ld32(flowAt(index) + FLOW_KEY) !== key) continue;
    listRemove(SLAB_FLOWS, head, FLOW_NEXT, index);
    recordGive(SLAB_FLOWS, index);
  }
}
