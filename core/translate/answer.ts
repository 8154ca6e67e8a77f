/*
 * Answers that Culvert gives itself: 400 to a request that is cut off, 403 to one with a forged token or from who may not
 * send it, 480 for a terminal that no connection leads to, 483 where a service wants hops counted, 503 when a table is full
 * (SPEC A3) or a server does not take the connection, in time or at all (RFC 3261 16.9), 200 to a refresh that need not reach
 * the registrar; their ACKs are absorbed. Never 408: that is for whose transaction it is (8.1.3.1, 16.8). Built as a UAS builds them (RFC 3261 8.2.6): Via, From, To, Call-ID and CSeq of the request,
 * `received` and `rport` as RFC 3581 4 wants, a To tag that says it is ours and needs no state.
 */

import { ld32, ld8, st32 } from "../machine.ts";
import { HEADER_TEXT_TOP, MESSAGE, TEXT } from "../memory/layout.ts";
import { SERVICE_TERMINAL_EXPIRES } from "../memory/config.ts";
import { CONTEXT_PACKET, CONTEXT_SERVICE_AT } from "../memory/context.ts";
import {
  MENTION_HOST_END,
  MENTION_URI,
  MENTION_URI_END,
  MESSAGE_CALL_ID,
  MESSAGE_CALL_ID_LEN,
  MESSAGE_CALL_ID_LINE,
  MESSAGE_CSEQ_LINE,
  MESSAGE_FROM_LINE,
  MESSAGE_RPORT,
  MESSAGE_TO_LINE,
  MESSAGE_TO_TAG,
  MESSAGE_TO_TAG_LEN,
  MESSAGE_VIA,
} from "../memory/message.ts";
import { PACKET_SOURCE, PACKET_SOURCE_PORT } from "../memory/packet.ts";
import { decimalRead, digitsEnd } from "../bytes/decimal.ts";
import { hashBegin, hashBytes, hashEnd } from "../bytes/hash.ts";
import { hexIs } from "../bytes/hex.ts";
import { nameEnd } from "../bytes/line.ts";
import { fold32, spaceSkip } from "../bytes/word.ts";
import { mentionAt } from "../decode/mention.ts";
import { lineColon, lineFirst, lineNext, lineValueEnd } from "../decode/sip/line.ts";
import { NAME_VIA, nameRead } from "../decode/sip/name.ts";
import { textAddress, textByte, textBytes, textDecimal, textHex, textWord } from "../encode/edit.ts";

export const STATUS_BAD: i32 = 400;
export const STATUS_FORBIDDEN: i32 = 403;
export const STATUS_AWAY: i32 = 480;
export const STATUS_HOPS: i32 = 483;
export const STATUS_UNAVAILABLE: i32 = 503;

export function lineBreak(): void {
  textWord(0x0d0a0000, 2);
}

/** Length of the text from the start of the region: what has been built. */
export function textLength(): i32 {
  return (ld32(HEADER_TEXT_TOP) - TEXT) | 0;
}

/** Keyed hash of the Call-ID: the To tag of our own answers. */
function tagOf(): i32 {
  hashBegin();
  hashBytes(ld32(MESSAGE + MESSAGE_CALL_ID), ld32(MESSAGE + MESSAGE_CALL_ID_LEN));
  return hashEnd();
}

/** Is the To tag of the message in hand one that we gave? */
export function isOurTag(): boolean {
  const p: i32 = ld32(MESSAGE + MESSAGE_TO_TAG);
  if (ld32(MESSAGE + MESSAGE_TO_TAG_LEN) !== 11 || ld8(p) !== 99 || ld8(p + 1) !== 118 || ld8(p + 2) !== 116) return false;
  return hexIs(p + 3, tagOf());
}

/** Copies a line span of the message and ends the line. */
function lineCopy(field: i32): void {
  textBytes(ld32(MESSAGE + field), ld32(MESSAGE + field + 4));
}

/** Copies a Via line; the top one gets `received` behind its sent-by and the port behind an empty rport. */
function viaCopy(line: i32, end: i32): void {
  const packet: i32 = ld32(CONTEXT_PACKET);
  const host: i32 = ld32(mentionAt(ld32(MESSAGE + MESSAGE_VIA)) + MENTION_HOST_END);
  if (host < line || host > end) {
    textBytes(line, end - line);
  } else {
    textBytes(line, host - line);
    textWord(0x3b726563, 4);
    textWord(0x65697665, 4);
    textWord(0x643d0000, 2);
    textAddress(packet + PACKET_SOURCE);
    const rport: i32 = ld32(MESSAGE + MESSAGE_RPORT);
    if (rport >= host && rport <= end) {
      textBytes(host, rport - host);
      textByte(61);
      textDecimal(ld32(packet + PACKET_SOURCE_PORT));
      textBytes(rport, end - rport);
    } else {
      textBytes(host, end - host);
    }
  }
  lineBreak();
}

