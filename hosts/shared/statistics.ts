/*
 * What the proxy did, now and then at level debug, and once at the end: the core's counters by reason name
 * and the pump's totals.
 */

import type { CoreMemory } from "./core.ts";
import type { Log } from "./log.ts";
import { countersRead } from "./names.ts";
import type { Pump } from "./pump.ts";
import type { Runtime } from "./runtime.ts";

const INTERVAL_MS = 10_000;

type Counts = Record<string, number>;

function nonZero(counts: Counts): Counts {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

function sinceOf(now: Counts, before: Counts): Counts {
  return nonZero(Object.fromEntries(Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)])));
}

export class Statistics {
  readonly #pump: Pump;
  readonly #memory: CoreMemory;
  readonly #runtime: Runtime;
  readonly #log: Log;
  #before: Counts = {};
  #timer: unknown;

  constructor(pump: Pump, memory: CoreMemory, runtime: Runtime, log: Log) {
    this.#pump = pump;
    this.#memory = memory;
    this.#runtime = runtime;
    this.#log = log;
  }

  start(): void {
    if (this.#log.isLevelEnabled("debug")) this.#timer = this.#runtime.setTimer(INTERVAL_MS, () => this.#tick());
  }

  #tick(): void {
    const now = { ...this.#pump.totals, ...countersRead(this.#memory) };
    const since = sinceOf(now, this.#before);
    this.#before = now;
    if (Object.keys(since).length > 0) this.#log.debug({ sockets: this.#pump.sockets, ...since }, `in the last ${INTERVAL_MS / 1000} s`);
    this.start();
  }

  /** Ends the ticking and logs the totals. */
  stop(): void {
    if (this.#timer !== undefined) this.#runtime.clearTimer(this.#timer);
    this.#log.info({ ...nonZero({ ...this.#pump.totals }), reasons: countersRead(this.#memory) }, "stopped");
  }
}
