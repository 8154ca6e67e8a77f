/*
 * Alternative network address types (RFC 4091): m= lines of one group are one stream at addresses of several families. Our
 * address there is of one family, so one line is left, of the family that our side of its sender has; the others get port
 * 0, as an answerer gives them (5), and the group goes.
 */

import { equal, ld32, ld8, scanSpace, st32 } from "../../machine.ts";
import {
  MEDIA_CONNECTION_MENTION,
  MEDIA_FLAGS,
  MEDIA_FLAG_DROPPED,
  MEDIA_MID,
  MEDIA_MID_LEN,
  MEDIA_PORT,
  MENTION_AT,
  MENTION_ROLE,
  MENTION_URI,
  MENTION_URI_END,
  ROLE_SDP_ALTERNATIVE,
} from "../../memory/message.ts";
import { isMapped } from "../../bytes/address.ts";
import { mentionAt, mentionCount } from "../../decode/mention.ts";
import { mediaAt, mediaCount } from "../../decode/sdp/session.ts";
import { mediaAddress, senderSide } from "./side.ts";

/** Index of the media whose a=mid is [p, end), -1 for none. */
function midFind(p: i32, end: i32): i32 {
  for (let i: i32 = 0; i < mediaCount(); i++) {
    const media: i32 = mediaAt(i);
    if (ld32(media + MEDIA_MID_LEN) === end - p && equal(ld32(media + MEDIA_MID), p, end - p)) return i;
  }
  return -1;
}

/** Is the address of a media of this family, "4" or "6"? */
function isFamily(media: i32, family: i32): boolean {
  const connection: i32 = ld32(media + MEDIA_CONNECTION_MENTION);
  return connection >= 0 && ld8(ld32(mentionAt(connection) + MENTION_AT) + 2) === family;
}

/** Where a name begins at or after `p`: behind all that ends one, white space or not. */
function nameBegin(p: i32, end: i32): i32 {
  let at: i32 = p;
  while (at < end && ld8(at) <= 32) at++;
  return at;
}

/** Index of the media of the group [p, end) that is left: the first of our family, else the first; -1 when it has none. */
function keptFind(p: i32, end: i32): i32 {
  const family: i32 = isMapped(mediaAddress(senderSide())) ? 52 : 54;
  let first: i32 = -1;
  let at: i32 = nameBegin(p, end);
  while (at < end) {
    const stop: i32 = scanSpace(at, end);
    const index: i32 = midFind(at, stop);
    if (index >= 0 && ld32(mediaAt(index) + MEDIA_PORT) !== 0) {
      if (isFamily(mediaAt(index), family)) return index;
      if (first < 0) first = index;
    }
    at = nameBegin(stop, end);
  }
  return first;
}

function groupReduce(p: i32, end: i32): void {
  const kept: i32 = keptFind(p, end);
  let at: i32 = nameBegin(p, end);
  while (at < end) {
    const stop: i32 = scanSpace(at, end);
    const index: i32 = midFind(at, stop);
    if (index >= 0 && index !== kept) {
      const media: i32 = mediaAt(index);
      st32(media + MEDIA_PORT, 0);
      st32(media + MEDIA_FLAGS, ld32(media + MEDIA_FLAGS) | MEDIA_FLAG_DROPPED);
    }
    at = nameBegin(stop, end);
  }
}

/** Leaves one line of each group of the message in hand. */
export function anatReduce(): void {
  for (let i: i32 = 0; i < mentionCount(); i++) {
    const m: i32 = mentionAt(i);
    if (ld32(m + MENTION_ROLE) === ROLE_SDP_ALTERNATIVE && ld32(m + MENTION_URI) !== 0) groupReduce(ld32(m + MENTION_URI), ld32(m + MENTION_URI_END));
  }
}
