/*
 * Interworking (SPEC S2): where a terminal and the core use different transports, what names one follows its side: the
 * top Via (RFC 3261 18.2.2 sends a response by it) and the transport parameter of the URIs that are mapped.
 * Invariant: where both sides use the same transport nothing here changes a byte.
 */

import { ld32 } from "../machine.ts";
import {
  MENTION_AT,
  MENTION_FLAG_SIPS,
  MENTION_NAMED_MASK,
  MENTION_NAMED_SHIFT,
  MENTION_ROLE,
  MENTION_URI_END,
  NAMED_NONE,
  NAMED_OTHER,
} from "../memory/message.ts";
import { CONTEXT_ACCESS, CONTEXT_CORE } from "../memory/context.ts";
import { TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_UDP, TRANSPORT_WS, TRANSPORT_WSS } from "../memory/packet.ts";
import { tokenEnd } from "../bytes/word.ts";
import { transportFind } from "../decode/sip/uri.ts";
import { viaTransport } from "../decode/sip/via.ts";
import { editAppend, textMark, textWord } from "../encode/edit.ts";

/** Characters of ";transport=". */
const PARAMETER: i32 = 11;

/** NAMED_* of a mention: what its Via or URI says. */
export function namedOf(m: i32): i32 {
  return (ld32(m + MENTION_ROLE) >> MENTION_NAMED_SHIFT) & MENTION_NAMED_MASK;
}

/** Writes the name of a transport, in lower case when `fold` is 0x20202020. */
function transportWrite(transport: i32, fold: i32): void {
  if (transport === TRANSPORT_UDP) textWord(0x55445000 | fold, 3);
  else if (transport === TRANSPORT_TCP) textWord(0x54435000 | fold, 3);
  else if (transport === TRANSPORT_TLS) textWord(0x544c5300 | fold, 3);
  else if (transport === TRANSPORT_WS) textWord(0x57530000 | fold, 2);
  else textWord(0x57535300 | fold, 3);
}

/** Makes the Via say `transport`. */
export function viaRename(m: i32, transport: i32): void {
  if (namedOf(m) === transport + 1) return;
  const at: i32 = viaTransport(m);
  const mark: i32 = textMark();
  transportWrite(transport, 0);
  editAppend(at, tokenEnd(at, ld32(m + MENTION_AT)), mark);
}

/** Makes it say that of the side that the message goes to, where the two differ. */
export function viaSwap(m: i32, transport: i32): void {
  if (ld32(CONTEXT_ACCESS) !== ld32(CONTEXT_CORE)) viaRename(m, transport);
}

/** WebSocket has one name in URIs, secure or not (RFC 7118 5.2). */
function uriName(transport: i32): i32 {
  return transport === TRANSPORT_WSS ? TRANSPORT_WS : transport;
}

/** Replaces the value of the transport parameter. */
export function uriRename(m: i32, transport: i32): void {
  const at: i32 = transportFind(m);
  if (at === 0) return;
  const mark: i32 = textMark();
  transportWrite(uriName(transport), 0x20202020);
  editAppend(at, tokenEnd(at, ld32(m + MENTION_URI_END)), mark);
}

/** Must a server's URI say the terminal's transport, so that the terminal keeps to it? */
export function isRenamed(m: i32): boolean {
  const named: i32 = namedOf(m);
  const access: i32 = ld32(CONTEXT_ACCESS);
  if (access === ld32(CONTEXT_CORE) || named === NAMED_OTHER || (ld32(m + MENTION_ROLE) & MENTION_FLAG_SIPS) !== 0) return false;
  return named === NAMED_NONE ? access !== TRANSPORT_UDP : named !== uriName(access) + 1;
}

/** Writes a parameter that says it. */
export function parameterWrite(): void {
  textWord(0x3b747261, 4);
  textWord(0x6e73706f, 4);
  textWord(0x72743d00, 3);
  transportWrite(uriName(ld32(CONTEXT_ACCESS)), 0x20202020);
}

/** Makes a server's URI say again what it said: NAMED_*. */
export function uriRestored(m: i32, named: i32): void {
  if (named !== NAMED_NONE) {
    uriRename(m, named - 1);
    return;
  }
  const at: i32 = transportFind(m);
  if (at !== 0) editAppend(at - PARAMETER, tokenEnd(at, ld32(m + MENTION_URI_END)), textMark());
}

/** A URI whose parameter names the transport of one side gets the name that the other has. */
export function uriSwap(m: i32, from: i32, to: i32): void {
  if (from !== to && namedOf(m) === uriName(from) + 1) uriRename(m, to);
}
