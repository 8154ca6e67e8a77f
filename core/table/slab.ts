/*
 * Slabs: fixed arrays of records with generations, a free list, and hash buckets over them.
 * A handle is generation << 20 | index, so a stale handle never reaches the record that came after
 * (DESIGN 3). Invariant: a record is in use exactly while its generation is odd.
 */

import { clear, fill, ld32, mul, st32 } from "../machine.ts";
import {
  BINDING_LENGTH,
  CALL_SIZE,
  CAPACITY_BLOCKS,
  CAPACITY_CALLS,
  CAPACITY_CONNECTIONS,
  CAPACITY_DATAGRAMS,
  CAPACITY_FLOWS,
  CAPACITY_REGISTRATIONS,
  CAPACITY_TERMINALS,
  CONNECTION_SIZE,
  DATAGRAM_SIZE,
  FLOW_SIZE,
  REGION_BINDINGS,
  REGION_BLOCKS,
  REGION_BUCKETS,
  REGION_CALLS,
  REGION_CONNECTIONS,
  REGION_DATAGRAMS,
  REGION_FLOWS,
  REGION_REGISTRATIONS,
  REGION_TERMINALS,
  REGISTRATION_SIZE,
  SLABS,
  SLAB_SIZE,
  TERMINAL_LENGTH,
  bindingCapacity,
  bucketCount,
  table,
} from "../memory/layout.ts";
import { dirtyMark } from "./dirty.ts";
import { BLOCK_BYTES, HANDLE_INDEX, HANDLE_SHIFT, RECORD_GENERATION, RECORD_LINK } from "../memory/tables.ts";

export const SLAB_TERMINALS: i32 = 0;
export const SLAB_BINDINGS: i32 = 1;
export const SLAB_REGISTRATIONS: i32 = 2;
export const SLAB_CALLS: i32 = 3;
export const SLAB_FLOWS: i32 = 4;
export const SLAB_CONNECTIONS: i32 = 5;
export const SLAB_BLOCKS: i32 = 6;
export const SLAB_DATAGRAMS: i32 = 7;
const SLAB_COUNT: i32 = 8;

/** How far apart two records stand, as powers of two, four bits for each slab from the first up: the compiler knows them. */
const SIZES: i32 = 0x7b798788;

/* Offsets into a slab's bookkeeping. */
const BASE: i32 = 0;
const CAPACITY: i32 = 8;
/** First free record (index + 1), 0 when full. */
const FREE: i32 = 12;
const USED: i32 = 16;
const BUCKETS: i32 = 20;
const BUCKET_MASK: i32 = 24;
/** First timer id of its records. */
const TIMERS: i32 = 28;
/** Bytes that a record has. */
const LENGTH: i32 = 32;
/** First record of the free list. */
const FIRST: i32 = 36;

/** How far a hash chain is walked: with keyed hashes and as many buckets as records it never gets near. */
export const CHAIN_MAX: i32 = 64;

function slabAt(id: i32): i32 {
  return SLABS + mul(id, SLAB_SIZE);
}

/** Writes a word. Returns 1 when it was another one. */
function fieldPut(at: i32, value: i32): i32 {
  if (ld32(at) === value) return 0;
  st32(at, value);
  return 1;
}

/** `first` is the first record of the free list: those before it are only taken by their index. Returns 1 when the slab was another one. */
function slabPlace(id: i32, region: i32, length: i32, capacity: i32, first: i32, buckets: i32, timers: i32): i32 {
  const slab: i32 = slabAt(id);
  const shape: i32 = fieldPut(slab + BASE, table(region)) | fieldPut(slab + CAPACITY, capacity);
  const records: i32 = fieldPut(slab + LENGTH, length) | fieldPut(slab + FIRST, first) | fieldPut(slab + TIMERS, timers);
  return shape | records | fieldPut(slab + BUCKETS, buckets) | fieldPut(slab + BUCKET_MASK, (bucketCount(capacity) - 1) | 0);
}

function slabEmpty(id: i32): void {
  const slab: i32 = slabAt(id);
  const capacity: i32 = ld32(slab + CAPACITY);
  const first: i32 = ld32(slab + FIRST);
  st32(slab + FREE, first < capacity ? first + 1 : 0);
  st32(slab + USED, 0);
  for (let i: i32 = 0; i < capacity; i++) {
    const record: i32 = recordRead(id, i);
    clear(record, ld32(slab + LENGTH));
    st32(record + RECORD_LINK, i >= first && i + 1 < capacity ? i + 2 : 0);
  }
}

