/*
 * Calls: one leg of a session at one terminal, keyed by the terminal, who began it, the Call-ID and the tag of
 * the one who began it. So both legs of a call between two of our terminals, which share a Call-ID, stay apart,
 * and all forks of an INVITE (RFC 3261 12.1.2) share the ports that the caller was told.
 */

import { ld32, st32 } from "../machine.ts";
import { SCRATCH_CALL } from "../memory/layout.ts";
import { CALL_FLOWS, CALL_HASH, CALL_INITIATOR, CALL_KEY, CALL_TERMINAL, FLOW_LINE, FLOW_NEXT } from "../memory/tables.ts";
import { hashBegin, hashBytes, hashEnd, hashHigh } from "../bytes/hash.ts";
import { flowAt } from "./flow.ts";
import {
  CHAIN_MAX,
  SLAB_CALLS,
  SLAB_FLOWS,
  chainAdd,
  chainFirst,
  chainNext,
  chainRemove,
  recordAt,
  recordGive,
  recordTake,
  recordUsed,
  slabCapacity,
} from "./slab.ts";

/* Keyed hash of Call-ID and a tag, two words, written by callKey. */
const KEY: i32 = SCRATCH_CALL;

export function callAt(index: i32): i32 {
  return recordAt(SLAB_CALLS, index);
}

/** Notes the Call-ID and the tag that the calls below are about. */
export function callKey(callId: i32, callIdLen: i32, tag: i32, tagLen: i32): void {
  hashBegin();
  hashBytes(callId, callIdLen);
  hashBytes(tag, tagLen);
  st32(KEY, hashEnd());
  st32(KEY + 4, hashHigh());
}

function callHash(terminal: i32, initiator: i32): i32 {
  return ld32(KEY) ^ (terminal << 2) ^ initiator;
}

/** Index of the noted call that `initiator` (SIDE_*) began, -1 for none. */
export function callFind(terminal: i32, initiator: i32): i32 {
  const hash: i32 = callHash(terminal, initiator);
  let next: i32 = chainFirst(SLAB_CALLS, hash);
  for (let i: i32 = 0; i < CHAIN_MAX && next !== 0; i++) {
    const c: i32 = callAt(next - 1);
    if (
      ld32(c + CALL_HASH) === hash &&
      ld32(c + CALL_TERMINAL) === terminal &&
      ld32(c + CALL_INITIATOR) === initiator &&
      ld32(c + CALL_KEY) === ld32(KEY) &&
      ld32(c + CALL_KEY + 4) === ld32(KEY + 4)
    ) {
      return next - 1;
    }
    next = chainNext(SLAB_CALLS, next - 1);
  }
  return -1;
}

/** Index of a new call with the noted key, -1 when the table is full. */
export function callTake(terminal: i32, initiator: i32): i32 {
  const index: i32 = recordTake(SLAB_CALLS);
  if (index < 0) return -1;
  const c: i32 = callAt(index);
  const hash: i32 = callHash(terminal, initiator);
  st32(c + CALL_HASH, hash);
  st32(c + CALL_TERMINAL, terminal);
  st32(c + CALL_INITIATOR, initiator);
  st32(c + CALL_KEY, ld32(KEY));
  st32(c + CALL_KEY + 4, ld32(KEY + 4));
  chainAdd(SLAB_CALLS, hash, index);
  return index;
}

/** Gives every call of one terminal to another: looks through the whole table, for what happens once in a long while. */
export function callsMove(from: i32, to: i32): void {
  for (let i: i32 = 0; i < slabCapacity(SLAB_CALLS); i++) {
    const c: i32 = callAt(i);
    if (!recordUsed(SLAB_CALLS, i) || ld32(c + CALL_TERMINAL) !== from) continue;
    chainRemove(SLAB_CALLS, ld32(c + CALL_HASH), i);
    st32(c + CALL_TERMINAL, to);
    st32(c + CALL_HASH, ld32(c + CALL_KEY) ^ (to << 2) ^ ld32(c + CALL_INITIATOR));
    chainAdd(SLAB_CALLS, ld32(c + CALL_HASH), i);
  }
}

/** Frees a call whose flows are gone. */
export function callGive(index: i32): void {
  chainRemove(SLAB_CALLS, ld32(callAt(index) + CALL_HASH), index);
  recordGive(SLAB_CALLS, index);
}

/** Index of the call's flow for the m= line `line`, -1 for none. */
export function callFlow(index: i32, line: i32): i32 {
  let next: i32 = ld32(callAt(index) + CALL_FLOWS);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    if (ld32(flowAt(next - 1) + FLOW_LINE) === line) return next - 1;
    next = ld32(flowAt(next - 1) + FLOW_NEXT);
  }
  return -1;
}
