/*
 * Plays what a lockstep did again on another engine, the C core in its process: the same results, as many outputs, and
 * at the end of every few inputs the same memory, in which the outputs and what they send still stand.
 */

import * as abi from "#abi";
import { type Engine, PAGE, pageHashes } from "../parity/engine.ts";
import { CoreFault } from "./fault.ts";
import type { Entry, Lockstep, Machine, Maker } from "./lockstep.ts";

/** Inputs between two comparisons of memory. */
const EACH = 8;

async function imageWrite(engine: Engine, image: Uint8Array): Promise<void> {
  const parts: unknown[] = [];
  for (let at = 0; at < image.length; at += PAGE) {
    const page = image.subarray(at, at + PAGE);
    if (page.some((byte) => byte !== 0)) parts.push(engine.write(at, page));
  }
  await Promise.all(parts);
}

/** One input on both; the engine answers in order, so that everything may be asked at once. */
async function entryPlay(engine: Engine, local: Machine, entry: Entry, compare: boolean): Promise<string | undefined> {
  const asked: (unknown | Promise<unknown>)[] = entry.writes.map(([at, data]) => engine.write(at, data));
  const result = engine.input(entry.kind, entry.len, entry.now);
  for (let i = 0; i < entry.taken; i++) {
    asked.push(engine.output());
    const refused = entry.refused.get(i);
    if (refused !== undefined) asked.push(engine.input(abi.KIND_REFUSED, refused, entry.now));
  }
  const pages = compare ? engine.pages() : undefined;
  for (const [at, data] of entry.writes) local.bytes.set(data, at);
  local.exports.input(entry.kind, entry.len, entry.now);
  for (let i = 0; i < entry.taken; i++) {
    local.exports.output();
    const refused = entry.refused.get(i);
    if (refused !== undefined) local.exports.input(abi.KIND_REFUSED, refused, entry.now);
  }
  await Promise.all(asked);
  if ((await result) !== entry.result) return `results ${entry.result} and ${await result}`;
  if (!pages) return undefined;
  const mine = pageHashes(local.bytes.buffer as ArrayBuffer);
  const theirs = await pages;
  const page = mine.findIndex((hash, i) => hash !== theirs[i]);
  return page < 0 ? undefined : `memory of page ${page}`;
}

/** Plays a lockstep's log on `engine` beside a fresh local machine. */
export async function logReplay(engine: Engine, maker: Maker, { log, image, start, machines }: Lockstep): Promise<void> {
  const local = await maker.make(machines[0]!.bytes.length);
  local.bytes.set(image);
  await engine.open(local.bytes.length);
  await imageWrite(engine, image);
  await engine.boot(start | 0);
  local.exports.boot(start | 0);
  await engine.output();
  local.exports.output();
  for (const [i, entry] of log.entries()) {
    const difference = await entryPlay(engine, local, entry, i % EACH === EACH - 1 || i === log.length - 1);
    if (difference) throw new CoreFault("difference", `${local.name} and ${engine.name} differ after input ${i}: ${difference}`);
  }
}
