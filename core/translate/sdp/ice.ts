/*
 * ICE in descriptions (RFC 8839, RFC 8840): stripped to the last line, kept with a relay candidate of ours as the default
 * of the new c= and m= lines (4.2.5), or passed with c= and m= untouched, as the service says or the call requires.
 * Invariant: never half. What is stripped from a description is stripped from the candidates that INFO brings, too.
 */

import { ld32, ld8, scanSpace, st32 } from "../../machine.ts";
import { MESSAGE, SCRATCH_ADDRESS } from "../../memory/layout.ts";
import { ICE_PASS, ICE_RELAY, ICE_STRIP, SERVICE_ICE } from "../../memory/config.ts";
import { CONTEXT_CALL, CONTEXT_SERVICE_AT } from "../../memory/context.ts";
import {
  MEDIA_ADDRESS,
  MEDIA_FLAGS,
  MEDIA_FLAG_CANDIDATES,
  MEDIA_FLAG_ICE,
  MEDIA_FLAG_MUX,
  MEDIA_FLAG_RELAY,
  MEDIA_FLOW,
  MEDIA_PORT,
  MEDIA_PROTO,
  MENTION_AT,
  MENTION_END,
  MENTION_MEDIA,
  MENTION_ROLE,
  MESSAGE_FLAGS,
  MESSAGE_FLAG_REQUIRE_ICE,
  PROTO_RTP,
  ROLE_SDP_ICE,
} from "../../memory/message.ts";
import { SIDE_PORT } from "../../memory/tables.ts";
import { addressEqual, ip4Read, ip6Read, isUnspecified } from "../../bytes/address.ts";
import { mentionAt, mentionCount } from "../../decode/mention.ts";
import { mediaAt } from "../../decode/sdp/session.ts";
import { editAppend, textAddress, textByte, textDecimal, textMark, textWord } from "../../encode/edit.ts";
import { isIceKept } from "./exchange.ts";
import { mediaAddress, mediaAddressThere, otherSide, senderSide } from "./side.ts";

/** Port of a default destination that is none yet (RFC 8840 4.1.1). */
const PORT_TRICKLE: i32 = 9;
/** Characters of "a=remote-candidates:1 ". */
const REMOTE_PREFIX: i32 = 22;

function iceMode(): i32 {
  const mode: i32 = ld32(ld32(CONTEXT_SERVICE_AT) + SERVICE_ICE);
  const call: i32 = ld32(CONTEXT_CALL);
  const required: boolean = (ld32(MESSAGE + MESSAGE_FLAGS) & MESSAGE_FLAG_REQUIRE_ICE) !== 0 || (call >= 0 && isIceKept(call));
  return required && mode === ICE_STRIP ? ICE_RELAY : mode;
}

function hasIce(media: i32): boolean {
  return (ld32(media + MEDIA_FLAGS) & MEDIA_FLAG_ICE) !== 0;
}

/** Does this media line pass untouched, ICE and c= and m= lines together? */
export function isIcePassed(media: i32): boolean {
  return hasIce(media) && iceMode() === ICE_PASS;
}

/** Is its default destination none, since candidates are to come (0.0.0.0 and port 9)? That is no mismatch, and stays (RFC 8839 4.2.5). */
export function isTrickled(media: i32): boolean {
  return hasIce(media) && ld32(media + MEDIA_PORT) === PORT_TRICKLE && isUnspecified(media + MEDIA_ADDRESS);
}

/* First letters of ICE attributes: a=candidate, a=remote-candidates. */
const LETTER_CANDIDATE: i32 = 99;
const LETTER_REMOTE: i32 = 114;

function letterOf(m: i32): i32 {
  return ld8(ld32(m + MENTION_AT) + 2) | 0x20;
}

/** Takes the whole line out. */
export function lineRemove(m: i32): void {
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
  textAddress(mediaAddressThere());
  textByte(32);
  textDecimal(port);
  textWord(0x20747970, 4);
  textWord(0x2072656c, 4);
  textWord(0x61792072, 4);
  textWord(0x61646472, 4);
  textByte(32);
  textAddress(mediaAddressThere());
  textWord(0x2072706f, 4);
  textWord(0x72742000, 3);
  textDecimal(port);
  textWord(0x0d0a0000, 2);
}

/** Has this media line a candidate for RTCP, from the mention `index` on? */
function hasSecond(index: i32, line: i32): boolean {
  for (let i: i32 = index; i < mentionCount(); i++) {
    const m: i32 = mentionAt(i);
    if (ld32(m + MENTION_ROLE) !== ROLE_SDP_ICE || ld32(m + MENTION_MEDIA) !== line || letterOf(m) !== LETTER_CANDIDATE) continue;
    const at: i32 = scanSpace(ld32(m + MENTION_AT), ld32(m + MENTION_END));
    if (ld8(at + 1) === 50 && ld8(at + 2) === 32) return true;
  }
  return false;
}

/** Our relay candidates before the first of a media, or before its other ICE lines: one for each component that it may have (RFC 5761 5.1.3). */
function candidatesInsert(index: i32, media: i32): void {
  const m: i32 = mentionAt(index);
  const flags: i32 = ld32(media + MEDIA_FLAGS);
  if ((flags & MEDIA_FLAG_RELAY) !== 0 || ((flags & MEDIA_FLAG_CANDIDATES) !== 0 && letterOf(m) !== LETTER_CANDIDATE)) return;
  st32(media + MEDIA_FLAGS, flags | MEDIA_FLAG_RELAY);
  const port: i32 = ld32(otherSide(ld32(media + MEDIA_FLOW)) + SIDE_PORT);
  const mark: i32 = textMark();
  candidateWrite(1, port);
  const second: boolean = (flags & MEDIA_FLAG_MUX) === 0 || hasSecond(index, ld32(m + MENTION_MEDIA));
  if (ld32(media + MEDIA_PROTO) === PROTO_RTP && second) candidateWrite(2, port + 1);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_AT), mark);
}

/** Is this a=remote-candidates with our own address? Nobody behind us has that one, and it only settles a race (RFC 8839 4.4.1.2.2). */
function isOursRemote(m: i32): boolean {
  const at: i32 = ld32(m + MENTION_AT) + REMOTE_PREFIX;
  const end: i32 = ld32(m + MENTION_END);
  if (letterOf(m) !== LETTER_REMOTE || at >= end) return false;
  const literal: boolean = ip4Read(at, end, SCRATCH_ADDRESS) !== 0 || ip6Read(at, end, SCRATCH_ADDRESS) !== 0;
  return literal && addressEqual(SCRATCH_ADDRESS, mediaAddress(senderSide()));
}

/** Keeps an ICE line beside our candidates; one of a media that is not relayed goes. */
function iceKeepLine(index: i32): void {
  const m: i32 = mentionAt(index);
  const line: i32 = ld32(m + MENTION_MEDIA);
  if (line < 0) return;
  const media: i32 = mediaAt(line);
  if (ld32(media + MEDIA_FLOW) < 0) {
    lineRemove(m);
    return;
  }
  candidatesInsert(index, media);
  if (isOursRemote(m)) lineRemove(m);
}

/** Maps one ICE line. */
export function iceMap(index: i32): void {
  const mode: i32 = iceMode();
  if (mode === ICE_STRIP) lineRemove(mentionAt(index));
  else if (mode === ICE_RELAY) iceKeepLine(index);
}
