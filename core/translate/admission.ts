/*
 * Whom a service serves (SPEC V3): with SERVICE_REGISTERED_ONLY a terminal that nothing is registered at may register, ask
 * what the server can do, and go on with a call that it has; whatever else it sends is refused before anything is made of it.
 */

import { ld32 } from "../machine.ts";
import { MESSAGE } from "../memory/layout.ts";
import { SERVICE_REGISTERED_ONLY } from "../memory/config.ts";
import { serviceHas } from "../memory/context.ts";
import { MESSAGE_METHOD, MESSAGE_TO_TAG_LEN, METHOD_INVITE, METHOD_OPTIONS, METHOD_REGISTER } from "../memory/message.ts";
import { TERMINAL_REGISTRATIONS } from "../memory/tables.ts";
import { terminalAt } from "../table/terminal.ts";
import { isCallKnown } from "./call.ts";

/** Does the request in hand, from a terminal, begin a call? */
function isBeginning(method: i32): boolean {
  return method === METHOD_INVITE && ld32(MESSAGE + MESSAGE_TO_TAG_LEN) === 0;
}

/** Is the request in hand, from `terminal`, to be refused? */
export function isBarred(terminal: i32): boolean {
  if (!serviceHas(SERVICE_REGISTERED_ONLY)) return false;
  const method: i32 = ld32(MESSAGE + MESSAGE_METHOD);
  if (method === METHOD_REGISTER || method === METHOD_OPTIONS || ld32(terminalAt(terminal) + TERMINAL_REGISTRATIONS) > 0) return false;
  return isBeginning(method) || !isCallKnown();
}
