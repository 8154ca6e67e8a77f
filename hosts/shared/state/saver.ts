/*
 * Saves the core's memory, so that another process can go on with it, however this one ends. Pages that the core has marked are
 * copied into a memory beside it, a few in a turn, until a turn ends with none that is marked: then the copy is of that moment.
 * From there it is written while packets go on.
 * Invariant: a slot of the file is not written while it is the only whole one, and what is kept does not change while it is written.
 */

import type { Config } from "../config.ts";
import { durationText } from "../config/duration.ts";
import { type Core, REGION_DIRTY, REGION_END, REGION_TERMINALS } from "../core.ts";
import type { Log } from "../log.ts";
import { COMPLAINT_INTERVAL_MS, RateLimit } from "../ratelimit.ts";
import type { Host, PrivateFile } from "../runtime.ts";
import { type Extent, PAGE_BYTES, stateExtents } from "./extent.ts";
import { HEADER_BYTES, headerWrite, shapeOf, type Slot, slotPlaces, type StateShape, sumOf, sumsBytes } from "./slot.ts";

/** Copying goes on for so long in one turn, and twice as long after so many turns: what changes faster than that is caught up with. */
const SLICE_MS = 1;
const SLICES = 64;
/** Pages that are copied between two looks at the clock. */
const LOOK_PAGES = 32;
/** Written at once at most, so that packets are not kept waiting for their sums. */
const RUN_BYTES = 262_144;
/** Unchanged pages that are written along rather than written around. */
const GAP_PAGES = 4;
/** Of the time, copying takes one part in so many at most: large tables are saved less often. */
const SHARE = 50;

export interface SaverTotals {
  saves: number;
  failed: number;
  /** Pages that were copied. */
  pages: number;
  /** Time for which copying kept packets waiting: all of it, and the longest. */
  stalledMs: number;
  longestMs: number;
}

export interface SaverSetting {
  core: Core;
  config: Config;
  path: string;
  everyMs: number;
  host: Host;
  log: Log;
  /** The core's clock. */
  clock(): number;
}

/** A moment of the core's memory by the clock of the day and by the core's. */
interface Moment {
  wall: number;
  clock: number;
}

/** Runs of marked pages, as addresses, short gaps included. */
function* runsOf(marks: Uint8Array): Generator<Extent> {
  for (let page = marks.indexOf(1); page >= 0; ) {
    let end = page + 1;
    for (let gap = 0; gap <= GAP_PAGES && end + gap < marks.length && end - page < RUN_BYTES / PAGE_BYTES; ) {
      if (marks[end + gap] === 0) gap++;
      else [end, gap] = [end + gap + 1, 0];
    }
    yield [page * PAGE_BYTES, end * PAGE_BYTES];
    page = marks.indexOf(1, end);
  }
}

export class StateSaver {
  readonly totals: SaverTotals = { saves: 0, failed: 0, pages: 0, stalledMs: 0, longestMs: 0 };
  readonly #setting: SaverSetting;
  readonly #file: PrivateFile;
  /** Pages that the core does not mark: those before its tables. */
  readonly #unmarked: number[] = [];
  /** A byte for each page, which the core sets. */
  readonly #dirty: Uint8Array;
  /** Where copying goes on. */
  #at = 0;
  readonly #shape: StateShape;
  /** What was kept last, and a sum of each of its pages. */
  readonly #kept: Uint8Array;
  readonly #keptWords: Int32Array;
  readonly #sums: Int32Array;
  /** Pages that are not in a slot as they are kept. */
  readonly #stale: [Uint8Array, Uint8Array];
  readonly #complaints = new RateLimit(COMPLAINT_INTERVAL_MS);
  #slot: Slot = 0;
  #sequence = 0;
  /** Is there something kept that no slot has? */
  #unsaved = false;
  #tookMs = 0;
  #timer: unknown;
  #saving: Promise<void> = Promise.resolve();
  #stopped = false;

  private constructor(setting: SaverSetting, file: PrivateFile) {
    const { memory, region } = setting.core;
    const { bytes } = memory;
    const { length } = bytes;
    this.#setting = setting;
    this.#file = file;
    this.#shape = shapeOf(setting.config);
    this.#kept = new Uint8Array(length);
    this.#keptWords = new Int32Array(this.#kept.buffer);
    this.#sums = new Int32Array(sumsBytes(length) / 4);
    this.#stale = [new Uint8Array(length / PAGE_BYTES), new Uint8Array(length / PAGE_BYTES)];
    this.#dirty = bytes.subarray(region(REGION_DIRTY), region(REGION_END));
    this.#begin(stateExtents(region), region(REGION_TERMINALS) / PAGE_BYTES);
  }

  /** All pages are looked at once. A new file is zero, and so is what is kept, so that what is zero is not written. */
  #begin(extents: Extent[], tables: number): void {
    const zero = sumOf(this.#keptWords, 0, PAGE_BYTES / 4);
    for (const [from, to] of extents) {
      this.#sums.fill(zero, from / PAGE_BYTES, to / PAGE_BYTES);
      for (let page = from / PAGE_BYTES; page < to / PAGE_BYTES; page++) {
        if (page < tables) this.#unmarked.push(page);
        else this.#dirty[page] = 1;
      }
    }
  }

