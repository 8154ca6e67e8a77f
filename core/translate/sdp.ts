/*
 * SDP (RFC 8866, 3264, 3605, 5761, 8839, 9143): each m= line of UDP media gets a flow, whose ports on the other side are
 * written for the ones in the message; c= follows. What is rejected (port 0), on hold (0.0.0.0), a name, multicast or not
 * UDP stays as it is. Invariant: one m= line of a call has the same ports of ours for as long as the call lasts, so a
 * repeated or unchanged description is translated to the very same bytes.
 */

import { ld32, ld8, st32 } from "../machine.ts";
import { MESSAGE } from "../memory/layout.ts";
import {
  ICE_PASS,
  ICE_RELAY,
  ICE_STRIP,
  REALM_MEDIA,
  SERVICE_ACCESS,
  SERVICE_CORE,
  SERVICE_FLAGS,
  SERVICE_HIDE_ORIGIN,
  SERVICE_ICE,
} from "../memory/config.ts";
import { CONTEXT_ASIDE, CONTEXT_CALL, CONTEXT_SERVICE_AT, CONTEXT_TAKEN } from "../memory/context.ts";
import {
  FORM_NAME,
  MEDIA_ADDRESS,
  MEDIA_CONNECTION_MENTION,
  MEDIA_COUNT,
  MEDIA_FLAGS,
  MEDIA_FLAG_ICE,
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
  MENTION_ROLE,
  MESSAGE_CSEQ,
  MESSAGE_FLAGS,
  MESSAGE_FLAG_REQUIRE_ICE,
  PROTO_OTHER,
  PROTO_RTP,
  ROLE_SDP_CONNECTION,
  ROLE_SDP_ICE,
  ROLE_SDP_ORIGIN,
  ROLE_SDP_PORT,
  ROLE_SDP_RTCP_ADDRESS,
  ROLE_SDP_RTCP_PORT,
} from "../memory/message.ts";
import { CALL_ENDED, CALL_SDP_ACCESS, CALL_SDP_CORE, CALL_STATE, FLOW_FLAGS, FLOW_FLAG_REJECTED, SIDE_ACCESS, SIDE_CORE, SIDE_PORT } from "../memory/tables.ts";
import { REASON_MEDIA_PORTS_FULL } from "../memory/reason.ts";
import { addressEqual, isMapped, isMulticast, isUnspecified } from "../bytes/address.ts";
import { mentionAt } from "../decode/mention.ts";
import { mediaAt, mediaCount } from "../decode/sdp/session.ts";
import { editAppend, textAddress, textByte, textDecimal, textMark, textWord } from "../encode/edit.ts";
import { callAt, callFlow } from "../table/call.ts";
import { descriptionTake } from "../table/description.ts";
import { flowAt, sideAt } from "../table/flow.ts";
import { realmAt } from "../table/service.ts";
import { numberReplace, refuse } from "./address.ts";
import { isExchange } from "./call.ts";
import { senderSide } from "./dialog.ts";
import { isIceKept } from "./exchange.ts";
import { flowSignal } from "./media.ts";
import { flowLine, flowsOpen } from "./open.ts";

/** RTP sessions of one m= line that are relayed; a line with more passes untouched. */
const COUNT_MAX: i32 = 8;

/** Is this media ours to relay: UDP, not rejected, and at an address that means one host (or at a hold's 0.0.0.0)? */
function isRelayed(media: i32): boolean {
  const connection: i32 = ld32(media + MEDIA_CONNECTION_MENTION);
  if (ld32(media + MEDIA_PROTO) === PROTO_OTHER || ld32(media + MEDIA_PORT) === 0 || ld32(media + MEDIA_COUNT) > COUNT_MAX || connection < 0) return false;
  return ld32(mentionAt(connection) + MENTION_FORM) !== FORM_NAME && !isMulticast(media + MEDIA_ADDRESS);
}

/** ICE passes untouched, with its c= and m= lines, when the service or the message says so (RFC 8839 4.2.5: never half). */
function isIcePassed(media: i32): boolean {
  if ((ld32(media + MEDIA_FLAGS) & MEDIA_FLAG_ICE) === 0) return false;
  return iceMode() === ICE_PASS;
}

