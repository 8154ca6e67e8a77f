import { beforeEach, expect, test, vi } from "vitest";
import { Alarm } from "../../../hosts/shared/alarm.ts";
import { fakeRuntime } from "./fakeruntime.ts";

let runtime: ReturnType<typeof fakeRuntime>;
const ring = vi.fn();
let alarm: Alarm;

beforeEach(() => {
  runtime = fakeRuntime();
  ring.mockReset();
  alarm = new Alarm(runtime, ring);
});

test("rings once when due", () => {
  alarm.set(100, runtime.now());
  runtime.advance(99);
  expect(ring).not.toHaveBeenCalled();
  runtime.advance(1);
  expect(ring).toHaveBeenCalledTimes(1);
  runtime.advance(1000);
  expect(ring).toHaveBeenCalledTimes(1);
});

test("a later deadline leaves the running timer alone", () => {
  for (let i = 0; i < 50; i++) {
    alarm.set(100, runtime.now());
    runtime.advance(1);
  }
  expect(runtime.timersStarted).toBe(1);
  runtime.advance(98);
  expect(ring).not.toHaveBeenCalled();
  runtime.advance(1);
  expect(ring).toHaveBeenCalledTimes(1);
  expect(runtime.timersStarted).toBe(2);
});

test("an earlier deadline starts a new one", () => {
  alarm.set(1000, runtime.now());
  alarm.set(10, runtime.now());
  runtime.advance(10);
  expect(ring).toHaveBeenCalledTimes(1);
});

test("a negative delay takes the deadline away, clear too", () => {
  alarm.set(10, runtime.now());
  alarm.set(-1, runtime.now());
  runtime.advance(100);
  alarm.set(10, runtime.now());
  alarm.clear();
  runtime.advance(100);
  expect(ring).not.toHaveBeenCalled();
});
