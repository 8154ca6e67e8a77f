/*
 * One timer for the core's next deadline. The deadline moves with nearly every packet, mostly to later, so a
 * running timer is left alone and looks again when it rings.
 * Invariant: while a deadline is set, a timer runs that ends no later than it.
 */

import type { Runtime } from "./runtime.ts";

/** Longest delay that timers take. */
const LONGEST_MS = 0x7fffffff;

export class Alarm {
  readonly #runtime: Runtime;
  readonly #ring: () => void;
  #dueAt = Infinity;
  #timer: unknown;
  #timerAt = Infinity;

  constructor(runtime: Runtime, ring: () => void) {
    this.#runtime = runtime;
    this.#ring = ring;
  }

  /** Rings `delayMs` after `now`; a negative delay takes the deadline away. */
  set(delayMs: number, now: number): void {
    this.#dueAt = delayMs < 0 ? Infinity : now + delayMs;
    if (this.#dueAt < this.#timerAt) this.#start(now);
  }

  #start(now: number): void {
    this.#stop();
    this.#timerAt = this.#dueAt;
    this.#timer = this.#runtime.setTimer(Math.min(LONGEST_MS, Math.max(0, Math.ceil(this.#dueAt - now))), this.#wake);
  }

  #stop(): void {
    if (this.#timerAt !== Infinity) this.#runtime.clearTimer(this.#timer);
    this.#timerAt = Infinity;
  }

  readonly #wake = (): void => {
    this.#timerAt = Infinity;
    const now = this.#runtime.now();
    if (this.#dueAt === Infinity) return;
    if (now < this.#dueAt) return this.#start(now);
    this.#dueAt = Infinity;
    this.#ring();
  };

  clear(): void {
    this.#dueAt = Infinity;
    this.#stop();
  }
}
