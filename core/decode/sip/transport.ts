/*
 * Names of transports, in a Via and in the transport parameter of a URI (RFC 3261 25.1, RFC 7118 5.2): caseless.
 */

import { ld32, st32 } from "../../machine.ts";
import { MENTION_NAMED_SHIFT, MENTION_ROLE, NAMED_OTHER } from "../../memory/message.ts";
import { TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_UDP, TRANSPORT_WS, TRANSPORT_WSS } from "../../memory/packet.ts";
import { fold16, fold8, tokenEnd } from "../../bytes/word.ts";

/** NAMED_* of the token that begins at `p`. */
function transportNamed(p: i32, end: i32): i32 {
  const len: i32 = tokenEnd(p, end) - p;
  const word: i32 = len === 2 || len === 3 ? fold16(p) : 0;
  if (len === 2) return word === 0x7377 ? TRANSPORT_WS + 1 : NAMED_OTHER;
  const last: i32 = len === 3 ? fold8(p + 2) : 0;
  if (word === 0x6475 && last === 0x70) return TRANSPORT_UDP + 1;
  if (word === 0x6374 && last === 0x70) return TRANSPORT_TCP + 1;
  if (word === 0x6c74 && last === 0x73) return TRANSPORT_TLS + 1;
  return word === 0x7377 && last === 0x73 ? TRANSPORT_WSS + 1 : NAMED_OTHER;
}

/** Notes in the role of a mention what stands at `p`. */
export function transportNote(m: i32, p: i32, end: i32): void {
  st32(m + MENTION_ROLE, ld32(m + MENTION_ROLE) | (transportNamed(p, end) << MENTION_NAMED_SHIFT));
}
