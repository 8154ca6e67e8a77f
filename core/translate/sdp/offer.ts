/*
 * Is a description an offer or an answer (RFC 3264, RFC 3261 13.2.1, RFC 3262 5, RFC 3311 5.1)? What stands in the call for the
 * INVITE in question tells, also when it is over.
 */

import { ld32 } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import { MESSAGE_CSEQ_METHOD, MESSAGE_STATUS, METHOD_ACK, METHOD_INVITE, METHOD_PRACK } from "../../memory/message.ts";
import { CALL_EXCHANGE, EXCHANGE_OFFERED, SIDE_ACCESS } from "../../memory/tables.ts";
import { callAt } from "../../table/call.ts";
import { requestSide } from "./side.ts";

/** Had the last INVITE of the side that the request in hand comes from an offer? */
function isOffered(call: i32): boolean {
  const bit: i32 = requestSide() === SIDE_ACCESS ? EXCHANGE_OFFERED : EXCHANGE_OFFERED << 1;
  return (ld32(callAt(call) + CALL_EXCHANGE) & bit) !== 0;
}

/** Is the description in hand an answer? */
export function isAnswer(call: i32): boolean {
  const method: i32 = ld32(MESSAGE + MESSAGE_CSEQ_METHOD);
  if (ld32(MESSAGE + MESSAGE_STATUS) !== 0) return method !== METHOD_INVITE || isOffered(call);
  return method === METHOD_ACK || (method === METHOD_PRACK && !isOffered(call));
}
