/*
 * Terminals: A:a as the wire shows it, at one service. Key: realm, service, address, port; so equal private
 * addresses in two VPNs never meet (SPEC V7).
 */

import { ld32, st32 } from "../machine.ts";
import { TERMINAL_ADDRESS, TERMINAL_HASH, TERMINAL_PORT, TERMINAL_REALM, TERMINAL_SERVICE } from "../memory/tables.ts";
import { addressCopy, addressEqual } from "../bytes/address.ts";
import { hashAddress, hashBegin, hashEnd, hashWord } from "../bytes/hash.ts";
import { CHAIN_MAX, SLAB_TERMINALS, chainAdd, chainFirst, chainNext, chainRemove, recordAt, recordGive, recordTake } from "./slab.ts";

function terminalHash(realm: i32, service: i32, address: i32, port: i32): i32 {
  hashBegin();
  hashAddress(address);
  hashWord((port << 16) | (realm << 8) | service);
  return hashEnd();
}

/** Index of the terminal, -1 when it is not known. */
export function terminalFind(realm: i32, service: i32, address: i32, port: i32): i32 {
  const hash: i32 = terminalHash(realm, service, address, port);
  let next: i32 = chainFirst(SLAB_TERMINALS, hash);
  for (let i: i32 = 0; i < CHAIN_MAX && next !== 0; i++) {
    const t: i32 = terminalAt(next - 1);
    if (
      ld32(t + TERMINAL_HASH) === hash && ld32(t + TERMINAL_PORT) === port && ld32(t + TERMINAL_REALM) === realm &&
      ld32(t + TERMINAL_SERVICE) === service && addressEqual(t + TERMINAL_ADDRESS, address)
    ) {
      return next - 1;
    }
    next = chainNext(SLAB_TERMINALS, next - 1);
  }
  return -1;
}

/** Index of a new terminal, -1 when the table is full. */
export function terminalTake(realm: i32, service: i32, address: i32, port: i32): i32 {
  const index: i32 = recordTake(SLAB_TERMINALS);
  if (index < 0) return -1;
  const t: i32 = terminalAt(index);
  const hash: i32 = terminalHash(realm, service, address, port);
  st32(t + TERMINAL_HASH, hash);
  st32(t + TERMINAL_REALM, realm);
  st32(t + TERMINAL_SERVICE, service);
  st32(t + TERMINAL_PORT, port);
  addressCopy(t + TERMINAL_ADDRESS, address);
  chainAdd(SLAB_TERMINALS, hash, index);
  return index;
}

export function terminalGive(index: i32): void {
  chainRemove(SLAB_TERMINALS, ld32(terminalAt(index) + TERMINAL_HASH), index);
  recordGive(SLAB_TERMINALS, index);
}

/** Address of a terminal's record. */
export function terminalAt(index: i32): i32 {
  return recordAt(SLAB_TERMINALS, index);
}
