/*
 * SDP (RFC 8866 5, 9): the addresses and ports of every c=, m= and a=rtcp line, one Media record for each m= line, and
 * the ICE lines as a whole. Bare LF and a missing last line end are accepted (CONFORMANCE 71).
 * Invariant: a line that does not parse makes no mention, except an m= line, without which nothing behind it is sure.
 */

import { clear, ld16be, ld32, ld8, mul, scan8, scanSpace, st32 } from "../../machine.ts";
import { MEDIA_SIZE, MESSAGE } from "../../memory/layout.ts";
import {
  FORM_IP4,
  FORM_IP6,
  FORM_NAME,
  MEDIA_ADDRESS,
  MEDIA_AFTER,
  MEDIA_CONNECTION_MENTION,
  MEDIA_COUNT,
  MEDIA_FLAGS,
  MEDIA_FLAG_CANDIDATES,
  MEDIA_FLAG_CEMA,
  MEDIA_FLAG_EXISTING,
  MEDIA_FLAG_ICE,
  MEDIA_FLAG_INACTIVE,
  MEDIA_FLAG_MUX,
  MEDIA_FLAG_RECVONLY,
  MEDIA_FLAG_SENDONLY,
  MEDIA_FLOW,
  MEDIA_LINE,
  MEDIA_MID,
  MEDIA_MID_LEN,
  MEDIA_PORT,
  MEDIA_PORT_MENTION,
  MEDIA_PROTO,
  MEDIA_RTCP_ADDRESS,
  MEDIA_RTCP_MENTION,
  MEDIA_RTCP_PORT,
  MEDIA_SETUP,
  MEDIA_SETUP_SHIFT,
  MENTION_ADDRESS,
  MENTION_AT,
  MENTION_COUNT,
  MENTION_END,
  MENTION_FORM,
  MENTION_HOST_END,
  MENTION_MEDIA,
  MENTION_PORT,
  MENTION_URI,
  MENTION_URI_END,
  MESSAGE_FLAGS,
  MESSAGE_FLAG_ANAT,
  MESSAGE_FLAG_SESSION,
  MESSAGE_MEDIAS,
  MESSAGE_MEDIA_COUNT,
  MESSAGE_MEDIA_MOST,
  MESSAGE_SDP,
  PROTO_TCP,
  ROLE_SDP_ALTERNATIVE,
  ROLE_SDP_CONNECTION,
  ROLE_SDP_ICE,
  ROLE_SDP_ORIGIN,
  ROLE_SDP_PORT,
  ROLE_SDP_RTCP_ADDRESS,
  ROLE_SDP_RTCP_PORT,
  ROLE_SDP_SETUP,
  SETUP_MASK,
} from "../../memory/message.ts";
import { FAULT_MEDIA, FAULT_MENTIONS, FAULT_SDP, fault } from "../../memory/reason.ts";
import { addressCopy, ip4Read, ip6Read } from "../../bytes/address.ts";
import { decimalRead, digitsEnd } from "../../bytes/decimal.ts";
import { fold16, fold8, isInvalid } from "../../bytes/word.ts";
import { mentionAppend, mentionAt, mentionCount, mentionDrop } from "../mention.ts";
import {
  ATTRIBUTE_ALTC,
  ATTRIBUTE_CEMA,
  ATTRIBUTE_CONNECTION,
  ATTRIBUTE_GROUP,
  ATTRIBUTE_ICE,
  ATTRIBUTE_INACTIVE,
  ATTRIBUTE_MID,
  ATTRIBUTE_MUX,
  ATTRIBUTE_OTHER,
  ATTRIBUTE_RECVONLY,
  ATTRIBUTE_RTCP,
  ATTRIBUTE_SENDONLY,
  ATTRIBUTE_SENDRECV,
  ATTRIBUTE_SETUP,
  attributeRead,
  isAnat,
  isCodecLine,
} from "./attribute.ts";
import { isExisting, protoRead, setupRead } from "./proto.ts";

