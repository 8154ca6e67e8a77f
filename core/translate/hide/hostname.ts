/*
 * Names of server-side hosts, which a service that hides shows as E with a token like addresses (SPEC S1): the token holds the
 * very host and port that stood there, behind a byte for what was written about the transport.
 */

import { ld32, ld8, st8 } from "../../machine.ts";
import {
  FORM_NAME,
  MENTION_AT,
  MENTION_FORM,
  MENTION_HOST_END,
  MENTION_TOKEN,
  MENTION_TOKEN_LEN,
  ROLE_CONTACT,
  ROLE_PATH,
  ROLE_RECORD_ROUTE,
  ROLE_SERVICE_ROUTE,
  ROLE_TARGET,
} from "../../memory/message.ts";
import { SEAL_TEXT, sealPut, sealRead } from "../../bytes/seal.ts";
import { editAppend, textBytes, textMark, textRoom } from "../../encode/edit.ts";
import { HIDDEN_HOST, isHiding, isSealable, purposeFrom, purposeTo, sealedAppend } from "./hiding.ts";

/** Does the role tell a terminal which server to go to? An identity, as in From or Refer-To, is no topology. */
function isServerRole(role: i32): boolean {
  return role === ROLE_CONTACT || role === ROLE_RECORD_ROUTE || role === ROLE_SERVICE_ROUTE || role === ROLE_PATH || role === ROLE_TARGET;
}

function nameLength(m: i32): i32 {
  return ld32(m + MENTION_HOST_END) - ld32(m + MENTION_AT);
}

/** Is this the name of a server that is to be hidden, and can be? */
export function isNameHidden(m: i32, role: i32): boolean {
  return ld32(m + MENTION_FORM) === FORM_NAME && isServerRole(role) && isHiding() && isSealable(nameLength(m) + 1);
}

/** The same of the sent-by of a Via. */
export function isSentByHidden(m: i32): boolean {
  return isHiding() && isSealable(nameLength(m) + 1);
}

/** Writes the token; `named` is NAMED_* plus one of what was written about the transport, 0 when it still is. */
export function nameAppend(m: i32, named: i32): void {
  const len: i32 = nameLength(m);
  st8(SEAL_TEXT, named);
  sealPut(1, ld32(m + MENTION_AT), len);
  sealedAppend(purposeFrom(HIDDEN_HOST), len + 1);
}

/** Writes the name that the token of a mention holds over its host and port. Returns `named` as above, -1 when none was sealed here. */
export function nameRestore(m: i32): i32 {
  const len: i32 = sealRead(purposeTo(HIDDEN_HOST), ld32(m + MENTION_TOKEN), ld32(m + MENTION_TOKEN_LEN));
  if (len < 2 || !textRoom(len)) return -1;
  const mark: i32 = textMark();
  textBytes(SEAL_TEXT + 1, len - 1);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END), mark);
  return ld8(SEAL_TEXT);
}
