/*
 * Connections of a call's two sides: which transport goes to the core, which connection a message leaves by, and the
 * dialling and hanging up. A message that answers another takes the connection that brought it (RFC 3261 18.2.2); what
 * goes to the core shares the binding's connection (RFC 5923 is about the same for one name).
 * Invariant: a record that was dialled or accepted is followed by HANG or was told to be closed, never both.
 */

import { ld32, ld8, st32 } from "../machine.ts";
import { HEADER_NOW, REGION_CONNECTIONS } from "../memory/layout.ts";
import { POOL_ADDRESS, SERVICE_ACCESS, SERVICE_ADDRESS, SERVICE_CORE, SERVICE_TRANSPORT } from "../memory/config.ts";
import { CONTEXT_DIAL_PORT, CONTEXT_REMOTE, CONTEXT_REMOTE_PORT, CONTEXT_SERVICE, CONTEXT_SERVICE_AT, CONTEXT_TERMINAL } from "../memory/context.ts";
import { EVENT_FULL } from "../memory/output.ts";
import { TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_UDP } from "../memory/packet.ts";
import { REASON_CONNECTIONS_FULL, REASON_NO_CONNECTION } from "../memory/reason.ts";
import {
  BINDING_CONNECTIONS,
  BINDING_POOL,
  BINDING_PORT,
  CONNECTION_LOCAL,
  CONNECTION_LOCAL_PORT,
  TERMINAL_ADDRESS,
  TERMINAL_CONNECTION,
  TERMINAL_PORT,
  TERMINAL_TRANSPORT,
} from "../memory/tables.ts";
import { addressCopy } from "../bytes/address.ts";
import { outputDial, outputEvent, outputHang } from "../output/queue.ts";
import { bindingAt } from "../table/binding.ts";
import { connectionAt, connectionFind, connectionGive, connectionTake } from "../table/connection.ts";
import { poolAt } from "../table/port.ts";
import { servicePort } from "../table/service.ts";
import { SLAB_CONNECTIONS, handleIndex, handleOf, slabCapacity, timerOf } from "../table/slab.ts";
import { terminalAt, terminalConnect } from "../table/terminal.ts";
import { timerSet, timerStop } from "../table/timer.ts";

/** How long a connection that nobody holds may be silent, and a message be incomplete: 64*T1, as for a binding. */
export const CONNECTION_IDLE: i32 = 32000;

/** Transport towards the core for terminals of this transport. */
export function coreTransport(service: i32, transport: i32): i32 {
  const wanted: i32 = ld32(service + SERVICE_TRANSPORT);
  if (wanted > 0) return wanted - 1;
  return transport === TRANSPORT_UDP ? TRANSPORT_UDP : TRANSPORT_TCP;
}

/** Index of a new connection of a service, announced to nobody yet; negative reason when it cannot be. */
export function connectionOpen(service: i32, realm: i32, binding: i32, transport: i32, address: i32, port: i32): i32 {
  const index: i32 = connectionTake(service, realm, binding, transport, address, port);
  if (index < 0) {
    outputEvent(EVENT_FULL, 0, REGION_CONNECTIONS);
    return -REASON_CONNECTIONS_FULL;
  }
  timerSet(timerOf(SLAB_CONNECTIONS, index), (ld32(HEADER_NOW) + CONNECTION_IDLE) | 0);
  return index;
}

/** Frees a connection that is gone. */
export function connectionClose(index: i32): void {
  timerStop(timerOf(SLAB_CONNECTIONS, index));
  connectionGive(index);
}

/** Hangs a connection up. */
export function connectionHang(index: i32): void {
  outputHang(index);
  connectionClose(index);
}

/** Hangs up every connection of a binding. */
export function connectionsHang(binding: i32): void {
  const head: i32 = bindingAt(binding) + BINDING_CONNECTIONS;
  for (let i: i32 = 0; i < slabCapacity(SLAB_CONNECTIONS) && ld32(head) !== 0; i++) connectionHang(ld32(head) - 1);
}

/**
 * Index of the connection by which a binding reaches CONTEXT_REMOTE, dialled when there is none; negative reason when it
 * cannot be. What the other end dialled from a port of its own is not dialled there, but where it listens (RFC 3261 18.2.2).
 */
export function coreConnection(binding: i32, transport: i32): i32 {
  const found: i32 = connectionFind(binding, transport, CONTEXT_REMOTE, ld32(CONTEXT_REMOTE_PORT));
  const port: i32 = ld32(CONTEXT_DIAL_PORT) !== 0 ? ld32(CONTEXT_DIAL_PORT) : ld32(CONTEXT_REMOTE_PORT);
  const other: i32 = found >= 0 ? found : connectionFind(binding, transport, CONTEXT_REMOTE, port);
  if (other >= 0) return other;
  const realm: i32 = ld32(ld32(CONTEXT_SERVICE_AT) + SERVICE_CORE);
  const index: i32 = connectionOpen(ld32(CONTEXT_SERVICE), realm, binding, transport, CONTEXT_REMOTE, port);
  if (index < 0) return index;
  const b: i32 = bindingAt(binding);
  const c: i32 = connectionAt(index);
  addressCopy(c + CONNECTION_LOCAL, poolAt(ld32(b + BINDING_POOL)) + POOL_ADDRESS);
  st32(c + CONNECTION_LOCAL_PORT, ld32(b + BINDING_PORT));
  outputDial(index, CONTEXT_REMOTE, port, 0);
  return index;
}

/**
 * Index of the connection of the terminal in hand. When it is gone a terminal that no NAT hides (`reachable`) is dialled
 * where it listens, CONTEXT_REMOTE; negative reason otherwise.
 */
export function terminalConnection(reachable: boolean): i32 {
  const terminal: i32 = ld32(CONTEXT_TERMINAL);
  const t: i32 = terminalAt(terminal);
  const found: i32 = handleIndex(SLAB_CONNECTIONS, ld32(t + TERMINAL_CONNECTION));
  if (found >= 0) return found;
  const transport: i32 = ld8(t + TERMINAL_TRANSPORT);
  if (!reachable || (transport !== TRANSPORT_TCP && transport !== TRANSPORT_TLS)) return -REASON_NO_CONNECTION;
  const service: i32 = ld32(CONTEXT_SERVICE_AT);
  const realm: i32 = ld32(service + SERVICE_ACCESS);
  const index: i32 = connectionOpen(ld32(CONTEXT_SERVICE), realm, -1, transport, t + TERMINAL_ADDRESS, ld32(t + TERMINAL_PORT));
  if (index < 0) return index;
  const c: i32 = connectionAt(index);
  addressCopy(c + CONNECTION_LOCAL, service + SERVICE_ADDRESS);
  st32(c + CONNECTION_LOCAL_PORT, servicePort(service, transport));
  terminalConnect(terminal, handleOf(SLAB_CONNECTIONS, index));
  outputDial(index, CONTEXT_REMOTE, ld32(CONTEXT_REMOTE_PORT), 0);
  return index;
}
