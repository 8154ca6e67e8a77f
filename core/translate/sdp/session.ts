/*
 * SDP (RFC 8866, 3264, 3605, 4145, 5761, 8839, 9143): each m= line of media over UDP or TCP gets a flow, whose ports on the
 * other side are written for the ones in the message; c= follows. What is rejected (port 0), on hold (0.0.0.0), a name, multicast
 * or of another transport stays as it is. Invariant: one m= line of a call has the same ports of ours for as long as the call lasts, so a
 * repeated or unchanged description is translated to the very same bytes.
 */

import { ld32, ld8, st32 } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import { SERVICE_HIDE_ORIGIN } from "../../memory/config.ts";
import { CONTEXT_ASIDE, CONTEXT_CALL, CONTEXT_TAKEN, CONTEXT_UNRELAYED, serviceHas } from "../../memory/context.ts";
import {
  FORM_NAME,
  MEDIA_ADDRESS,
  MEDIA_AFTER,
  MEDIA_CONNECTION_MENTION,
  MEDIA_COUNT,
  MEDIA_FLAGS,
  MEDIA_FLAG_DROPPED,
  MEDIA_FLAG_MUX,
  MEDIA_FLOW,
  MEDIA_LINE,
  MEDIA_PORT,
  MEDIA_PROTO,
  MEDIA_RTCP_PORT,
  MENTION_ADDRESS,
  MENTION_AT,
  MENTION_END,
  MENTION_FORM,
  MENTION_MEDIA,
  MESSAGE_CSEQ,
  MESSAGE_FLAGS,
  MESSAGE_FLAG_ANAT,
  PROTO_OTHER,
  ROLE_SDP_CONNECTION,
  ROLE_SDP_ICE,
  ROLE_SDP_ORIGIN,
  ROLE_SDP_PORT,
  ROLE_SDP_RTCP_ADDRESS,
  ROLE_SDP_RTCP_PORT,
  ROLE_SDP_SETUP,
} from "../../memory/message.ts";
import {
  CALL_ENDED,
  CALL_SDP_ACCESS,
  CALL_SDP_CORE,
  CALL_STATE,
  FLOW_FLAGS,
  FLOW_FLAG_REJECTED,
  FLOW_LINE,
  FLOW_PROTO,
  SIDE_ACCESS,
  SIDE_PORT,
} from "../../memory/tables.ts";
import { REASON_MEDIA_PORTS_FULL } from "../../memory/reason.ts";
import { addressEqual, isMapped, isMulticast, isUnspecified } from "../../bytes/address.ts";
import { mentionAt } from "../../decode/mention.ts";
import { mediaAt, mediaCount, originSettle } from "../../decode/sdp/session.ts";
import { editAppend, textAddress, textByte, textBytes, textMark, textWord } from "../../encode/edit.ts";
import { callAt, callFlow } from "../../table/call.ts";
import { descriptionTake } from "../../table/description.ts";
import { flowAt, isOverTcp } from "../../table/flow.ts";
import { numberReplace, refuse } from "../address.ts";
import { isExchange } from "../call.ts";
import { anatReduce } from "./anat.ts";
import { iceMap, isIcePassed, isTrickled, lineRemove } from "./ice.ts";
import { mediaAddressThere, otherSide, senderSide } from "./side.ts";
import { flowSignal } from "./media.ts";
import { isSetupRelayed, setupMap } from "./setup.ts";
import { SESSIONS_MAX, flowLine, flowsOpen } from "../open.ts";

/** Is this media ours to relay: of a transport that we know, not rejected, and at an address that means one host (or at a hold's 0.0.0.0)? */
function isRelayed(call: i32, media: i32): boolean {
  const connection: i32 = ld32(media + MEDIA_CONNECTION_MENTION);
  if (ld32(media + MEDIA_PROTO) === PROTO_OTHER || ld32(media + MEDIA_PORT) === 0 || ld32(media + MEDIA_COUNT) > SESSIONS_MAX || connection < 0) return false;
  if (ld32(mentionAt(connection) + MENTION_FORM) === FORM_NAME || isMulticast(media + MEDIA_ADDRESS)) return false;
  return !isOverTcp(ld32(media + MEDIA_PROTO)) || isSetupRelayed(call, media);
}

