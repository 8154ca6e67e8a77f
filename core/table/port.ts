/*
 * Port pools: which of our addresses and ports serve what, found in one step from the packet's destination.
 * Ports are chosen at random (RFC 6056 3.3); media takes an even port and the odd one above (RFC 3550 11).
 */

import { clear, fill, ld32, mul, st32 } from "../machine.ts";
import { CAPACITY_PORTS, CONFIG_POOLS, HEADER_NOW, POOLS, POOLS_TAKEN, POOL_MAX, POOL_SIZE, POOL_STATES, REGION_PORTS, table } from "../memory/layout.ts";
import { POOL_ADDRESS, POOL_BASE, POOL_FIRST, POOL_KIND, POOL_LAST, POOL_REALM, POOL_TEXT, POOL_TEXT_LEN, POOL_USED, POOL_WHOLE } from "../memory/config.ts";
import { PORT_REFUSED } from "../memory/tables.ts";
import { addressCopy, addressEqual, addressWrite, isMapped } from "../bytes/address.ts";
import { randomBelow } from "../bytes/random.ts";
import { dirtyMark } from "./dirty.ts";

/** Random tries before the pool is searched from a random place on. */
const TRIES: i32 = 24;
/** How long a port that the machine refused is left alone, in units of 2^16 ms: about five minutes. */
const REFUSED_UNITS: i32 = 5;

/** Address of a pool's record in POOL_STATES. */
export function poolAt(index: i32): i32 {
  return POOL_STATES + mul(index, POOL_SIZE);
}

function poolTake(pool: i32, from: i32, base: i32): void {
  clear(pool, POOL_SIZE);
  st32(pool + POOL_REALM, ld32(from + POOL_REALM));
  st32(pool + POOL_KIND, ld32(from + POOL_KIND));
  st32(pool + POOL_FIRST, ld32(from + POOL_FIRST));
  st32(pool + POOL_LAST, ld32(from + POOL_LAST));
  st32(pool + POOL_WHOLE, ld32(from + POOL_WHOLE));
  addressCopy(pool + POOL_ADDRESS, from + POOL_ADDRESS);
  st32(pool + POOL_BASE, base);
  if (isMapped(pool + POOL_ADDRESS)) st32(pool + POOL_TEXT_LEN, (addressWrite(pool + POOL_TEXT, pool + POOL_ADDRESS) - pool - POOL_TEXT) | 0);
}

/** Takes the configured pools over and lays them out in the ports table. Returns 0, or the number of the pool that is wrong, plus one. */
export function poolsInit(): i32 {
  const count: i32 = ld32(CONFIG_POOLS);
  if (count < 0 || count > POOL_MAX) return 1;
  st32(POOLS_TAKEN, count);
  let base: i32 = 0;
  for (let i: i32 = 0; i < count; i++) {
    const from: i32 = POOLS + mul(i, POOL_SIZE);
    const first: i32 = ld32(from + POOL_FIRST);
    const last: i32 = ld32(from + POOL_LAST);
    if (first < 1 || last > 65535 || last < first) return i + 1;
    poolTake(poolAt(i), from, base);
    base = (base + last - first + 1) | 0;
    if (base > ld32(CAPACITY_PORTS)) return i + 1;
  }
  fill(table(REGION_PORTS), 0, ld32(CAPACITY_PORTS) << 2);
  return 0;
}

function isSame(pool: i32, from: i32, base: i32): boolean {
  if (ld32(pool + POOL_BASE) !== base) return false;
  if (ld32(pool + POOL_REALM) !== ld32(from + POOL_REALM) || ld32(pool + POOL_KIND) !== ld32(from + POOL_KIND)) return false;
  if (ld32(pool + POOL_FIRST) !== ld32(from + POOL_FIRST) || ld32(pool + POOL_LAST) !== ld32(from + POOL_LAST)) return false;
  return ld32(pool + POOL_WHOLE) === ld32(from + POOL_WHOLE) && addressEqual(pool + POOL_ADDRESS, from + POOL_ADDRESS);
}

/** Pools cannot change while ports are in use. Returns 0 when the configured ones are those taken at boot, the number of the first other one plus one, or POOL_MAX plus one when there are more or less. */
export function poolsCheck(): i32 {
  const count: i32 = ld32(POOLS_TAKEN);
  if (ld32(CONFIG_POOLS) !== count) return POOL_MAX + 1;
  let base: i32 = 0;
  for (let i: i32 = 0; i < count; i++) {
    const from: i32 = POOLS + mul(i, POOL_SIZE);
    if (!isSame(poolAt(i), from, base)) return i + 1;
    base = (base + ld32(from + POOL_LAST) - ld32(from + POOL_FIRST) + 1) | 0;
  }
  return 0;
}

/** Index of the pool of this kind in this realm, counting from the `nth`; -1 for none. */
export function poolFind(realm: i32, kind: i32, nth: i32): i32 {
  let left: i32 = nth;
  const count: i32 = ld32(POOLS_TAKEN);
  for (let i: i32 = 0; i < count; i++) {
    if (ld32(poolAt(i) + POOL_REALM) !== realm || ld32(poolAt(i) + POOL_KIND) !== kind) continue;
    if (left === 0) return i;
    left--;
  }
  return -1;
}

