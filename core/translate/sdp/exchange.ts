/*
 * Offers and answers (RFC 3264, 3261 13 and 14, 3262 5, 3311 5, 6141; the patterns of RFC 6337 2.2): what a message of a
 * call means for what its streams are described as. Each side may have an INVITE under way, and a change (UPDATE or PRACK
 * with a description) alone or inside of it.
 *
 *   message                    its description is           and
 *   INVITE                     an offer                     begins; what is in force is noted
 *   1xx, 2xx to INVITE         the answer, or the offer     2xx: over, unless an ACK has to bring the answer
 *   ACK                        the answer, if it is due     over
 *   UPDATE, PRACK              an offer or answer           begins; what its sender said before is noted
 *   2xx to them                the answer                   over
 *   3xx to 6xx to any of them  neither                      what was in force is again, changes inside of an INVITE included
 *   anything else              neither                      nothing
 *
 * Invariant: a message that comes again, or late, is taken over once at most, so it never undoes what came after it.
 */

import { ld32, st32 } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import { CONTEXT_TAKEN } from "../../memory/context.ts";
import { MEDIA_FLOW, MEDIA_PORT, MESSAGE_CSEQ } from "../../memory/message.ts";
import {
  CALL_CHANGE_ACCESS,
  CALL_CHANGE_CORE,
  CALL_EXCHANGE,
  CALL_FLOWS,
  CALL_INVITE_ACCESS,
  CALL_INVITE_CORE,
  EXCHANGE_ACK,
  EXCHANGE_BEYOND,
  EXCHANGE_CHANGE,
  EXCHANGE_ICE,
  EXCHANGE_INVITE,
  EXCHANGE_OFFERED,
  FLOW_FLAGS,
  FLOW_FLAGS_BEFORE,
  FLOW_FLAG_MUX,
  FLOW_FLAG_REJECTED,
  FLOW_FLAG_STANDING,
  FLOW_LINE,
  FLOW_MUXED,
  FLOW_NEXT,
  FLOW_PROTO,
  SIDE_ACCESS,
  SIDE_CORE,
  SIDE_RTP_PORT,
} from "../../memory/tables.ts";
import { callAt } from "../../table/call.ts";
import { descriptionFind, descriptionsDrop, descriptionsSave, sideDescribe } from "../../table/description.ts";
import { flowAt, isOverTcp, sideAt } from "../../table/flow.ts";
import { SLAB_FLOWS, slabCapacity } from "../../table/slab.ts";
import { mediaAt, mediaCount } from "../../decode/sdp/session.ts";
import { flowRestore, flowSnapshot, windowReopen } from "./media.ts";
import { PORTS_NONE, flowClose, flowListen, flowMux } from "../open.ts";
import { streamJoin, streamsHang } from "../stream.ts";

/* Those of both sides. */
const INVITES: i32 = EXCHANGE_INVITE | (EXCHANGE_INVITE << 1);
const ACKS: i32 = EXCHANGE_ACK | (EXCHANGE_ACK << 1);
const CHANGES: i32 = EXCHANGE_CHANGE | (EXCHANGE_CHANGE << 1);

/** An EXCHANGE_* bit of a side. */
function bitOf(bit: i32, side: i32): i32 {
  return side === SIDE_ACCESS ? bit : bit << 1;
}

function has(call: i32, bits: i32): boolean {
  return (ld32(callAt(call) + CALL_EXCHANGE) & bits) !== 0;
}

function set(call: i32, bits: i32): void {
  st32(callAt(call) + CALL_EXCHANGE, ld32(callAt(call) + CALL_EXCHANGE) | bits);
}

function unset(call: i32, bits: i32): void {
  st32(callAt(call) + CALL_EXCHANGE, ld32(callAt(call) + CALL_EXCHANGE) & ~bits);
}

/** Where the last INVITE, and the last change, of a side is noted. */
function inviteAt(call: i32, side: i32): i32 {
  return callAt(call) + (side === SIDE_ACCESS ? CALL_INVITE_ACCESS : CALL_INVITE_CORE);
}