function iceMode(): i32 {
  const mode: i32 = ld32(ld32(CONTEXT_SERVICE_AT) + SERVICE_ICE);
  const call: i32 = ld32(CONTEXT_CALL);
  const required: boolean = (ld32(MESSAGE + MESSAGE_FLAGS) & MESSAGE_FLAG_REQUIRE_ICE) !== 0 || (call >= 0 && isIceKept(call));
  return required && mode === ICE_STRIP ? ICE_RELAY : mode;
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
  const closed: boolean = !isTaken() || ld32(callAt(call) + CALL_STATE) === CALL_ENDED;
  if (own >= 0 && (closed || callFlow(call, flowLine(lineOf(media), count - 1)) >= 0)) return own;
  if (own >= 0) return -REASON_MEDIA_PORTS_FULL;
  return closed ? -1 : flowsOpen(call, lineOf(media), ld32(media + MEDIA_PROTO), count);
}

function flowReject(flow: i32): void {
  st32(flowAt(flow) + FLOW_FLAGS, ld32(flowAt(flow) + FLOW_FLAGS) | FLOW_FLAG_REJECTED);
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

/** Marks the flows of a media line that is given up: of its own it has none either when it is bundled with another (RFC 9143 6). */
function mediaReject(call: i32, media: i32): void {
  if (ld32(media + MEDIA_PORT) !== 0 || ld32(CONTEXT_ASIDE) !== 0) return;
  for (let k: i32 = 0; k < COUNT_MAX; k++) {
    const flow: i32 = callFlow(call, flowLine(lineOf(media), k));
    if (flow >= 0) flowReject(flow);
  }
}

/** Gives each media line of the message its flow, opened when it is new. */
export function sdpPrepare(): void {
  const call: i32 = ld32(CONTEXT_CALL);
  if (call < 0 || mediaCount() === 0) return;
  const side: i32 = senderSide();
  const taken: boolean = isTaken();
  const fresh: boolean = taken && ld32(CONTEXT_ASIDE) === 0 && isFresh(call, side);
  for (let index: i32 = 0; index < mediaCount(); index++) {
    const media: i32 = mediaAt(index);
    if (taken) mediaReject(call, media);
    if (!isRelayed(media) || isIcePassed(media)) continue;
    const flow: i32 = flowFor(call, index);
    if (flow < -1) {
      refuse(-flow);
      return;
    }
    st32(media + MEDIA_FLOW, flow);
    if (flow >= 0 && taken) mediaSignal(call, media, side, fresh);
  }
}

/** Flow of an earlier media line that has the same transport address: bundled lines share one (RFC 9143 7.3). */
function sharedFlow(index: i32): i32 {
  const media: i32 = mediaAt(index);
  if (ld32(media + MEDIA_COUNT) !== 1) return -1;
  for (let i: i32 = 0; i < index; i++) {
    const other: i32 = mediaAt(i);
    const same: boolean = ld32(other + MEDIA_FLOW) >= 0 && ld32(other + MEDIA_COUNT) === 1 && ld32(other + MEDIA_PORT) === ld32(media + MEDIA_PORT);
    if (same && lineOf(other) < lineOf(media) && addressEqual(other + MEDIA_ADDRESS, media + MEDIA_ADDRESS)) return ld32(other + MEDIA_FLOW);
  }
  return -1;
}

/** Our block of a flow on the side that the message goes to. */
function otherSide(flow: i32): i32 {
  return sideAt(flowAt(flow), SIDE_ACCESS + SIDE_CORE - senderSide());
}

/** Our media address in the realm that the message goes to. */
function mediaAddress(): i32 {
  const service: i32 = ld32(CONTEXT_SERVICE_AT);
  return realmAt(ld32(senderSide() === SIDE_ACCESS ? service + SERVICE_CORE : service + SERVICE_ACCESS)) + REALM_MEDIA;
}

/** Writes our media address with its type over "IP4 a.b.c.d". */
function addressReplace(m: i32): void {
  const mark: i32 = textMark();
  const address: i32 = mediaAddress();
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

/** Takes the whole line out. */
function lineRemove(m: i32): void {
  const mark: i32 = textMark();
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_END), mark);
}