/* Session-level values while a description is read. */
const SESSION_CONNECTION: i32 = MESSAGE + 164;
const SESSION_FLAGS: i32 = MESSAGE + 168;
/** First Media of the description in hand, and what its lines are numbered from. */
const SESSION_FIRST: i32 = MESSAGE + 172;
const SESSION_LINES: i32 = MESSAGE + 224;

const DIRECTIONS: i32 = 38;

/* "a=", "m=", "c=", "o=" and "i=". */
const TYPE_ATTRIBUTE: i32 = 0x613d;
const TYPE_MEDIA: i32 = 0x6d3d;
const TYPE_CONNECTION: i32 = 0x633d;
const TYPE_ORIGIN: i32 = 0x6f3d;
const TYPE_TITLE: i32 = 0x693d;

export function mediaAt(index: i32): i32 {
  return ld32(MESSAGE + MESSAGE_MEDIAS) + mul(index, MEDIA_SIZE);
}

export function mediaCount(): i32 {
  return ld32(MESSAGE + MESSAGE_MEDIA_COUNT);
}

/** Position after the spaces that follow the field at `p`. */
function fieldSkip(p: i32, end: i32): i32 {
  let at: i32 = scanSpace(p, end);
  while (at < end && ld8(at) === 32) at++;
  return at;
}

/** Index of the media that lines belong to now, -1 at session level. */
function mediaNow(): i32 {
  return mediaCount() > ld32(SESSION_FIRST) ? mediaCount() - 1 : -1;
}

/** Reads "IP4 a.b.c.d" at `p` and appends its mention, the type included. Returns the mention, 0 when it is none, or a fault. */
function addressRead(role: i32, p: i32, end: i32): i32 {
  const m: i32 = mentionAppend(role, p, p);
  if (m === 0) return fault(FAULT_MENTIONS, p);
  if (!addressSettle(m, p, end)) return mentionDrop();
  st32(m + MENTION_MEDIA, mediaNow());
  return m;
}

/** Reads "IP4 a.b.c.d" at `p` into the mention. Returns false when it is none. */
function addressSettle(m: i32, p: i32, end: i32): boolean {
  if (end - p < 5 || fold16(p) !== 0x7069 || ld8(p + 2) <= 32 || ld8(p + 3) > 32) return false;
  const from: i32 = fieldSkip(p + 3, end);
  const version: i32 = ld8(p + 2);
  let form: i32 = FORM_IP4;
  let stop: i32 = version === 52 ? ip4Read(from, end, m + MENTION_ADDRESS) : 0;
  if (stop === 0 || (stop < end && ld8(stop) > 32 && ld8(stop) !== 47)) {
    stop = scan8(from, scanSpace(from, end), 47);
    form = version === 54 && ip6Read(from, stop, m + MENTION_ADDRESS) === stop ? FORM_IP6 : isInvalid(from, stop) ? FORM_IP6 : FORM_NAME;
  }
  if (stop === from) return false;
  st32(m + MENTION_AT, p);
  st32(m + MENTION_END, stop);
  st32(m + MENTION_HOST_END, from);
  st32(m + MENTION_FORM, form);
  return true;
}

/** o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>; its fields are read when the address is wanted. */
function originRead(p: i32, end: i32): i32 {
  return mentionAppend(ROLE_SDP_ORIGIN, p, end) === 0 ? fault(FAULT_MENTIONS, p) : 0;
}

/** Narrows the mention of an o= line down to its address, which few services touch. Returns false when it has none. */
export function originSettle(m: i32): boolean {
  const end: i32 = ld32(m + MENTION_END);
  let at: i32 = ld32(m + MENTION_AT);
  for (let i: i32 = 0; i < 4; i++) at = fieldSkip(at, end);
  return addressSettle(m, at, end);
}