function changeAt(call: i32, side: i32): i32 {
  return callAt(call) + (side === SIDE_ACCESS ? CALL_CHANGE_ACCESS : CALL_CHANGE_CORE);
}

/** CSeq of the message in hand as it is noted. */
function cseqHere(): i32 {
  return (ld32(MESSAGE + MESSAGE_CSEQ) + 1) | 0;
}

/** Is the message in hand about the transaction that is noted at `at`? */
function isNoted(at: i32): boolean {
  return ld32(at) === cseqHere();
}

function isNewer(at: i32): boolean {
  return ld32(at) === 0 || ((cseqHere() - ld32(at)) | 0) > 0;
}

/** Key under which is set aside what a side said before its change inside of an INVITE; keys of dialogs are odd. */
function changeKey(side: i32): i32 {
  return side << 1;
}

/** Is the last INVITE of a side the one in hand, and without a final answer? */
export function isInviteOpen(call: i32, side: i32): boolean {
  return isNoted(inviteAt(call, side)) && has(call, bitOf(EXCHANGE_INVITE, side));
}

/** Is the INVITE in hand the last of its side, answered or not? */
export function isInviteNoted(call: i32, side: i32): boolean {
  return isNoted(inviteAt(call, side));
}

/** Notes what is in force, to go back to. */
function forceNote(call: i32): void {
  let next: i32 = ld32(callAt(call) + CALL_FLOWS);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    flowSnapshot(flowAt(next - 1));
    next = ld32(flowAt(next - 1) + FLOW_NEXT);
  }
}

/** Does the message in hand name the ports of a flow? It may come again, and has to name the same. */
function isNamed(flow: i32): boolean {
  for (let i: i32 = 0; i < mediaCount(); i++) {
    if (ld32(mediaAt(i) + MEDIA_FLOW) === flow && ld32(mediaAt(i) + MEDIA_PORT) !== 0) return true;
  }
  return false;
}

/** What the exchange gave up is freed, and what it moved has its window from now on: an answer may take long. */
function flowsSettle(call: i32): void {
  let next: i32 = ld32(callAt(call) + CALL_FLOWS);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    const flow: i32 = next - 1;
    next = ld32(flowAt(flow) + FLOW_NEXT);
    if ((ld32(flowAt(flow) + FLOW_FLAGS) & FLOW_FLAG_REJECTED) === 0) windowReopen(flowAt(flow));
    else if (!isNamed(flow)) flowClose(flow, call);
  }
}

/**
 * RTCP has ports of its own until rtcp-mux is agreed, and again when a description does without (RFC 5761 5.1.1). A line that goes over
 * to TCP, or back, has the ports of both until that is agreed; connections are dialled as soon as they can be.
 */
export function portsSettle(call: i32): void {
  const settled: boolean = !has(call, INVITES | CHANGES | ACKS);
  let next: i32 = ld32(callAt(call) + CALL_FLOWS);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    const index: i32 = next - 1;
    next = ld32(flowAt(index) + FLOW_NEXT);
    if (isOverTcp(ld32(flowAt(index) + FLOW_PROTO))) streamSettle(index, settled);
    else datagramsSettle(flowAt(index), settled);
  }
}

function streamSettle(index: i32, settled: boolean): void {
  const f: i32 = flowAt(index);
  flowListen(f, 1);
  if (settled) flowMux(f, PORTS_NONE);
  if (streamJoin(index) < 0) streamsHang(f);
}

function datagramsSettle(f: i32, settled: boolean): void {
  const muxed: boolean = (ld32(f + FLOW_FLAGS) & FLOW_FLAG_MUX) !== 0;
  if (settled && muxed) flowMux(f, 1);
  else if (!muxed || ld32(f + FLOW_MUXED) === PORTS_NONE) flowMux(f, 0);
  if (settled) flowListen(f, 0);
}

