/*
 * Terminals: A:a as the wire shows it, at one service. Key: realm, service, transport, address, port, and the labels that its
 * packets come with; so equal private addresses in two VPNs never meet (SPEC V7). A terminal and its own binding share a
 * unit of memory.
 */

import { ld32, ld8, st32, st8 } from "../machine.ts";
import { TERMINAL_LENGTH, TOUCHED } from "../memory/layout.ts";
import { PACKET_HASH, PACKET_REALM, PACKET_SOURCE, PACKET_SOURCE_PORT, PACKET_TRANSPORT } from "../memory/packet.ts";
import {
  CONNECTION_TERMINAL,
  TERMINAL_ADDRESS,
  TERMINAL_CONNECTION,
  TERMINAL_HASH,
  TERMINAL_PORT,
  TERMINAL_REALM,
  TERMINAL_SERVICE,
  TERMINAL_TRANSPORT,
} from "../memory/tables.ts";
import { addressCopy, addressEqual } from "../bytes/address.ts";
import { hashAddress, hashBegin, hashEnd } from "../bytes/hash.ts";
import { adjacencyForget, adjacencyLearn, adjacencyMove, isSameNetwork, terminalAdjacency } from "./adjacency.ts";
import { isLabelled, labelsHash } from "./label.ts";
import {
  CHAIN_MAX,
  SLAB_CONNECTIONS,
  SLAB_TERMINALS,
  chainAdd,
  chainFirst,
  chainNext,
  chainRemove,
  handleIndex,
  handleOf,
  recordAt,
  recordGive,
  recordRead,
  recordTake,
} from "./slab.ts";

/** Notes the hash of the packet's source in its header: the calls below want it there. */
export function terminalHash(packet: i32): void {
  hashBegin();
  const place: i32 = (ld32(packet + PACKET_TRANSPORT) << 4) | ld32(packet + PACKET_REALM);
  hashAddress(packet + PACKET_SOURCE, (ld32(packet + PACKET_SOURCE_PORT) << 8) | place);
  if (isLabelled(packet)) labelsHash(packet);
  st32(packet + PACKET_HASH, hashEnd());
}

/** Index of the terminal that the packet is likely to come from: its hash alone says so. -1 for none. */
function terminalLikely(packet: i32): i32 {
  const hash: i32 = ld32(packet + PACKET_HASH);
  let next: i32 = chainFirst(SLAB_TERMINALS, hash);
  for (let i: i32 = 0; i < CHAIN_MAX && next !== 0; i++) {
    if (ld32(recordRead(SLAB_TERMINALS, next - 1) + TERMINAL_HASH) === hash) return next - 1;
    next = chainNext(SLAB_TERMINALS, next - 1);
  }
  return -1;
}

/** Loads the head of the chain that the packet's source may stand in; terminalTouch goes on from there. */
export function terminalSeek(packet: i32): void {
  st32(TOUCHED, chainFirst(SLAB_TERMINALS, ld32(packet + PACKET_HASH)));
}

/**
 * Loads a word of each line of the unit that the packet's source may have. Done for a whole batch before the first
 * message is looked at, all those lines are on their way from memory at once: so a message costs much the same with a
 * hundred thousand terminals as with a hundred.
 */
export function terminalTouch(packet: i32): void {
  const index: i32 = terminalLikely(packet);
  if (index < 0) return;
  const t: i32 = recordRead(SLAB_TERMINALS, index);
  st32(TOUCHED, ld32(t) ^ ld32(t + TERMINAL_LENGTH) ^ ld32(t + TERMINAL_LENGTH + 64));
}

/** Is the packet likely to come from a terminal that is known? */
export function isTerminalLikely(packet: i32): boolean {
  return terminalLikely(packet) >= 0;
}