/** Do so many records stand in a slab as it says, and does its free list begin inside of it? */
function slabFits(id: i32): boolean {
  const slab: i32 = slabAt(id);
  const capacity: i32 = ld32(slab + CAPACITY);
  const free: i32 = ld32(slab + FREE);
  let used: i32 = 0;
  for (let i: i32 = 0; i < capacity; i++) if (recordUsed(id, i)) used++;
  return used === ld32(slab + USED) && free >= 0 && free <= capacity;
}

/** Are the tables of a memory that another process left what their bookkeeping says? */
export function slabsFit(): boolean {
  for (let id: i32 = 0; id < SLAB_COUNT; id++) if (!slabFits(id)) return false;
  return true;
}

/** Empties every slab; they must have their places. */
export function slabsInit(): void {
  for (let id: i32 = 0; id < SLAB_COUNT; id++) slabEmpty(id);
  fill(table(REGION_BUCKETS), 0, (table(REGION_BUCKETS + 1) - table(REGION_BUCKETS)) | 0);
}

/** Says where every slab stands and how large it is; the layout must be written. Returns whether all said so before. */
export function slabsPlace(): boolean {
  const terminals: i32 = ld32(CAPACITY_TERMINALS);
  const bindings: i32 = bindingCapacity();
  const registrations: i32 = ld32(CAPACITY_REGISTRATIONS);
  const calls: i32 = ld32(CAPACITY_CALLS);
  let buckets: i32 = table(REGION_BUCKETS);
  let other: i32 = 0;
  other = other | slabPlace(SLAB_TERMINALS, REGION_TERMINALS, TERMINAL_LENGTH, terminals, 0, buckets, 0);
  buckets = buckets + (bucketCount(terminals) << 2);
  other = other | slabPlace(SLAB_BINDINGS, REGION_BINDINGS, BINDING_LENGTH, bindings, terminals, buckets, terminals);
  buckets = buckets + (bucketCount(bindings) << 2);
  other = other | slabPlace(SLAB_REGISTRATIONS, REGION_REGISTRATIONS, REGISTRATION_SIZE, registrations, 0, buckets, terminals + bindings);
  buckets = buckets + (bucketCount(registrations) << 3);
  other = other | slabPlace(SLAB_CALLS, REGION_CALLS, CALL_SIZE, calls, 0, buckets, terminals + bindings + registrations);
  buckets = buckets + (bucketCount(calls) << 2);
  const connections: i32 = ld32(CAPACITY_CONNECTIONS);
  const timers: i32 = terminals + bindings + registrations + calls;
  other = other | slabPlace(SLAB_CONNECTIONS, REGION_CONNECTIONS, CONNECTION_SIZE, connections, 0, buckets, timers);
  buckets = buckets + (bucketCount(connections) << 2);
  const datagrams: i32 = ld32(CAPACITY_DATAGRAMS);
  other = other | slabPlace(SLAB_DATAGRAMS, REGION_DATAGRAMS, DATAGRAM_SIZE, datagrams, 0, buckets, timers + connections);
  other = other | slabPlace(SLAB_FLOWS, REGION_FLOWS, FLOW_SIZE, ld32(CAPACITY_FLOWS), 0, 0, 0);
  other = other | slabPlace(SLAB_BLOCKS, REGION_BLOCKS, BLOCK_BYTES, ld32(CAPACITY_BLOCKS), 0, 0, 0);
  return other === 0;
}

/** Address of the record with this index, to be read alone. */
export function recordRead(id: i32, index: i32): i32 {
  return (ld32(slabAt(id) + BASE) + (index << ((SIZES >> (id << 2)) & 15))) | 0;
}

/** Address of the record with this index. */
export function recordAt(id: i32, index: i32): i32 {
  return dirtyMark(recordRead(id, index));
}

/** Takes a free record, cleared but for its generation. Returns its index, -1 when the slab is full. */
export function recordTake(id: i32): i32 {
  const slab: i32 = slabAt(id);
  const index: i32 = (ld32(slab + FREE) - 1) | 0;
  if (index < 0) return -1;
  st32(slab + FREE, ld32(recordAt(id, index) + RECORD_LINK));
  recordBegin(id, index);
  return index;
}

/** Takes the record with this index, one of those outside the free list. Returns false when it is in use. */
export function recordTakeAt(id: i32, index: i32): boolean {
  if (recordUsed(id, index)) return false;
  recordBegin(id, index);
  return true;
}

