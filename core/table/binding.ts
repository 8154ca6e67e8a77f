/*
 * Bindings: one for each address that a terminal writes, A:a ↔ E:e ↔ C:c ↔ D:d (SPEC 1). Two keys: the terminal
 * with the spelling, and C:c through the ports table. What came from the server finds its binding in one step,
 * and the original spelling is restored from it (SPEC T2).
 */

import { copy, equal, ld32, st32 } from "../machine.ts";
import { POOL_SIGNAL } from "../memory/config.ts";
import { FORM_NAME } from "../memory/message.ts";
import {
  BINDING_ADDRESS,
  BINDING_FORM,
  BINDING_HASH,
  BINDING_NEXT,
  BINDING_POOL,
  BINDING_PORT,
  BINDING_SPELLED,
  BINDING_SPELLED_LEN,
  BINDING_TERMINAL,
  PORT_BINDING,
  PORT_INDEX,
  SPELLED_MAX,
  TERMINAL_BINDINGS,
  TERMINAL_PRIMARY,
} from "../memory/tables.ts";
import { addressEqual } from "../bytes/address.ts";
import { hashBegin, hashBytes, hashEnd, hashWord } from "../bytes/hash.ts";
import { kindElsewhere, poolOf, portGive, portOwner, portTake } from "./port.ts";
import {
  CHAIN_MAX,
  SLAB_BINDINGS,
  chainAdd,
  chainFirst,
  chainNext,
  chainRemove,
  listPush,
  listRemove,
  recordAt,
  recordGive,
  recordTake,
  recordTakeAt,
} from "./slab.ts";
import { terminalAt } from "./terminal.ts";

/** Different addresses that one terminal may write: a bound on what a hostile one can take. */
export const SPELLINGS_MAX: i32 = 16;

export function bindingAt(index: i32): i32 {
  return recordAt(SLAB_BINDINGS, index);
}

function bindingHash(terminal: i32, p: i32, len: i32): i32 {
  hashBegin();
  hashWord(terminal);
  hashBytes(p, len);
  return hashEnd();
}

function bindingIs(index: i32, terminal: i32, p: i32, len: i32): boolean {
  const b: i32 = bindingAt(index);
  return ld32(b + BINDING_TERMINAL) === terminal && ld32(b + BINDING_SPELLED_LEN) === len && equal(b + BINDING_SPELLED, p, len);
}

/** Index of the terminal's binding that is spelled [p, p+len), -1 for none. */
export function bindingFind(terminal: i32, p: i32, len: i32): i32 {
  const primary: i32 = (ld32(terminalAt(terminal) + TERMINAL_PRIMARY) - 1) | 0;
  if (primary < 0) return -1;
  if (bindingIs(primary, terminal, p, len)) return primary;
  if (ld32(terminalAt(terminal) + TERMINAL_BINDINGS) === 1) return -1;
  const hash: i32 = bindingHash(terminal, p, len);
  let next: i32 = chainFirst(SLAB_BINDINGS, hash);
  for (let i: i32 = 0; i < CHAIN_MAX && next !== 0; i++) {
    if (bindingIs(next - 1, terminal, p, len)) return next - 1;
    next = chainNext(SLAB_BINDINGS, next - 1);
  }
  return -1;
}

/** Index of a new binding of the terminal at a port of `pool`; -1 when there is no record, -2 when there is no port. */
export function bindingTake(terminal: i32, p: i32, len: i32, pool: i32): i32 {
  if (len > SPELLED_MAX) return -1;
  const index: i32 = recordTakeAt(SLAB_BINDINGS, terminal) ? terminal : recordTake(SLAB_BINDINGS);
  if (index < 0) return -1;
  const port: i32 = portTake(pool, PORT_BINDING | index);
  if (port === 0) {
    recordGive(SLAB_BINDINGS, index);
    return -2;
  }
  const b: i32 = bindingAt(index);
  const hash: i32 = bindingHash(terminal, p, len);
  st32(b + BINDING_HASH, hash);
  st32(b + BINDING_POOL, pool);
  st32(b + BINDING_PORT, port);
  st32(b + BINDING_SPELLED_LEN, len);
  copy(b + BINDING_SPELLED, p, len);
  chainAdd(SLAB_BINDINGS, hash, index);
  bindingAttach(index, terminal);
  return index;
}

/** Hangs a binding on a terminal: behind the primary one, or as the primary when it is the first. */
function bindingAttach(index: i32, terminal: i32): void {
  const t: i32 = terminalAt(terminal);
  const primary: i32 = ld32(t + TERMINAL_PRIMARY);
  const head: i32 = primary === 0 ? t + TERMINAL_PRIMARY : bindingAt(primary - 1) + BINDING_NEXT;
  st32(bindingAt(index) + BINDING_TERMINAL, terminal);
  listPush(head, bindingAt(index) + BINDING_NEXT, index);
  st32(t + TERMINAL_BINDINGS, ld32(t + TERMINAL_BINDINGS) + 1);
}

function bindingDetach(index: i32): i32 {
  const terminal: i32 = ld32(bindingAt(index) + BINDING_TERMINAL);
  const t: i32 = terminalAt(terminal);
  listRemove(SLAB_BINDINGS, t + TERMINAL_PRIMARY, BINDING_NEXT, index);
  st32(t + TERMINAL_BINDINGS, (ld32(t + TERMINAL_BINDINGS) - 1) | 0);
  return terminal;
}

/** Frees a binding and its port. Returns the terminal it hung on. */
export function bindingGive(index: i32): i32 {
  const b: i32 = bindingAt(index);
  const terminal: i32 = bindingDetach(index);
  chainRemove(SLAB_BINDINGS, ld32(b + BINDING_HASH), index);
  portGive(ld32(b + BINDING_POOL), ld32(b + BINDING_PORT));
  recordGive(SLAB_BINDINGS, index);
  return terminal;
}

/** Gives a binding to another terminal, behind its primary one. */
export function bindingMove(index: i32, terminal: i32): void {
  const b: i32 = bindingAt(index);
  bindingDetach(index);
  chainRemove(SLAB_BINDINGS, ld32(b + BINDING_HASH), index);
  const hash: i32 = bindingHash(terminal, b + BINDING_SPELLED, ld32(b + BINDING_SPELLED_LEN));
  st32(b + BINDING_HASH, hash);
  chainAdd(SLAB_BINDINGS, hash, index);
  bindingAttach(index, terminal);
}

/** Does the terminal call itself by a name, or by this very address? */
export function isSpelledAt(index: i32, address: i32): boolean {
  const b: i32 = bindingAt(index);
  return ld32(b + BINDING_FORM) === FORM_NAME || addressEqual(b + BINDING_ADDRESS, address);
}

/** Index of the binding that owns this address and port of ours, -1 for none. */
export function bindingOf(address: i32, port: i32): i32 {
  const pool: i32 = poolOf(address, port);
  return pool < 0 ? -1 : bindingAtPort(pool, port);
}

/** Is it where one of our terminals is reached: here, or at another core? Which ports that one has open is not known. */
export function isMapping(address: i32, port: i32): boolean {
  return bindingOf(address, port) >= 0 || kindElsewhere(address, port) === POOL_SIGNAL;
}

export function bindingAtPort(pool: i32, port: i32): i32 {
  const owner: i32 = portOwner(pool, port);
  return (owner & PORT_BINDING) !== 0 ? owner & PORT_INDEX : -1;
}