/** Index of the pool that holds this address and port of ours, -1 for none. */
export function poolOf(address: i32, port: i32): i32 {
  const count: i32 = ld32(POOLS_TAKEN);
  for (let i: i32 = 0; i < count; i++) {
    const pool: i32 = poolAt(i);
    if (port >= ld32(pool + POOL_FIRST) && port <= ld32(pool + POOL_LAST) && addressEqual(pool + POOL_ADDRESS, address)) return i;
  }
  return -1;
}

/** POOL_SIGNAL or POOL_MEDIA for a port of ours that another core has, which has another part of a pool's range; 0 for every other. */
export function kindElsewhere(address: i32, port: i32): i32 {
  const count: i32 = ld32(POOLS_TAKEN);
  for (let i: i32 = 0; i < count; i++) {
    const pool: i32 = poolAt(i);
    const whole: i32 = ld32(pool + POOL_WHOLE);
    if (whole === 0 || port < (whole & 0xffff) || port > whole >>> 16 || !addressEqual(pool + POOL_ADDRESS, address)) continue;
    return port < ld32(pool + POOL_FIRST) || port > ld32(pool + POOL_LAST) ? ld32(pool + POOL_KIND) : 0;
  }
  return 0;
}

/** Is it one of our addresses, whatever the port? */
export function isOwn(address: i32): boolean {
  const count: i32 = ld32(POOLS_TAKEN);
  for (let i: i32 = 0; i < count; i++) if (addressEqual(poolAt(i) + POOL_ADDRESS, address)) return true;
  return false;
}

function entryAt(pool: i32, port: i32): i32 {
  const record: i32 = poolAt(pool);
  return (table(REGION_PORTS) + ((ld32(record + POOL_BASE) + port - ld32(record + POOL_FIRST)) << 2)) | 0;
}

function entryPut(pool: i32, port: i32, entry: i32): void {
  st32(dirtyMark(entryAt(pool, port)), entry);
}

/** What owns a port of a pool: 0, or PORT_* and an index. */
export function portOwner(pool: i32, port: i32): i32 {
  const entry: i32 = ld32(entryAt(pool, port));
  return (entry & PORT_REFUSED) === 0 ? entry : 0;
}

/** The clock in units of 2^16 ms. */
function unitsNow(): i32 {
  return (ld32(HEADER_NOW) >>> 16) & 0xffff;
}

/** Is a port in use, or was it refused not long ago? */
function isTaken(pool: i32, port: i32): boolean {
  const entry: i32 = ld32(entryAt(pool, port));
  return (entry & PORT_REFUSED) === 0 ? entry !== 0 : ((unitsNow() - entry) & 0xffff) < REFUSED_UNITS;
}

/** Notes that the machine refuses a port, which nothing owns. */
export function portRefuse(pool: i32, port: i32): void {
  entryPut(pool, port, PORT_REFUSED | unitsNow());
}

/** Are `n` ports from `port` on free? */
function isFree(pool: i32, port: i32, n: i32): boolean {
  for (let i: i32 = 0; i < n; i++) if (isTaken(pool, port + i)) return false;
  return true;
}

/** The first of `n` free ports in a row, at random; a multiple of `step`. Returns 0 when there is none. */
function portPick(pool: i32, step: i32, n: i32): i32 {
  const record: i32 = poolAt(pool);
  const first: i32 = (ld32(record + POOL_FIRST) + step - 1) & -step;
  const room: i32 = (ld32(record + POOL_LAST) + 2 - n - first) | 0;
  const places: i32 = step === 2 ? (room + 1) >> 1 : room;
  if (places <= 0) return 0;
  let place: i32 = 0;
  for (let i: i32 = 0; i < TRIES; i++) {
    place = randomBelow(places);
    const port: i32 = (first + mul(place, step)) | 0;
    if (isFree(pool, port, n)) return port;
  }
  for (let i: i32 = 0; i < places; i++) {
    place = place + 1 < places ? place + 1 : 0;
    const port: i32 = (first + mul(place, step)) | 0;
    if (isFree(pool, port, n)) return port;
  }
  return 0;
}

/** Takes a signaling port for `owner`. Returns the port, 0 when the pool is used up. */
export function portTake(pool: i32, owner: i32): i32 {
  const port: i32 = portPick(pool, 1, 1);
  if (port !== 0) portOwn(pool, port, owner);
  return port;
}

/** An even port with `n` free even/odd pairs from there on, 0 when there is none; nothing is taken yet. */
export function pairsFind(pool: i32, n: i32): i32 {
  return portPick(pool, 2, n << 1);
}

/** Gives a free port to an owner. */
export function portOwn(pool: i32, port: i32, owner: i32): void {
  entryPut(pool, port, owner);
  usedAdd(pool, 1);
}

export function portGive(pool: i32, port: i32): void {
  entryPut(pool, port, 0);
  usedAdd(pool, -1);
}

function usedAdd(pool: i32, n: i32): void {
  st32(poolAt(pool) + POOL_USED, (ld32(poolAt(pool) + POOL_USED) + n) | 0);
}