/** "a=candidate:cvt C UDP 16777215 address port typ relay raddr address rport port" for one component (RFC 8839 5.1). */
function candidateWrite(component: i32, port: i32): void {
  textWord(0x613d6361, 4);
  textWord(0x6e646964, 4);
  textWord(0x6174653a, 4);
  textWord(0x63767420, 4);
  textDecimal(component);
  textWord(0x20554450, 4);
  textByte(32);
  textDecimal(16777216 - component);
  textByte(32);
  textAddress(mediaAddress());
  textByte(32);
  textDecimal(port);
  textWord(0x20747970, 4);
  textWord(0x2072656c, 4);
  textWord(0x61792072, 4);
  textWord(0x61646472, 4);
  textByte(32);
  textAddress(mediaAddress());
  textWord(0x2072706f, 4);
  textWord(0x72742000, 3);
  textDecimal(port);
  textWord(0x0d0a0000, 2);
}

/** Is this line "a=candidate", the first one of its media? */
function isFirstCandidate(index: i32): boolean {
  const m: i32 = mentionAt(index);
  if (ld8(ld32(m + MENTION_AT) + 2) !== 99) return false;
  for (let i: i32 = index - 1; i >= 0; i--) {
    const other: i32 = mentionAt(i);
    if (ld32(other + MENTION_MEDIA) !== ld32(m + MENTION_MEDIA) || ld32(other + MENTION_ROLE) !== ROLE_SDP_ICE) continue;
    if (ld8(ld32(other + MENTION_AT) + 2) === 99) return false;
  }
  return true;
}

/** Puts our relay candidates, which are the default of the new c= and m=, before the first candidate of a media; a media that is not relayed loses its ICE lines. */
function candidatesInsert(index: i32): void {
  const m: i32 = mentionAt(index);
  const line: i32 = ld32(m + MENTION_MEDIA);
  if (line < 0) return;
  if (ld32(mediaAt(line) + MEDIA_FLOW) < 0) {
    lineRemove(m);
    return;
  }
  if (!isFirstCandidate(index)) return;
  const media: i32 = mediaAt(line);
  const port: i32 = ld32(otherSide(ld32(media + MEDIA_FLOW)) + SIDE_PORT);
  const mark: i32 = textMark();
  candidateWrite(1, port);
  if (ld32(media + MEDIA_PROTO) === PROTO_RTP && (ld32(media + MEDIA_FLAGS) & MEDIA_FLAG_MUX) === 0) candidateWrite(2, port + 1);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_AT), mark);
}

function iceMap(index: i32): void {
  const mode: i32 = iceMode();
  if (mode === ICE_STRIP) lineRemove(mentionAt(index));
  else if (mode === ICE_RELAY) candidatesInsert(index);
}

/** Maps one SDP mention. */
export function sdpMap(index: i32, role: i32): void {
  const m: i32 = mentionAt(index);
  if (role === ROLE_SDP_CONNECTION) {
    if (isConnectionMapped(index)) addressReplace(m);
    return;
  }
  if (role === ROLE_SDP_ORIGIN) {
    const hide: boolean = (ld32(ld32(CONTEXT_SERVICE_AT) + SERVICE_FLAGS) & SERVICE_HIDE_ORIGIN) !== 0;
    if (hide && ld32(m + MENTION_FORM) !== FORM_NAME && !isUnspecified(m + MENTION_ADDRESS)) addressReplace(m);
    return;
  }
  if (role === ROLE_SDP_ICE) {
    iceMap(index);
    return;
  }
  const line: i32 = ld32(m + MENTION_MEDIA);
  if (role !== ROLE_SDP_PORT && role !== ROLE_SDP_RTCP_PORT && role !== ROLE_SDP_RTCP_ADDRESS) {
    lineRemove(m);
    return;
  }
  const media: i32 = mediaAt(line);
  const flow: i32 = ld32(media + MEDIA_FLOW);
  if (role === ROLE_SDP_RTCP_ADDRESS) {
    if (ld32(m + MENTION_FORM) !== FORM_NAME && isMediaMapped(media)) addressReplace(m);
    return;
  }
  if (flow < 0) return;
  if (role === ROLE_SDP_PORT) numberReplace(m, ld32(otherSide(flow) + SIDE_PORT));
  else numberReplace(m, rtcpPort(media));
}
