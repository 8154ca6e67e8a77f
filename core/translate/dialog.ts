/*
 * The dialogs of a call: all forks of an INVITE share its flows and ports, each has descriptions of its own (RFC 3261
 * 12.1.2, 13.2.2.4). While the call rings, those of the fork that spoke last are in force; then those of the first that
 * answered, until its dialog ends.
 * Invariant: what a dialog that is not in force says changes nothing but what is set aside for it.
 */

import { ld32, st32 } from "../machine.ts";
import { MESSAGE } from "../memory/layout.ts";
import { CONTEXT_ASIDE } from "../memory/context.ts";
import { MESSAGE_BRANCH, MESSAGE_BRANCH_LEN, MESSAGE_FROM_TAG, MESSAGE_TO_TAG, MESSAGE_TO_TAG_LEN } from "../memory/message.ts";
import {
  CALL_ASIDE,
  CALL_DIALOG,
  CALL_DIALOGS,
  CALL_DIALOG_MAX,
  CALL_EARLY,
  CALL_FLOWS,
  CALL_INITIATOR,
  CALL_STATE,
  FLOW_FLAGS,
  FLOW_KEY,
  FLOW_LINE,
  FLOW_NEXT,
  SIDE_ACCESS,
  SIDE_CORE,
  SIDE_RTCP_PORT,
  SIDE_RTP_PORT,
} from "../memory/tables.ts";
import { hashBegin, hashBytes, hashEnd } from "../bytes/hash.ts";
import { callAt } from "../table/call.ts";
import { descriptionFind, descriptionsDrop, descriptionsSave, flowDescribe } from "../table/description.ts";
import { flowAt, sideAt } from "../table/flow.ts";
import { SLAB_FLOWS, slabCapacity } from "../table/slab.ts";
import { changesForget, exchangeReset } from "./sdp/exchange.ts";
import { flowSnapshot, sideFlags, sideReopen } from "./sdp/media.ts";
import { requestSide } from "./sdp/side.ts";
import { streamsHang } from "./stream.ts";

/** Hash of the answering side's tag of the message in hand: with the call it names a dialog. It is odd. */
export function dialogHash(call: i32): i32 {
  const answering: boolean = requestSide() === ld32(callAt(call) + CALL_INITIATOR);
  const field: i32 = answering ? MESSAGE_TO_TAG : MESSAGE_FROM_TAG;
  hashBegin();
  hashBytes(ld32(MESSAGE + field), ld32(MESSAGE + field + 4));
  return hashEnd() | 1;
}

/** Hash of the branch of the message in hand. */
export function branchHash(): i32 {
  hashBegin();
  hashBytes(ld32(MESSAGE + MESSAGE_BRANCH), ld32(MESSAGE + MESSAGE_BRANCH_LEN));
  return hashEnd() | 1;
}

/** Address of the place of a hash in one of the call's sets (CALL_DIALOGS, CALL_PENDING), of a free place for 0; 0 when there is none. */
function placeFind(call: i32, set: i32, hash: i32): i32 {
  const first: i32 = callAt(call) + set;
  for (let i: i32 = 0; i < CALL_DIALOG_MAX; i++) if (ld32(first + (i << 2)) === hash) return first + (i << 2);
  return 0;
}

export function setAdd(call: i32, set: i32, hash: i32): void {
  const place: i32 = placeFind(call, set, hash) === 0 ? placeFind(call, set, 0) : 0;
  if (place !== 0) st32(place, hash);
}

export function setRemove(call: i32, set: i32, hash: i32): void {
  const place: i32 = placeFind(call, set, hash);
  if (place !== 0) st32(place, 0);
}

export function setClear(call: i32, set: i32): void {
  const first: i32 = callAt(call) + set;
  for (let i: i32 = 0; i < CALL_DIALOG_MAX; i++) st32(first + (i << 2), 0);
}

/** A hash in a set other than this one, 0 when there is none. */
export function setOther(call: i32, set: i32, hash: i32): i32 {
  const first: i32 = callAt(call) + set;
  for (let i: i32 = 0; i < CALL_DIALOG_MAX; i++) {
    const here: i32 = ld32(first + (i << 2));
    if (here !== 0 && here !== hash) return here;
  }
  return 0;
}

/** Puts a flow to what a dialog described it as; what one says for the first time begins with what the caller said to all. */
function flowTurn(call: i32, f: i32, hash: i32, described: boolean): void {
  const answering: i32 = SIDE_ACCESS + SIDE_CORE - ld32(callAt(call) + CALL_INITIATOR);
  const saved: i32 = descriptionFind(call, ld32(f + FLOW_LINE), hash);
  streamsHang(f);
  flowSnapshot(f);
  if (saved >= 0) {
    flowDescribe(f, flowAt(saved));
  } else if (described) {
    st32(f + FLOW_FLAGS, ld32(f + FLOW_FLAGS) & sideFlags(ld32(callAt(call) + CALL_INITIATOR)));
    st32(sideAt(f, answering) + SIDE_RTP_PORT, 0);
    st32(sideAt(f, answering) + SIDE_RTCP_PORT, 0);
  }
  sideReopen(f, answering);
}

/** What another dialog described comes into force; what was, is set aside. */
function dialogTurn(call: i32, hash: i32, described: boolean): void {
  const c: i32 = callAt(call);
  descriptionsSave(call, ld32(c + CALL_DIALOG));
  let next: i32 = ld32(c + CALL_FLOWS);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    flowTurn(call, flowAt(next - 1), hash, described);
    next = ld32(flowAt(next - 1) + FLOW_NEXT);
  }
  descriptionsDrop(call, hash);
  changesForget(call);
  st32(c + CALL_DIALOG, hash);
}

/** Notes which dialog the message in hand belongs to; `accepts` for a 2xx to INVITE, `described` when it has an offer or answer. */
export function dialogEnter(call: i32, accepts: boolean, described: boolean): void {
  if (ld32(MESSAGE + MESSAGE_TO_TAG_LEN) === 0) return;
  const c: i32 = callAt(call);
  const hash: i32 = dialogHash(call);
  const now: i32 = ld32(c + CALL_DIALOG);
  if (now === hash) return;
  if (now === 0) {
    if (accepts || described) st32(c + CALL_DIALOG, hash);
  } else if (ld32(c + CALL_STATE) === CALL_EARLY && (accepts || described)) {
    dialogTurn(call, hash, described);
  } else {
    st32(CONTEXT_ASIDE, hash);
  }
}

/** The dialog of the message in hand is over. Returns false when it was the last. */
export function dialogLeave(call: i32): boolean {
  const hash: i32 = dialogHash(call);
  setRemove(call, CALL_DIALOGS, hash);
  const other: i32 = setOther(call, CALL_DIALOGS, 0);
  if (other === 0) return false;
  if (ld32(callAt(call) + CALL_DIALOG) === hash) {
    dialogTurn(call, other, false);
    exchangeReset(call);
  }
  descriptionsDrop(call, hash);
  return true;
}

/** Forgets the forks that rang and never answered (RFC 3261 13.2.2.4: 64*T1 after the first that did). */
export function forksForget(call: i32): void {
  let next: i32 = ld32(callAt(call) + CALL_ASIDE);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    const key: i32 = ld32(flowAt(next - 1) + FLOW_KEY);
    next = ld32(flowAt(next - 1) + FLOW_NEXT);
    if ((key & 1) === 0 || placeFind(call, CALL_DIALOGS, key) !== 0) continue;
    descriptionsDrop(call, key);
    next = ld32(callAt(call) + CALL_ASIDE);
  }
}
