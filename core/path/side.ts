/*
 * A message with what it belongs to: from a terminal to E:e, or from the core to C:c. Sets the context that everything
 * after reads.
 */

import { ld32, ld8, st32 } from "../machine.ts";
import { SERVICE_OPEN_CORE } from "../memory/config.ts";
import {
  CONTEXT_ACCESS,
  CONTEXT_BINDING,
  CONTEXT_CORE,
  CONTEXT_DIRECTION,
  CONTEXT_LEN,
  CONTEXT_PACKET,
  CONTEXT_PAYLOAD,
  CONTEXT_PORT,
  CONTEXT_SERVICE,
  CONTEXT_SERVICE_AT,
  CONTEXT_TERMINAL,
  INBOUND,
  OUTBOUND,
  serviceHas,
} from "../memory/context.ts";
import { PACKET_CONNECTION, PACKET_SOURCE, PACKET_SOURCE_PORT, PACKET_TRANSPORT } from "../memory/packet.ts";
import { BINDING_TERMINAL, TERMINAL_PRIMARY, TERMINAL_SERVICE, TERMINAL_TRANSPORT } from "../memory/tables.ts";
import { bindingAt, isMapping } from "../table/binding.ts";
import { serverFind, serviceAt, servicePort } from "../table/service.ts";
import { terminalAt, terminalConnect } from "../table/terminal.ts";
import { coreTransport } from "../translate/connect.ts";
import { terminalOpen, terminalRelease } from "../translate/open.ts";
import { messageTake } from "./message.ts";

function contextSet(packet: i32, direction: i32, service: i32, terminal: i32, transport: i32): void {
  const s: i32 = serviceAt(service);
  st32(CONTEXT_PACKET, packet);
  st32(CONTEXT_DIRECTION, direction);
  st32(CONTEXT_SERVICE, service);
  st32(CONTEXT_SERVICE_AT, s);
  st32(CONTEXT_TERMINAL, terminal);
  st32(CONTEXT_ACCESS, transport);
  st32(CONTEXT_CORE, coreTransport(s, transport));
  st32(CONTEXT_PORT, servicePort(s, transport));
}

/** What stands in the context is `len` bytes at `payload`. */
export function payloadSet(payload: i32, len: i32): void {
  st32(CONTEXT_PAYLOAD, payload);
  st32(CONTEXT_LEN, len);
}

/** The payload in the context, from a terminal to E:e. A terminal that this leaves without a binding is nobody's. */
export function inboundTake(packet: i32, service: i32): i32 {
  const terminal: i32 = terminalOpen(packet, service);
  contextSet(packet, INBOUND, service, terminal, ld32(packet + PACKET_TRANSPORT));
  st32(CONTEXT_BINDING, terminal < 0 ? -1 : (ld32(terminalAt(terminal) + TERMINAL_PRIMARY) - 1) | 0);
  if (terminal < 0) return messageTake();
  if (ld32(packet + PACKET_CONNECTION) !== 0) terminalConnect(terminal, ld32(packet + PACKET_CONNECTION));
  const verdict: i32 = messageTake();
  terminalRelease(terminal);
  return verdict;
}

/** Makes the context that of a binding and its terminal, for what comes from the core. */
export function outboundSet(packet: i32, binding: i32): void {
  const terminal: i32 = ld32(bindingAt(binding) + BINDING_TERMINAL);
  const t: i32 = terminalAt(terminal);
  contextSet(packet, OUTBOUND, ld8(t + TERMINAL_SERVICE), terminal, ld8(t + TERMINAL_TRANSPORT));
  st32(CONTEXT_BINDING, binding);
}

/** The payload in the context, from the core to C:c. */
export function outboundTake(packet: i32, binding: i32): i32 {
  outboundSet(packet, binding);
  return messageTake();
}

/** May this core-side sender reach the terminals of the service in hand: a server, one of our own mappings, or anybody where the service is open? */
export function isCorePeer(packet: i32): boolean {
  const service: i32 = ld32(CONTEXT_SERVICE_AT);
  if (serviceHas(SERVICE_OPEN_CORE) || serverFind(service, packet + PACKET_SOURCE, -1) >= 0) return true;
  return isMapping(packet + PACKET_SOURCE, ld32(packet + PACKET_SOURCE_PORT));
}
