/*
 * What a SIP message means for a call at one terminal: begun by INVITE, answered by 2xx, ended by BYE, a final error,
 * silence or time (RFC 3261 12 to 15, RFC 4028 8.3). What its descriptions mean is exchange.ts', whose they are dialog.ts'.
 * Invariant: a retransmission (same CSeq, same sender) changes nothing.
 */

import { ld32, mul, st32 } from "../machine.ts";
import { HEADER_NOW, MESSAGE, REGION_CALLS } from "../memory/layout.ts";
import { REALM_LINGER, SERVICE_ACCESS } from "../memory/config.ts";
import { CONTEXT_ASIDE, CONTEXT_BINDING, CONTEXT_CALL, CONTEXT_SERVICE, CONTEXT_TAKEN, CONTEXT_TERMINAL } from "../memory/context.ts";
import {
  MESSAGE_CALL_ID,
  MESSAGE_CALL_ID_LEN,
  MESSAGE_CSEQ,
  MESSAGE_CSEQ_METHOD,
  MESSAGE_FLAGS,
  MESSAGE_FLAG_REQUIRE_ICE,
  MESSAGE_FLAG_SESSION,
  MESSAGE_FROM_TAG,
  MESSAGE_SESSION,
  MESSAGE_STATUS,
  MESSAGE_TO_TAG,
  MESSAGE_TO_TAG_LEN,
  METHOD_ACK,
  METHOD_BYE,
  METHOD_CANCEL,
  METHOD_INVITE,
  METHOD_PRACK,
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
  CALL_DIALOG,
  CALL_DIALOGS,
  CALL_EARLY,
  CALL_ENDED,
  CALL_END_REASON,
  CALL_INITIATOR,
  CALL_INTERVAL,
  CALL_PENDING,
  CALL_REFRESHED,
  CALL_SEEN,
  CALL_SERVICE,
  CALL_STARTED,
  CALL_STATE,
  CALL_UNSURE,
  END_BYE,
  END_REFUSED,
  END_REJECTED,
  SIDE_ACCESS,
  SIDE_CORE,
} from "../memory/tables.ts";
import { outputEvent } from "../output/queue.ts";
import { bindingAt } from "../table/binding.ts";
import { callAt, callFind, callKey, callTake } from "../table/call.ts";
import { descriptionsDrop } from "../table/description.ts";
import { realmAt, serviceAt } from "../table/service.ts";
import { SLAB_CALLS, handleOf, timerOf } from "../table/slab.ts";
import { timerSet } from "../table/timer.ts";
import { refuse } from "./address.ts";
import { branchHash, dialogEnter, dialogHash, dialogLeave, setAdd, setClear, setOther, setRemove } from "./dialog.ts";
import {
  ackSettle,
  ackTake,
  changeAnswer,
  changeBegin,
  changeFail,
  changeSettle,
  exchangeClose,
  exchangeForget,
  exchangeReset,
  iceKeep,
  inviteAnswer,
  inviteBegin,
  inviteFail,
  inviteSettle,
  isInviteNoted,
  isInviteOpen,
  portsSettle,
} from "./sdp/exchange.ts";
import { requestSide } from "./sdp/side.ts";

/** A call that is neither answered nor refused: timer C (RFC 3261 16.6, above three minutes) and the time to see the 487. */
const EARLY: i32 = 240000;
/** How often an answered call is looked at. */
const CHECK: i32 = 5000;
/** A BYE that is not answered ends its call after 64*T1. */
const BYE_WAIT: i32 = 32000;
/** Seconds that a session interval has at least (RFC 4028 4), and beyond which it is none: such a call is forgotten anyway. */
const SESSION_LEAST: i32 = 90;
const SESSION_MOST: i32 = 43200;

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

