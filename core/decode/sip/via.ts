/*
 * Via (RFC 3261 20.42, RFC 3581): the sent-by of the top one with its received and rport values, the sent-by of the
 * others for the loop guard. `SIP / 2.0 / UDP first.example.com: 4000;ttl=16` with its white space is legal.
 */

import { ld32, ld32le, ld8, scan8, st32 } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import {
  FORM_IP6,
  FORM_NAME,
  MENTION_ADDRESS,
  MENTION_AT,
  MENTION_END,
  MENTION_FORM,
  MENTION_HOST_END,
  MENTION_NAMED_SHIFT,
  MENTION_ROLE,
  MENTION_TOKEN,
  MENTION_TOKEN_LEN,
  MENTION_URI_END,
  MESSAGE_BRANCH,
  MESSAGE_BRANCH_LEN,
  MESSAGE_FLAG_RPORT,
  MESSAGE_MENTION_COUNT,
  MESSAGE_RPORT,
  MESSAGE_VIA,
  MESSAGE_VIA_COUNT,
  ROLE_VIA,
  ROLE_VIA_LOWER,
  ROLE_VIA_MADDR,
  ROLE_VIA_RECEIVED,
  ROLE_VIA_RPORT,
} from "../../memory/message.ts";
import { TRANSPORT_UDP } from "../../memory/packet.ts";
import { FAULT_MENTIONS, FAULT_VIA, fault } from "../../memory/reason.ts";
import { ip6Read } from "../../bytes/address.ts";
import { decimalRead, digitsEnd } from "../../bytes/decimal.ts";
import { fold16, fold32, fold8, isSpace, isToken, spaceSkip, spaceTrim, tokenEnd } from "../../bytes/word.ts";
import { mentionAppend, mentionNumber } from "../mention.ts";
import { flagSet } from "./note.ts";
import { transportNote } from "./transport.ts";
import { hostRead, isTokenName, portRead, quoteSkip } from "./uri.ts";

/** "SIP/2.0/UDP " and a sent-by at `p`, as nearly every Via begins. */
function isUsual(p: i32, end: i32): boolean {
  return end - p > 12 && ld32le(p) === 0x2f504953 && ld32le(p + 4) === 0x2f302e32 && ld32le(p + 8) === 0x20504455 && ld8(p + 12) > 32;
}

/** Position of the transport behind `SIP/2.0/`, 0 when that is wrong. */
function transportFind(p: i32, end: i32): i32 {
  let at: i32 = p;
  for (let i: i32 = 0; i < 2; i++) {
    const stop: i32 = tokenEnd(at, end);
    if (stop === at) return 0;
    at = spaceSkip(stop, end);
    if (at >= end || ld8(at) !== 47) return 0;
    at = spaceSkip(at + 1, end);
  }
  return at;
}

/** Position of the sent-by behind `SIP/2.0/transport`, 0 when that is wrong. */
function protocolSkip(p: i32, end: i32): i32 {
  if (isUsual(p, end)) return p + 12;
  const at: i32 = transportFind(p, end);
  const stop: i32 = at === 0 ? 0 : tokenEnd(at, end);
  const sentBy: i32 = spaceSkip(stop, end);
  return stop > at && sentBy > stop ? sentBy : 0;
}

/** Position of the name of the transport of a Via, whose mention is `m`: the token before the sent-by. */
export function viaTransport(m: i32): i32 {
  let at: i32 = ld32(m + MENTION_AT);
  while (isSpace(ld8(at - 1))) at--;
  while (isToken(ld8(at - 1))) at--;
  return at;
}

function isMaddr(p: i32, len: i32): boolean {
  return len === 5 && fold32(p) === 0x6464616d && fold8(p + 4) === 0x72;
}

/** Reads the value of `received` or maddr, with or without the brackets that RFC 5118 4.5 wants tolerated. */
function addressRead(role: i32, p: i32, end: i32): boolean {
  const m: i32 = mentionAppend(role, p, end);
  if (m === 0) return false;
  const bracket: boolean = p < end && ld8(p) === 91;
  if (bracket || hostRead(m, p, end) !== end) {
    const stop: i32 = ip6Read(bracket ? p + 1 : p, end, m + MENTION_ADDRESS);
    const whole: boolean = bracket ? stop !== 0 && stop + 1 === end && ld8(stop) === 93 : stop === end;
    st32(m + MENTION_FORM, whole ? FORM_IP6 : FORM_NAME);
  }
  return true;
}

function isBranch(p: i32, len: i32): boolean {
  return len === 6 && fold32(p) === 0x6e617262 && fold16(p + 4) === 0x6863;
}

function isReceived(p: i32, len: i32): boolean {
  return len === 8 && fold32(p) === 0x65636572 && fold32(p + 4) === 0x64657669;
}

function isRport(p: i32, len: i32): boolean {
  return len === 5 && fold32(p) === 0x726f7072 && fold8(p + 4) === 0x74;
}

/** Exclusive end of a Via parameter's value: a token, a host with brackets or a quoted string. */
function valueEnd(p: i32, end: i32): i32 {
  if (p < end && ld8(p) === 34) return quoteSkip(p, end);
  return spaceTrim(p, scan8(p, scan8(p, end, 59), 44));
}

