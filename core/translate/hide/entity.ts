/*
 * Call-IDs in XML: characters that mean something to it are written as references (XML 1.0 2.4, 4.6).
 */

import { ld32le, ld8, st8 } from "../../machine.ts";
import { SCRATCH_CALL_ID, SCRATCH_UNESCAPED } from "../../memory/layout.ts";
import { editAppend, textByte, textMark, textRoom, textWord } from "../../encode/edit.ts";
import { LONGEST, callIdTurn } from "./callid.ts";
import { exposedNote } from "./hiding.ts";

/** Characters of the longest reference. */
const REFERENCE: i32 = 6;

/** The character that the reference at `p` stands for, -1 when it is none of the five. */
function referenceRead(p: i32, end: i32): i32 {
  if (end - p < 4) return -1;
  const word: i32 = ld32le(p);
  if (word === 0x3b746c26) return 60;
  if (word === 0x3b746726) return 62;
  if (end - p > 4 && word === 0x706d6126 && ld8(p + 4) === 59) return 38;
  if (end - p < REFERENCE || ld8(p + 5) !== 59) return -1;
  if (word === 0x6f757126 && ld8(p + 4) === 116) return 34;
  return word === 0x6f706126 && ld8(p + 4) === 115 ? 39 : -1;
}

function referenceLength(c: i32): i32 {
  return c === 60 || c === 62 ? 4 : c === 38 ? 5 : REFERENCE;
}

/** Writes at SCRATCH_UNESCAPED what [p, end) says. Returns the length, -1 when it is too long or has a reference to something else. */
function referencesRead(p: i32, end: i32): i32 {
  let at: i32 = p;
  let n: i32 = 0;
  while (at < end) {
    const reference: boolean = ld8(at) === 38;
    const c: i32 = reference ? referenceRead(at, end) : ld8(at);
    if (c < 0 || n === LONGEST) return -1;
    st8(SCRATCH_UNESCAPED + n, c);
    at = at + (reference ? referenceLength(c) : 1);
    n++;
  }
  return n;
}

function characterWrite(c: i32): void {
  if (c === 60) textWord(0x266c743b, 4);
  else if (c === 62) textWord(0x2667743b, 4);
  else if (c === 34) {
    textWord(0x2671756f, 4);
    textWord(0x743b0000, 2);
  } else if (c === 39) {
    textWord(0x2661706f, 4);
    textWord(0x733b0000, 2);
  } else if (c === 38) {
    textWord(0x26616d70, 4);
    textByte(59);
  } else textByte(c);
}

/** Replaces the Call-ID that [p, end) says by what the other side has for it. */
export function callIdMapXml(p: i32, end: i32): void {
  const plain: i32 = referencesRead(p, end);
  if (plain < 0) {
    exposedNote();
    return;
  }
  const len: i32 = callIdTurn(SCRATCH_UNESCAPED, plain);
  if (len === 0 || !textRoom((len << 2) + (len << 1))) return;
  const mark: i32 = textMark();
  for (let i: i32 = 0; i < len; i++) characterWrite(ld8(SCRATCH_CALL_ID + i));
  editAppend(p, end, mark);
}
