/*
 * What the stages know about the message in hand besides its bytes: where it came from, whose it is, where it goes.
 * Scratch, behind the Message record.
 */

import { ld32 } from "../machine.ts";
import { SERVICE_FLAGS } from "./config.ts";
import { CONTEXT } from "./layout.ts";

/** Address of the packet header. */
export const CONTEXT_PACKET: i32 = CONTEXT;
/** INBOUND (access to core) or OUTBOUND. */
export const CONTEXT_DIRECTION: i32 = CONTEXT + 4;
/** Index and record of the service. */
export const CONTEXT_SERVICE: i32 = CONTEXT + 8;
export const CONTEXT_SERVICE_AT: i32 = CONTEXT + 12;
/** Index of the terminal, and of the binding that the message came by or leaves by. */
export const CONTEXT_TERMINAL: i32 = CONTEXT + 16;
export const CONTEXT_BINDING: i32 = CONTEXT + 20;
/** Index of the call, -1 for none. */
export const CONTEXT_CALL: i32 = CONTEXT + 24;
/** Where the message goes. */
export const CONTEXT_REMOTE_PORT: i32 = CONTEXT + 28;
export const CONTEXT_REMOTE: i32 = CONTEXT + 32;
/** First REASON_* that stands against sending it, 0 for none. */
export const CONTEXT_REFUSED: i32 = CONTEXT + 48;
/** Was a Route mapped already? Only the topmost says where a request goes. */
export const CONTEXT_ROUTED: i32 = CONTEXT + 52;
/** The token's source port for a response (0: as sent-by). */
export const CONTEXT_VIA_PORT: i32 = CONTEXT + 56;
/** Where the message stands. */
export const CONTEXT_PAYLOAD: i32 = CONTEXT + 80;
export const CONTEXT_LEN: i32 = CONTEXT + 84;
/** TRANSPORT_* by which it leaves. */
export const CONTEXT_TRANSPORT: i32 = CONTEXT + 88;
/** TRANSPORT_* of the terminal, and of the core for it. */
export const CONTEXT_ACCESS: i32 = CONTEXT + 92;
export const CONTEXT_CORE: i32 = CONTEXT + 96;
/** Port e for what the terminal uses. */
export const CONTEXT_PORT: i32 = CONTEXT + 100;
/** Port to dial where no connection leads to the remote port, 0 for that very port. */
export const CONTEXT_DIAL_PORT: i32 = CONTEXT + 104;
/** Did something that should be hidden pass, being too long or not read? */
export const CONTEXT_EXPOSED: i32 = CONTEXT + 108;
/** Did a media line of an offer or answer pass that is not relayed? */
export const CONTEXT_UNRELAYED: i32 = CONTEXT + 120;
/** Is the description in hand an offer or answer that is to be taken over? And the dialog it is set aside for, 0 for what is in force. */
export const CONTEXT_TAKEN: i32 = CONTEXT + 112;
export const CONTEXT_ASIDE: i32 = CONTEXT + 116;
/** Address that the top Via was restored to, for `received`. */
export const CONTEXT_VIA: i32 = CONTEXT + 64;

export const INBOUND: i32 = 1;
export const OUTBOUND: i32 = 2;

export function isInbound(): boolean {
  return ld32(CONTEXT_DIRECTION) === INBOUND;
}

/** Has the service in hand this SERVICE_* flag? */
export function serviceHas(flag: i32): boolean {
  return (ld32(ld32(CONTEXT_SERVICE_AT) + SERVICE_FLAGS) & flag) !== 0;
}