/** Reads one parameter of the top Via, [name, nameEnd) with the value [p, end). Returns 0 or a fault. */
function paramRead(via: i32, name: i32, nameEnd: i32, p: i32, end: i32): i32 {
  const len: i32 = nameEnd - name;
  if (isBranch(name, len)) {
    st32(MESSAGE + MESSAGE_BRANCH, p);
    st32(MESSAGE + MESSAGE_BRANCH_LEN, end - p);
  } else if (isReceived(name, len)) {
    if (!addressRead(ROLE_VIA_RECEIVED, p, end)) return fault(FAULT_MENTIONS, p);
  } else if (isMaddr(name, len)) {
    if (!addressRead(ROLE_VIA_MADDR, p, end)) return fault(FAULT_MENTIONS, p);
  } else if (isRport(name, len)) {
    flagSet(MESSAGE_FLAG_RPORT);
    if (p === end) st32(MESSAGE + MESSAGE_RPORT, nameEnd);
    const port: i32 = digitsEnd(p, end) === end ? decimalRead(p, end) : -1;
    if (port > 0 && port < 65536 && !mentionNumber(ROLE_VIA_RPORT, p, end, port)) return fault(FAULT_MENTIONS, p);
  } else if (isTokenName(name, nameEnd)) {
    st32(via + MENTION_TOKEN, p);
    st32(via + MENTION_TOKEN_LEN, end - p);
  }
  return 0;
}

/** Reads the parameters at `p`; only those of the top Via matter. Returns the position of a comma or `end`, or a fault. */
function paramsRead(via: i32, top: boolean, p: i32, end: i32): i32 {
  let at: i32 = spaceSkip(p, end);
  while (at < end && ld8(at) === 59) {
    const name: i32 = spaceSkip(at + 1, end);
    const nameEnd: i32 = tokenEnd(name, end);
    let value: i32 = spaceSkip(nameEnd, end);
    let stop: i32 = value;
    if (value < end && ld8(value) === 61) {
      value = spaceSkip(value + 1, end);
      stop = valueEnd(value, end);
    }
    if (top) {
      const result: i32 = paramRead(via, name, nameEnd, value, stop);
      if (result < 0) return result;
    }
    at = spaceSkip(stop, end);
  }
  return at;
}

/* The last letter of our parameters: "cvt" holds what stood in place of the sent-by, "cvm" what maddr said. */
export const TOKEN_OWN: i32 = 0x74;
export const TOKEN_MADDR: i32 = 0x6d;

/** Position of the value of our parameter TOKEN_* among the Via parameters [p, end), 0 for none. */
export function viaTokenFind(p: i32, end: i32, token: i32): i32 {
  let at: i32 = spaceSkip(p, end);
  while (at < end && ld8(at) === 59) {
    const name: i32 = spaceSkip(at + 1, end);
    const nameEnd: i32 = tokenEnd(name, end);
    at = spaceSkip(nameEnd, end);
    if (at >= end || ld8(at) !== 61) continue;
    const value: i32 = spaceSkip(at + 1, end);
    if (nameEnd - name === 3 && fold16(name) === 0x7663 && fold8(name + 2) === token) return value;
    at = spaceSkip(valueEnd(value, end), end);
  }
  return 0;
}

/** Notes the top Via and what it says about the transport. */
function topNote(m: i32): void {
  st32(MESSAGE + MESSAGE_VIA, (ld32(MESSAGE + MESSAGE_MENTION_COUNT) - 1) | 0);
  const at: i32 = ld32(m + MENTION_AT);
  if (at === 0) return;
  if (ld32le(at - 4) === 0x20504455) st32(m + MENTION_ROLE, ROLE_VIA | ((TRANSPORT_UDP + 1) << MENTION_NAMED_SHIFT));
  else transportNote(m, viaTransport(m), at);
}

/** Reads one Via header, which may list several. Returns 0 or a fault. */
export function viaRead(p: i32, end: i32): i32 {
  let at: i32 = spaceSkip(p, end);
  while (at < end) {
    const count: i32 = ld32(MESSAGE + MESSAGE_VIA_COUNT);
    const top: boolean = count === 0;
    st32(MESSAGE + MESSAGE_VIA_COUNT, count + 1);
    const sentBy: i32 = protocolSkip(at, end);
    const m: i32 = mentionAppend(top ? ROLE_VIA : ROLE_VIA_LOWER, sentBy, sentBy);
    if (m === 0) return fault(FAULT_MENTIONS, at);
    if (top) topNote(m);
    const hostEnd: i32 = sentBy === 0 ? 0 : hostRead(m, sentBy, end);
    const stop: i32 = hostEnd === 0 ? 0 : portRead(m, hostEnd, end);
    if (stop === 0) return top ? fault(FAULT_VIA, at) : 0;
    st32(m + MENTION_END, stop);
    st32(m + MENTION_HOST_END, stop);
    at = paramsRead(m, top, stop, end);
    if (at < 0) return at;
    st32(m + MENTION_URI_END, at);
    if (at >= end) return 0;
    if (ld8(at) !== 44) return top ? fault(FAULT_VIA, at) : 0;
    at = spaceSkip(at + 1, end);
    if (tokenEnd(at, end) === at) return fault(FAULT_VIA, at);
  }
  return 0;
}
