/*
 * maddr of the top Via (RFC 3261 18.1.1): a response that goes by datagrams is sent there before anything else, to the port of
 * the sent-by (18.2.2). Where it repeats the sent-by's address it goes the way of the sent-by; a server's other one becomes
 * E with a seal of what it said, and the response goes there; a group's stays.
 * Invariant: where a response goes is said by a server, or by who is there himself; a terminal only brings it back.
 */

import { ld16be, ld32, st16be, st32 } from "../machine.ts";
import { MESSAGE } from "../memory/layout.ts";
import { POOL_ADDRESS, SERVICE_ADDRESS } from "../memory/config.ts";
import {
  CONTEXT_BINDING,
  CONTEXT_PACKET,
  CONTEXT_REMOTE,
  CONTEXT_REMOTE_PORT,
  CONTEXT_SERVICE_AT,
  CONTEXT_TRANSPORT,
  CONTEXT_VIA,
  isInbound,
} from "../memory/context.ts";
import { FORM_NAME, MENTION_ADDRESS, MENTION_AT, MENTION_END, MENTION_FORM, MENTION_HOST_END, MENTION_URI_END, MESSAGE_STATUS } from "../memory/message.ts";
import { PACKET_SOURCE, TRANSPORT_UDP } from "../memory/packet.ts";
import { REASON_FORGED_TOKEN } from "../memory/reason.ts";
import { BINDING_ADDRESS, BINDING_FORM, BINDING_POOL } from "../memory/tables.ts";
import { addressCopy, addressEqual, isBroadcast, isMulticast, isUnspecified } from "../bytes/address.ts";
import { SEAL_TEXT, sealPut, sealRead, sealWrite } from "../bytes/seal.ts";
import { tokenEnd } from "../bytes/word.ts";
import { TOKEN_MADDR, viaTokenFind } from "../decode/sip/via.ts";
import { editAppend, textByte, textBytes, textDrop, textHost, textMark, textRoom, textWord } from "../encode/edit.ts";
import { bindingAt } from "../table/binding.ts";
import { poolAt } from "../table/port.ts";
import { serverFind } from "../table/service.ts";
import { parameterRemove, portOrDefault, refuse } from "./address.ts";
import { HIDDEN_MADDR, isSealable, purposeFrom, purposeTo } from "./hide/hiding.ts";

/* What is sealed: the address, the port that the response goes to, and maddr as it was written. */
const SEALED_PORT: i32 = 16;
const SEALED_WRITTEN: i32 = 18;

function addressReplace(m: i32, address: i32): void {
  const mark: i32 = textMark();
  textHost(address, -1);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_END), mark);
}

/** maddr that repeats the address of the sent-by. */
function sameMap(m: i32, response: boolean): void {
  const service: i32 = ld32(CONTEXT_SERVICE_AT) + SERVICE_ADDRESS;
  if (isInbound() && response) {
    if (addressEqual(m + MENTION_ADDRESS, service)) addressReplace(m, CONTEXT_VIA);
    return;
  }
  const b: i32 = bindingAt(ld32(CONTEXT_BINDING));
  if (isInbound()) addressReplace(m, poolAt(ld32(b + BINDING_POOL)) + POOL_ADDRESS);
  else if (!response) addressReplace(m, service);
  else if (ld32(b + BINDING_FORM) !== FORM_NAME) addressReplace(m, b + BINDING_ADDRESS);
}

/** May the response to the request in hand go there? */
function isBelieved(address: i32): boolean {
  if (isMulticast(address) || isUnspecified(address) || isBroadcast(address)) return false;
  const service: i32 = ld32(CONTEXT_SERVICE_AT);
  const source: i32 = ld32(CONTEXT_PACKET) + PACKET_SOURCE;
  return serverFind(service, source, -1) >= 0 || serverFind(service, address, -1) >= 0 || addressEqual(address, source);
}

/** A server's maddr: E and ";cvm=" with the seal. */
function serversHide(m: i32, via: i32): void {
  const len: i32 = ld32(m + MENTION_END) - ld32(m + MENTION_AT);
  if (!isBelieved(m + MENTION_ADDRESS) || !isSealable(SEALED_WRITTEN + len)) return;
  const mark: i32 = textMark();
  textHost(ld32(CONTEXT_SERVICE_AT) + SERVICE_ADDRESS, -1);
  textWord(0x3b63766d, 4);
  textByte(61);
  sealPut(0, m + MENTION_ADDRESS, SEALED_PORT);
  st16be(SEAL_TEXT + SEALED_PORT, portOrDefault(via));
  sealPut(SEALED_WRITTEN, ld32(m + MENTION_AT), len);
  textDrop(sealWrite(textMark(), purposeFrom(HIDDEN_MADDR), SEALED_WRITTEN + len));
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_END), mark);
}

/** What `token`, whose Via ends at `end`, holds comes back, and says where the response goes. */
function serversRestore(m: i32, token: i32, end: i32): void {
  const stop: i32 = tokenEnd(token, end);
  const len: i32 = sealRead(purposeTo(HIDDEN_MADDR), token, stop - token) - SEALED_WRITTEN;
  if (len <= 0 || !textRoom(len)) {
    refuse(REASON_FORGED_TOKEN);
    return;
  }
  const mark: i32 = textMark();
  textBytes(SEAL_TEXT + SEALED_WRITTEN, len);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_END), mark);
  parameterRemove(token, stop);
  if (ld32(CONTEXT_TRANSPORT) !== TRANSPORT_UDP) return;
  addressCopy(CONTEXT_REMOTE, SEAL_TEXT);
  st32(CONTEXT_REMOTE_PORT, ld16be(SEAL_TEXT + SEALED_PORT));
}

/** maddr, of the Via whose mention is `via` and that was mapped already. */
export function viaMaddr(m: i32, via: i32): void {
  if (ld32(m + MENTION_FORM) === FORM_NAME) return;
  const response: boolean = ld32(MESSAGE + MESSAGE_STATUS) !== 0;
  const end: i32 = ld32(via + MENTION_URI_END);
  const token: i32 = isInbound() && response ? viaTokenFind(ld32(via + MENTION_HOST_END), end, TOKEN_MADDR) : 0;
  if (token !== 0) serversRestore(m, token, end);
  else if (addressEqual(m + MENTION_ADDRESS, via + MENTION_ADDRESS)) sameMap(m, response);
  else if (!isInbound() && !response) serversHide(m, via);
}
