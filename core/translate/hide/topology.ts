/*
 * The mentions that only a service looks at that hides its topology (CONFORMANCE 28). Vias below the top one become E, or C:c,
 * with a seal over all they said, and come back with the response; Call-IDs in the headers of a URI are turned.
 * Invariant: the number of Vias stays, and a response restores every byte of them.
 */

import { ld32, ld8, scan8, scanSpace } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import { CONTEXT_BINDING, CONTEXT_SERVICE_AT, isInbound } from "../../memory/context.ts";
import {
  FORM_NAME,
  MENTION_ADDRESS,
  MENTION_AT,
  MENTION_FLAG_BARE,
  MENTION_FORM,
  MENTION_HOST_END,
  MENTION_ROLE,
  MENTION_ROLE_MASK,
  MENTION_URI_END,
  MESSAGE_BODY,
  MESSAGE_STATUS,
  ROLE_CONTACT,
  ROLE_REFER_TO,
  ROLE_VIA_LOWER,
} from "../../memory/message.ts";
import { REASON_LOOP } from "../../memory/reason.ts";
import { SEAL_TEXT, sealPut, sealRead } from "../../bytes/seal.ts";
import { spaceSkip, spaceTrim, tokenEnd } from "../../bytes/word.ts";
import { mentionAppend, mentionAt, mentionCount, mentionDrop } from "../../decode/mention.ts";
import { TRACE_CALL_ID, TRACE_DIALOG, traceRead } from "../../decode/sip/trace.ts";
import { hostRead, portRead } from "../../decode/sip/uri.ts";
import { TOKEN_OWN, viaTokenFind } from "../../decode/sip/via.ts";
import { editAppend, textBytes, textMark, textRoom } from "../../encode/edit.ts";
import { isMapping } from "../../table/binding.ts";
import { bindingReplace, portOrDefault, refuse, serviceWrite } from "../address.ts";
import { callIdMapEscaped } from "./callid.ts";
import { HIDDEN_VIA, exposedNote, isSealable, purposeFrom, purposeTo, sealedAppend } from "./hiding.ts";

/** Exclusive end of a lower Via, 0 when the decoder could not read it to its end. */
function viaEnd(m: i32): i32 {
  const end: i32 = ld32(m + MENTION_URI_END);
  if (end === 0 || (ld8(end) > 32 && ld8(end) !== 44)) return 0;
  return spaceTrim(ld32(m + MENTION_AT), end);
}

/** Opens what a lower Via holds for the side that the message goes to, into SEAL_TEXT. Returns its length, -1 when there is nothing, or something behind it that is no parameter. */
function viaOpen(m: i32, end: i32): i32 {
  const token: i32 = viaTokenFind(ld32(m + MENTION_HOST_END), end, TOKEN_OWN);
  const stop: i32 = token === 0 ? end : tokenEnd(token, end);
  const next: i32 = spaceSkip(stop, end);
  if (token === 0 || (next < end && ld8(next) !== 59)) return -1;
  return sealRead(purposeTo(HIDDEN_VIA), token, stop - token);
}

/** A Via that was hidden and comes back in a request: with one of our mappings in it the request has been here (as in sip.ts). */
function loopCheck(m: i32, end: i32): void {
  const len: i32 = viaOpen(m, end);
  const held: i32 = len > 0 ? mentionAppend(ROLE_VIA_LOWER, SEAL_TEXT, SEAL_TEXT) : 0;
  if (held === 0) return;
  const hostEnd: i32 = hostRead(held, SEAL_TEXT, SEAL_TEXT + len);
  const read: boolean = hostEnd !== 0 && portRead(held, hostEnd, SEAL_TEXT + len) !== 0 && ld32(held + MENTION_FORM) !== FORM_NAME;
  if (read && isMapping(held + MENTION_ADDRESS, portOrDefault(held))) refuse(REASON_LOOP);
  mentionDrop();
}

/** A lower Via of a request: where it came by is the sender's side's. */
function viaHide(m: i32): void {
  const at: i32 = ld32(m + MENTION_AT);
  const end: i32 = viaEnd(m);
  if (end === 0) {
    exposedNote();
    return;
  }
  if (isInbound()) loopCheck(m, end);
  const hostEnd: i32 = ld32(m + MENTION_HOST_END);
  if (!isSealable(end - at)) return;
  if (isInbound()) {
    bindingReplace(m, ld32(CONTEXT_BINDING));
  } else {
    const host: i32 = textMark();
    serviceWrite(ld32(CONTEXT_SERVICE_AT), 5060);
    editAppend(at, hostEnd, host);
  }
  const mark: i32 = textMark();
  sealPut(0, at, end - at);
  sealedAppend(purposeFrom(HIDDEN_VIA), end - at);
  editAppend(hostEnd, end, mark);
}

/** A lower Via of a response: one that was hidden says again what it said. */
function viaRestore(m: i32): void {
  const end: i32 = viaEnd(m);
  const len: i32 = end === 0 ? -1 : viaOpen(m, end);
  if (len < 0 || !textRoom(len)) return;
  const mark: i32 = textMark();
  textBytes(SEAL_TEXT, len);
  editAppend(ld32(m + MENTION_AT), end, mark);
}

/** The headers of a URI (RFC 3261 19.1.1), which a Refer-To has for the request that it asks for (RFC 3515 2.1). */
function uriHeadersMap(m: i32): void {
  const bare: boolean = (ld32(m + MENTION_ROLE) & MENTION_FLAG_BARE) !== 0;
  const end: i32 = bare ? scanSpace(ld32(m + MENTION_URI_END), ld32(MESSAGE + MESSAGE_BODY)) : ld32(m + MENTION_URI_END);
  let at: i32 = scan8(ld32(m + MENTION_HOST_END), end, 63);
  while (at < end) {
    const stop: i32 = scan8(at + 1, end, 38);
    const equals: i32 = scan8(at + 1, stop, 61);
    const trace: i32 = traceRead(at + 1, equals);
    if (equals < stop && (trace === TRACE_DIALOG || trace === TRACE_CALL_ID)) callIdMapEscaped(equals + 1, stop);
    at = stop;
  }
}

/** Hides what the sender of the message in hand has, and restores what was hidden for the side that it goes to. */
export function topologyMap(): void {
  const request: boolean = ld32(MESSAGE + MESSAGE_STATUS) === 0;
  const count: i32 = mentionCount();
  for (let i: i32 = 0; i < count; i++) {
    const m: i32 = mentionAt(i);
    const role: i32 = ld32(m + MENTION_ROLE) & MENTION_ROLE_MASK;
    if (role === ROLE_CONTACT || role === ROLE_REFER_TO) uriHeadersMap(m);
    else if (role === ROLE_VIA_LOWER && request) viaHide(m);
    else if (role === ROLE_VIA_LOWER) viaRestore(m);
  }
}