/** Is this the first description from this side in its transaction? */
function isFresh(call: i32, side: i32): boolean {
  const noted: i32 = callAt(call) + (side === SIDE_ACCESS ? CALL_SDP_ACCESS : CALL_SDP_CORE);
  const cseq: i32 = (ld32(MESSAGE + MESSAGE_CSEQ) + 1) | 0;
  if (ld32(noted) === cseq) return false;
  st32(noted, cseq);
  return true;
}

/** Is the description in hand an offer or answer that says something new? */
function isTaken(): boolean {
  return ld32(CONTEXT_TAKEN) !== 0;
}

/** Number of the m= line in its description; lines of an early session are numbered apart (RFC 3959). */
function lineOf(media: i32): i32 {
  return ld32(media + MEDIA_LINE);
}

/** Flow of the first session of a media line, opened when it is new; -1 when it has none, a negative reason below when it cannot. */
function flowFor(call: i32, index: i32): i32 {
  const media: i32 = mediaAt(index);
  const own: i32 = callFlow(call, lineOf(media));
  const shared: i32 = sharedFlow(index);
  if (shared >= 0) {
    if (isTaken() && own >= 0 && own !== shared) flowReject(own);
    return shared;
  }
  const count: i32 = ld32(media + MEDIA_COUNT);
  const ended: boolean = ld32(callAt(call) + CALL_STATE) === CALL_ENDED;
  if (own >= 0) return !isTaken() || ended || callFlow(call, flowLine(lineOf(media), count - 1)) >= 0 ? own : -REASON_MEDIA_PORTS_FULL;
  if (ended || !isExchange()) return -1;
  const first: i32 = flowsOpen(call, lineOf(media), ld32(media + MEDIA_PROTO), count);
  if (first >= 0 && !isTaken()) lineReject(call, media);
  return first;
}

function flowReject(flow: i32): void {
  st32(flowAt(flow) + FLOW_FLAGS, ld32(flowAt(flow) + FLOW_FLAGS) | FLOW_FLAG_REJECTED);
}

/** Marks all flows of a media line: they go when an exchange is complete. What comes late and is not taken over has ports only until then. */
function lineReject(call: i32, media: i32): void {
  for (let k: i32 = 0; k < SESSIONS_MAX; k++) {
    const flow: i32 = callFlow(call, flowLine(lineOf(media), k));
    if (flow >= 0) flowReject(flow);
  }
}

/** Record that a description of `flow` is written to: its own, or the one that is set aside for a dialog not in force; 0 for none. */
function recordFor(call: i32, flow: i32): i32 {
  const key: i32 = ld32(CONTEXT_ASIDE);
  const index: i32 = flow >= 0 && key !== 0 ? descriptionTake(call, flow, key) : flow;
  return index < 0 ? 0 : flowAt(index);
}

/** Takes a media line over into the flows of its sessions. */
function mediaSignal(call: i32, media: i32, side: i32, fresh: boolean): void {
  for (let k: i32 = 0; k < ld32(media + MEDIA_COUNT); k++) {
    const record: i32 = recordFor(call, callFlow(call, flowLine(lineOf(media), k)));
    if (record !== 0) flowSignal(call, record, side, media, k, fresh);
  }
}

/**
 * A line that is not relayed. One that is given up has no flows any more (of its own it has none either when it is bundled with
 * another, RFC 9143 6), nor has one over TCP whose connection is made without us from now on.
 */
function mediaPass(call: i32, media: i32): void {
  const own: i32 = callFlow(call, lineOf(media));
  const refused: boolean = ld32(media + MEDIA_PORT) === 0;
  if (!refused) st32(CONTEXT_UNRELAYED, 1);
  const left: boolean = refused || (own >= 0 && isOverTcp(ld32(flowAt(own) + FLOW_PROTO)));
  if (left && isTaken() && ld32(CONTEXT_ASIDE) === 0) lineReject(call, media);
}

