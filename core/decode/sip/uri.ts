/*
 * URIs and the headers that list them (RFC 3261 19.1, 20.10, 25.1): name-addr and addr-spec, quoted display names,
 * commas only at top level. Only sip: and sips: hosts become mentions; user parts stay as they are.
 * Invariant: a URI that does not parse makes no mention and is passed untouched.
 */

import { ld32, ld8, scan8, st32 } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import {
  FORM_IP4,
  FORM_IP6,
  FORM_NAME,
  MENTION_ADDRESS,
  MENTION_END,
  MENTION_FLAG_BARE,
  MENTION_FLAG_LOOSE,
  MENTION_FLAG_SIPS,
  MENTION_FORM,
  MENTION_HOST_END,
  MENTION_PORT,
  MENTION_ROLE,
  MENTION_TOKEN,
  MENTION_TOKEN_LEN,
  MENTION_URI,
  MENTION_URI_END,
  MENTION_USER,
  MENTION_USER_LEN,
  MESSAGE_CONTACT_COUNT,
  MESSAGE_FLAGS,
  MESSAGE_FLAG_CONTACT_STAR,
  ROLE_CONTACT,
  ROLE_CONTACT_EXPIRES,
} from "../../memory/message.ts";
import { FAULT_HEADER, FAULT_MENTIONS, fault } from "../../memory/reason.ts";
import { ip4Read, ip6Read } from "../../bytes/address.ts";
import { CLASS_HOST, classEnd, classHas } from "../../bytes/class.ts";
import { decimalRead, digitsEnd } from "../../bytes/decimal.ts";
import { fold16, fold32, fold8, isSpace, spaceSkip, tokenEnd } from "../../bytes/word.ts";
import { mentionAppend, mentionDrop, mentionNumber } from "../mention.ts";
import { transportNote } from "./transport.ts";

/** Position after the closing quote of the quoted-string that begins at `p`, or `end`. */
export function quoteSkip(p: i32, end: i32): i32 {
  let at: i32 = p + 1;
  while (at < end && ld8(at) !== 34) at = ld8(at) === 92 ? at + 2 : at + 1;
  return at < end ? at + 1 : end;
}

/**
 * Reads a host at `p` into a mention: its form, and its address when it is a literal (RFC 3261 25.1 host).
 * Returns the position after it, or 0.
 */
export function hostRead(m: i32, p: i32, end: i32): i32 {
  if (p < end && ld8(p) === 91) {
    const stop: i32 = ip6Read(p + 1, end, m + MENTION_ADDRESS);
    if (stop === 0 || stop >= end || ld8(stop) !== 93) return 0;
    st32(m + MENTION_FORM, FORM_IP6);
    return stop + 1;
  }
  const quad: i32 = ip4Read(p, end, m + MENTION_ADDRESS);
  if (quad !== 0 && (quad >= end || !classHas(ld8(quad), CLASS_HOST))) {
    st32(m + MENTION_FORM, FORM_IP4);
    return quad;
  }
  const at: i32 = classEnd(p, end, CLASS_HOST);
  st32(m + MENTION_FORM, FORM_NAME);
  return at === p ? 0 : at;
}

/** Reads `:port` at `p` (white space allowed around the colon in a Via). Returns the position after it, `p` when there is none, 0 when it is wrong. */
export function portRead(m: i32, p: i32, end: i32): i32 {
  const colon: i32 = spaceSkip(p, end);
  if (colon >= end || ld8(colon) !== 58) return p;
  const from: i32 = spaceSkip(colon + 1, end);
  const stop: i32 = digitsEnd(from, end);
  const port: i32 = stop - from > 9 ? -1 : decimalRead(from, stop);
  if (port < 0 || port > 65535) return 0;
  st32(m + MENTION_PORT, port);
  return stop;
}

/** "cvt" at [p, p+3): the parameter that carries our token. */
export function isTokenName(p: i32, end: i32): boolean {
  return end - p === 3 && fold16(p) === 0x7663 && fold8(p + 2) === 0x74;
}

