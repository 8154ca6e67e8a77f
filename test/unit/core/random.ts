/*
 * Seeded random numbers for tests: mulberry32 (Tommy Ettinger, public domain). Same seed, same test.
 */

export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** 32 random bits, signed. */
  word(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return t ^ (t >>> 14);
  }

  /** A number from 0 to n - 1. */
  below(n: number): number {
    return Math.floor(((this.word() >>> 0) / 2 ** 32) * n);
  }

  /** A number from first to last. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  chance(probability: number): boolean {
    return (this.word() >>> 0) / 2 ** 32 < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}
