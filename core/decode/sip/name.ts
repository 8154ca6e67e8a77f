/*
 * Header names (RFC 3261 7.3.1, 7.3.3 and 20): the ones that Culvert reads, in long and compact form, told apart
 * by length and by whole words. Every other header is 0 and passes as it is.
 */

import { ld8 } from "../../machine.ts";
import { fold16, fold32, fold8, isHyphen } from "../../bytes/word.ts";

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
export const NAME_SESSION_EXPIRES: i32 = 18;
export const NAME_DISPOSITION: i32 = 19;
export const NAME_TRANSFER_ENCODING: i32 = 20;

/** Compact forms: v f t i m l c e r x (RFC 3261 7.3.3, RFC 3515 2.1, RFC 4028 4). */
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
  if (c === 0x78) return NAME_SESSION_EXPIRES;
  return NAME_OTHER;
}

function nameOf4(p: i32): i32 {
  const word: i32 = fold32(p);
  if (word === 0x6d6f7266) return NAME_FROM;
  if (word === 0x71657363) return NAME_CSEQ;
  if (word === 0x68746170) return NAME_PATH;
  return NAME_OTHER;
}

function nameOf7(p: i32): i32 {
  const word: i32 = fold32(p);
  const last: i32 = fold32(p + 3);
  if (word === 0x6c6c6163 && last === 0x64692d6c && isHyphen(p + 4)) return NAME_CALL_ID;
  if (word === 0x746e6f63 && last === 0x74636174) return NAME_CONTACT;
  if (word === 0x69707865 && last === 0x73657269) return NAME_EXPIRES;
  if (word === 0x75716572 && last === 0x65726975) return NAME_REQUIRE;
  return NAME_OTHER;
}

function nameOf12(p: i32): i32 {
  const first: i32 = fold32(p);
  const second: i32 = fold32(p + 4);
  const third: i32 = fold32(p + 8);
  if (first === 0x746e6f63 && second === 0x2d746e65 && third === 0x65707974 && isHyphen(p + 7)) return NAME_CONTENT_TYPE;
  if (first === 0x6f636572 && second === 0x722d6472 && third === 0x6574756f && isHyphen(p + 6)) return NAME_RECORD_ROUTE;
  return NAME_OTHER;
}

/** "authorization" (13) at `p`. */
function isAuthorization(p: i32): boolean {
  return fold32(p) === 0x68747561 && fold32(p + 4) === 0x7a69726f && fold32(p + 8) === 0x6f697461 && fold8(p + 12) === 0x6e;
}

function nameOf13(p: i32): i32 {
  if (isAuthorization(p)) return NAME_AUTHORIZATION;
  if (fold32(p) === 0x76726573 && fold32(p + 4) === 0x2d656369 && fold32(p + 8) === 0x74756f72 && fold8(p + 12) === 0x65 && isHyphen(p + 7))
    return NAME_SERVICE_ROUTE;
  return NAME_OTHER;
}

/** "content-transfer-encoding" (25) at `p`. */
function isTransferEncoding(p: i32): boolean {
  if (!isContent(p) || !isHyphen(p + 16)) return false;
  const transfer: boolean = fold32(p + 8) === 0x6e617274 && fold32(p + 12) === 0x72656673;
  return transfer && fold32(p + 17) === 0x6f636e65 && fold32(p + 21) === 0x676e6964;
}

/** "session-expires" (15) at `p`. */
function isSessionExpires(p: i32): boolean {
  return fold32(p) === 0x73736573 && fold32(p + 4) === 0x2d6e6f69 && isHyphen(p + 7) && fold32(p + 8) === 0x69707865 && fold32(p + 11) === 0x73657269;
}

function isContent(p: i32): boolean {
  return fold32(p) === 0x746e6f63 && fold32(p + 4) === 0x2d746e65 && isHyphen(p + 7);
}

/** NAME_* and the length of a name, in the bits above, as nameUsual gives them. */
const LENGTH_SHIFT: i32 = 8;
const NAME_MASK: i32 = 255;