/** Does the message in hand belong to a call of the terminal in hand? */
export function isCallKnown(): boolean {
  return callLocate() >= 0;
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

/** An ended call begins again: the INVITE comes with credentials, or with what else it was refused for. */
function callRevive(call: i32): void {
  const c: i32 = callAt(call);
  st32(c + CALL_STATE, CALL_EARLY);
  st32(c + CALL_END_REASON, 0);
  st32(c + CALL_UNSURE, 0);
  st32(c + CALL_BYE_CSEQ, 0);
  st32(c + CALL_DIALOG, 0);
  st32(c + CALL_INTERVAL, 0);
  setClear(call, CALL_DIALOGS);
  setClear(call, CALL_PENDING);
  exchangeReset(call);
}

function inviteRequest(found: i32): i32 {
  const call: i32 = found >= 0 ? found : callOpen();
  if (call < 0) return -1;
  const c: i32 = callAt(call);
  if (ld32(c + CALL_STATE) === CALL_ENDED) {
    if (isInviteNoted(call, requestSide()) && ld32(c + CALL_END_REASON) !== END_REFUSED) return call;
    callRevive(call);
  }
  if (ld32(c + CALL_STATE) === CALL_EARLY) callDeadline(call, EARLY);
  setAdd(call, CALL_PENDING, branchHash());
  return call;
}

/** Ends a call: it keeps its ports while retransmissions may come, then its timer frees it. */
export function callEnd(call: i32, reason: i32): void {
  const c: i32 = callAt(call);
  if (ld32(c + CALL_STATE) === CALL_ENDED) return;
  st32(c + CALL_STATE, CALL_ENDED);
  st32(c + CALL_END_REASON, reason);
  exchangeClose(call);
  descriptionsDrop(call, 0);
  const realm: i32 = realmAt(ld32(serviceAt(ld32(c + CALL_SERVICE)) + SERVICE_ACCESS));
  callDeadline(call, ld32(realm + REALM_LINGER));
  outputEvent(EVENT_CALL_ENDED, handleOf(SLAB_CALLS, call), reason);
}

/** A 2xx: the call is up with the one that answered, and perhaps with others that did (RFC 3261 13.2.2.4). */
function inviteAccepted(call: i32): void {
  const c: i32 = callAt(call);
  const hash: i32 = dialogHash(call);
  if (ld32(c + CALL_STATE) !== CALL_ENDED) setAdd(call, CALL_DIALOGS, hash);
  if (ld32(c + CALL_STATE) !== CALL_EARLY) return;
  st32(c + CALL_STATE, CALL_CONFIRMED);
  st32(c + CALL_UNSURE, 0);
  st32(c + CALL_ANSWERED, ld32(HEADER_NOW));
  callDeadline(call, CHECK);
  outputEvent(EVENT_CALL_ANSWERED, handleOf(SLAB_CALLS, call), 0);
}

/** A final error: it ends its own branch, and the call with the last one (RFC 3261 16.7, 14.1). */
function inviteRefused(call: i32, status: i32): void {
  const side: i32 = requestSide();
  if (ld32(callAt(call) + CALL_STATE) === CALL_EARLY) {
    if (setOther(call, CALL_PENDING, 0) === 0) callEnd(call, END_REJECTED);
  } else if (isInviteOpen(call, side) && (status === 408 || status === 481)) {
    dialogEnd(call);
  } else {
    inviteFail(call, side);
  }
}

function inviteResponse(call: i32, status: i32): void {
  if (status < 200) {
    if (ld32(callAt(call) + CALL_STATE) === CALL_EARLY) callDeadline(call, EARLY);
  } else {
    setRemove(call, CALL_PENDING, branchHash());
  }
  if (status >= 300) {
    inviteRefused(call, status);
    return;
  }
  inviteAnswer(call, requestSide());
  if (status >= 200) inviteAccepted(call);
}

/** An UPDATE or PRACK, or an answer to it. */
function changeTrack(call: i32, method: i32, status: i32, described: boolean): void {
  const side: i32 = requestSide();
  if (status === 0) {
    if (described) changeBegin(call, side);
  } else if (status >= 300) {
    const lost: boolean = status === 481 && method === METHOD_UPDATE && ld32(callAt(call) + CALL_STATE) === CALL_CONFIRMED;
    if (lost) dialogEnd(call);
    else changeFail(call, side);
  } else if (status >= 200) {
    changeAnswer(call, side);
  }
}

/** The dialog of the message in hand is over, and the call with the last one. */
function dialogEnd(call: i32): void {
  if (!dialogLeave(call)) callEnd(call, END_BYE);
}

/** A call that rang when the process before ended may be up by now: its answer passed, and was not saved. */
export function callResume(call: i32): void {
  if (ld32(callAt(call) + CALL_STATE) === CALL_EARLY) st32(callAt(call) + CALL_UNSURE, 1);
}

/** A final answer to BYE ends the dialog, unless it asks for credentials first (RFC 3261 15.1.1, 22.2). */
function byeResponse(call: i32, status: i32): void {
  if (status < 200 || status === 401 || status === 407) return;
  const c: i32 = callAt(call);
  if (ld32(c + CALL_STATE) === CALL_CONFIRMED) dialogEnd(call);
  /* It had been answered, and is over; or another fork answers in this time. */
  if (ld32(c + CALL_STATE) === CALL_EARLY && ld32(c + CALL_UNSURE) !== 0) callDeadline(call, BYE_WAIT);
}

/** A BYE while the call rings ends one early dialog: the INVITE goes on (RFC 3261 15). */
function byeRequest(call: i32): void {
  const c: i32 = callAt(call);
  if (ld32(c + CALL_STATE) !== CALL_CONFIRMED || ld32(c + CALL_BYE_CSEQ) === ((ld32(MESSAGE + MESSAGE_CSEQ) + 1) | 0)) return;
  if (setOther(call, CALL_DIALOGS, dialogHash(call)) !== 0) return;
  st32(c + CALL_BYE_CSEQ, (ld32(MESSAGE + MESSAGE_CSEQ) + 1) | 0);
  callDeadline(call, BYE_WAIT);
}

/** The request in hand is refused by us: a call that it would have begun ends at once, what it would have changed stays. */
export function callAbandon(): void {
  const call: i32 = ld32(CONTEXT_CALL);
  if (call < 0 || ld32(MESSAGE + MESSAGE_STATUS) !== 0 || ld32(CONTEXT_ASIDE) !== 0) return;
  const begins: boolean = ld32(MESSAGE + MESSAGE_CSEQ_METHOD) === METHOD_INVITE && ld32(callAt(call) + CALL_STATE) === CALL_EARLY;
  if (begins) callEnd(call, END_REFUSED);
  else exchangeForget(call, requestSide());
}

function isChange(method: i32): boolean {
  return method === METHOD_UPDATE || method === METHOD_PRACK;
}

function hasCall(method: i32): boolean {
  return method === METHOD_INVITE || method === METHOD_ACK || method === METHOD_BYE || method === METHOD_CANCEL || isChange(method);
}

/** May the message in hand have an offer or answer (RFC 6337 2.2)? */
export function isExchange(): boolean {
  const method: i32 = ld32(MESSAGE + MESSAGE_CSEQ_METHOD);
  return ld32(MESSAGE + MESSAGE_STATUS) < 300 && (method === METHOD_INVITE || method === METHOD_ACK || isChange(method));
}

/** Has it one? An early session (RFC 3959) is none of these. */
function isDescribed(): boolean {
  return (ld32(MESSAGE + MESSAGE_FLAGS) & MESSAGE_FLAG_SESSION) !== 0;
}

/** How long the session lives from now on (RFC 4028 8.2): as the 2xx says, or without a limit. */
function sessionNote(call: i32): void {
  const c: i32 = callAt(call);
  const seconds: i32 = ld32(MESSAGE + MESSAGE_SESSION);
  const least: i32 = seconds < SESSION_LEAST ? SESSION_LEAST : seconds;
  st32(c + CALL_INTERVAL, seconds > 0 && seconds <= SESSION_MOST ? mul(least, 1000) : 0);
  st32(c + CALL_REFRESHED, ld32(HEADER_NOW));
}

/** What the message in hand means for the exchanges of the dialog in force. */
function exchangeTrack(call: i32, method: i32, status: i32): void {
  if (method === METHOD_INVITE) {
    if (status !== 0) inviteResponse(call, status);
    else if (ld32(callAt(call) + CALL_STATE) !== CALL_ENDED) inviteBegin(call, requestSide(), isDescribed());
  } else if (method === METHOD_ACK) {
    ackTake(call, requestSide());
  } else if (isChange(method)) {
    changeTrack(call, method, status, isDescribed());
  }
}

/** The same in a dialog that is not in force: it is only noted. */
function asideTrack(call: i32, method: i32, status: i32): void {
  st32(CONTEXT_TAKEN, isExchange() && ld32(callAt(call) + CALL_STATE) === CALL_CONFIRMED ? 1 : 0);
  if (method === METHOD_INVITE && status >= 300) inviteResponse(call, status);
  else if (method === METHOD_INVITE && status >= 200) inviteAccepted(call);
}

/** Finds or opens the call of the message in hand and lets the message do what it does to it; CONTEXT_CALL is it, or -1. */
export function callTrack(withMedia: boolean): void {
  const method: i32 = ld32(MESSAGE + MESSAGE_CSEQ_METHOD);
  st32(CONTEXT_CALL, -1);
  st32(CONTEXT_TAKEN, 0);
  st32(CONTEXT_ASIDE, 0);
  if (!hasCall(method) && !withMedia) return;
  const status: i32 = ld32(MESSAGE + MESSAGE_STATUS);
  let call: i32 = callLocate();
  if (method === METHOD_INVITE && status === 0) call = inviteRequest(call);
  if (call < 0) return;
  st32(CONTEXT_CALL, call);
  st32(callAt(call) + CALL_SEEN, ld32(HEADER_NOW));
  if ((ld32(MESSAGE + MESSAGE_FLAGS) & MESSAGE_FLAG_REQUIRE_ICE) !== 0) iceKeep(call);
  if (method === METHOD_BYE) {
    if (status === 0) byeRequest(call);
    else byeResponse(call, status);
    return;
  }
  const accepts: boolean = status >= 200 && status < 300 && method === METHOD_INVITE;
  if (isDescribed() || status >= 200) dialogEnter(call, accepts, isDescribed() && isExchange());
  if (ld32(CONTEXT_ASIDE) === 0) exchangeTrack(call, method, status);
  else asideTrack(call, method, status);
  if (accepts || (status >= 200 && status < 300 && method === METHOD_UPDATE)) sessionNote(call);
}

/** The descriptions of the message in hand were taken over: an exchange may be complete. */
function exchangeSettle(call: i32, method: i32): void {
  const status: i32 = ld32(MESSAGE + MESSAGE_STATUS);
  if (method === METHOD_ACK) ackSettle(call, requestSide());
  else if (status < 200 || status >= 300) return;
  else if (method === METHOD_INVITE) inviteSettle(call, requestSide(), isDescribed());
  else if (isChange(method)) changeSettle(call, requestSide());
}

/** The call is what the message in hand made of it: what that gave up or needs is closed and opened. */
export function callSettle(): void {
  const call: i32 = ld32(CONTEXT_CALL);
  if (call < 0 || ld32(CONTEXT_ASIDE) !== 0 || ld32(callAt(call) + CALL_STATE) === CALL_ENDED) return;
  exchangeSettle(call, ld32(MESSAGE + MESSAGE_CSEQ_METHOD));
  portsSettle(call);
}
