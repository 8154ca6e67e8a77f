/*
 * Documents that name dialogs, registrations and resources (RFC 4235 4, RFC 3680 5, RFC 4575 5, RFC 4662 5, RFC 4826 3), in a
 * service that hides its topology: Call-IDs are those of the headers, so that a call that is shown can be picked up by
 * Replaces; URIs are mapped as in Refer-To, and those that say where somebody is reached as in Contact.
 * Read tag by tag, without a parser: what is no tag with attributes, or no text of an element, passes.
 */

import { equal, ld8, scan8, scanSpace, st32 } from "../../machine.ts";
import { EDIT_MAX, MESSAGE } from "../../memory/layout.ts";
import { isInbound } from "../../memory/context.ts";
import { MESSAGE_MENTION_COUNT, ROLE_REFER_TO, ROLE_TARGET } from "../../memory/message.ts";
import { fold16, fold32, fold8, isHyphen, spaceSkip, spaceTrim } from "../../bytes/word.ts";
import { mentionCount } from "../../decode/mention.ts";
import { schemeRead, uriRead } from "../../decode/sip/uri.ts";
import { editCount } from "../../encode/edit.ts";
import { inboundMap, outboundMap } from "../address.ts";
import { callIdMapXml } from "./entity.ts";
import { exposedNote } from "./hiding.ts";

/** Edits that the rest of a message may need. */
const EDITS_KEPT: i32 = 64;
/** The longest name of an element or attribute that is looked at, and the attributes behind an id among which its Call-ID may be. */
const NAME_MAX: i32 = 64;
const ATTRIBUTES_MAX: i32 = 8;

/** "call-id" (RFC 4235 4.1.3, RFC 4575 5.9) or "callid" (RFC 3680 5.1). */
function isCallId(p: i32, end: i32): boolean {
  if (end - p < 6 || fold32(p) !== 0x6c6c6163) return false;
  if (end - p === 6) return fold16(p + 4) === 0x6469;
  return end - p === 7 && isHyphen(p + 4) && fold16(p + 5) === 0x6469;
}

/** "uri", whose text is a contact's in reginfo (RFC 3680 5.1). */
function isUri(p: i32, end: i32): boolean {
  return end - p === 3 && fold16(p) === 0x7275 && fold8(p + 2) === 0x69;
}

/** "target" (RFC 4235 4.1.6.2). */
function isTarget(p: i32, end: i32): boolean {
  return end - p === 6 && fold32(p) === 0x67726174 && fold16(p + 4) === 0x7465;
}

function isId(p: i32, end: i32): boolean {
  return end - p === 2 && fold16(p) === 0x6469;
}

/** Position of the name behind its namespace's prefix. */
function localName(p: i32, end: i32): i32 {
  const colon: i32 = scan8(p, end, 58);
  return colon < end ? colon + 1 : p;
}

/** Exclusive end of a name in a tag, NAME_MAX characters at most: so a tag is read in as many steps as it has bytes. */
function nameEnd(p: i32, end: i32): i32 {
  const most: i32 = end - p > NAME_MAX ? p + NAME_MAX : end;
  return scanSpace(p, scan8(p, scan8(p, most, 47), 61));
}

/** Maps the URI in [p, end), if it is one. */
function uriMap(role: i32, p: i32, end: i32): void {
  if (schemeRead(p, end) === 0) return;
  if (editCount() > EDIT_MAX - EDITS_KEPT) {
    exposedNote();
    return;
  }
  const count: i32 = mentionCount();
  const m: i32 = uriRead(role, p, end);
  if (m < 0) exposedNote();
  else if (m > 0 && isInbound()) inboundMap(m);
  else if (m > 0) outboundMap(m);
  st32(MESSAGE + MESSAGE_MENTION_COUNT, count);
}

function callIdMap(p: i32, end: i32): void {
  if (editCount() > EDIT_MAX - EDITS_KEPT) exposedNote();
  else callIdMapXml(p, end);
}

/** Position of the value of the attribute whose name ends at `p`, 0 when it has none in quotes. */
function valueFind(p: i32, end: i32): i32 {
  const equals: i32 = spaceSkip(p, end);
  if (equals >= end || ld8(equals) !== 61) return 0;
  const quote: i32 = spaceSkip(equals + 1, end);
  return quote < end && (ld8(quote) === 34 || ld8(quote) === 39) ? quote + 1 : 0;
}

/** Is the value [p, stop) said again by the Call-ID of the tag that goes on there and ends at `end`? */
function isRepeated(p: i32, stop: i32, end: i32): boolean {
  let at: i32 = spaceSkip(stop + 1, end);
  for (let i: i32 = 0; i < ATTRIBUTES_MAX && at < end; i++) {
    const name: i32 = at;
    const after: i32 = nameEnd(name, end);
    const value: i32 = valueFind(after, end);
    if (value === 0) return false;
    const valueEnd: i32 = scan8(value, end, ld8(value - 1));
    if (isCallId(name, after)) return valueEnd - value === stop - p && equal(value, p, stop - p);
    at = spaceSkip(valueEnd + 1, end);
  }
  return false;
}

/** Maps the attributes of the tag [p, end), whose element is a target or not. */
function attributesMap(p: i32, end: i32, target: boolean): void {
  let at: i32 = spaceSkip(p, end);
  while (at < end) {
    const name: i32 = at;
    const after: i32 = nameEnd(name, end);
    const value: i32 = valueFind(after, end);
    if (value === 0) {
      at = spaceSkip(after > name ? after : name + 1, end);
      continue;
    }
    const stop: i32 = scan8(value, end, ld8(value - 1));
    if (stop === end) return;
    if (isCallId(name, after) || (isId(name, after) && isRepeated(value, stop, end))) callIdMap(value, stop);
    else uriMap(target ? ROLE_TARGET : ROLE_REFER_TO, value, stop);
    at = spaceSkip(stop + 1, end);
  }
}

/** Exclusive end of the tag that begins at `p`: its bracket, outside of quotes. */
function tagEnd(p: i32, end: i32): i32 {
  let at: i32 = p;
  while (at < end && ld8(at) !== 62) {
    const c: i32 = ld8(at);
    at = c === 34 || c === 39 ? scan8(at + 1, end, c) + 1 : at + 1;
  }
  return at < end ? at : end;
}

/** Maps the text [p, end) of the element whose name is [name, stop). */
function textMap(name: i32, stop: i32, p: i32, end: i32): void {
  const from: i32 = spaceSkip(p, end);
  const to: i32 = spaceTrim(from, end);
  if (from >= to) return;
  if (isCallId(name, stop)) callIdMap(from, to);
  else uriMap(isUri(name, stop) ? ROLE_TARGET : ROLE_REFER_TO, from, to);
}

/** Maps the document in [p, end). */
export function documentMap(p: i32, end: i32): void {
  let at: i32 = scan8(p, end, 60);
  while (at < end) {
    const stop: i32 = tagEnd(at + 1, end);
    const after: i32 = nameEnd(at + 1, stop);
    const name: i32 = localName(at + 1, after);
    const next: i32 = scan8(stop, end, 60);
    attributesMap(after, stop, isTarget(name, after));
    if (stop < end) textMap(name, after, stop + 1, next);
    at = next;
  }
}
