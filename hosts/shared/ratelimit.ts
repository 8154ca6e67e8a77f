/*
 * Says at most once in a while what happens all the time, and how often it happened in between.
 * Invariant: keys come from a closed set (error codes, reasons), so the map stays small.
 */

/** The same complaint is logged so often at most. */
export const COMPLAINT_INTERVAL_MS = 10_000;

interface Entry {
  quietUntil: number;
  suppressed: number;
}

export class RateLimit {
  readonly #intervalMs: number;
  readonly #entries = new Map<string, Entry>();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** How many were held back since the last one that was let through, or -1: hold this one back too. */
  admit(key: string, now: number): number {
    const entry = this.#entries.get(key);
    if (entry && now < entry.quietUntil) {
      entry.suppressed++;
      return -1;
    }
    this.#entries.set(key, { quietUntil: now + this.#intervalMs, suppressed: 0 });
    return entry?.suppressed ?? 0;
  }
}
