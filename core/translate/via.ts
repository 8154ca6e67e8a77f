/*
 * The top Via (RFC 3261 18.1.1, 18.2; RFC 3581 4): its sent-by is mapped on the way to the server and restored in the
 * response, `received` and `rport` are turned into what the other side would have seen. Via count, order and branch stay.
 * A server's sent-by that E:e alone cannot bring back carries a token, and so do an unusual source port and arrival port.
 */

import { ld32, st32 } from "../machine.ts";
import { POOL_ADDRESS, SERVER_PORT, SERVICE_ADDRESS } from "../memory/config.ts";
import {
  CONTEXT_ACCESS,
  CONTEXT_BINDING,
  CONTEXT_CORE,
  CONTEXT_DIAL_PORT,
  CONTEXT_PACKET,
  CONTEXT_PORT,
  CONTEXT_REMOTE,
  CONTEXT_REMOTE_PORT,
  CONTEXT_SERVICE,
  CONTEXT_SERVICE_AT,
  CONTEXT_TERMINAL,
  CONTEXT_TRANSPORT,
  CONTEXT_VIA,
  CONTEXT_VIA_PORT,
  isInbound,
} from "../memory/context.ts";
import {
  FORM_NAME,
  MENTION_ADDRESS,
  MENTION_AT,
  MENTION_END,
  MENTION_FORM,
  MENTION_HOST_END,
  MENTION_PORT,
  MENTION_TOKEN,
  MENTION_TOKEN_LEN,
  NAMED_NONE,
  NAMED_OTHER,
} from "../memory/message.ts";
import { PACKET_CONNECTION, PACKET_SOURCE, PACKET_SOURCE_PORT, TRANSPORT_WS } from "../memory/packet.ts";
import { REASON_FORGED_TOKEN, REASON_FOREIGN_VIA, REASON_LOOP } from "../memory/reason.ts";
import { BINDING_POOL, BINDING_PORT, BINDING_TERMINAL, CONNECTION_LOCAL_PORT, TERMINAL_ADDRESS, TERMINAL_PORT, TERMINAL_PRIMARY } from "../memory/tables.ts";
import { addressCopy, addressEqual } from "../bytes/address.ts";
import { editAppend, textAddress, textMark } from "../encode/edit.ts";
import { bindingAt, bindingAtPort, bindingOf } from "../table/binding.ts";
import { connectionAt } from "../table/connection.ts";
import { poolAt } from "../table/port.ts";
import { SLAB_CONNECTIONS, handleIndex } from "../table/slab.ts";
import { terminalAt } from "../table/terminal.ts";
import {
  bindingFor,
  bindingReplace,
  hostReplace,
  isPlain,
  isServicePoint,
  numberReplace,
  portOrDefault,
  refuse,
  serverHere,
  serviceWrite,
  spellingReplace,
  tokenAppend,
  tokenRemove,
} from "./address.ts";
import { isSentByHidden, nameAppend, nameRestore } from "./hide/hostname.ts";
import { TOKEN_ADDRESS, TOKEN_LOCAL_PORT, TOKEN_NAMED, TOKEN_POOL, TOKEN_PORT, TOKEN_SOURCE_PORT, tokenRead } from "./token.ts";
import { namedOf, viaRename, viaSwap } from "./transport.ts";

/** A request from a terminal: sent-by becomes C:c of the binding for it, which the request then leaves by. */
export function viaInboundRequest(m: i32): void {
  const binding: i32 = bindingFor(m);
  if (binding < 0) {
    refuse(-binding);
    return;
  }
  st32(CONTEXT_BINDING, binding);
  bindingReplace(m, binding);
  viaSwap(m, ld32(CONTEXT_CORE));
}

