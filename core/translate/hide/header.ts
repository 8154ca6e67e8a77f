/*
 * The lines of the head that no mention stands for, in a service that hides its topology or has a domain: what names an
 * element goes, Call-IDs that name a dialog are turned (topology.ts), identities get their domain (domain.ts).
 */

import { ld32, ld8, scan8, scanSpace } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import { MESSAGE_BODY, MESSAGE_START } from "../../memory/message.ts";
import { spaceSkip, spaceTrim } from "../../bytes/word.ts";
import { lineEnd, valueEnd } from "../../decode/sip/message.ts";
import { TRACE_DIALOG, TRACE_ELEMENT, TRACE_IDENTITY, TRACE_REPLY, traceRead } from "../../decode/sip/trace.ts";
import { editAppend, textMark } from "../../encode/edit.ts";
import { callIdMap } from "./callid.ts";
import { hasDomain, identitiesMap } from "./domain.ts";
import { isHiding } from "./hiding.ts";

/** The Call-ID that the value [p, end) begins with, and all of them where they are a list. */
function callIdsMap(trace: i32, p: i32, end: i32): void {
  let at: i32 = p;
  while (at < end) {
    const from: i32 = spaceSkip(at, end);
    const stop: i32 = scanSpace(from, scan8(from, scan8(from, end, 44), 59));
    callIdMap(from, stop);
    at = trace === TRACE_REPLY ? scan8(stop, end, 44) + 1 : end;
  }
}

/** Maps the header of the line that begins at `line`, whose value is [p, end) with the next line at `next`. */
function headerMap(trace: i32, line: i32, p: i32, end: i32, next: i32): void {
  if (trace === TRACE_IDENTITY) {
    if (hasDomain()) identitiesMap(p, end);
  } else if (isHiding()) {
    if (trace === TRACE_ELEMENT) editAppend(line, next, textMark());
    else if (trace === TRACE_DIALOG || trace === TRACE_REPLY) callIdsMap(trace, p, end);
  }
}

/** Walks the lines of the head, which the decoder has found to be well-formed. */
export function headersMap(): void {
  const end: i32 = ld32(MESSAGE + MESSAGE_BODY);
  let line: i32 = scan8(ld32(MESSAGE + MESSAGE_START), end, 10) + 1;
  while (line < end && ld8(line) !== 13 && ld8(line) !== 10) {
    const colon: i32 = scan8(line, end, 58);
    const stop: i32 = lineEnd(colon, end);
    const next: i32 = stop < end ? stop + 1 : end;
    headerMap(traceRead(line, spaceTrim(line, colon)), line, colon + 1, valueEnd(colon + 1, stop), next);
    line = next;
  }
}