/** Copies every Via line of the request. */
function viasCopy(): void {
  for (let line: i32 = lineFirst(); line !== 0; line = lineNext(line)) {
    if (nameRead(line, nameEnd(line, lineColon(line))) === NAME_VIA) viaCopy(line, lineValueEnd(line));
  }
}

/** Via to CSeq, with our To tag when there is none. */
function headWrite(): void {
  viasCopy();
  lineCopy(MESSAGE_FROM_LINE);
  lineBreak();
  lineCopy(MESSAGE_TO_LINE);
  if (ld32(MESSAGE + MESSAGE_TO_TAG_LEN) === 0) {
    textWord(0x3b746167, 4);
    textWord(0x3d637674, 4);
    textHex(tagOf());
  }
  lineBreak();
  lineCopy(MESSAGE_CALL_ID_LINE);
  lineBreak();
  lineCopy(MESSAGE_CSEQ_LINE);
  lineBreak();
}

/** "SIP/2.0 " */
export function versionWrite(): void {
  textWord(0x5349502f, 4);
  textWord(0x322e3020, 4);
}

/** A Content-Length line. */
export function lengthWrite(length: i32): void {
  textWord(0x436f6e74, 4);
  textWord(0x656e742d, 4);
  textWord(0x4c656e67, 4);
  textWord(0x74683a20, 4);
  textDecimal(length);
  lineBreak();
}

/** "Content-Length: 0" and the end of the head. */
export function lengthZeroWrite(): void {
  lengthWrite(0);
  lineBreak();
}

/** "Unavailable" */
function unavailableWrite(): void {
  textWord(0x556e6176, 4);
  textWord(0x61696c61, 4);
  textWord(0x626c6500, 3);
}

/** The reason phrase of a status (RFC 3261 21). */
function phraseWrite(status: i32): void {
  if (status === STATUS_BAD) {
    textWord(0x42616420, 4);
    textWord(0x52657175, 4);
    textWord(0x65737400, 3);
  } else if (status === STATUS_FORBIDDEN) {
    textWord(0x466f7262, 4);
    textWord(0x69646465, 4);
    textByte(110);
  } else if (status === STATUS_AWAY) {
    textWord(0x54656d70, 4);
    textWord(0x6f726172, 4);
    textWord(0x696c7920, 4);
    unavailableWrite();
  } else if (status === STATUS_HOPS) {
    textWord(0x546f6f20, 4);
    textWord(0x4d616e79, 4);
    textWord(0x20486f70, 4);
    textByte(115);
  } else {
    textWord(0x53657276, 4);
    textWord(0x69636520, 4);
    unavailableWrite();
  }
}

/** "Retry-After: 30" */
function retryWrite(): void {
  textWord(0x52657472, 4);
  textWord(0x792d4166, 4);
  textWord(0x7465723a, 4);
  textWord(0x20333000, 3);
  lineBreak();
}

/** Builds a final response that refuses the request in hand; a 503 says when to try again (RFC 3261 21.5.4). Returns its length; it stands at TEXT. */
export function refusalBuild(status: i32): i32 {
  st32(HEADER_TEXT_TOP, TEXT);
  versionWrite();
  textDecimal(status);
  textByte(32);
  phraseWrite(status);
  lineBreak();
  headWrite();
  if (status === STATUS_UNAVAILABLE) retryWrite();
  lengthZeroWrite();
  return textLength();
}

/** "Max-Forwards" */
function isMaxForwards(p: i32, end: i32): boolean {
  return end - p === 12 && fold32(p) === 0x2d78616d && fold32(p + 4) === 0x77726f66 && fold32(p + 8) === 0x73647261;
}

/** Is Max-Forwards of the request in hand 0 (RFC 3261 16.3)? Looked for only where a service wants it. */
export function isOutOfHops(): boolean {
  for (let line: i32 = lineFirst(); line !== 0; line = lineNext(line)) {
    const colon: i32 = lineColon(line);
    if (!isMaxForwards(line, nameEnd(line, colon))) continue;
    const end: i32 = lineValueEnd(line);
    const value: i32 = spaceSkip(colon + 1, end);
    return decimalRead(value, digitsEnd(value, end)) === 0;
  }
  return false;
}

/** Builds the 200 to a refresh of the Contact `m`, with the expiry that terminals get. Returns its length; it stands at TEXT. */
export function refreshBuild(m: i32): i32 {
  st32(HEADER_TEXT_TOP, TEXT);
  versionWrite();
  textWord(0x32303020, 4);
  textWord(0x4f4b0000, 2);
  lineBreak();
  headWrite();
  textWord(0x436f6e74, 4);
  textWord(0x6163743a, 4);
  textWord(0x203c0000, 2);
  textBytes(ld32(m + MENTION_URI), ld32(m + MENTION_URI_END) - ld32(m + MENTION_URI));
  textWord(0x3e3b6578, 4);
  textWord(0x70697265, 4);
  textWord(0x733d0000, 2);
  textDecimal(ld32(ld32(CONTEXT_SERVICE_AT) + SERVICE_TERMINAL_EXPIRES));
  lineBreak();
  lengthZeroWrite();
  return textLength();
}
