/*
 * Pace for sockets of the runtime (hosts/linux/pace.c has that of batched sockets and rings): where very many packets come, the event loop
 * turns once in a while, because waking up for each costs as much as the packet. All else waits with them, milliseconds at most.
 */

import type { Runtime } from "./runtime.ts";

/** Packets a second from which on the loop is paced, and below which it no longer is; milliseconds that a rate is measured over. */
const FROM = 15_000;
const UNTIL = 8_000;
const WINDOW_MS = 4;

export class Pace {
  readonly #runtime: Runtime;
  readonly #everyMs: number;
  /** When the measurement began, and packets since. */
  #since = 0;
  #packets = 0;
  #fast = false;
  /** When the turn that is going on began. */
  #turned = 0;
  readonly #word = new Int32Array(new SharedArrayBuffer(4));
  readonly #rest = (): void => this.#turn();

  /** `everyMs`: from turn to turn, 0 for no pace. */
  constructor(runtime: Runtime, everyMs: number) {
    this.#runtime = runtime;
    this.#everyMs = everyMs;
  }

  /** A packet has come. */
  count(): void {
    this.#packets++;
    if (this.#fast || this.#everyMs === 0 || !this.#weigh()) return;
    this.#runtime.afterTurn?.(this.#rest);
  }

  /** Do packets come fast? */
  #weigh(): boolean {
    const now = this.#runtime.now();
    const elapsed = now - this.#since;
    if (elapsed >= WINDOW_MS) {
      this.#fast = (this.#packets * 1000) / elapsed >= (this.#fast ? UNTIL : FROM);
      this.#since = now;
      this.#packets = 0;
    }
    return this.#fast;
  }

  /** The end of a turn: sleeps until it is time for the next, which a turn that took long is at once. */
  #turn(): void {
    if (!this.#weigh()) return;
    const left = this.#turned + this.#everyMs - this.#runtime.now();
    if (left > 0) Atomics.wait(this.#word, 0, 0, left);
    this.#turned = this.#runtime.now();
    this.#runtime.afterTurn?.(this.#rest);
  }
}