/** c=<nettype> <addrtype> <connection-address> */
function connectionRead(p: i32, end: i32): i32 {
  const m: i32 = addressRead(ROLE_SDP_CONNECTION, fieldSkip(p, end), end);
  if (m <= 0) return m;
  const index: i32 = mentionCount() - 1;
  if (mediaNow() < 0) st32(SESSION_CONNECTION, index);
  else if (ld32(mediaAt(mediaNow()) + MEDIA_CONNECTION_MENTION) < 0) st32(mediaAt(mediaNow()) + MEDIA_CONNECTION_MENTION, index);
  return 0;
}

/** m=<media> <port>[/<count>] <proto> <fmt> ... */
function mediaRead(p: i32, end: i32, next: i32): i32 {
  const index: i32 = mediaCount();
  if (index >= ld32(MESSAGE + MESSAGE_MEDIA_MOST)) return fault(FAULT_MEDIA, p);
  const from: i32 = fieldSkip(p, end);
  const stop: i32 = digitsEnd(from, end);
  const port: i32 = decimalRead(from, stop);
  let count: i32 = 1;
  let after: i32 = stop;
  if (stop < end && ld8(stop) === 47) {
    after = digitsEnd(stop + 1, end);
    count = decimalRead(stop + 1, after);
  }
  if (port < 0 || port > 65535 || count < 1 || after >= end || ld8(after) !== 32) return fault(FAULT_SDP, p);
  const m: i32 = mentionAppend(ROLE_SDP_PORT, from, stop);
  if (m === 0) return fault(FAULT_MENTIONS, p);
  st32(m + MENTION_PORT, port);
  st32(m + MENTION_MEDIA, index);
  st32(m + MENTION_COUNT, count);
  const media: i32 = mediaAt(index);
  clear(media, MEDIA_SIZE);
  st32(MESSAGE + MESSAGE_MEDIA_COUNT, index + 1);
  st32(media + MEDIA_PORT_MENTION, mentionCount() - 1);
  st32(media + MEDIA_CONNECTION_MENTION, -1);
  st32(media + MEDIA_RTCP_MENTION, -1);
  st32(media + MEDIA_PORT, port);
  st32(media + MEDIA_COUNT, count);
  st32(media + MEDIA_FLOW, -1);
  st32(media + MEDIA_LINE, (index - ld32(SESSION_FIRST)) | ld32(SESSION_LINES));
  st32(media + MEDIA_AFTER, next);
  const proto: i32 = fieldSkip(after, end);
  st32(media + MEDIA_PROTO, protoRead(proto, scanSpace(proto, end)));
  st32(media + MEDIA_FLAGS, ld32(SESSION_FLAGS));
  return 0;
}

/** i=<media title>: the c= line of a media stands behind it. */
function titleRead(next: i32): void {
  if (mediaNow() >= 0) st32(mediaAt(mediaNow()) + MEDIA_AFTER, next);
}

/** a=rtcp:<port> [<nettype> <addrtype> <address>] (RFC 3605 2.1), at media level only. */
function rtcpRead(p: i32, end: i32): i32 {
  const media: i32 = mediaNow();
  const stop: i32 = digitsEnd(p, end);
  const port: i32 = decimalRead(p, stop);
  if (media < 0 || port < 0 || port > 65535) return 0;
  const m: i32 = mentionAppend(ROLE_SDP_RTCP_PORT, p, stop);
  if (m === 0) return fault(FAULT_MENTIONS, p);
  st32(m + MENTION_PORT, port);
  st32(m + MENTION_MEDIA, media);
  st32(mediaAt(media) + MEDIA_RTCP_MENTION, mentionCount() - 1);
  st32(mediaAt(media) + MEDIA_RTCP_PORT, port);
  const nettype: i32 = fieldSkip(p, end);
  if (nettype >= end) return 0;
  const a: i32 = addressRead(ROLE_SDP_RTCP_ADDRESS, fieldSkip(nettype, end), end);
  if (a > 0 && ld32(a + MENTION_FORM) !== FORM_NAME) addressCopy(mediaAt(media) + MEDIA_RTCP_ADDRESS, a + MENTION_ADDRESS);
  return a < 0 ? a : 0;
}