/** Gives each media line of the message its flow, opened when it is new. */
export function sdpPrepare(): void {
  if ((ld32(MESSAGE + MESSAGE_FLAGS) & MESSAGE_FLAG_ANAT) !== 0) anatReduce();
  const call: i32 = ld32(CONTEXT_CALL);
  if (call < 0 || mediaCount() === 0) return;
  const side: i32 = senderSide();
  const taken: boolean = isTaken();
  const fresh: boolean = taken && ld32(CONTEXT_ASIDE) === 0 && isFresh(call, side);
  for (let index: i32 = 0; index < mediaCount(); index++) {
    const media: i32 = mediaAt(index);
    if (!isRelayed(call, media)) {
      mediaPass(call, media);
      continue;
    }
    if (isIcePassed(media)) continue;
    const flow: i32 = flowFor(call, index);
    if (flow < -1) {
      refuse(-flow);
      return;
    }
    st32(media + MEDIA_FLOW, flow);
    if (flow >= 0 && taken && ld32(flowAt(flow) + FLOW_LINE) === lineOf(media)) mediaSignal(call, media, side, fresh);
  }
}

/** Flow of an earlier media line that has the same transport address: bundled lines share one (RFC 9143 7.3). */
function sharedFlow(index: i32): i32 {
  const media: i32 = mediaAt(index);
  if (ld32(media + MEDIA_COUNT) !== 1 || isTrickled(media) || isOverTcp(ld32(media + MEDIA_PROTO))) return -1;
  for (let i: i32 = 0; i < index; i++) {
    const other: i32 = mediaAt(i);
    if (isOverTcp(ld32(other + MEDIA_PROTO))) continue;
    const same: boolean = ld32(other + MEDIA_FLOW) >= 0 && ld32(other + MEDIA_COUNT) === 1 && ld32(other + MEDIA_PORT) === ld32(media + MEDIA_PORT);
    if (same && lineOf(other) < lineOf(media) && addressEqual(other + MEDIA_ADDRESS, media + MEDIA_ADDRESS)) return ld32(other + MEDIA_FLOW);
  }
  return -1;
}

/** Writes our media address with its type over "IP4 a.b.c.d". */
function addressReplace(m: i32): void {
  const mark: i32 = textMark();
  const address: i32 = mediaAddressThere();
  textWord(0x49500000 | ((isMapped(address) ? 52 : 54) << 8), 3);
  textByte(32);
  textAddress(address);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_END), mark);
}

/** Does this c= line stand for a media line that is relayed? Where there is no call, or none any more (OPTIONS, 488), it is mapped all the same. */
function isConnectionMapped(index: i32): boolean {
  const m: i32 = mentionAt(index);
  if (ld32(m + MENTION_FORM) === FORM_NAME || isUnspecified(m + MENTION_ADDRESS) || isMulticast(m + MENTION_ADDRESS)) return false;
  const call: i32 = ld32(CONTEXT_CALL);
  if (call < 0 || !isExchange() || ld32(callAt(call) + CALL_STATE) === CALL_ENDED) return true;
  let used: boolean = false;
  for (let i: i32 = 0; i < mediaCount(); i++) {
    if (ld32(mediaAt(i) + MEDIA_CONNECTION_MENTION) !== index) continue;
    if (ld32(mediaAt(i) + MEDIA_FLOW) >= 0) return true;
    used = used || ld32(mediaAt(i) + MEDIA_PORT) !== 0;
  }
  return !used;
}

/** Is the address of this media line one of ours when the message leaves? */
function isMediaMapped(media: i32): boolean {
  const connection: i32 = ld32(media + MEDIA_CONNECTION_MENTION);
  return ld32(media + MEDIA_FLOW) >= 0 || (connection >= 0 && isConnectionMapped(connection));
}

/** RTCP is where RTP is when it is muxed, else one above. */
function rtcpPort(media: i32): i32 {
  const port: i32 = ld32(otherSide(ld32(media + MEDIA_FLOW)) + SIDE_PORT);
  return (ld32(media + MEDIA_FLAGS) & MEDIA_FLAG_MUX) !== 0 && ld32(media + MEDIA_PORT) === ld32(media + MEDIA_RTCP_PORT) ? port : port + 1;
}

