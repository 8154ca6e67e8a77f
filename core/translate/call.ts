/*
 * What a SIP message means for a call at one terminal: begun by INVITE, answered by 2xx, ended by BYE, a final error,
 * silence or time (RFC 3261 12 to 15). A failed re-INVITE or UPDATE puts the media back to what it was (RFC 6141 3.3).
 * Invariant: a retransmission (same CSeq, same sender) changes nothing.
 */

import { ld32, st32 } from "../machine.ts";
import { HEADER_NOW, MESSAGE, REGION_CALLS } from "../memory/layout.ts";
import { REALM_LINGER, SERVICE_ACCESS } from "../memory/config.ts";
import { CONTEXT_BINDING, CONTEXT_CALL, CONTEXT_DIRECTION, CONTEXT_SERVICE, CONTEXT_TERMINAL, INBOUND } from "../memory/context.ts";
import {
  MESSAGE_BRANCH,
  MESSAGE_BRANCH_LEN,
  MESSAGE_CALL_ID,
  MESSAGE_CALL_ID_LEN,
  MESSAGE_CSEQ,
  MESSAGE_CSEQ_METHOD,
  MESSAGE_FROM_TAG,
  MESSAGE_STATUS,
  MESSAGE_TO_TAG,
  MESSAGE_TO_TAG_LEN,
  METHOD_ACK,
  METHOD_BYE,
  METHOD_CANCEL,
  METHOD_INVITE,
  METHOD_UPDATE,
} from "../memory/message.ts";
import { EVENT_CALL_ANSWERED, EVENT_CALL_ENDED, EVENT_CALL_STARTED, EVENT_FULL } from "../memory/output.ts";
import { REASON_CALLS_FULL } from "../memory/reason.ts";
import {
  BINDING_CALLS,
  CALL_ANSWERED,
  CALL_BINDING,
  CALL_BYE_CSEQ,
  CALL_CONFIRMED,
  CALL_DEADLINE,
  CALL_DIALOGS,
  CALL_DIALOG_MAX,
  CALL_EARLY,
  CALL_ENDED,
  CALL_END_REASON,
  CALL_FLOWS,
  CALL_INITIATOR,
  CALL_OFFER_CSEQ,
  CALL_OFFER_SIDE,
  CALL_PENDING,
  CALL_SEEN,
  CALL_SERVICE,
  CALL_STARTED,
  CALL_STATE,
  END_BYE,
  END_REFUSED,
  END_REJECTED,
  FLOW_FLAGS_BEFORE,
  FLOW_FLAG_STANDING,
  FLOW_NEXT,
  SIDE_ACCESS,
  SIDE_CORE,
} from "../memory/tables.ts";
import { hashBegin, hashBytes, hashEnd } from "../bytes/hash.ts";
import { outputEvent } from "../output/queue.ts";
import { bindingAt } from "../table/binding.ts";
import { callAt, callFind, callKey, callTake } from "../table/call.ts";
import { flowAt } from "../table/flow.ts";
import { realmAt, serviceAt } from "../table/service.ts";
import { SLAB_CALLS, SLAB_FLOWS, handleOf, slabCapacity, timerOf } from "../table/slab.ts";
import { timerSet } from "../table/timer.ts";
import { flowRestore, flowSnapshot } from "./media.ts";
import { refuse } from "./address.ts";
import { flowClose } from "./open.ts";

/** A call that is neither answered nor refused: timer C (RFC 3261 16.6, above three minutes) and the time to see the 487. */
const EARLY: i32 = 240000;
/** How often an answered call is looked at. */
const CHECK: i32 = 5000;
/** A BYE that is not answered ends its call after 64*T1. */
const BYE_WAIT: i32 = 32000;

/** SIDE_* that the request in hand, or the request that the response in hand answers, came from. */
function requestSide(): i32 {
  const inbound: boolean = ld32(CONTEXT_DIRECTION) === INBOUND;
  const request: boolean = ld32(MESSAGE + MESSAGE_STATUS) === 0;
  return inbound === request ? SIDE_ACCESS : SIDE_CORE;
}

/** SIDE_* that the message in hand came from. */
export function senderSide(): i32 {
  return ld32(CONTEXT_DIRECTION) === INBOUND ? SIDE_ACCESS : SIDE_CORE;
}

/** Notes the Call-ID and the tag at `field`, the From tag of the message in hand or the To tag. */
function keyNote(field: i32): void {
  callKey(ld32(MESSAGE + MESSAGE_CALL_ID), ld32(MESSAGE + MESSAGE_CALL_ID_LEN), ld32(MESSAGE + field), ld32(MESSAGE + field + 4));
}

/** Index of the call that the message belongs to, -1 for none. */
function callLocate(): i32 {
  const terminal: i32 = ld32(CONTEXT_TERMINAL);
  const side: i32 = requestSide();
  keyNote(MESSAGE_FROM_TAG);
  const first: i32 = callFind(terminal, side);
  if (first >= 0 || ld32(MESSAGE + MESSAGE_TO_TAG_LEN) === 0) return first;
  keyNote(MESSAGE_TO_TAG);
  return callFind(terminal, SIDE_ACCESS + SIDE_CORE - side);
}

