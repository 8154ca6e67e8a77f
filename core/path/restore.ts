/*
 * Goes on where a process ended, with its memory: what stood in the sockets is gone, what stands in the tables is not. Every
 * port that a record owns is asked for again, and no connection outlives the process that had it (SPEC T4).
 * Invariant: each place is passed once, in as many inputs as the output queue makes necessary.
 */

import { ld32 } from "../machine.ts";
import { ABI_VERSION, HEADER_ABI, SLABS } from "../memory/layout.ts";
import { FAULT_IMAGE, FAULT_LENGTH, REASON_RESTORED, VERDICT_ABSORBED, fault } from "../memory/reason.ts";
import { outputRoom } from "../output/queue.ts";
import { SLAB_BINDINGS, SLAB_CALLS, SLAB_CONNECTIONS, SLAB_FLOWS, recordUsed, slabCapacity, slabsFit, slabsPlace } from "../table/slab.ts";
import { callResume } from "../translate/call.ts";
import { connectionHang } from "../translate/connect.ts";
import { bindingResume, flowResume } from "../translate/open.ts";
import { configChange } from "./configuration.ts";
import { conclude } from "./outcome.ts";

/** Records that one place may need: a flow has six ports, RTP, RTCP and TCP on each side. */
const PLACE_OUTPUTS: i32 = 8;

/** The slabs whose records are taken up, in the order of that, four bits each. */
const ORDER: i32 = SLAB_CONNECTIONS | (SLAB_BINDINGS << 4) | (SLAB_CALLS << 8) | (SLAB_FLOWS << 12);
const ORDER_COUNT: i32 = 4;

function slabOf(nth: i32): i32 {
  return (ORDER >> (nth << 2)) & 15;
}

/** Place of the first record of the nth slab; how many places there are when it is ORDER_COUNT. */
function placeBegin(nth: i32): i32 {
  let at: i32 = 0;
  for (let i: i32 = 0; i < nth; i++) at = at + slabCapacity(slabOf(i));
  return at;
}

/** Takes up the record at a place. */
function placeTake(at: i32): void {
  let nth: i32 = 0;
  while (at >= placeBegin(nth + 1)) nth++;
  const id: i32 = slabOf(nth);
  const index: i32 = at - placeBegin(nth);
  if (!recordUsed(id, index)) return;
  if (id === SLAB_CONNECTIONS) connectionHang(index);
  else if (id === SLAB_BINDINGS) bindingResume(index);
  else if (id === SLAB_CALLS) callResume(index);
  else flowResume(index);
}

/** Makes the memory of another process ours, with the configuration. Returns 0 or a fault. */
function imageTake(): i32 {
  if (ld32(HEADER_ABI) !== ABI_VERSION) return fault(FAULT_IMAGE, HEADER_ABI);
  if (!slabsPlace() || !slabsFit()) return fault(FAULT_IMAGE, SLABS);
  return configChange();
}

/** Takes up what stands from a place on. Returns where to go on, 0 when that was all, or a fault. */
export function restoreTake(from: i32): i32 {
  const result: i32 = from === 0 ? imageTake() : 0;
  if (result < 0) return result;
  const end: i32 = placeBegin(ORDER_COUNT);
  if (from < 0 || from > end) return fault(FAULT_LENGTH, 0);
  let at: i32 = from;
  while (at < end && outputRoom(PLACE_OUTPUTS)) {
    placeTake(at);
    at = at + 1;
  }
  conclude(REASON_RESTORED, VERDICT_ABSORBED);
  return at < end ? at : 0;
}
