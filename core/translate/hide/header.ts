/*
 * The lines of the head that no mention stands for, in a service that hides its topology or has a domain: what names an
 * element goes, Call-IDs that name a dialog are turned (topology.ts), identities get their domain (domain.ts).
 */

import { scan8, scanSpace } from "../../machine.ts";
import { nameEnd } from "../../bytes/line.ts";
import { spaceSkip } from "../../bytes/word.ts";
import { lineAfter, lineColon, lineFirst, lineNext, lineValueEnd } from "../../decode/sip/line.ts";
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

/** Maps the header line that begins at `line`. */
function headerMap(line: i32): void {
  const colon: i32 = lineColon(line);
  const trace: i32 = traceRead(line, nameEnd(line, colon));
  if (trace === TRACE_IDENTITY) {
    if (hasDomain()) identitiesMap(colon + 1, lineValueEnd(line));
  } else if (isHiding()) {
    if (trace === TRACE_ELEMENT) editAppend(line, lineAfter(line), textMark());
    else if (trace === TRACE_DIALOG || trace === TRACE_REPLY) callIdsMap(trace, colon + 1, lineValueEnd(line));
  }
}

/** Maps the header lines of the message in hand. */
export function headersMap(): void {
  for (let line: i32 = lineFirst(); line !== 0; line = lineNext(line)) headerMap(line);
}