export function callDeadline(call: i32, ms: i32): void {
  const at: i32 = (ld32(HEADER_NOW) + ms) | 0;
  st32(callAt(call) + CALL_DEADLINE, at);
  timerSet(timerOf(SLAB_CALLS, call), at);
}

/** A new call of the terminal in hand; -1 (and the message refused) when the table is full. */
function callOpen(): i32 {
  keyNote(MESSAGE_FROM_TAG);
  const index: i32 = callTake(ld32(CONTEXT_TERMINAL), requestSide());
  if (index < 0) {
    outputEvent(EVENT_FULL, 0, REGION_CALLS);
    refuse(REASON_CALLS_FULL);
    return -1;
  }
  const c: i32 = callAt(index);
  const binding: i32 = ld32(CONTEXT_BINDING);
  const b: i32 = bindingAt(binding);
  st32(c + CALL_STATE, CALL_EARLY);
  st32(c + CALL_BINDING, binding);
  st32(c + CALL_SERVICE, ld32(CONTEXT_SERVICE));
  st32(c + CALL_STARTED, ld32(HEADER_NOW));
  st32(b + BINDING_CALLS, ld32(b + BINDING_CALLS) + 1);
  outputEvent(EVENT_CALL_STARTED, handleOf(SLAB_CALLS, index), ld32(c + CALL_INITIATOR));
  return index;
}

/** Is the transaction in hand the one that the call has noted? */
function isNoted(c: i32): boolean {
  return ld32(c + CALL_OFFER_CSEQ) === ((ld32(MESSAGE + MESSAGE_CSEQ) + 1) | 0) && ld32(c + CALL_OFFER_SIDE) === requestSide();
}

/** Begins an INVITE or UPDATE: notes it, and what the media was, for the case that it fails. */
function offerBegin(call: i32): void {
  const c: i32 = callAt(call);
  if (isNoted(c)) return;
  st32(c + CALL_OFFER_CSEQ, (ld32(MESSAGE + MESSAGE_CSEQ) + 1) | 0);
  st32(c + CALL_OFFER_SIDE, requestSide());
  let next: i32 = ld32(c + CALL_FLOWS);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    flowSnapshot(flowAt(next - 1));
    next = ld32(flowAt(next - 1) + FLOW_NEXT);
  }
}

function offerFail(call: i32): void {
  const c: i32 = callAt(call);
  if (!isNoted(c) || ld32(c + CALL_STATE) === CALL_ENDED) return;
  let next: i32 = ld32(c + CALL_FLOWS);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    const flow: i32 = next - 1;
    next = ld32(flowAt(flow) + FLOW_NEXT);
    if ((ld32(flowAt(flow) + FLOW_FLAGS_BEFORE) & FLOW_FLAG_STANDING) !== 0) flowRestore(flowAt(flow));
    else flowClose(flow, call);
  }
}

function inviteRequest(found: i32): i32 {
  const call: i32 = found >= 0 ? found : callOpen();
  if (call < 0) return -1;
  const c: i32 = callAt(call);
  if (ld32(c + CALL_STATE) === CALL_ENDED) {
    if (isNoted(c) && ld32(c + CALL_END_REASON) !== END_REFUSED) return call;
    st32(c + CALL_STATE, CALL_EARLY);
    st32(c + CALL_END_REASON, 0);
  }
  if (ld32(c + CALL_STATE) === CALL_EARLY) callDeadline(call, EARLY);
  setAdd(call, CALL_PENDING, branchHash());
  offerBegin(call);
  return call;
}

/** Ends a call: it keeps its ports while retransmissions may come, then its timer frees it. */
export function callEnd(call: i32, reason: i32): void {
  const c: i32 = callAt(call);
  if (ld32(c + CALL_STATE) === CALL_ENDED) return;
  st32(c + CALL_STATE, CALL_ENDED);
  st32(c + CALL_END_REASON, reason);
  const realm: i32 = realmAt(ld32(serviceAt(ld32(c + CALL_SERVICE)) + SERVICE_ACCESS));
  callDeadline(call, ld32(realm + REALM_LINGER));
  outputEvent(EVENT_CALL_ENDED, handleOf(SLAB_CALLS, call), reason);
}

/** Hash of the answering side's tag of the message in hand: with the call it names a dialog. */
function dialogHash(call: i32): i32 {
  const answering: boolean = requestSide() === ld32(callAt(call) + CALL_INITIATOR);
  const field: i32 = answering ? MESSAGE_TO_TAG : MESSAGE_FROM_TAG;
  hashBegin();
  hashBytes(ld32(MESSAGE + field), ld32(MESSAGE + field + 4));
  return hashEnd() | 1;
}