function isTransport(p: i32, end: i32): boolean {
  return end - p === 9 && fold32(p) === 0x6e617274 && fold32(p + 4) === 0x726f7073 && fold8(p + 8) === 0x74;
}

/** Reads the parameters of a URI that stands in brackets (or in the request line): our token and a stream transport. */
function paramsRead(m: i32, p: i32, end: i32): void {
  let at: i32 = p;
  if (p === end) return;
  const headers: i32 = scan8(p, end, 63);
  while (at < headers && ld8(at) === 59) {
    const name: i32 = at + 1;
    const nameEnd: i32 = tokenEnd(name, headers);
    const stop: i32 = scan8(nameEnd, headers, 59);
    const value: i32 = nameEnd + 1;
    if (isTokenName(name, nameEnd) && value < stop) {
      st32(m + MENTION_TOKEN, value);
      st32(m + MENTION_TOKEN_LEN, stop - value);
    } else if (isTransport(name, nameEnd) && value < stop) {
      transportNote(m, value, stop);
    } else if (nameEnd - name === 2 && fold16(name) === 0x726c) {
      st32(m + MENTION_ROLE, ld32(m + MENTION_ROLE) | MENTION_FLAG_LOOSE);
    }
    at = stop;
  }
}

/** Position of the value of a mention's transport parameter, 0 when its URI has none. */
export function transportFind(m: i32): i32 {
  const end: i32 = scan8(ld32(m + MENTION_HOST_END), ld32(m + MENTION_URI_END), 63);
  let at: i32 = ld32(m + MENTION_HOST_END);
  while (at < end && ld8(at) === 59) {
    const nameEnd: i32 = tokenEnd(at + 1, end);
    if (isTransport(at + 1, nameEnd) && nameEnd + 1 < end) return nameEnd + 1;
    at = scan8(nameEnd, end, 59);
  }
  return 0;
}

/** Position of the `@` that ends a userinfo in [p, end), 0 when there is none. */
function userEnd(p: i32, end: i32): i32 {
  const at: i32 = scan8(p, end, 64);
  return at < end ? at : 0;
}

/** Length of "sip:" or "sips:" at `p`, 0 for another scheme. */
export function schemeRead(p: i32, end: i32): i32 {
  if (end - p < 5) return 0;
  const word: i32 = fold32(p);
  if (word === 0x3a706973) return 4;
  return word === 0x73706973 && ld8(p + 4) === 58 ? 5 : 0;
}

/**
 * Reads the URI in [p, end) and appends a mention of its host when it is a sip: or sips: URI that parses.
 * Returns the mention, 0 for none, or a fault: too many, or an address whose end is not sure, which must not pass half mapped.
 */
export function uriRead(role: i32, p: i32, end: i32): i32 {
  const scheme: i32 = schemeRead(p, end);
  if (scheme === 0) return 0;
  const user: i32 = p + scheme;
  const separator: i32 = userEnd(user, end);
  const host: i32 = separator === 0 ? user : separator + 1;
  const m: i32 = mentionAppend(scheme === 5 ? role | MENTION_FLAG_SIPS : role, host, host);
  if (m === 0) return fault(FAULT_MENTIONS, p);
  const hostEnd: i32 = hostRead(m, host, end);
  const stop: i32 = hostEnd === 0 ? 0 : portRead(m, hostEnd, end);
  if (stop === 0 || (stop < end && ld8(stop) !== 59 && ld8(stop) !== 63)) {
    const literal: boolean = hostEnd === 0 ? host < end && ld8(host) === 91 : ld32(m + MENTION_FORM) !== FORM_NAME;
    return literal ? fault(FAULT_HEADER, host) : mentionDrop();
  }
  st32(m + MENTION_END, stop);
  st32(m + MENTION_HOST_END, stop);
  st32(m + MENTION_URI, p);
  st32(m + MENTION_URI_END, end);
  if (separator !== 0) {
    st32(m + MENTION_USER, user);
    st32(m + MENTION_USER_LEN, separator - user);
  }
  if ((role & MENTION_FLAG_BARE) === 0) paramsRead(m, stop, end);
  return m;
}

