/*
 * Terminals that use E as their domain (`domain:` of a service): where an identity is written with E as its host the server
 * sees the domain, and the terminal sees E where the server writes the domain, letter by letter as configured. Without a
 * port only: that is how an address of record is written (RFC 3261 10.2), and so nothing is lost on the way back.
 * A digest's uri and realm stay, since the digest covers them (RFC 3261 22.4).
 */

import { equal, ld32, ld8, mul, scan8, scanSpace, st32 } from "../../machine.ts";
import { DOMAINS, DOMAIN_SIZE, MESSAGE } from "../../memory/layout.ts";
import { SERVICE_ADDRESS } from "../../memory/config.ts";
import { CONTEXT_SERVICE, CONTEXT_SERVICE_AT, isInbound } from "../../memory/context.ts";
import {
  FORM_NAME,
  MENTION_ADDRESS,
  MENTION_AT,
  MENTION_FORM,
  MENTION_HOST_END,
  MENTION_PORT,
  MENTION_TOKEN,
  MESSAGE_MENTION_COUNT,
  MESSAGE_TO_URI,
  MESSAGE_TO_URI_LEN,
  ROLE_REQUEST_URI,
} from "../../memory/message.ts";
import { addressEqual } from "../../bytes/address.ts";
import { spaceSkip } from "../../bytes/word.ts";
import { mentionCount } from "../../decode/mention.ts";
import { quoteSkip, uriRead } from "../../decode/sip/uri.ts";
import { editAppend, textBytes, textHost, textMark, textRoom } from "../../encode/edit.ts";

/** Where the domain of the service in hand stands: its length, then the name. */
function domainAt(): i32 {
  return DOMAINS + mul(ld32(CONTEXT_SERVICE), DOMAIN_SIZE);
}

export function hasDomain(): boolean {
  return ld8(domainAt()) !== 0;
}

/** Is this the domain, as it was configured and without a port? */
export function isDomain(m: i32): boolean {
  const p: i32 = ld32(m + MENTION_AT);
  const len: i32 = ld8(domainAt());
  return ld32(m + MENTION_FORM) === FORM_NAME && len !== 0 && ld32(m + MENTION_HOST_END) - p === len && equal(p, domainAt() + 1, len);
}

/** Is this E without a port? */
function isService(m: i32): boolean {
  if (ld32(m + MENTION_FORM) === FORM_NAME || ld32(m + MENTION_PORT) >= 0 || ld32(m + MENTION_TOKEN) !== 0) return false;
  return addressEqual(m + MENTION_ADDRESS, ld32(CONTEXT_SERVICE_AT) + SERVICE_ADDRESS);
}

function serviceWrite(): void {
  textHost(ld32(CONTEXT_SERVICE_AT) + SERVICE_ADDRESS, -1);
}

/** Writes the domain over host and port. */
export function domainReplace(m: i32): void {
  if (!textRoom(DOMAIN_SIZE)) return;
  const mark: i32 = textMark();
  textBytes(domainAt() + 1, ld8(domainAt()));
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END), mark);
}

/** Writes E over the domain. */
export function domainRestore(m: i32): void {
  const mark: i32 = textMark();
  serviceWrite();
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END), mark);
}

/** Maps the host of the URI in [p, end), which no mention stands for. */
function uriMap(p: i32, end: i32): void {
  const count: i32 = mentionCount();
  const m: i32 = uriRead(ROLE_REQUEST_URI, p, end);
  if (m > 0) {
    if (!isInbound()) {
      if (isDomain(m)) domainRestore(m);
    } else if (isService(m)) domainReplace(m);
  }
  st32(MESSAGE + MESSAGE_MENTION_COUNT, count);
}

/** Maps the identities in the value [p, end) of a header: name-addr or addr-spec, perhaps with commas between them. */
export function identitiesMap(p: i32, end: i32): void {
  let at: i32 = p;
  while (at < end) {
    const from: i32 = spaceSkip(at, end);
    const name: i32 = from < end && ld8(from) === 34 ? quoteSkip(from, end) : from;
    const open: i32 = scan8(name, end, 60);
    const uri: i32 = open < end ? open + 1 : from;
    const stop: i32 = open < end ? scan8(uri, end, 62) : scanSpace(from, scan8(from, scan8(from, end, 44), 59));
    uriMap(uri, stop);
    at = scan8(stop, end, 44) + 1;
  }
}

/** Makes the To URI of a response to REGISTER, by which tables know a registration, the one that the terminal wrote. */
export function recordRestore(): void {
  const p: i32 = ld32(MESSAGE + MESSAGE_TO_URI);
  const end: i32 = p + ld32(MESSAGE + MESSAGE_TO_URI_LEN);
  const count: i32 = mentionCount();
  const m: i32 = uriRead(ROLE_REQUEST_URI, p, end);
  st32(MESSAGE + MESSAGE_MENTION_COUNT, count);
  if (m <= 0 || !isDomain(m) || !textRoom(end - p + ld8(domainAt()))) return;
  const mark: i32 = textMark();
  textBytes(p, ld32(m + MENTION_AT) - p);
  serviceWrite();
  textBytes(ld32(m + MENTION_HOST_END), end - ld32(m + MENTION_HOST_END));
  st32(MESSAGE + MESSAGE_TO_URI, mark);
  st32(MESSAGE + MESSAGE_TO_URI_LEN, textMark() - mark);
}