/** "IP4 0.0.0.0" or "IP6 0.invalid": an address that is none, in the family of the realm that it goes to (RFC 6157 4.1). */
function unspecifiedReplace(m: i32): void {
  const family: i32 = isMapped(mediaAddressThere()) ? 52 : 54;
  if (ld8(ld32(m + MENTION_AT) + 2) === family) return;
  const mark: i32 = textMark();
  textWord(0x49500000 | (family << 8), 3);
  textWord(family === 52 ? 0x20302e30 : 0x20302e69, 4);
  textWord(family === 52 ? 0x2e302e30 : 0x6e76616c, 4);
  if (family === 54) textWord(0x69640000, 2);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_END), mark);
}

function connectionMap(index: i32): void {
  const m: i32 = mentionAt(index);
  if (isConnectionMapped(index)) addressReplace(m);
  else if (ld32(m + MENTION_FORM) !== FORM_NAME && isUnspecified(m + MENTION_ADDRESS)) unspecifiedReplace(m);
}

/** A media line that is not relayed keeps its address when the session's c= line becomes ours: in a c= line of its own. */
function connectionKeep(media: i32): void {
  const index: i32 = ld32(media + MEDIA_CONNECTION_MENTION);
  const call: i32 = ld32(CONTEXT_CALL);
  if (index < 0 || call < 0 || !isExchange() || ld32(callAt(call) + CALL_STATE) === CALL_ENDED) return;
  const m: i32 = mentionAt(index);
  if (ld32(m + MENTION_MEDIA) >= 0 || ld32(media + MEDIA_PORT) === 0 || !isConnectionMapped(index)) return;
  const at: i32 = ld32(media + MEDIA_AFTER);
  const ended: boolean = ld8(at - 1) === 10;
  const mark: i32 = textMark();
  if (!ended) textWord(0x0d0a0000, 2);
  textWord(0x633d494e, 4);
  textByte(32);
  textBytes(ld32(m + MENTION_AT), ld32(m + MENTION_END) - ld32(m + MENTION_AT));
  if (ended && ld8(at - 2) === 13) textByte(13);
  if (ended) textByte(10);
  editAppend(at, at, mark);
}

function portMap(m: i32, media: i32): void {
  const flow: i32 = ld32(media + MEDIA_FLOW);
  if ((ld32(media + MEDIA_FLAGS) & MEDIA_FLAG_DROPPED) !== 0) numberReplace(m, 0);
  else if (flow < 0) connectionKeep(media);
  else if (!isTrickled(media)) numberReplace(m, ld32(otherSide(flow) + SIDE_PORT));
}

function controlMap(m: i32, role: i32, media: i32): void {
  if (role === ROLE_SDP_RTCP_PORT) {
    if (ld32(media + MEDIA_FLOW) >= 0 && !isTrickled(media)) numberReplace(m, rtcpPort(media));
  } else if (ld32(m + MENTION_FORM) !== FORM_NAME) {
    if (isUnspecified(m + MENTION_ADDRESS)) unspecifiedReplace(m);
    else if (isMediaMapped(media)) addressReplace(m);
  }
}

/** Maps one SDP mention. */
export function sdpMap(index: i32, role: i32): void {
  const m: i32 = mentionAt(index);
  if (role === ROLE_SDP_CONNECTION) {
    connectionMap(index);
  } else if (role === ROLE_SDP_ORIGIN) {
    const hide: boolean = serviceHas(SERVICE_HIDE_ORIGIN);
    if (hide && originSettle(m) && ld32(m + MENTION_FORM) !== FORM_NAME && !isUnspecified(m + MENTION_ADDRESS)) addressReplace(m);
  } else if (role === ROLE_SDP_ICE) {
    iceMap(index);
  } else if (role === ROLE_SDP_PORT) {
    portMap(m, mediaAt(ld32(m + MENTION_MEDIA)));
  } else if (role === ROLE_SDP_SETUP) {
    setupMap(m, ld32(CONTEXT_CALL), mediaAt(ld32(m + MENTION_MEDIA)));
  } else if (role === ROLE_SDP_RTCP_PORT || role === ROLE_SDP_RTCP_ADDRESS) {
    controlMap(m, role, mediaAt(ld32(m + MENTION_MEDIA)));
  } else {
    lineRemove(m);
  }
}
