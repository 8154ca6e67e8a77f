/*
 * Connections: TCP, TLS or WebSocket (RFC 3261 18, RFC 7118), with a terminal at E:e or with the core at C:c. Those of
 * the core side are found by binding, transport and the other end, so that a response takes the connection that its
 * request came by, and requests share one (RFC 5923). A terminal's connection is named in its record.
 */

import { ld32, st32 } from "../machine.ts";
import { HEADER_NOW } from "../memory/layout.ts";
import {
  BINDING_CONNECTIONS,
  CONNECTION_BINDING,
  CONNECTION_FLOW,
  CONNECTION_HASH,
  CONNECTION_NEXT,
  CONNECTION_REALM,
  CONNECTION_REMOTE,
  CONNECTION_REMOTE_PORT,
  CONNECTION_SEEN,
  CONNECTION_SERVICE,
  CONNECTION_SINCE,
  CONNECTION_TRANSPORT,
} from "../memory/tables.ts";
import { addressCopy, addressEqual } from "../bytes/address.ts";
import { hashAddress, hashBegin, hashEnd } from "../bytes/hash.ts";
import { bindingAt } from "./binding.ts";
import { blocksGive } from "./block.ts";
import { CHAIN_MAX, SLAB_CONNECTIONS, chainAdd, chainFirst, chainNext, chainRemove, listPush, listRemove, recordAt, recordGive, recordTake } from "./slab.ts";

export function connectionAt(index: i32): i32 {
  return recordAt(SLAB_CONNECTIONS, index);
}

/** Index of the flow whose media a connection carries, -1 when it carries signalling. */
export function connectionFlow(index: i32): i32 {
  return (ld32(connectionAt(index) + CONNECTION_FLOW) - 1) | 0;
}

function connectionHash(binding: i32, transport: i32, address: i32, port: i32): i32 {
  hashBegin();
  hashAddress(address, (port << 8) | transport);
  return hashEnd() ^ binding;
}

/** Index of the binding's connection of this transport with address and port, -1 for none. */
export function connectionFind(binding: i32, transport: i32, address: i32, port: i32): i32 {
  if (ld32(bindingAt(binding) + BINDING_CONNECTIONS) === 0) return -1;
  const hash: i32 = connectionHash(binding, transport, address, port);
  let next: i32 = chainFirst(SLAB_CONNECTIONS, hash);
  for (let i: i32 = 0; i < CHAIN_MAX && next !== 0; i++) {
    const c: i32 = connectionAt(next - 1);
    if (
      ld32(c + CONNECTION_HASH) === hash &&
      ld32(c + CONNECTION_BINDING) === binding &&
      ld32(c + CONNECTION_TRANSPORT) === transport &&
      ld32(c + CONNECTION_REMOTE_PORT) === port &&
      addressEqual(c + CONNECTION_REMOTE, address)
    ) {
      return next - 1;
    }
    next = chainNext(SLAB_CONNECTIONS, next - 1);
  }
  return -1;
}

/** Index of a new connection with address and port, at a binding (-1: with a terminal); -1 when the table is full. */
export function connectionTake(service: i32, realm: i32, binding: i32, transport: i32, address: i32, port: i32): i32 {
  const index: i32 = recordTake(SLAB_CONNECTIONS);
  if (index < 0) return -1;
  const c: i32 = connectionAt(index);
  const hash: i32 = connectionHash(binding, transport, address, port);
  st32(c + CONNECTION_HASH, hash);
  st32(c + CONNECTION_SERVICE, service);
  st32(c + CONNECTION_REALM, realm);
  st32(c + CONNECTION_BINDING, binding);
  st32(c + CONNECTION_TRANSPORT, transport);
  st32(c + CONNECTION_REMOTE_PORT, port);
  addressCopy(c + CONNECTION_REMOTE, address);
  st32(c + CONNECTION_SEEN, ld32(HEADER_NOW));
  st32(c + CONNECTION_SINCE, ld32(HEADER_NOW));
  chainAdd(SLAB_CONNECTIONS, hash, index);
  if (binding >= 0) listPush(bindingAt(binding) + BINDING_CONNECTIONS, c + CONNECTION_NEXT, index);
  return index;
}

/** Frees a connection and what it holds. */
export function connectionGive(index: i32): void {
  const c: i32 = connectionAt(index);
  const binding: i32 = ld32(c + CONNECTION_BINDING);
  blocksGive(c);
  chainRemove(SLAB_CONNECTIONS, ld32(c + CONNECTION_HASH), index);
  if (binding >= 0) listRemove(SLAB_CONNECTIONS, bindingAt(binding) + BINDING_CONNECTIONS, CONNECTION_NEXT, index);
  recordGive(SLAB_CONNECTIONS, index);
}
