import { expect, test } from "vitest";
import { Pace } from "../../../hosts/shared/pace.ts";
import type { Runtime } from "../../../hosts/shared/runtime.ts";

/** A runtime whose clock stands still until it is told; `turn` ends a turn of its event loop. */
function runtimeFake(): { runtime: Runtime; clock: { ms: number }; turn: () => boolean } {
  const clock = { ms: 1000 };
  const ends: (() => void)[] = [];
  const runtime = { now: () => clock.ms, afterTurn: (callback: () => void) => void ends.push(callback) } as Partial<Runtime> as Runtime;
  const turn = (): boolean => {
    const end = ends.pop();
    end?.();
    return end !== undefined;
  };
  return { runtime, clock, turn };
}

/** Counts packets, evenly over so many milliseconds of the fake clock. */
function packets(pace: Pace, clock: { ms: number }, n: number, ms: number): void {
  for (let i = 0; i < n; i++) {
    clock.ms += ms / n;
    pace.count();
  }
}

test("few packets: the loop turns whenever it likes", () => {
  const { runtime, clock, turn } = runtimeFake();
  packets(new Pace(runtime, 2), clock, 1400, 100);
  expect(turn()).toBe(false);
});

test("many packets: each turn ends with a rest, until there are few again", () => {
  const { runtime, clock, turn } = runtimeFake();
  const pace = new Pace(runtime, 2);
  packets(pace, clock, 160, 10);
  expect(turn()).toBe(true);
  packets(pace, clock, 100, 10);
  expect(turn()).toBe(true);
  packets(pace, clock, 10, 10);
  expect(turn()).toBe(true);
  expect(turn()).toBe(false);
  packets(pace, clock, 160, 10);
  expect(turn()).toBe(true);
});

test("pace: off", () => {
  const { runtime, clock, turn } = runtimeFake();
  packets(new Pace(runtime, 0), clock, 16_000, 100);
  expect(turn()).toBe(false);
});

test("a runtime that does not tell when a turn ends is not paced", () => {
  const { runtime, clock } = runtimeFake();
  delete runtime.afterTurn;
  expect(() => packets(new Pace(runtime, 2), clock, 160, 10)).not.toThrow();
});
