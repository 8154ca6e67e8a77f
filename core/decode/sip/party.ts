/*
 * From and To (RFC 3261 20.20, 20.39): their tags, which tell dialogs apart, and the address of record in the To of a
 * REGISTER. Neither is ever changed.
 */

import { ld32, ld8, scan8, scanSpace } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import { MESSAGE_TO_TAG, MESSAGE_TO_URI, MESSAGE_TO_URI_LEN } from "../../memory/message.ts";
import { FAULT_HEADER, fault } from "../../memory/reason.ts";
import { fold16, fold32, fold8, spaceSkip, spaceTrim, tokenEnd } from "../../bytes/word.ts";
import { lineNote, spanSet } from "./note.ts";
import { quoteSkip, schemeRead } from "./uri.ts";

/** Position behind the display name and URI of a From or To, where its parameters begin; notes the To URI. 0 when a quote is left open. */
function partyUri(p: i32, end: i32, to: boolean): i32 {
  const at: i32 = spaceSkip(p, end);
  const quoted: boolean = at < end && ld8(at) === 34;
  const name: i32 = quoted ? quoteSkip(at, end) : at;
  if (quoted && name === end) return 0;
  const open: i32 = scan8(name, end, 60);
  const uri: i32 = open < end ? open + 1 : at;
  const stop: i32 = open < end ? scan8(uri, end, 62) : scanSpace(at, scan8(at, end, 59));
  if (to) spanSet(MESSAGE_TO_URI, uri, stop);
  return stop;
}

/** Narrows the To URI down to the address of record: no scheme, no parameters. */
export function recordSettle(): void {
  const p: i32 = ld32(MESSAGE + MESSAGE_TO_URI);
  const end: i32 = p + ld32(MESSAGE + MESSAGE_TO_URI_LEN);
  const stop: i32 = scanSpace(p, scan8(p, end, 59));
  spanSet(MESSAGE_TO_URI, p + schemeRead(p, stop), stop);
}

/** Reads a From or To header, whose line begins at `line`: its tag (RFC 3261 19.3). Returns 0 or a fault. */
export function partyRead(line: i32, p: i32, end: i32, lineField: i32, tagField: i32): i32 {
  if (!lineNote(lineField, line, end)) return fault(FAULT_HEADER, line);
  let at: i32 = partyUri(p, end, tagField === MESSAGE_TO_TAG);
  if (at === 0) return fault(FAULT_HEADER, p);
  while (at < end) {
    at = scan8(at, end, 59);
    const value: i32 = tagValue(at, end);
    if (value !== 0) {
      spanSet(tagField, value, spaceTrim(value, scan8(value, end, 59)));
      return 0;
    }
    at = at + 1;
  }
  return 0;
}

/** Position of the value of the parameter whose semicolon stands at `p`, if it is the tag; else 0. */
function tagValue(p: i32, end: i32): i32 {
  if (end - p > 5 && fold32(p) === 0x6761743b && ld8(p + 4) === 61 && ld8(p + 5) > 32) return p + 5;
  const name: i32 = spaceSkip(p + 1, end);
  const nameEnd: i32 = tokenEnd(name, end);
  const equals: i32 = spaceSkip(nameEnd, end);
  if (nameEnd - name !== 3 || fold16(name) !== 0x6174 || fold8(name + 2) !== 0x67 || equals >= end || ld8(equals) !== 61) return 0;
  return spaceSkip(equals + 1, end);
}
