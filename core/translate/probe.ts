/*
 * Keep-alives towards terminals behind NAT (SPEC V1): OPTIONS from E:e (RFC 3261 11), since STUN and CRLF are only for
 * terminals that announced RFC 5626. Their branch is a keyed hash, so the answer is known without state and absorbed.
 */

import { ld32, ld8, st32 } from "../machine.ts";
import { HEADER_TEXT_TOP, MESSAGE, TEXT } from "../memory/layout.ts";
import { SERVICE_ADDRESS, SERVICE_PORT } from "../memory/config.ts";
import { MESSAGE_BRANCH, MESSAGE_BRANCH_LEN, MESSAGE_CSEQ } from "../memory/message.ts";
import { BINDING_SPELLED, BINDING_SPELLED_LEN, TERMINAL_PRIMARY, TERMINAL_PROBES } from "../memory/tables.ts";
import { hashBegin, hashEnd, hashWord } from "../bytes/hash.ts";
import { hexIs } from "../bytes/hex.ts";
import { textByte, textBytes, textDecimal, textHex, textHost, textWord } from "../encode/edit.ts";
import { bindingAt } from "../table/binding.ts";
import { terminalAt } from "../table/terminal.ts";
import { lengthZeroWrite, lineBreak, textLength, versionWrite } from "./answer.ts";

/** Length of "z9hG4bKcvt" and eight digits. */
const BRANCH_LEN: i32 = 18;

function probeHash(terminal: i32, cseq: i32): i32 {
  hashBegin();
  hashWord(0x70726f62);
  hashWord(terminal);
  hashWord(cseq);
  return hashEnd();
}

/** Is the response in hand the answer of this terminal to one of our probes? */
export function isProbeAnswer(terminal: i32): boolean {
  const p: i32 = ld32(MESSAGE + MESSAGE_BRANCH);
  if (ld32(MESSAGE + MESSAGE_BRANCH_LEN) !== BRANCH_LEN || ld8(p + 7) !== 99 || ld8(p + 8) !== 118 || ld8(p + 9) !== 116) return false;
  return hexIs(p + 10, probeHash(terminal, ld32(MESSAGE + MESSAGE_CSEQ)));
}

/** "z9hG4bKcvt" and the hash. */
function branchWrite(hash: i32): void {
  textWord(0x7a396847, 4);
  textWord(0x34624b63, 4);
  textWord(0x76740000, 2);
  textHex(hash);
}

/** ": <sip:" with a host behind it, the service's or the terminal's spelling. */
function partyWrite(service: i32, binding: i32): void {
  textWord(0x3a203c73, 4);
  textWord(0x69703a00, 3);
  if (binding === 0) textHost(service + SERVICE_ADDRESS, ld32(service + SERVICE_PORT));
  else textBytes(binding + BINDING_SPELLED, ld32(binding + BINDING_SPELLED_LEN));
  textByte(62);
}

/** Builds the next probe of a terminal. Returns its length; it stands at TEXT. */
export function probeBuild(terminal: i32, service: i32): i32 {
  const t: i32 = terminalAt(terminal);
  const b: i32 = bindingAt((ld32(t + TERMINAL_PRIMARY) - 1) | 0);
  const cseq: i32 = (ld32(t + TERMINAL_PROBES) + 1) & 0x7fffffff;
  const hash: i32 = probeHash(terminal, cseq);
  st32(t + TERMINAL_PROBES, cseq);
  st32(HEADER_TEXT_TOP, TEXT);
  textWord(0x4f505449, 4);
  textWord(0x4f4e5320, 4);
  textWord(0x7369703a, 4);
  textBytes(b + BINDING_SPELLED, ld32(b + BINDING_SPELLED_LEN));
  textByte(32);
  versionLine();
  textWord(0x5669613a, 4);
  textByte(32);
  versionWrite();
  st32(HEADER_TEXT_TOP, (ld32(HEADER_TEXT_TOP) - 1) | 0);
  textWord(0x2f554450, 4);
  textByte(32);
  textHost(service + SERVICE_ADDRESS, ld32(service + SERVICE_PORT));
  textWord(0x3b627261, 4);
  textWord(0x6e63683d, 4);
  branchWrite(hash);
  textWord(0x3b72706f, 4);
  textWord(0x72740000, 2);
  lineBreak();
  identityWrite(service, b, hash, cseq);
  lengthZeroWrite();
  return textLength();
}

/** "SIP/2.0" and the line end. */
function versionLine(): void {
  versionWrite();
  st32(HEADER_TEXT_TOP, (ld32(HEADER_TEXT_TOP) - 1) | 0);
  lineBreak();
}

/** Max-Forwards to CSeq. */
function identityWrite(service: i32, binding: i32, hash: i32, cseq: i32): void {
  textWord(0x4d61782d, 4);
  textWord(0x466f7277, 4);
  textWord(0x61726473, 4);
  textWord(0x3a203730, 4);
  lineBreak();
  textWord(0x46726f6d, 4);
  partyWrite(service, 0);
  textWord(0x3b746167, 4);
  textWord(0x3d637674, 4);
  textHex(hash);
  lineBreak();
  textWord(0x546f0000, 2);
  partyWrite(service, binding);
  lineBreak();
  textWord(0x43616c6c, 4);
  textWord(0x2d49443a, 4);
  textWord(0x20637674, 4);
  textHex(hash);
  lineBreak();
  textWord(0x43536571, 4);
  textWord(0x3a200000, 2);
  textDecimal(cseq);
  textWord(0x204f5054, 4);
  textWord(0x494f4e53, 4);
  lineBreak();
}
