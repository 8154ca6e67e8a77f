/*
 * One timer wheel for everything: 4,096 slots of 128 ms, a bitmap of the occupied ones. A deadline beyond
 * the wheel's 8.7 minutes is kept at its far end; the owner looks at its own deadline when it fires and
 * arms again. Invariant: a timer id stands in one slot at most, and never fires early by the wheel's fault.
 */

import { ctz32, fill, ld32, mul, st32 } from "../machine.ts";
import { HEADER_NOW, REGION_TIMERS, TIMER_SIZE, WHEEL, WHEEL_SIZE, WHEEL_SLOTS, table } from "../memory/layout.ts";
import { TIMER_AT, TIMER_NEXT, TIMER_PREVIOUS, TIMER_SLOT } from "../memory/tables.ts";
import { dirtyMark } from "./dirty.ts";

const TICK_SHIFT: i32 = 7;
/** Furthest tick that can be armed: one less than the wheel, so that it is not taken for the present. */
const FAR: i32 = 4094;

/* The wheel: bitmap (128 words), then the head of each slot, then the tick that has been served
   (only differences of ticks are used, so that the clock may wrap) and the number of armed timers. */
const BITMAP: i32 = WHEEL;
const HEADS: i32 = WHEEL + 512;
const SERVED: i32 = WHEEL + 16896;
const ARMED: i32 = WHEEL + 16900;

function timerAt(id: i32): i32 {
  return dirtyMark((table(REGION_TIMERS) + mul(id, TIMER_SIZE)) | 0);
}

/** Whole ticks from the served one to the time `at`. */
function ticksUntil(at: i32): i32 {
  return ((at - (ld32(SERVED) << TICK_SHIFT)) | 0) >> TICK_SHIFT;
}

export function timersInit(now: i32): void {
  fill(WHEEL, 0, WHEEL_SIZE);
  fill(table(REGION_TIMERS), 0, (table(REGION_TIMERS + 1) - table(REGION_TIMERS)) | 0);
  st32(SERVED, now >> TICK_SHIFT);
}

function slotMark(slot: i32, on: boolean): void {
  const word: i32 = BITMAP + ((slot >> 5) << 2);
  const bit: i32 = 1 << (slot & 31);
  st32(word, on ? ld32(word) | bit : ld32(word) & ~bit);
}

/** Takes a timer off the wheel. */
export function timerStop(id: i32): void {
  const timer: i32 = timerAt(id);
  const slot: i32 = (ld32(timer + TIMER_SLOT) - 1) | 0;
  if (slot < 0) return;
  const next: i32 = ld32(timer + TIMER_NEXT);
  const previous: i32 = ld32(timer + TIMER_PREVIOUS);
  if (next !== 0) st32(timerAt(next - 1) + TIMER_PREVIOUS, previous);
  if (previous !== 0) st32(timerAt(previous - 1) + TIMER_NEXT, next);
  else {
    st32(HEADS + (slot << 2), next);
    if (next === 0) slotMark(slot, false);
  }
  st32(timer + TIMER_SLOT, 0);
  st32(ARMED, (ld32(ARMED) - 1) | 0);
}

/** Arms a timer for the time `at`, in place of what it was armed for. */
export function timerSet(id: i32, at: i32): void {
  timerStop(id);
  const timer: i32 = timerAt(id);
  if (ld32(ARMED) === 0) st32(SERVED, ld32(HEADER_NOW) >> TICK_SHIFT);
  st32(ARMED, ld32(ARMED) + 1);
  const served: i32 = ld32(SERVED);
  let ahead: i32 = ticksUntil((at + 127) | 0);
  if (ahead < 1) ahead = 1;
  if (ahead > FAR) ahead = FAR;
  const slot: i32 = (served + ahead) & (WHEEL_SLOTS - 1);
  const head: i32 = ld32(HEADS + (slot << 2));
  st32(timer + TIMER_NEXT, head);
  st32(timer + TIMER_PREVIOUS, 0);
  st32(timer + TIMER_SLOT, slot + 1);
  st32(timer + TIMER_AT, at);
  if (head !== 0) st32(timerAt(head - 1) + TIMER_PREVIOUS, id + 1);
  else slotMark(slot, true);
  st32(HEADS + (slot << 2), id + 1);
}

/** Ticks from the served one to the next occupied slot, 0 for none. */
function nextOccupied(): i32 {
  const from: i32 = (ld32(SERVED) + 1) & (WHEEL_SLOTS - 1);
  for (let i: i32 = 0; i <= 128; i++) {
    const index: i32 = ((from >> 5) + i) & 127;
    let word: i32 = ld32(BITMAP + (index << 2));
    if (i === 0) word = word & (-1 << (from & 31));
    if (word !== 0) return (((((index << 5) + ctz32(word) - from) | 0) & (WHEEL_SLOTS - 1)) + 1) | 0;
  }
  return 0;
}

/** Takes the next timer that is due at `now` off the wheel. Returns its id, -1 when none is due. */
export function timerExpire(now: i32): i32 {
  const ahead: i32 = nextOccupied();
  const passed: i32 = ticksUntil(now);
  if (ahead === 0 || ahead > passed) {
    if (passed > 0) st32(SERVED, (ld32(SERVED) + passed) | 0);
    return -1;
  }
  const slot: i32 = (ld32(SERVED) + ahead) & (WHEEL_SLOTS - 1);
  const id: i32 = (ld32(HEADS + (slot << 2)) - 1) | 0;
  st32(SERVED, (ld32(SERVED) + ahead - 1) | 0);
  timerStop(id);
  return id;
}

/** Milliseconds from the present until the next slot is due, -1 when nothing is armed. */
export function timerWait(): i32 {
  const ahead: i32 = nextOccupied();
  if (ahead === 0) return -1;
  const at: i32 = ((ld32(SERVED) + ahead) << TICK_SHIFT) | 0;
  const wait: i32 = (at - ld32(HEADER_NOW)) | 0;
  return wait < 0 ? 0 : wait;
}