/** Hash of the branch of the message in hand. */
function branchHash(): i32 {
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

function setAdd(call: i32, set: i32, hash: i32): void {
  const place: i32 = placeFind(call, set, hash) === 0 ? placeFind(call, set, 0) : 0;
  if (place !== 0) st32(place, hash);
}

function setRemove(call: i32, set: i32, hash: i32): void {
  const place: i32 = placeFind(call, set, hash);
  if (place !== 0) st32(place, 0);
}

/** Does a set hold anything but this hash? */
function setHasOther(call: i32, set: i32, hash: i32): boolean {
  const first: i32 = callAt(call) + set;
  for (let i: i32 = 0; i < CALL_DIALOG_MAX; i++) {
    const here: i32 = ld32(first + (i << 2));
    if (here !== 0 && here !== hash) return true;
  }
  return false;
}

/** A 2xx: the call is up with the one that answered, and perhaps with others that did (RFC 3261 13.2.2.4). */
function inviteAccepted(call: i32): void {
  const c: i32 = callAt(call);
  const hash: i32 = dialogHash(call);
  if (ld32(c + CALL_STATE) !== CALL_ENDED) setAdd(call, CALL_DIALOGS, hash);
  if (ld32(c + CALL_STATE) !== CALL_EARLY) return;
  st32(c + CALL_STATE, CALL_CONFIRMED);
  st32(c + CALL_ANSWERED, ld32(HEADER_NOW));
  callDeadline(call, CHECK);
  outputEvent(EVENT_CALL_ANSWERED, handleOf(SLAB_CALLS, call), 0);
}

/** A final error: it ends its own branch, and the call with the last one (RFC 3261 16.7, 14.1). */
function inviteRefused(call: i32, status: i32): void {
  if (ld32(callAt(call) + CALL_STATE) === CALL_EARLY) {
    if (!setHasOther(call, CALL_PENDING, 0)) callEnd(call, END_REJECTED);
  } else if (status === 408 || status === 481) {
    dialogEnd(call);
  } else {
    offerFail(call);
  }
}

function inviteResponse(call: i32, status: i32): void {
  if (status < 200) {
    if (ld32(callAt(call) + CALL_STATE) === CALL_EARLY) callDeadline(call, EARLY);
    return;
  }
  setRemove(call, CALL_PENDING, branchHash());
  if (status < 300) inviteAccepted(call);
  else inviteRefused(call, status);
}

/** The dialog of the message in hand is over, and the call with the last one. */
function dialogEnd(call: i32): void {
  const hash: i32 = dialogHash(call);
  setRemove(call, CALL_DIALOGS, hash);
  if (!setHasOther(call, CALL_DIALOGS, 0)) callEnd(call, END_BYE);
}

/** A final answer to BYE ends the dialog, unless it asks for credentials first (RFC 3261 15.1.1, 22.2). */
function byeResponse(call: i32, status: i32): void {
  if (status >= 200 && status !== 401 && status !== 407) dialogEnd(call);
}

function byeRequest(call: i32): void {
  const c: i32 = callAt(call);
  if (ld32(c + CALL_STATE) === CALL_ENDED || ld32(c + CALL_BYE_CSEQ) === ((ld32(MESSAGE + MESSAGE_CSEQ) + 1) | 0)) return;
  if (setHasOther(call, CALL_DIALOGS, dialogHash(call))) return;
  st32(c + CALL_BYE_CSEQ, (ld32(MESSAGE + MESSAGE_CSEQ) + 1) | 0);
  callDeadline(call, BYE_WAIT);
}

/** The INVITE in hand is refused by us: a call that it would have begun ends at once. */
export function callAbandon(): void {
  const call: i32 = ld32(CONTEXT_CALL);
  const begins: boolean = ld32(MESSAGE + MESSAGE_CSEQ_METHOD) === METHOD_INVITE && ld32(MESSAGE + MESSAGE_STATUS) === 0;
  if (call >= 0 && begins && ld32(callAt(call) + CALL_STATE) === CALL_EARLY) callEnd(call, END_REFUSED);
}

function hasCall(method: i32): boolean {
  return method === METHOD_INVITE || method === METHOD_ACK || method === METHOD_BYE || method === METHOD_UPDATE || method === METHOD_CANCEL;
}

/** Finds or opens the call of the message in hand and lets the message do what it does to it; CONTEXT_CALL is it, or -1. */
export function callTrack(withMedia: boolean): void {
  const method: i32 = ld32(MESSAGE + MESSAGE_CSEQ_METHOD);
  st32(CONTEXT_CALL, -1);
  if (!hasCall(method) && !withMedia) return;
  const status: i32 = ld32(MESSAGE + MESSAGE_STATUS);
  let call: i32 = callLocate();
  if (method === METHOD_INVITE && status === 0) call = inviteRequest(call);
  if (call < 0) return;
  st32(CONTEXT_CALL, call);
  st32(callAt(call) + CALL_SEEN, ld32(HEADER_NOW));
  if (status === 0) {
    if (method === METHOD_UPDATE) offerBegin(call);
    else if (method === METHOD_BYE) byeRequest(call);
  } else if (method === METHOD_INVITE) {
    inviteResponse(call, status);
  } else if (method === METHOD_BYE) {
    byeResponse(call, status);
  } else if (method === METHOD_UPDATE && status >= 300) {
    offerFail(call);
  }
}