function recordBegin(id: i32, index: i32): void {
  const slab: i32 = slabAt(id);
  const record: i32 = recordAt(id, index);
  const generation: i32 = (ld32(record + RECORD_GENERATION) + 1) & 0x7ff;
  clear(record, ld32(slab + LENGTH));
  st32(record + RECORD_GENERATION, generation | 1);
  st32(slab + USED, ld32(slab + USED) + 1);
}

/** Gives a record back, to the free list unless it is outside of it. */
export function recordGive(id: i32, index: i32): void {
  const slab: i32 = slabAt(id);
  const record: i32 = recordAt(id, index);
  st32(record + RECORD_GENERATION, (ld32(record + RECORD_GENERATION) + 1) & 0x7ff);
  st32(slab + USED, (ld32(slab + USED) - 1) | 0);
  if (index < ld32(slab + FIRST)) return;
  st32(record + RECORD_LINK, ld32(slab + FREE));
  st32(slab + FREE, index + 1);
}

export function recordUsed(id: i32, index: i32): boolean {
  return (ld32(recordRead(id, index) + RECORD_GENERATION) & 1) === 1;
}

/** Handle of a record: stays different for 1,024 uses of the same place. */
export function handleOf(id: i32, index: i32): i32 {
  return ((ld32(recordRead(id, index) + RECORD_GENERATION) & 0x7ff) << HANDLE_SHIFT) | index;
}

/** Index of the record with this handle, -1 when it has been given back. */
export function handleIndex(id: i32, handle: i32): i32 {
  const index: i32 = handle & HANDLE_INDEX;
  return handle > 0 && index < slabCapacity(id) && recordUsed(id, index) && handleOf(id, index) === handle ? index : -1;
}

export function slabCapacity(id: i32): i32 {
  return ld32(slabAt(id) + CAPACITY);
}

/** Records that can still be taken. */
export function recordsFree(id: i32): i32 {
  const slab: i32 = slabAt(id);
  return (ld32(slab + CAPACITY) - ld32(slab + USED)) | 0;
}

/** Timer id of a record. */
export function timerOf(id: i32, index: i32): i32 {
  return (ld32(slabAt(id) + TIMERS) + index) | 0;
}

/** First timer id of a slab's records. */
export function timersBegin(id: i32): i32 {
  return ld32(slabAt(id) + TIMERS);
}

/** Address of the head of the chain of `hash`. */
function bucketOf(id: i32, hash: i32): i32 {
  const slab: i32 = slabAt(id);
  return (ld32(slab + BUCKETS) + ((hash & ld32(slab + BUCKET_MASK)) << 2)) | 0;
}

/** First record (index + 1) of the chain of `hash`, 0 for none; chainNext goes on. */
export function chainFirst(id: i32, hash: i32): i32 {
  return ld32(bucketOf(id, hash));
}

export function chainNext(id: i32, index: i32): i32 {
  return ld32(recordRead(id, index) + RECORD_LINK);
}

/** Puts a taken record at the head of its chain. */
export function chainAdd(id: i32, hash: i32, index: i32): void {
  listPush(dirtyMark(bucketOf(id, hash)), recordAt(id, index) + RECORD_LINK, index);
}

/** Takes a record out of its chain. */
export function chainRemove(id: i32, hash: i32, index: i32): void {
  listRemove(id, dirtyMark(bucketOf(id, hash)), RECORD_LINK, index);
}

/** Bucket of the registrations' second key, in the half behind the first. */
export function moveBucket(hash: i32): i32 {
  const slab: i32 = slabAt(SLAB_REGISTRATIONS);
  const mask: i32 = ld32(slab + BUCKET_MASK);
  return dirtyMark((ld32(slab + BUCKETS) + ((mask + 1 + (hash & mask)) << 2)) | 0);
}

/** Pushes record `index` to the list whose head stands at `head`; `link` is the address of the record's link word. */
export function listPush(head: i32, link: i32, index: i32): void {
  st32(link, ld32(head));
  st32(head, index + 1);
}

/** Removes record `index` of slab `id` from the list at `head`, linked by the word at offset `link` of each record. */
export function listRemove(id: i32, head: i32, link: i32, index: i32): void {
  let at: i32 = head;
  for (let i: i32 = 0; i < slabCapacity(id); i++) {
    const here: i32 = ld32(at);
    if (here === 0) return;
    const word: i32 = recordAt(id, here - 1) + link;
    if (here === index + 1) {
      st32(at, ld32(word));
      return;
    }
    at = word;
  }
}
