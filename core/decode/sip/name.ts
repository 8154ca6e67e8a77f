/*
 * Header names (RFC 3261 7.3.1, 7.3.3 and 20): the ones that Culvert reads, in long and compact form, told apart
 * by length and by whole words. Every other header is 0 and passes as it is.
 */

import { ld8 } from "../../machine.ts";
import { fold16, fold32, fold8 } from "../../bytes/word.ts";

export const NAME_OTHER: i32 = 0;
export const NAME_VIA: i32 = 1;
export const NAME_FROM: i32 = 2;
export const NAME_TO: i32 = 3;
export const NAME_CALL_ID: i32 = 4;
export const NAME_CSEQ: i32 = 5;
export const NAME_CONTACT: i32 = 6;
export const NAME_ROUTE: i32 = 7;
export const NAME_RECORD_ROUTE: i32 = 8;
export const NAME_PATH: i32 = 9;
export const NAME_SERVICE_ROUTE: i32 = 10;
export const NAME_REFER_TO: i32 = 11;
export const NAME_CONTENT_LENGTH: i32 = 12;
export const NAME_CONTENT_TYPE: i32 = 13;
export const NAME_CONTENT_ENCODING: i32 = 14;
export const NAME_EXPIRES: i32 = 15;
export const NAME_REQUIRE: i32 = 16;
export const NAME_AUTHORIZATION: i32 = 17;

/** A hyphen itself: folding makes a bare CR look like one. */
function isHyphen(p: i32): boolean {
  return ld8(p) === 45;
}

/** Compact forms: v f t i m l c e r (RFC 3261 7.3.3, RFC 3515 2.1). */
function nameCompact(p: i32): i32 {
  const c: i32 = fold8(p);
  if (c === 0x76) return NAME_VIA;
  if (c === 0x66) return NAME_FROM;
  if (c === 0x74) return NAME_TO;
  if (c === 0x69) return NAME_CALL_ID;
  if (c === 0x6d) return NAME_CONTACT;
  if (c === 0x6c) return NAME_CONTENT_LENGTH;
  if (c === 0x63) return NAME_CONTENT_TYPE;
  if (c === 0x65) return NAME_CONTENT_ENCODING;
  if (c === 0x72) return NAME_REFER_TO;
  return NAME_OTHER;
}

function nameOf4(p: i32): i32 {
  const word: i32 = fold32(p);
  if (word === 0x66726f6d) return NAME_FROM;
  if (word === 0x63736571) return NAME_CSEQ;
  if (word === 0x70617468) return NAME_PATH;
  return NAME_OTHER;
}

function nameOf7(p: i32): i32 {
  const word: i32 = fold32(p);
  const last: i32 = fold32(p + 3);
  if (word === 0x63616c6c && last === 0x6c2d6964 && isHyphen(p + 4)) return NAME_CALL_ID;
  if (word === 0x636f6e74 && last === 0x74616374) return NAME_CONTACT;
  if (word === 0x65787069 && last === 0x69726573) return NAME_EXPIRES;
  if (word === 0x72657175 && last === 0x75697265) return NAME_REQUIRE;
  return NAME_OTHER;
}

function nameOf12(p: i32): i32 {
  const first: i32 = fold32(p);
  const second: i32 = fold32(p + 4);
  const third: i32 = fold32(p + 8);
  if (first === 0x636f6e74 && second === 0x656e742d && third === 0x74797065 && isHyphen(p + 7)) return NAME_CONTENT_TYPE;
  if (first === 0x7265636f && second === 0x72642d72 && third === 0x6f757465 && isHyphen(p + 6)) return NAME_RECORD_ROUTE;
  return NAME_OTHER;
}

/** "authorization" (13) at `p`. */
function isAuthorization(p: i32): boolean {
  return fold32(p) === 0x61757468 && fold32(p + 4) === 0x6f72697a && fold32(p + 8) === 0x6174696f && fold8(p + 12) === 0x6e;
}

function nameOf13(p: i32): i32 {
  if (isAuthorization(p)) return NAME_AUTHORIZATION;
  if (fold32(p) === 0x73657276 && fold32(p + 4) === 0x6963652d && fold32(p + 8) === 0x726f7574 && fold8(p + 12) === 0x65 && isHyphen(p + 7))
    return NAME_SERVICE_ROUTE;
  return NAME_OTHER;
}

function isContent(p: i32): boolean {
  return fold32(p) === 0x636f6e74 && fold32(p + 4) === 0x656e742d && isHyphen(p + 7);
}

/** NAME_* of the header name in [p, end). */
export function nameRead(p: i32, end: i32): i32 {
  switch (end - p) {
    case 1:
      return nameCompact(p);
    case 2:
      return fold16(p) === 0x746f ? NAME_TO : NAME_OTHER;
    case 3:
      return fold16(p) === 0x7669 && fold8(p + 2) === 0x61 ? NAME_VIA : NAME_OTHER;
    case 4:
      return nameOf4(p);
    case 5:
      return fold32(p) === 0x726f7574 && fold8(p + 4) === 0x65 ? NAME_ROUTE : NAME_OTHER;
    case 7:
      return nameOf7(p);
    case 8:
      return fold32(p) === 0x72656665 && fold32(p + 4) === 0x722d746f && isHyphen(p + 5) ? NAME_REFER_TO : NAME_OTHER;
    case 12:
      return nameOf12(p);
    case 13:
      return nameOf13(p);
    case 14:
      return isContent(p) && fold32(p + 8) === 0x6c656e67 && fold16(p + 12) === 0x7468 ? NAME_CONTENT_LENGTH : NAME_OTHER;
    case 16:
      return isContent(p) && fold32(p + 8) === 0x656e636f && fold32(p + 12) === 0x64696e67 ? NAME_CONTENT_ENCODING : NAME_OTHER;
    case 19:
      return fold32(p) === 0x70726f78 && fold16(p + 4) === 0x792d && isHyphen(p + 5) && isAuthorization(p + 6) ? NAME_AUTHORIZATION : NAME_OTHER;
    default:
      return NAME_OTHER;
  }
}
