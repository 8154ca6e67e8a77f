/*
 * Can an end be reached where it says it is (SPEC R2)? To be asked before anything came from there.
 */

import { ld32 } from "../../machine.ts";
import { NAT_ALWAYS, NAT_NEVER, REALM_NAT, SERVICE_ACCESS } from "../../memory/config.ts";
import { CALL_BINDING, CALL_SERVICE, CALL_TERMINAL, SIDE_CORE, TERMINAL_ADDRESS } from "../../memory/tables.ts";
import { addressEqual } from "../../bytes/address.ts";
import { isSpelledAt } from "../../table/binding.ts";
import { callAt } from "../../table/call.ts";
import { realmAt, serviceAt } from "../../table/service.ts";
import { terminalAt } from "../../table/terminal.ts";

/** May media be sent to an address that this side, in this realm, wrote (RFC 7362 4)? To the core it may, unless its realm says always. */
export function isOpen(call: i32, side: i32, realm: i32, address: i32): boolean {
  const nat: i32 = ld32(realmAt(realm) + REALM_NAT);
  if (nat === NAT_NEVER) return true;
  if (side === SIDE_CORE) return nat !== NAT_ALWAYS;
  return nat !== NAT_ALWAYS && addressEqual(address, terminalAt(ld32(callAt(call) + CALL_TERMINAL)) + TERMINAL_ADDRESS);
}

/** Is the terminal of a call behind a NAT, as far as its signaling shows: does it come from elsewhere than the terminal says of itself? */
export function isAway(call: i32): boolean {
  const c: i32 = callAt(call);
  const nat: i32 = ld32(realmAt(ld32(serviceAt(ld32(c + CALL_SERVICE)) + SERVICE_ACCESS)) + REALM_NAT);
  if (nat === NAT_NEVER || nat === NAT_ALWAYS) return nat === NAT_ALWAYS;
  return !isSpelledAt(ld32(c + CALL_BINDING), terminalAt(ld32(c + CALL_TERMINAL)) + TERMINAL_ADDRESS);
}