  /** Begins with a new file, which takes the place of the one before when all is in it. Throws what a person can read. */
  static async start(setting: SaverSetting): Promise<StateSaver> {
    const file = await setting.host.privateCreate(setting.path).catch((error: Error) => {
      throw new Error(`state: "${setting.path}" cannot be written: ${error.message}; give a file in a directory that is there and that Culvert may write to`);
    });
    const saver = new StateSaver(setting, file);
    await saver.#save();
    // All of it is copied once; that says nothing of what changes.
    saver.#tookMs = 0;
    saver.#schedule();
    setting.log.info({ file: setting.path, everyMs: setting.everyMs }, `state is saved every ${durationText(setting.everyMs)}`);
    return saver;
  }

  #schedule(): void {
    if (this.#stopped) return;
    const delayMs = Math.max(this.#setting.everyMs, this.#tookMs * SHARE);
    this.#timer = this.#setting.host.runtime.setTimer(delayMs, () => {
      this.#saving = this.#save().then(() => this.#schedule());
    });
  }

  /** Copies a page, if it has changed. */
  #keepPage(page: number): void {
    const at = page * PAGE_BYTES;
    const here = this.#setting.core.memory.bytes.subarray(at, at + PAGE_BYTES);
    if (this.#setting.host.equal(here, this.#kept.subarray(at, at + PAGE_BYTES))) return;
    this.#kept.set(here, at);
    for (const marks of this.#stale) marks[page] = 1;
    this.#unsaved = true;
    this.totals.pages++;
  }

  /** Copies marked pages, until the time is over or none is left: then what is kept is the memory of now. */
  #slice(budgetMs: number): Moment | undefined {
    const { host, clock } = this.#setting;
    const began = host.runtime.now();
    let page = this.#next();
    for (let n = 1; page >= 0 && (n % LOOK_PAGES > 0 || host.runtime.now() - began < budgetMs); n++) {
      this.#dirty[page] = 0;
      this.#keepPage(page);
      page = this.#next();
    }
    if (page < 0) for (const one of this.#unmarked) this.#keepPage(one);
    const tookMs = host.runtime.now() - began;
    this.#tookMs += tookMs;
    this.totals.stalledMs += tookMs;
    this.totals.longestMs = Math.max(this.totals.longestMs, tookMs);
    return page < 0 ? { wall: host.wall(), clock: clock() } : undefined;
  }

  /** The next marked page, round from the one before; -1 for none. */
  #next(): number {
    const ahead = this.#dirty.indexOf(1, this.#at);
    this.#at = ahead >= 0 ? ahead : Math.max(0, this.#dirty.indexOf(1));
    return this.#dirty[this.#at] === 1 ? this.#at : -1;
  }

  /** Copies what has changed, a slice in a turn. */
  async #keep(): Promise<Moment> {
    const { runtime } = this.#setting.host;
    this.#tookMs = 0;
    for (let n = 0; ; n++) {
      const moment = this.#slice(SLICE_MS * 2 ** Math.floor(n / SLICES));
      if (moment) return moment;
      await new Promise<void>((resolve) => void runtime.setTimer(0, resolve));
    }
  }

  async #save(): Promise<void> {
    const { host, path, log } = this.#setting;
    const moment = await this.#keep();
    if (!this.#unsaved) return;
    try {
      await this.#write(this.#slot, moment);
      if (this.totals.saves++ === 0) await this.#file.publish();
      this.#slot = this.#slot === 0 ? 1 : 0;
      this.#unsaved = false;
    } catch (error) {
      // It is tried again in the slot that is not whole now; the other one stays.
      this.totals.failed++;
      const suppressed = this.#complaints.admit("write", host.runtime.now());
      if (suppressed >= 0)
        log.error({ file: path, suppressed }, `the state cannot be saved, a restart would not know what is new: ${(error as Error).message}`);
    }
  }

  /** Brings a slot up to what is kept. */
  async #write(slot: Slot, moment: Moment): Promise<void> {
    const memoryBytes = this.#kept.length;
    const places = slotPlaces(slot, memoryBytes);
    const marks = this.#stale[slot];
    await this.#file.write(places.header, new Uint8Array(HEADER_BYTES));
    for (const [from, to] of runsOf(marks)) {
      for (let at = from; at < to; at += PAGE_BYTES) this.#sums[at / PAGE_BYTES] = sumOf(this.#keptWords, at >> 2, (at + PAGE_BYTES) >> 2);
      await this.#file.write(places.memory + from, this.#kept.subarray(from, to));
    }
    await this.#file.write(places.sums, new Uint8Array(this.#sums.buffer));
    const sum = sumOf(this.#sums, 0, this.#sums.length);
    await this.#file.write(places.header, headerWrite({ ...this.#shape, ...moment, sequence: ++this.#sequence, memoryBytes, sum }));
    marks.fill(0);
  }

  /** Saves once more, when what is under way is done. The core must not change any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#setting.host.runtime.clearTimer(this.#timer);
    await this.#saving;
    await this.#save();
    await this.#file.close();
    this.#setting.log.info({ ...this.totals }, "state saved");
  }
}
