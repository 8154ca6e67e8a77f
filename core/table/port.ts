/*
 * Port pools: which of our addresses and ports serve what, found in one step from the packet's destination.
 * Ports are chosen at random (RFC 6056 3.3); media takes an even port and the odd one above (RFC 3550 11).
 */

import { fill, ld32, mul, st32 } from "../machine.ts";
import { CAPACITY_PORTS, CONFIG_POOLS, POOLS, POOL_MAX, POOL_SIZE, REGION_PORTS, table } from "../memory/layout.ts";
import { POOL_ADDRESS, POOL_BASE, POOL_FIRST, POOL_KIND, POOL_LAST, POOL_MEDIA, POOL_REALM, POOL_TEXT, POOL_TEXT_LEN, POOL_USED } from "../memory/config.ts";
import { addressEqual, addressWrite, isMapped } from "../bytes/address.ts";
import { randomBelow } from "../bytes/random.ts";

/** Random tries before the pool is searched from a random place on. */
const TRIES: i32 = 24;

export function poolAt(index: i32): i32 {
  return POOLS + mul(index, POOL_SIZE);
}

/** Lays the pools out in the ports table. Returns 0, or the number of the pool that is wrong, plus one. */
export function poolsInit(): i32 {
  const count: i32 = ld32(CONFIG_POOLS);
  if (count < 0 || count > POOL_MAX) return 1;
  let base: i32 = 0;
  for (let i: i32 = 0; i < count; i++) {
    const pool: i32 = poolAt(i);
    const first: i32 = ld32(pool + POOL_FIRST);
    const last: i32 = ld32(pool + POOL_LAST);
    if (first < 1 || last > 65535 || last < first) return i + 1;
    st32(pool + POOL_BASE, base);
    st32(pool + POOL_USED, 0);
    st32(pool + POOL_TEXT_LEN, isMapped(pool + POOL_ADDRESS) ? (addressWrite(pool + POOL_TEXT, pool + POOL_ADDRESS) - pool - POOL_TEXT) | 0 : 0);
    base = (base + last - first + 1) | 0;
    if (base > ld32(CAPACITY_PORTS)) return i + 1;
  }
  fill(table(REGION_PORTS), 0, ld32(CAPACITY_PORTS) << 2);
  return 0;
}

/** Index of the pool of this kind in this realm, counting from the `nth`; -1 for none. */
export function poolFind(realm: i32, kind: i32, nth: i32): i32 {
  let left: i32 = nth;
  const count: i32 = ld32(CONFIG_POOLS);
  for (let i: i32 = 0; i < count; i++) {
    if (ld32(poolAt(i) + POOL_REALM) !== realm || ld32(poolAt(i) + POOL_KIND) !== kind) continue;
    if (left === 0) return i;
    left--;
  }
  return -1;
}

/** Index of the pool that holds this address and port of ours, -1 for none. */
export function poolOf(address: i32, port: i32): i32 {
  const count: i32 = ld32(CONFIG_POOLS);
  for (let i: i32 = 0; i < count; i++) {
    const pool: i32 = poolAt(i);
    if (port >= ld32(pool + POOL_FIRST) && port <= ld32(pool + POOL_LAST) && addressEqual(pool + POOL_ADDRESS, address)) return i;
  }
  return -1;
}

function entryAt(pool: i32, port: i32): i32 {
  const record: i32 = poolAt(pool);
  return (table(REGION_PORTS) + ((ld32(record + POOL_BASE) + port - ld32(record + POOL_FIRST)) << 2)) | 0;
}

/** What owns a port of a pool: 0, or PORT_* and an index. */
export function portOwner(pool: i32, port: i32): i32 {
  return ld32(entryAt(pool, port));
}

export function portSet(pool: i32, port: i32, owner: i32): void {
  st32(entryAt(pool, port), owner);
}

/** A free port of a pool at random, `step` 1, or 2 for an even one with its odd neighbour. Returns 0 when there is none. */
function portPick(pool: i32, step: i32): i32 {
  const record: i32 = poolAt(pool);
  let first: i32 = ld32(record + POOL_FIRST);
  if (step === 2) first = (first + 1) & -2;
  const places: i32 = step === 2 ? ((ld32(record + POOL_LAST) + 1 - first) >> 1) | 0 : (ld32(record + POOL_LAST) + 1 - first) | 0;
  if (places <= 0) return 0;
  let place: i32 = 0;
  for (let i: i32 = 0; i < TRIES; i++) {
    place = randomBelow(places);
    const port: i32 = (first + mul(place, step)) | 0;
    if (portOwner(pool, port) === 0) return port;
  }
  for (let i: i32 = 0; i < places; i++) {
    place = place + 1 < places ? place + 1 : 0;
    const port: i32 = (first + mul(place, step)) | 0;
    if (portOwner(pool, port) === 0) return port;
  }
  return 0;
}

/** Takes a signaling port for `owner`. Returns the port, 0 when the pool is used up. */
export function portTake(pool: i32, owner: i32): i32 {
  const port: i32 = portPick(pool, 1);
  if (port === 0) return 0;
  portSet(pool, port, owner);
  usedAdd(pool, 1);
  return port;
}

/** Takes an even/odd pair; the owners are set by the caller. Returns the even port, 0 when the pool is used up. */
export function pairTake(pool: i32, even: i32, odd: i32): i32 {
  const port: i32 = portPick(pool, 2);
  if (port === 0) return 0;
  portSet(pool, port, even);
  portSet(pool, port + 1, odd);
  usedAdd(pool, 2);
  return port;
}

export function portGive(pool: i32, port: i32): void {
  portSet(pool, port, 0);
  usedAdd(pool, -1);
}

function usedAdd(pool: i32, n: i32): void {
  st32(poolAt(pool) + POOL_USED, (ld32(poolAt(pool) + POOL_USED) + n) | 0);
}

export function poolIsMedia(pool: i32): boolean {
  return ld32(poolAt(pool) + POOL_KIND) === POOL_MEDIA;
}