/** An INVITE from `side`. */
export function inviteBegin(call: i32, side: i32, described: boolean): void {
  const at: i32 = inviteAt(call, side);
  if (!isNewer(at)) {
    st32(CONTEXT_TAKEN, isInviteOpen(call, side) && !has(call, EXCHANGE_BEYOND) ? 1 : 0);
    return;
  }
  if (!has(call, INVITES | CHANGES)) forceNote(call);
  st32(at, cseqHere());
  unset(call, bitOf(EXCHANGE_OFFERED, side) | bitOf(EXCHANGE_ACK, side) | EXCHANGE_BEYOND);
  set(call, bitOf(EXCHANGE_INVITE, side) | (described ? bitOf(EXCHANGE_OFFERED, side) : 0));
  st32(CONTEXT_TAKEN, 1);
}

/** An UPDATE or PRACK with a description from `side`. */
export function changeBegin(call: i32, side: i32): void {
  const at: i32 = changeAt(call, side);
  const open: i32 = bitOf(EXCHANGE_CHANGE, side);
  if (!isNewer(at)) {
    st32(CONTEXT_TAKEN, isNoted(at) && has(call, open) ? 1 : 0);
    return;
  }
  if (has(call, INVITES)) {
    descriptionsSave(call, changeKey(side));
    set(call, EXCHANGE_BEYOND);
  } else if (!has(call, CHANGES)) {
    forceNote(call);
  }
  st32(at, cseqHere());
  set(call, open);
  st32(CONTEXT_TAKEN, 1);
}

/** An ACK: it brings the answer when the 2xx had the offer. */
export function ackTake(call: i32, side: i32): void {
  st32(CONTEXT_TAKEN, isNoted(inviteAt(call, side)) && has(call, bitOf(EXCHANGE_ACK, side)) ? 1 : 0);
}

/** A 1xx or 2xx to an INVITE of `side`. */
export function inviteAnswer(call: i32, side: i32): void {
  st32(CONTEXT_TAKEN, isInviteOpen(call, side) && !has(call, EXCHANGE_BEYOND) ? 1 : 0);
}

/** A 2xx to a change of `side`. */
export function changeAnswer(call: i32, side: i32): void {
  st32(CONTEXT_TAKEN, isNoted(changeAt(call, side)) && has(call, bitOf(EXCHANGE_CHANGE, side)) ? 1 : 0);
}

/** After the ACK was taken over. */
export function ackSettle(call: i32, side: i32): void {
  if (!isNoted(inviteAt(call, side)) || !has(call, bitOf(EXCHANGE_ACK, side))) return;
  unset(call, bitOf(EXCHANGE_ACK, side));
  if (!has(call, INVITES)) flowsSettle(call);
}

/** After the 2xx to an INVITE of `side` was taken over: what it said is in force, and what it gave up is freed. */
export function inviteSettle(call: i32, side: i32, described: boolean): void {
  if (!isInviteOpen(call, side)) return;
  const due: boolean = described && !has(call, bitOf(EXCHANGE_OFFERED, side));
  unset(call, bitOf(EXCHANGE_INVITE, side) | EXCHANGE_BEYOND);
  if (has(call, INVITES)) forceNote(call);
  else if (due) set(call, bitOf(EXCHANGE_ACK, side));
  else flowsSettle(call);
}

/** After the 2xx to a change of `side` was taken over. */
export function changeSettle(call: i32, side: i32): void {
  if (!isNoted(changeAt(call, side)) || !has(call, bitOf(EXCHANGE_CHANGE, side))) return;
  unset(call, bitOf(EXCHANGE_CHANGE, side));
  descriptionsDrop(call, changeKey(side));
  if (!has(call, INVITES | CHANGES)) flowsSettle(call);
}

