/*
 * Who connects in media over TCP (RFC 4145, RFC 6135, RFC 6714): which m= lines are relayed, and what the other side is told of
 * a=setup. A terminal behind a NAT can only connect, so where its own end or the other leaves that open (actpass), it is told so.
 * Invariant: a line whose connection we could not make passes with its addresses, and nobody is told of ports of ours for it.
 */

import { ld32 } from "../../machine.ts";
import { SERVICE_ACCESS, SERVICE_CORE } from "../../memory/config.ts";
import { CONTEXT_SERVICE_AT, isInbound } from "../../memory/context.ts";
import {
  MEDIA_ADDRESS,
  MEDIA_COUNT,
  MEDIA_FLAGS,
  MEDIA_FLAG_CEMA,
  MEDIA_FLAG_ICE,
  MEDIA_FLOW,
  MEDIA_LINE,
  MEDIA_PROTO,
  MEDIA_SETUP,
  MEDIA_SETUP_SHIFT,
  MENTION_AT,
  MENTION_END,
  PROTO_MSRP,
  SETUP_ACTIVE,
  SETUP_ACTPASS,
  SETUP_HOLDCONN,
  SETUP_MASK,
  SETUP_NONE,
  SETUP_PASSIVE,
} from "../../memory/message.ts";
import { FLOW_FLAGS, FLOW_FLAG_REJECTED, FLOW_PROTO } from "../../memory/tables.ts";
import { editAppend, textMark, textWord } from "../../encode/edit.ts";
import { isFraming } from "../../table/adjacency.ts";
import { callFlow } from "../../table/call.ts";
import { flowAt, isOverTcp } from "../../table/flow.ts";
import { isAnswer } from "./offer.ts";
import { isAway, isOpen } from "./reach.ts";
import { senderSide } from "./side.ts";

/** SETUP_* of a media line, with what holds where it says nothing (RFC 4145 4.1). MSRP ignores holdconn (RFC 6135 4.2.1). */
function setupOf(call: i32, media: i32): i32 {
  const written: i32 = (ld32(media + MEDIA_FLAGS) >> MEDIA_SETUP_SHIFT) & SETUP_MASK;
  const ignored: boolean = written === SETUP_HOLDCONN && ld32(media + MEDIA_PROTO) === PROTO_MSRP;
  if (written !== SETUP_NONE && !ignored) return written;
  return isAnswer(call) ? SETUP_PASSIVE : SETUP_ACTIVE;
}

/** Does the line offer what c= and m= alone lead to: MSRP with a=msrp-cema (RFC 6714 6.2), anything else with a=setup? */
function isOffered(media: i32): boolean {
  const flags: i32 = ld32(media + MEDIA_FLAGS);
  if (ld32(media + MEDIA_PROTO) === PROTO_MSRP) return (flags & MEDIA_FLAG_CEMA) !== 0;
  return ((flags >> MEDIA_SETUP_SHIFT) & SETUP_MASK) !== SETUP_NONE;
}

/** Was the offer that the line answers relayed? */
function isAnswered(call: i32, media: i32): boolean {
  const flow: i32 = callFlow(call, ld32(media + MEDIA_LINE));
  return flow >= 0 && isOverTcp(ld32(flowAt(flow) + FLOW_PROTO)) && (ld32(flowAt(flow) + FLOW_FLAGS) & FLOW_FLAG_REJECTED) === 0;
}

/** Can we connect to the end that wrote the line? */
function isReachable(call: i32, media: i32): boolean {
  const realm: i32 = ld32(ld32(CONTEXT_SERVICE_AT) + (isInbound() ? SERVICE_ACCESS : SERVICE_CORE));
  return isOpen(call, senderSide(), realm, media + MEDIA_ADDRESS);
}

/** Is this line of media over TCP ours to relay? Frames show no streams, so in packet mode none is. */
export function isSetupRelayed(call: i32, media: i32): boolean {
  if (isFraming() || ld32(media + MEDIA_COUNT) !== 1 || (ld32(media + MEDIA_FLAGS) & MEDIA_FLAG_ICE) !== 0) return false;
  if (isAnswer(call) ? !isAnswered(call, media) : !isOffered(media)) return false;
  return setupOf(call, media) !== SETUP_PASSIVE || isReachable(call, media);
}

/** SETUP_* that the other side is told. */
export function setupThere(call: i32, media: i32): i32 {
  const setup: i32 = setupOf(call, media);
  if (setup !== SETUP_ACTPASS || isAnswer(call) || ld32(media + MEDIA_SETUP) === 0) return setup;
  if (isInbound()) return isReachable(call, media) ? setup : SETUP_ACTIVE;
  return isAway(call) ? SETUP_PASSIVE : setup;
}

/** Writes that in place of actpass. */
export function setupMap(m: i32, call: i32, media: i32): void {
  if (ld32(media + MEDIA_FLOW) < 0) return;
  const there: i32 = setupThere(call, media);
  if (there === setupOf(call, media)) return;
  const mark: i32 = textMark();
  textWord(there === SETUP_ACTIVE ? 0x61637469 : 0x70617373, 4);
  if (there === SETUP_ACTIVE) textWord(0x76650000, 2);
  else textWord(0x69766500, 3);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_END), mark);
}
