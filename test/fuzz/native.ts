/*
 * Plays what a lockstep did again on another engine, the C core in its process: the same results, as many outputs, and
 * at the end of every few inputs the same memory, in which the outputs and what they send still stand.
 */

import * as abi from "#abi";
import { type Engine, PAGE, pageHashes } from "../parity/engine.ts";
import { CoreFault } from "./fault.ts";
import type { Entry, Lockstep } from "./lockstep.ts";

/** Inputs under way at once: the engine answers in order, so that nobody needs to wait for each. */
const WINDOW = 32;

async function imageWrite(engine: Engine, image: Uint8Array): Promise<void> {
  const parts: unknown[] = [];
  for (let at = 0; at < image.length; at += PAGE) {
    const page = image.subarray(at, at + PAGE);
    if (page.some((byte) => byte !== 0)) parts.push(engine.write(at, page));
  }
  await Promise.all(parts);
}

function pagesDiffer(mine: Uint32Array, theirs: Uint32Array): string | undefined {
  const page = mine.findIndex((hash, i) => hash !== theirs[i]);
  return page < 0 ? undefined : `memory of page ${page}`;
}

/** One input on the engine. Returns what differs from what the log says. */
async function entryPlay(engine: Engine, { writes, kind, len, now, result, taken, refused, pages }: Entry): Promise<string | undefined> {
  const written = writes.map(([at, data]) => engine.write(at, data));
  const answer = engine.input(kind, len, now);
  const outputs: (number | Promise<number>)[] = [];
  for (let i = 0; i < taken; i++) {
    outputs.push(engine.output());
    const record = refused.get(i);
    if (record !== undefined) outputs.push(engine.input(abi.KIND_REFUSED, record, now));
  }
  const [given, hashes] = await Promise.all([answer, pages && engine.pages(), ...written, ...outputs]);
  if (given !== result) return `results ${result} and ${given}`;
  return pages && hashes ? pagesDiffer(pages, hashes) : undefined;
}

/** Plays a lockstep's log on `engine`. */
export async function logReplay(engine: Engine, { log, image, start, machines, bytes }: Lockstep): Promise<void> {
  const differ = (where: string, what: string): never => {
    throw new CoreFault("difference", `${machines[0]!.name} and ${engine.name} differ ${where}: ${what}`);
  };
  await engine.open(bytes.length);
  await imageWrite(engine, image);
  await engine.boot(start | 0);
  await engine.output();
  for (let first = 0; first < log.length; first += WINDOW) {
    const differences = await Promise.all(log.slice(first, first + WINDOW).map((entry) => entryPlay(engine, entry)));
    const i = differences.findIndex((difference) => difference !== undefined);
    if (i >= 0) differ(`after input ${first + i}`, differences[i]!);
  }
  const last = pagesDiffer(pageHashes(bytes.buffer as ArrayBuffer), await engine.pages());
  if (last) differ("in the end", last);
}