/** An INVITE of `side` failed: all is as before, or only what that side said while the other's INVITE goes on (RFC 3261 14.1). */
export function inviteFail(call: i32, side: i32): void {
  if (!isInviteOpen(call, side)) return;
  unset(call, bitOf(EXCHANGE_INVITE, side));
  const half: boolean = has(call, INVITES);
  const other: i32 = SIDE_ACCESS + SIDE_CORE - side;
  let next: i32 = ld32(callAt(call) + CALL_FLOWS);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    const f: i32 = flowAt(next - 1);
    next = ld32(f + FLOW_NEXT);
    if ((ld32(f + FLOW_FLAGS_BEFORE) & FLOW_FLAG_STANDING) !== 0) flowRestore(call, f, side, half);
    else if (!half || ld32(sideAt(f, other) + SIDE_RTP_PORT) === 0) st32(f + FLOW_FLAGS, FLOW_FLAG_REJECTED);
  }
  if (half) return;
  unset(call, CHANGES | EXCHANGE_BEYOND);
  descriptionsDrop(call, changeKey(SIDE_ACCESS));
  descriptionsDrop(call, changeKey(SIDE_CORE));
}

/** A change of `side` failed: what that side said before holds again. */
export function changeFail(call: i32, side: i32): void {
  if (!isNoted(changeAt(call, side)) || !has(call, bitOf(EXCHANGE_CHANGE, side))) return;
  unset(call, bitOf(EXCHANGE_CHANGE, side));
  const nested: boolean = has(call, INVITES);
  const other: i32 = SIDE_ACCESS + SIDE_CORE - side;
  let next: i32 = ld32(callAt(call) + CALL_FLOWS);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    const f: i32 = flowAt(next - 1);
    next = ld32(f + FLOW_NEXT);
    const saved: i32 = descriptionFind(call, ld32(f + FLOW_LINE), changeKey(side));
    if (saved >= 0) {
      st32(f + FLOW_FLAGS, ld32(flowAt(saved) + FLOW_FLAGS));
      st32(f + FLOW_PROTO, ld32(flowAt(saved) + FLOW_PROTO));
      sideDescribe(f, flowAt(saved), side);
    } else if (!nested && (ld32(f + FLOW_FLAGS_BEFORE) & FLOW_FLAG_STANDING) !== 0) {
      flowRestore(call, f, side, true);
    } else if (ld32(sideAt(f, other) + SIDE_RTP_PORT) === 0) {
      st32(f + FLOW_FLAGS, FLOW_FLAG_REJECTED);
    }
  }
  descriptionsDrop(call, changeKey(side));
}

/** The INVITE or change in hand never left: it may come again. */
export function exchangeForget(call: i32, side: i32): void {
  inviteFail(call, side);
  changeFail(call, side);
  if (isNoted(inviteAt(call, side))) st32(inviteAt(call, side), ld32(MESSAGE + MESSAGE_CSEQ));
  if (isNoted(changeAt(call, side))) st32(changeAt(call, side), ld32(MESSAGE + MESSAGE_CSEQ));
}

/** ICE was required in this call: it is not stripped from its other messages either. */
export function iceKeep(call: i32): void {
  set(call, EXCHANGE_ICE);
}

export function isIceKept(call: i32): boolean {
  return has(call, EXCHANGE_ICE);
}

/** Nothing is under way any more. */
export function exchangeClose(call: i32): void {
  st32(callAt(call) + CALL_EXCHANGE, ld32(callAt(call) + CALL_EXCHANGE) & EXCHANGE_ICE);
}

/** Changes are counted anew: another dialog comes into force. */
export function changesForget(call: i32): void {
  unset(call, CHANGES | EXCHANGE_BEYOND);
  st32(changeAt(call, SIDE_ACCESS), 0);
  st32(changeAt(call, SIDE_CORE), 0);
}

/** All is counted anew: the call begins again, or goes on with another dialog. */
export function exchangeReset(call: i32): void {
  exchangeClose(call);
  changesForget(call);
  st32(inviteAt(call, SIDE_ACCESS), 0);
  st32(inviteAt(call, SIDE_CORE), 0);
}
