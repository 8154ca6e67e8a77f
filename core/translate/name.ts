/*
 * Names that terminals call themselves by: those in .invalid, which a browser writes that has no address (RFC 7118 5), and those that the
 * service has as `names:`. One that begins with a dot stands for all names below it. They are compared without case (RFC 4343).
 */

import { ld32, ld8, mul } from "../machine.ts";
import { NAMES, NAMES_MAX, NAME_SIZE } from "../memory/layout.ts";
import { CONTEXT_SERVICE } from "../memory/context.ts";
import { fold8, isInvalid } from "../bytes/word.ts";

/** Is the host at [p, end) the name of `len` characters at `name`, or one below it? */
function isMeant(p: i32, end: i32, name: i32, len: i32): boolean {
  const below: boolean = ld8(name) === 46;
  if (below ? end - p <= len : end - p !== len) return false;
  for (let i: i32 = 1; i <= len; i++) if (fold8(end - i) !== fold8(name + len - i)) return false;
  return true;
}

/** Does a terminal of the service in hand mean itself by the host at [p, end), which is a name? */
export function isTerminalName(p: i32, end: i32): boolean {
  if (isInvalid(p, end)) return true;
  let at: i32 = NAMES + mul(ld32(CONTEXT_SERVICE), mul(NAMES_MAX, NAME_SIZE));
  for (let i: i32 = 0; i < NAMES_MAX && ld8(at) !== 0; i++) {
    if (isMeant(p, end, at + 1, ld8(at))) return true;
    at = at + NAME_SIZE;
  }
  return false;
}