/** Index of the terminal that the packet comes from, -1 when it is not known. */
export function terminalFind(packet: i32, service: i32): i32 {
  const hash: i32 = ld32(packet + PACKET_HASH);
  const port: i32 = ld32(packet + PACKET_SOURCE_PORT);
  const realm: i32 = ld32(packet + PACKET_REALM);
  const transport: i32 = ld32(packet + PACKET_TRANSPORT);
  let next: i32 = chainFirst(SLAB_TERMINALS, hash);
  for (let i: i32 = 0; i < CHAIN_MAX && next !== 0; i++) {
    const t: i32 = terminalAt(next - 1);
    if (
      ld32(t + TERMINAL_HASH) === hash &&
      ld32(t + TERMINAL_PORT) === port &&
      ld32(t + TERMINAL_REALM) === realm &&
      ld8(t + TERMINAL_SERVICE) === service &&
      ld8(t + TERMINAL_TRANSPORT) === transport &&
      addressEqual(t + TERMINAL_ADDRESS, packet + PACKET_SOURCE) &&
      isSameNetwork(terminalAdjacency(next - 1), packet)
    ) {
      return next - 1;
    }
    next = chainNext(SLAB_TERMINALS, next - 1);
  }
  return -1;
}

/** Index of a new terminal for the packet's source, -1 when the table is full. */
export function terminalTake(packet: i32, service: i32): i32 {
  const index: i32 = recordTake(SLAB_TERMINALS);
  if (index < 0) return -1;
  const t: i32 = terminalAt(index);
  const hash: i32 = ld32(packet + PACKET_HASH);
  st32(t + TERMINAL_HASH, hash);
  st32(t + TERMINAL_REALM, ld32(packet + PACKET_REALM));
  st8(t + TERMINAL_SERVICE, service);
  st8(t + TERMINAL_TRANSPORT, ld32(packet + PACKET_TRANSPORT));
  st32(t + TERMINAL_PORT, ld32(packet + PACKET_SOURCE_PORT));
  addressCopy(t + TERMINAL_ADDRESS, packet + PACKET_SOURCE);
  chainAdd(SLAB_TERMINALS, hash, index);
  adjacencyForget(terminalAdjacency(index));
  adjacencyLearn(terminalAdjacency(index), packet);
  return index;
}

/** Gives a terminal the address and port of another one, which is freed: it was the same device, seen somewhere else. */
export function terminalMove(index: i32, from: i32): void {
  const t: i32 = terminalAt(index);
  const f: i32 = terminalAt(from);
  const hash: i32 = ld32(f + TERMINAL_HASH);
  chainRemove(SLAB_TERMINALS, ld32(t + TERMINAL_HASH), index);
  st32(t + TERMINAL_HASH, hash);
  st32(t + TERMINAL_REALM, ld32(f + TERMINAL_REALM));
  st8(t + TERMINAL_TRANSPORT, ld8(f + TERMINAL_TRANSPORT));
  st32(t + TERMINAL_PORT, ld32(f + TERMINAL_PORT));
  addressCopy(t + TERMINAL_ADDRESS, f + TERMINAL_ADDRESS);
  terminalConnect(index, ld32(f + TERMINAL_CONNECTION));
  adjacencyMove(terminalAdjacency(index), terminalAdjacency(from));
  terminalGive(from);
  chainAdd(SLAB_TERMINALS, hash, index);
}

/** The terminal is heard by the connection with this handle, if it is still there (0: by datagrams). */
export function terminalConnect(index: i32, handle: i32): void {
  const connection: i32 = handleIndex(SLAB_CONNECTIONS, handle);
  st32(terminalAt(index) + TERMINAL_CONNECTION, handle);
  if (connection >= 0) st32(recordAt(SLAB_CONNECTIONS, connection) + CONNECTION_TERMINAL, handleOf(SLAB_TERMINALS, index));
}

export function terminalGive(index: i32): void {
  chainRemove(SLAB_TERMINALS, ld32(terminalAt(index) + TERMINAL_HASH), index);
  recordGive(SLAB_TERMINALS, index);
}

/** Address of a terminal's record. */
export function terminalAt(index: i32): i32 {
  return recordAt(SLAB_TERMINALS, index);
}