/** Address of the flags that an attribute at this level changes. */
function flagsNow(): i32 {
  const media: i32 = mediaNow();
  return media < 0 ? SESSION_FLAGS : mediaAt(media) + MEDIA_FLAGS;
}

function directionSet(flag: i32): void {
  st32(flagsNow(), (ld32(flagsNow()) & ~DIRECTIONS) | flag);
}

function flagSet(flag: i32): void {
  st32(flagsNow(), ld32(flagsNow()) | flag);
}

/** a=setup:<role> in [p, end); a media over TCP has a mention of its own one. */
function setupTake(p: i32, end: i32): i32 {
  const media: i32 = mediaNow();
  st32(flagsNow(), (ld32(flagsNow()) & ~(SETUP_MASK << MEDIA_SETUP_SHIFT)) | (setupRead(p, end) << MEDIA_SETUP_SHIFT));
  if (media < 0 || p >= end || ld32(mediaAt(media) + MEDIA_PROTO) < PROTO_TCP) return 0;
  const m: i32 = mentionAppend(ROLE_SDP_SETUP, p, end);
  if (m === 0) return fault(FAULT_MENTIONS, p);
  st32(m + MENTION_MEDIA, media);
  st32(mediaAt(media) + MEDIA_SETUP, mentionCount());
  return 0;
}

/** The whole line as one mention, to be kept or removed as one. */
function lineMention(role: i32, line: i32, next: i32): i32 {
  const m: i32 = mentionAppend(role, line, next);
  if (m === 0) return fault(FAULT_MENTIONS, line);
  st32(m + MENTION_MEDIA, mediaNow());
  return 0;
}

/** a=group:ANAT, whose names stand in [p, end). */
function anatRead(line: i32, next: i32, p: i32, end: i32): i32 {
  if (lineMention(ROLE_SDP_ALTERNATIVE, line, next) < 0) return fault(FAULT_MENTIONS, line);
  const m: i32 = mentionAt((mentionCount() - 1) | 0);
  st32(m + MENTION_URI, p);
  st32(m + MENTION_URI_END, end);
  st32(MESSAGE + MESSAGE_FLAGS, ld32(MESSAGE + MESSAGE_FLAGS) | MESSAGE_FLAG_ANAT);
  return 0;
}

function midRead(p: i32, end: i32): void {
  if (mediaNow() < 0 || p >= end) return;
  st32(mediaAt(mediaNow()) + MEDIA_MID, p);
  st32(mediaAt(mediaNow()) + MEDIA_MID_LEN, end - p);
}

/** Reads the attribute whose line is [line, next) and whose text is [p, end). */
function attributeLineRead(line: i32, next: i32, p: i32, end: i32): i32 {
  const nameEnd: i32 = scan8(p, end, 58);
  const name: i32 = attributeRead(p, nameEnd);
  if (name === ATTRIBUTE_OTHER) return 0;
  if (name === ATTRIBUTE_RTCP) return rtcpRead(nameEnd + 1, end);
  if (name === ATTRIBUTE_SETUP) return setupTake(nameEnd + 1, end);
  if (name === ATTRIBUTE_MUX) flagSet(MEDIA_FLAG_MUX);
  else if (name === ATTRIBUTE_SENDONLY) directionSet(MEDIA_FLAG_SENDONLY);
  else if (name === ATTRIBUTE_RECVONLY) directionSet(MEDIA_FLAG_RECVONLY);
  else if (name === ATTRIBUTE_INACTIVE) directionSet(MEDIA_FLAG_INACTIVE);
  else if (name === ATTRIBUTE_SENDRECV) directionSet(0);
  else if (name === ATTRIBUTE_CEMA) flagSet(MEDIA_FLAG_CEMA);
  else if (name === ATTRIBUTE_CONNECTION) flagSet(isExisting(nameEnd + 1, end) ? MEDIA_FLAG_EXISTING : 0);
  else if (name === ATTRIBUTE_ALTC) return lineMention(ROLE_SDP_ALTERNATIVE, line, next);
  else if (name === ATTRIBUTE_GROUP) return isAnat(nameEnd + 1, end) ? anatRead(line, next, nameEnd + 5, end) : 0;
  else if (name === ATTRIBUTE_MID) midRead(nameEnd + 1, end);
  else if (name === ATTRIBUTE_ICE) {
    flagSet(MEDIA_FLAG_ICE | (fold8(p) === 99 ? MEDIA_FLAG_CANDIDATES : 0));
    return lineMention(ROLE_SDP_ICE, line, next);
  }
  return 0;
}