/** A request to a terminal: the server's sent-by becomes E:e. */
export function viaOutboundRequest(m: i32): void {
  const service: i32 = ld32(CONTEXT_SERVICE_AT);
  const packet: i32 = ld32(CONTEXT_PACKET);
  const binding: i32 = ld32(CONTEXT_BINDING);
  if (ld32(m + MENTION_FORM) === FORM_NAME) {
    if (isSentByHidden(m)) sentByHide(m);
    viaSwap(m, ld32(CONTEXT_ACCESS));
    return;
  }
  const port: i32 = portOrDefault(m);
  const source: i32 = ld32(packet + PACKET_SOURCE_PORT);
  const primary: boolean = ld32(terminalAt(ld32(CONTEXT_TERMINAL)) + TERMINAL_PRIMARY) === binding + 1;
  const named: i32 = namedOf(m);
  const same: boolean = named === ld32(CONTEXT_ACCESS) + 1;
  const straight: boolean = source === port && primary && same && !viaAsymmetric();
  const here: boolean = isServicePoint(m + MENTION_ADDRESS, port);
  if (straight && isPlain(m)) {
    if (here) return;
    const mark: i32 = textMark();
    serviceWrite(service, ld32(m + MENTION_PORT) < 0 ? 5060 : -1);
    editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END), mark);
    return;
  }
  if (here && !isPlain(m)) {
    refuse(REASON_LOOP);
    return;
  }
  const b: i32 = bindingAt(binding);
  const mark: i32 = textMark();
  serviceWrite(service, 5060);
  if (straight) tokenAppend(m + MENTION_ADDRESS, ld32(m + MENTION_PORT), 0, 0, 0, 0);
  else tokenAppend(m + MENTION_ADDRESS, ld32(m + MENTION_PORT), source, ld32(b + BINDING_POOL), ld32(b + BINDING_PORT), same ? 0 : named + 1);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END), mark);
  viaRename(m, ld32(CONTEXT_ACCESS));
}

/** A server's name gives way to E with a token that holds it. */
function sentByHide(m: i32): void {
  const mark: i32 = textMark();
  serviceWrite(ld32(CONTEXT_SERVICE_AT), 5060);
  nameAppend(m, 0);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_HOST_END), mark);
}

/** Does the message go to an address of the terminal other than the one it sends from? */
function viaAsymmetric(): boolean {
  return ld32(CONTEXT_REMOTE_PORT) !== ld32(terminalAt(ld32(CONTEXT_TERMINAL)) + TERMINAL_PORT);
}

/** A response from a terminal: the server's sent-by comes back, and says where the response goes. */
export function viaInboundResponse(m: i32): void {
  if (ld32(m + MENTION_TOKEN) !== 0) {
    viaTokenRestore(m);
    return;
  }
  const server: i32 = serverHere();
  const port: i32 = ld32(server + SERVER_PORT);
  viaServerNote();
  if (ld32(m + MENTION_FORM) === FORM_NAME) {
    viaSwap(m, ld32(CONTEXT_CORE));
    return;
  }
  if (!isServicePoint(m + MENTION_ADDRESS, portOrDefault(m))) {
    refuse(REASON_FOREIGN_VIA);
    return;
  }
  transportReply(ld32(CONTEXT_ACCESS));
  if (isServicePoint(server, port)) return;
  hostReplace(m, server, ld32(m + MENTION_PORT) < 0 && port === 5060 ? -1 : port);
}

/** The response goes to the server by this transport, or by the service's where no server takes it: WebSocket is for terminals. */
function transportReply(transport: i32): void {
  st32(CONTEXT_TRANSPORT, transport >= TRANSPORT_WS ? ld32(CONTEXT_CORE) : transport);
}

/** The Via is the service's server's, as far as it says. */
function viaServerNote(): void {
  const server: i32 = serverHere();
  addressCopy(CONTEXT_VIA, server);
  st32(CONTEXT_VIA_PORT, ld32(server + SERVER_PORT));
}

/** A token that holds no address may hold a server's name. */
function viaNameRestore(m: i32): void {
  if (nameRestore(m) < 0) {
    refuse(REASON_FORGED_TOKEN);
    return;
  }
  tokenRemove(m);
  viaServerNote();
  viaSwap(m, ld32(CONTEXT_CORE));
}