/** Length of the name that nameUsual found. */
export function usualLength(found: i32): i32 {
  return found >> LENGTH_SHIFT;
}

export function usualName(found: i32): i32 {
  return found & NAME_MASK;
}

/**
 * The header names that every message has, in long form and with the colon right behind, told by their first words: no
 * scan for the colon. Returns 0 for any other.
 */
export function nameUsual(p: i32): i32 {
  const found: i32 = usualFind(p);
  return ld8(p + usualLength(found)) === 58 ? found : 0;
}

function usualFind(p: i32): i32 {
  const word: i32 = fold32(p);
  if (word === 0x3a616976) return NAME_VIA | (3 << LENGTH_SHIFT);
  if (word === 0x6d6f7266) return NAME_FROM | (4 << LENGTH_SHIFT);
  if (word === 0x71657363) return NAME_CSEQ | (4 << LENGTH_SHIFT);
  if (word === 0x6c6c6163) return fold32(p + 3) === 0x64692d6c && isHyphen(p + 4) ? NAME_CALL_ID | (7 << LENGTH_SHIFT) : 0;
  if (word === 0x746e6f63) return contentFind(p);
  return (word & 0xffffff) === 0x003a6f74 ? NAME_TO | (2 << LENGTH_SHIFT) : 0;
}

/** "Contact", "Content-Type" or "Content-Length" at `p`, of which the first word is known. */
function contentFind(p: i32): i32 {
  const word: i32 = fold32(p + 4);
  if (word === 0x3a746361) return NAME_CONTACT | (7 << LENGTH_SHIFT);
  if (word !== 0x2d746e65 || !isHyphen(p + 7)) return 0;
  if (fold32(p + 8) === 0x65707974) return NAME_CONTENT_TYPE | (12 << LENGTH_SHIFT);
  return fold32(p + 8) === 0x676e656c && fold32(p + 11) === 0x3a687467 ? NAME_CONTENT_LENGTH | (14 << LENGTH_SHIFT) : 0;
}

/** NAME_* of the header name in [p, end). */
export function nameRead(p: i32, end: i32): i32 {
  switch (end - p) {
    case 1:
      return nameCompact(p);
    case 2:
      return fold16(p) === 0x6f74 ? NAME_TO : NAME_OTHER;
    case 3:
      return fold16(p) === 0x6976 && fold8(p + 2) === 0x61 ? NAME_VIA : NAME_OTHER;
    case 4:
      return nameOf4(p);
    case 5:
      return fold32(p) === 0x74756f72 && fold8(p + 4) === 0x65 ? NAME_ROUTE : NAME_OTHER;
    case 7:
      return nameOf7(p);
    case 8:
      return fold32(p) === 0x65666572 && fold32(p + 4) === 0x6f742d72 && isHyphen(p + 5) ? NAME_REFER_TO : NAME_OTHER;
    case 12:
      return nameOf12(p);
    case 13:
      return nameOf13(p);
    case 14:
      return isContent(p) && fold32(p + 8) === 0x676e656c && fold16(p + 12) === 0x6874 ? NAME_CONTENT_LENGTH : NAME_OTHER;
    case 15:
      return isSessionExpires(p) ? NAME_SESSION_EXPIRES : NAME_OTHER;
    case 16:
      return isContent(p) && fold32(p + 8) === 0x6f636e65 && fold32(p + 12) === 0x676e6964 ? NAME_CONTENT_ENCODING : NAME_OTHER;
    case 19:
      if (isContent(p)) return fold32(p + 8) === 0x70736964 && fold32(p + 12) === 0x7469736f && fold32(p + 15) === 0x6e6f6974 ? NAME_DISPOSITION : NAME_OTHER;
      return fold32(p) === 0x786f7270 && fold16(p + 4) === 0x2d79 && isHyphen(p + 5) && isAuthorization(p + 6) ? NAME_AUTHORIZATION : NAME_OTHER;
    case 25:
      return isTransferEncoding(p) ? NAME_TRANSFER_ENCODING : NAME_OTHER;
    default:
      return NAME_OTHER;
  }
}