/** Gives each media of the description its address: its own c= line, or the session's. */
function connectionsSettle(): void {
  for (let i: i32 = ld32(SESSION_FIRST); i < mediaCount(); i++) {
    const media: i32 = mediaAt(i);
    if (ld32(media + MEDIA_CONNECTION_MENTION) < 0) st32(media + MEDIA_CONNECTION_MENTION, ld32(SESSION_CONNECTION));
    const connection: i32 = ld32(media + MEDIA_CONNECTION_MENTION);
    if (connection >= 0) addressCopy(media + MEDIA_ADDRESS, mentionAt(connection) + MENTION_ADDRESS);
  }
}

/** Begins a description at `p`. */
function sessionBegin(p: i32, lines: i32): void {
  st32(SESSION_CONNECTION, -1);
  st32(SESSION_FLAGS, 0);
  st32(SESSION_FIRST, mediaCount());
  st32(SESSION_LINES, lines);
  st32(MESSAGE + MESSAGE_SDP, p);
}

/** Decodes the description in [p, end), whose lines are numbered from `lines`: 0, or LINE_EARLY. Returns 0 or a fault. */
export function sessionDecode(p: i32, end: i32, lines: i32): i32 {
  sessionBegin(p, lines);
  if (lines === 0) st32(MESSAGE + MESSAGE_FLAGS, ld32(MESSAGE + MESSAGE_FLAGS) | MESSAGE_FLAG_SESSION);
  let line: i32 = p;
  while (line < end) {
    const lf: i32 = scan8(line, end, 10);
    const type: i32 = lf - line > 2 ? ld16be(line) : 0;
    if (type === TYPE_ATTRIBUTE && isCodecLine(line + 2)) {
      line = lf + 1;
      continue;
    }
    const result: i32 = lineRead(type, line, lf < end ? lf + 1 : end, ld8(lf - 1) === 13 ? lf - 1 : lf);
    if (result < 0) return result;
    line = lf + 1;
  }
  connectionsSettle();
  return 0;
}

/** Reads the line [line, next) of this TYPE_*, whose text ends at `end`. Returns 0 or a fault. */
function lineRead(type: i32, line: i32, next: i32, end: i32): i32 {
  if (type === TYPE_ATTRIBUTE) return attributeLineRead(line, next, line + 2, end);
  if (type === TYPE_MEDIA) return mediaRead(line + 2, end, next);
  if (type === TYPE_TITLE) {
    titleRead(next);
    return 0;
  }
  if (type === TYPE_CONNECTION) return connectionRead(line + 2, end);
  return type === TYPE_ORIGIN ? originRead(line + 2, end) : 0;
}

/**
 * Decodes the candidates in [p, end), which INFO brings on their own (RFC 8840 9.2): its m= lines only say what they belong
 * to, so nothing but the ICE lines makes mentions. Returns 0 or a fault.
 */
export function fragmentDecode(p: i32, end: i32): i32 {
  sessionBegin(p, 0);
  let line: i32 = p;
  while (line < end) {
    const lf: i32 = scan8(line, end, 10);
    const stop: i32 = ld8(lf - 1) === 13 ? lf - 1 : lf;
    const ice: boolean = lf - line > 2 && ld16be(line) === TYPE_ATTRIBUTE && attributeRead(line + 2, scan8(line + 2, stop, 58)) === ATTRIBUTE_ICE;
    const result: i32 = ice ? lineMention(ROLE_SDP_ICE, line, lf < end ? lf + 1 : end) : 0;
    if (result < 0) return result;
    line = lf + 1;
  }
  return 0;
}