/** Position of the `<` of a name-addr whose element begins at `p`, 0 when the element is a bare addr-spec. */
function bracketFind(p: i32, end: i32): i32 {
  let at: i32 = p;
  while (at < end) {
    const c: i32 = ld8(at);
    if (c === 60) return at;
    if (c === 34) at = quoteSkip(at, end);
    else if (c === 58 || c === 59 || c === 44) return 0;
    else at++;
  }
  return 0;
}

/** May `c` not stand in an addr-spec without brackets (RFC 3261 20.10)? A quote cannot, so that what is quoted is never taken for a list. */
function endsBare(c: i32): boolean {
  return isSpace(c) || c === 44 || c === 59 || c === 63 || c === 34;
}

function bareEnd(p: i32, end: i32): i32 {
  let at: i32 = p;
  while (at < end && !endsBare(ld8(at))) at++;
  return at;
}

/** "expires" at [p, end). */
function isExpires(p: i32, end: i32): boolean {
  return end - p === 7 && fold32(p) === 0x69707865 && fold32(p + 3) === 0x73657269;
}

/** Reads the header parameters behind an element up to its comma, which is none in brackets; nor is a quote there. Returns the position of the comma or `end`, or a fault. */
function elementEnd(role: i32, p: i32, end: i32): i32 {
  let at: i32 = p;
  while (at < end && ld8(at) !== 44) {
    const c: i32 = ld8(at);
    if (c === 34) {
      at = quoteSkip(at, end);
    } else if (c === 59 && role === ROLE_CONTACT) {
      const name: i32 = spaceSkip(at + 1, end);
      const nameEnd: i32 = tokenEnd(name, end);
      const equals: i32 = spaceSkip(nameEnd, end);
      at = nameEnd > at ? nameEnd : at + 1;
      if (!isExpires(name, nameEnd) || equals >= end || ld8(equals) !== 61) continue;
      const value: i32 = spaceSkip(equals + 1, end);
      const stop: i32 = digitsEnd(value, end);
      if (stop > value && !mentionNumber(ROLE_CONTACT_EXPIRES, value, stop, decimalRead(value, stop))) return fault(FAULT_MENTIONS, at);
      at = stop > at ? stop : at;
    } else {
      at = c === 60 ? scan8(at, end, 62) : at + 1;
    }
  }
  return at;
}

/** First position in [p, end) that is neither white space nor another control character, which may stand nowhere. */
function blankSkip(p: i32, end: i32): i32 {
  let at: i32 = p;
  while (at < end && ld8(at) <= 32) at++;
  return at;
}

/** Reads a list of name-addr or addr-spec elements in [p, end). Returns 0 or a fault. */
export function listRead(role: i32, p: i32, end: i32): i32 {
  let at: i32 = blankSkip(p, end);
  while (at < end) {
    if (role === ROLE_CONTACT) {
      st32(MESSAGE + MESSAGE_CONTACT_COUNT, ld32(MESSAGE + MESSAGE_CONTACT_COUNT) + 1);
      if (ld8(at) === 42) st32(MESSAGE + MESSAGE_FLAGS, ld32(MESSAGE + MESSAGE_FLAGS) | MESSAGE_FLAG_CONTACT_STAR);
    }
    const bracket: i32 = bracketFind(at, end);
    let stop: i32 = 0;
    let m: i32 = 0;
    if (bracket === 0) {
      stop = bareEnd(at, end);
      m = uriRead(role | MENTION_FLAG_BARE, at, stop);
    } else {
      stop = scan8(bracket, end, 62);
      m = uriRead(role, bracket + 1, stop);
    }
    if (m < 0) return m;
    at = elementEnd(role, stop, end);
    if (at < 0) return at;
    at = blankSkip(at + 1, end);
  }
  return 0;
}
