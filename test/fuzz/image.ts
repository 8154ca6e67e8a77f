/*
 * A restart in the fuzz: with what hosts save of the memory all goes on; damaged in what tells where its tables stand and how full
 * they are, or cut short, it is refused.
 */

import * as abi from "#abi";
import type { Random } from "../unit/core/random.ts";
import { placeOf, type Sockets } from "./audit.ts";
import { CoreFault } from "./fault.ts";
import type { Lockstep, Outcome } from "./lockstep.ts";

/** Fields of a slab's bookkeeping (core/table/slab.ts), which is no part of the contract. */
const SLAB = { base: 0, capacity: 8, free: 12 };
const SLAB_FIELDS = [0, 8, 12, 16, 20, 24, 28, 32, 36];
/** How far apart the records of each slab stand. */
const SIZES = [
  abi.TERMINAL_SIZE,
  abi.BINDING_SIZE,
  abi.REGISTRATION_SIZE,
  abi.CALL_SIZE,
  abi.FLOW_SIZE,
  abi.CONNECTION_SIZE,
  abi.BLOCK_SIZE,
  abi.DATAGRAM_SIZE,
];
const BINDINGS = 1;
const POOL_FIELDS = [abi.POOL_REALM, abi.POOL_KIND, abi.POOL_FIRST, abi.POOL_LAST, abi.POOL_WHOLE, abi.POOL_ADDRESS, abi.POOL_BASE];
const REFUSALS = [abi.FAULT_IMAGE, abi.FAULT_CONFIG, abi.FAULT_NOT_BOOTED];

/** Addresses of the records in use of a slab. */
function recordsOf(memory: Buffer, slab: number): number[] {
  const at = abi.SLABS + slab * abi.SLAB_SIZE;
  const [base, size, capacity] = [memory.readInt32LE(at + SLAB.base), SIZES[slab]!, memory.readInt32LE(at + SLAB.capacity)];
  const all = Array.from({ length: capacity }, (_, i) => base + i * size);
  return all.filter((record) => (memory.readInt32LE(record + abi.RECORD_GENERATION) & 1) === 1);
}

/** Ports of bindings that nobody hears, since the machine refused them. */
function deafPorts(memory: Buffer): Set<number> {
  const bindings = recordsOf(memory, BINDINGS).filter((record) => memory[record + abi.BINDING_DEAF] !== 0);
  return new Set(bindings.map((record) => memory.readInt32LE(record + abi.BINDING_PORT)));
}

/** Goes on with the memory of a process that ended: what was open is announced, and nothing else comes of it. */
export function restartPlay(lockstep: Lockstep, sockets: Sockets, now: number, take: (outcome: Outcome) => void): void {
  const memory = lockstep.saved();
  // Where tables stand the core knows from the capacities, and not from what it is given.
  memory.fill(0x7f, abi.DIRECTORY, abi.DIRECTORY + 4 * (abi.REGION_END + 1));
  const before = sockets.restart(deafPorts(memory));
  const outcome = lockstep.restart(memory, now);
  if (outcome.result < 0) throw new CoreFault("restart", `the core refuses its own image, for reason ${abi.faultReason(outcome.result)}`);
  const binds = new Set(outcome.outputs.filter(({ kind }) => kind === abi.OUTPUT_BIND).map(placeOf));
  const odd = [...before].find((place) => !binds.has(place)) ?? [...binds].find((place) => !before.has(place));
  if (odd !== undefined) throw new CoreFault("restart", `${odd} was ${before.has(odd) ? "open, and is not announced" : "not open, and is announced"}`);
  const sent = outcome.outputs.find(({ kind }) => kind !== abi.OUTPUT_BIND && kind !== abi.OUTPUT_HANG);
  if (sent) throw new CoreFault("restart", `output ${sent.kind} comes of a restart`);
  take(outcome);
}

/** Zeroes all tables from a record in use on. Returns false where none is. */
function cut(memory: Buffer, random: Random): boolean {
  const used = Array.from({ length: SIZES.length }, (_, slab) => recordsOf(memory, slab)).flat();
  if (used.length > 0) memory.fill(0, random.pick(used));
  return used.length > 0;
}

/** Damages an image where it is looked at. Returns what was done, undefined when that was nothing. */
function imageDamage(memory: Buffer, random: Random): string | undefined {
  const way = random.below(5);
  if (way === 0) return cut(memory, random) ? "cut short" : undefined;
  const pool = abi.POOL_STATES + abi.POOL_SIZE * random.below(memory.readInt32LE(abi.POOLS_TAKEN));
  const slab = abi.SLABS + abi.SLAB_SIZE * random.below(SIZES.length);
  const at = [0, random.pick([abi.HEADER_MAGIC, abi.HEADER_ABI, abi.POOLS_TAKEN]), pool + random.pick(POOL_FIELDS), slab + random.pick(SLAB_FIELDS), 0][way]!;
  if (way === 4 || at === slab + SLAB.free) memory.writeInt32LE(random.pick([-1, memory.readInt32LE(slab + SLAB.capacity) + 1, 0x7fffffff]), slab + SLAB.free);
  else memory.writeInt32LE(memory.readInt32LE(at) ^ (1 << random.below(32)), at);
  return `damaged in way ${way}, at ${at}`;
}

/** A process that is given a damaged image says so, and does nothing. */
export function imageRefuse(lockstep: Lockstep, random: Random, now: number): void {
  const memory = lockstep.saved();
  const what = imageDamage(memory, random);
  if (what === undefined) return;
  const { result, outputs } = lockstep.trial(() => lockstep.run([[0, memory]], abi.KIND_RESTORE, 0, now));
  if (result < 0 && REFUSALS.includes(abi.faultReason(result)) && outputs.length === 0) return;
  throw new CoreFault("image", `an image that is ${what}, gives ${result} and ${outputs.length} outputs`);
}
