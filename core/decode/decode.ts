/*
 * Which decoder a body goes to: the head first, then application/sdp, candidates alone, or documents, by itself or inside a multipart body.
 */

import { ld32 } from "../machine.ts";
import { MESSAGE, SCRATCH_ADDRESS } from "../memory/layout.ts";
import {
  CONTENT_DOCUMENT,
  CONTENT_FRAGMENT,
  CONTENT_MULTIPART,
  CONTENT_SDP,
  LINE_EARLY,
  MESSAGE_BODY,
  MESSAGE_CONTENT,
  MESSAGE_END,
  MESSAGE_FLAGS,
  MESSAGE_FLAG_EARLY,
  MESSAGE_FLAG_ENCODED,
  ROLE_DOCUMENT,
} from "../memory/message.ts";
import { FAULT_MENTIONS, fault } from "../memory/reason.ts";
import { mentionAppend } from "./mention.ts";
import { fragmentDecode, sessionDecode } from "./sdp/session.ts";
import { roomWhole } from "./room.ts";
import { messageDecode } from "./sip/message.ts";
import { PART_AT, PART_CONTENT, PART_EARLY, PART_END, multipartOpen, partNext } from "./sip/part.ts";

/** Parts of one body that are decoded. */
const PART_MAX: i32 = 32;

/** Decodes the SIP message in [p, end) into the Message record and its mentions, for which it has all the room there is. Returns 0 or a fault. */
export function sipDecode(p: i32, end: i32): i32 {
  roomWhole();
  return sipDecodeInto(p, end);
}

/** The same with the room that it was given. */
export function sipDecodeInto(p: i32, end: i32): i32 {
  const result: i32 = messageDecode(p, end);
  if (result < 0) return result;
  const flags: i32 = ld32(MESSAGE + MESSAGE_FLAGS);
  if ((flags & MESSAGE_FLAG_ENCODED) !== 0) return 0;
  const content: i32 = ld32(MESSAGE + MESSAGE_CONTENT);
  const body: i32 = ld32(MESSAGE + MESSAGE_BODY);
  const stop: i32 = ld32(MESSAGE + MESSAGE_END);
  if (content === CONTENT_SDP) return sessionDecode(body, stop, (flags & MESSAGE_FLAG_EARLY) !== 0 ? LINE_EARLY : 0);
  if (content === CONTENT_FRAGMENT) return fragmentDecode(body, stop);
  if (content === CONTENT_DOCUMENT) return documentNote(body, stop);
  return content === CONTENT_MULTIPART && multipartOpen() ? partsDecode(body, stop) : 0;
}

/** A document is read by who hides what it names. */
function documentNote(p: i32, end: i32): i32 {
  return mentionAppend(ROLE_DOCUMENT, p, end) === 0 ? fault(FAULT_MENTIONS, p) : 0;
}

/** Decodes the part that stands in [p, end). Returns 0 or a fault. */
function partDecode(part: i32, p: i32, end: i32): i32 {
  const content: i32 = ld32(part + PART_CONTENT);
  if (content === CONTENT_FRAGMENT) return fragmentDecode(p, end);
  if (content === CONTENT_DOCUMENT) return documentNote(p, end);
  return sessionDecode(p, end, ld32(part + PART_EARLY) !== 0 ? LINE_EARLY : 0);
}

function partsDecode(body: i32, end: i32): i32 {
  const part: i32 = SCRATCH_ADDRESS;
  let at: i32 = body;
  for (let i: i32 = 0; i < PART_MAX; i++) {
    at = partNext(at, end, part);
    if (at <= 0) return at;
    const result: i32 = partDecode(part, ld32(part + PART_AT), ld32(part + PART_END));
    if (result < 0) return result;
  }
  return 0;
}
