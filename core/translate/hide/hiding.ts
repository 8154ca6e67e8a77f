/*
 * Topology hiding (CONFORMANCE 28) as a policy of the service, and what its seals are for. What is sealed on the way from one
 * side opens on the way back to it and nowhere else, and for this service alone.
 */

import { ld32, st32 } from "../../machine.ts";
import { SERVICE_HIDE } from "../../memory/config.ts";
import { CONTEXT_DIRECTION, CONTEXT_EXPOSED, CONTEXT_SERVICE, serviceHas } from "../../memory/context.ts";
import { SEALED_MAX, SEAL_MAX, sealWrite } from "../../bytes/seal.ts";
import { textByte, textDrop, textMark, textRoom, textWord } from "../../encode/edit.ts";

/* What a text is sealed for; the service and the side that it comes from are put beside it. */
export const HIDDEN_VIA: i32 = 1;
export const HIDDEN_HOST: i32 = 2;
export const HIDDEN_CALL_ID: i32 = 3;
/** Of any service: where a server wants its response (maddr.ts). */
export const HIDDEN_MADDR: i32 = 4;

/** Characters that may stand before a seal: a host, a port, a parameter. */
const PREFIX_MAX: i32 = 128;

export function isHiding(): boolean {
  return serviceHas(SERVICE_HIDE);
}

/** Purpose of the seal over what the side has that the message in hand comes from. */
export function purposeFrom(kind: i32): i32 {
  return (ld32(CONTEXT_SERVICE) << 8) | (ld32(CONTEXT_DIRECTION) << 4) | kind;
}

/** Purpose of the seal over what the side has that it goes to. */
export function purposeTo(kind: i32): i32 {
  return (ld32(CONTEXT_SERVICE) << 8) | ((3 - ld32(CONTEXT_DIRECTION)) << 4) | kind;
}

/** Notes that something passes which should be hidden. */
export function exposedNote(): void {
  st32(CONTEXT_EXPOSED, 1);
}

/** May a text of `len` bytes be sealed? If not it passes, and that is noted. */
export function isSealable(len: i32): boolean {
  if (len <= SEAL_MAX && textRoom(SEALED_MAX + PREFIX_MAX)) return true;
  exposedNote();
  return false;
}

/** ";cvt=" and the first `len` bytes of SEAL_TEXT under seal, a parameter of a Via or URI; isSealable was asked. */
export function sealedAppend(purpose: i32, len: i32): void {
  textWord(0x3b637674, 4);
  textByte(61);
  textDrop(sealWrite(textMark(), purpose, len));
}