function viaTokenRestore(m: i32): void {
  if (!tokenRead(ld32(m + MENTION_TOKEN), ld32(m + MENTION_TOKEN_LEN), ld32(CONTEXT_SERVICE))) {
    viaNameRestore(m);
    return;
  }
  const port: i32 = ld32(TOKEN_PORT) >= 0 ? ld32(TOKEN_PORT) : 5060;
  const source: i32 = ld32(TOKEN_SOURCE_PORT);
  const binding: i32 = ld32(TOKEN_LOCAL_PORT) === 0 ? -1 : bindingAtPort(ld32(TOKEN_POOL), ld32(TOKEN_LOCAL_PORT));
  if (binding >= 0) bindingAdopt(binding);
  hostReplace(m, TOKEN_ADDRESS, ld32(TOKEN_PORT));
  tokenRemove(m);
  transportRestore(m);
  addressCopy(CONTEXT_VIA, TOKEN_ADDRESS);
  st32(CONTEXT_VIA_PORT, source !== 0 ? source : port);
  addressCopy(CONTEXT_REMOTE, TOKEN_ADDRESS);
  st32(CONTEXT_REMOTE_PORT, ld32(CONTEXT_VIA_PORT));
  st32(CONTEXT_DIAL_PORT, port);
}

/** The response goes by the transport that its Via named (RFC 3261 18.2.2): the terminal's, unless the token says another. */
function transportRestore(m: i32): void {
  const named: i32 = ld32(TOKEN_NAMED) - 1;
  const known: boolean = named > NAMED_NONE && named < NAMED_OTHER;
  transportReply(known ? named - 1 : ld32(CONTEXT_ACCESS));
  if (known) viaRename(m, named - 1);
}

/** A response leaves by the binding that its request came to, if that is at the address the response comes from (CONFORMANCE 39). */
function bindingAdopt(binding: i32): void {
  const terminal: i32 = ld32(bindingAt(binding) + BINDING_TERMINAL);
  if (addressEqual(terminalAt(terminal) + TERMINAL_ADDRESS, ld32(CONTEXT_PACKET) + PACKET_SOURCE)) st32(CONTEXT_BINDING, binding);
}

/** A response to a terminal: C:c becomes what the terminal wrote. */
export function viaOutboundResponse(m: i32): void {
  const binding: i32 = ld32(m + MENTION_FORM) === FORM_NAME ? -1 : bindingOf(m + MENTION_ADDRESS, portOrDefault(m));
  if (binding < 0 || ld32(bindingAt(binding) + BINDING_TERMINAL) !== ld32(CONTEXT_TERMINAL)) {
    refuse(REASON_FOREIGN_VIA);
    return;
  }
  spellingReplace(m, binding);
  viaSwap(m, ld32(CONTEXT_ACCESS));
}

function addressReplace(m: i32, address: i32): void {
  const mark: i32 = textMark();
  textAddress(address);
  editAppend(ld32(m + MENTION_AT), ld32(m + MENTION_END), mark);
}

/** `received`, in a response: the address that the restored Via's owner is seen at. */
export function viaReceived(m: i32): void {
  if (ld32(m + MENTION_FORM) === FORM_NAME) return;
  if (isInbound()) {
    const service: i32 = ld32(CONTEXT_SERVICE_AT);
    if (addressEqual(m + MENTION_ADDRESS, service + SERVICE_ADDRESS) && !addressEqual(CONTEXT_VIA, service + SERVICE_ADDRESS)) addressReplace(m, CONTEXT_VIA);
    return;
  }
  const pool: i32 = poolAt(ld32(bindingAt(ld32(CONTEXT_BINDING)) + BINDING_POOL));
  if (addressEqual(m + MENTION_ADDRESS, pool + POOL_ADDRESS)) addressReplace(m, terminalAt(ld32(CONTEXT_TERMINAL)) + TERMINAL_ADDRESS);
}

/** Port of ours that the core has seen: C:c, or the one that a dialled connection has. */
function ownPort(): i32 {
  const connection: i32 = handleIndex(SLAB_CONNECTIONS, ld32(ld32(CONTEXT_PACKET) + PACKET_CONNECTION));
  if (connection >= 0) return ld32(connectionAt(connection) + CONNECTION_LOCAL_PORT);
  return ld32(bindingAt(ld32(CONTEXT_BINDING)) + BINDING_PORT);
}

/** `rport` with a value, in a response. */
export function viaRport(m: i32): void {
  const inbound: boolean = isInbound();
  const port: i32 = ld32(m + MENTION_PORT);
  const seen: i32 = inbound ? ld32(CONTEXT_PORT) : ownPort();
  const real: i32 = inbound ? ld32(CONTEXT_VIA_PORT) : ld32(terminalAt(ld32(CONTEXT_TERMINAL)) + TERMINAL_PORT);
  if (port === seen && port !== real) numberReplace(m, real);
}
