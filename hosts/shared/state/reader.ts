/*
 * Reads saved state. Whatever is wrong with it ends in a warning that says what, and in an empty start, never in a failure: what
 * is not used is written over by what is saved next.
 */

import type { Config } from "../config.ts";
import { HEADER_KEY, KEY_BYTES } from "../core.ts";
import type { Core } from "../core.ts";
import type { Log } from "../log.ts";
import type { Host, PrivateFile } from "../runtime.ts";
import { type Extent, PAGE_BYTES, stateExtents } from "./extent.ts";
import { HEADER_BYTES, headerRead, shapeOf, shapeProblem, type Slot, SLOTS, slotPlaces, type StateHeader, sumOf, sumsBytes } from "./slot.ts";

/** Later it is about nothing that still goes on, and the core's clock would be past half of its circle. */
const OLDEST_MS = 7 * 86_400_000;

export interface Saved {
  /** As large as the core's memory; zero outside of the extents. */
  memory: Uint8Array;
  key: Uint8Array;
  /** How old it is. */
  ageMs: number;
  /** What the core's clock is now. */
  clock: number;
}

/** Why state is not used. */
class Unusable extends Error {}

/** The extents of a slot's memory, or undefined when they are not what was written. */
async function memoryRead(file: PrivateFile, slot: Slot, header: StateHeader, extents: Extent[]): Promise<Uint8Array | undefined> {
  const places = slotPlaces(slot, header.memoryBytes);
  const table = new Uint8Array(sumsBytes(header.memoryBytes));
  table.set(await file.read(places.sums, table.length));
  const sums = new Int32Array(table.buffer);
  if (sumOf(sums, 0, sums.length) !== header.sum) return undefined;
  const memory = new Uint8Array(header.memoryBytes);
  const words = new Int32Array(memory.buffer);
  for (const [from, to] of extents) {
    memory.set(await file.read(places.memory + from, to - from), from);
    for (let at = from; at < to; at += PAGE_BYTES) if (sumOf(words, at >> 2, (at + PAGE_BYTES) >> 2) !== sums[at / PAGE_BYTES]) return undefined;
  }
  return memory;
}

interface Found {
  header: StateHeader;
  memory: Uint8Array;
}

/** The latest of the slots of which all is there. */
async function latestRead(file: PrivateFile, core: Core, config: Config, log: Log): Promise<Found> {
  const memoryBytes = core.memory.bytes.length;
  const first = headerRead(await file.read(0, HEADER_BYTES));
  const second = headerRead(await file.read(slotPlaces(1, first?.memoryBytes ?? memoryBytes).header, HEADER_BYTES));
  const headers = [first, second];
  const usable = SLOTS.filter((slot) => headers[slot]).sort((one, other) => headers[other]!.sequence - headers[one]!.sequence);
  if (usable.length === 0) throw new Unusable("it is damaged, or no state of Culvert");
  for (const slot of usable) {
    const header = headers[slot]!;
    const problem = shapeProblem(header, shapeOf(config));
    if (problem !== undefined) throw new Unusable(problem);
    const memory = header.memoryBytes === memoryBytes ? await memoryRead(file, slot, header, stateExtents(core.region)) : undefined;
    if (memory) return { header, memory };
    log.warn({ saved: new Date(header.wall).toISOString() }, "a part of the saved state is damaged; what was saved before that is looked at");
  }
  throw new Unusable("it is damaged");
}

async function savedRead(file: PrivateFile, core: Core, config: Config, secret: Uint8Array | undefined, host: Host, log: Log): Promise<Saved> {
  const { header, memory } = await latestRead(file, core, config, log);
  const key = memory.slice(HEADER_KEY, HEADER_KEY + KEY_BYTES);
  if (secret && !host.equal(secret, key)) throw new Unusable("`secret:` is another one than it was");
  const ageMs = Math.max(0, host.wall() - header.wall);
  if (ageMs > OLDEST_MS) throw new Unusable("it is older than a week");
  return { memory, key, ageMs, clock: header.clock + ageMs };
}

/** State for a core and a configuration; `secret` is the key that the configuration wants, if it does. Undefined: start empty. */
export async function stateRead(path: string, core: Core, config: Config, secret: Uint8Array | undefined, host: Host, log: Log): Promise<Saved | undefined> {
  let file: PrivateFile | undefined;
  try {
    file = await host.privateOpen(path);
    if (file) return await savedRead(file, core, config, secret, host, log);
    log.info({ file: path }, "there is no saved state yet: starts empty");
  } catch (error) {
    log.warn({ file: path }, `the saved state is not used, so calls that were up are not known: ${(error as Error).message}`);
  } finally {
    await file?.close();
  }
  return undefined;
}

/** Is there a file that may hold state? */
export async function stateExists(path: string, host: Host): Promise<boolean> {
  const file = await host.privateOpen(path).catch(() => undefined);
  await file?.close();
  return file !== undefined;
}

/** Puts state into a core that was opened for its key; the configuration is to be written after it. */
export function statePut(core: Core, saved: Saved): void {
  for (const [from, to] of stateExtents(core.region)) core.memory.bytes.set(saved.memory.subarray(from, to), from);
}
