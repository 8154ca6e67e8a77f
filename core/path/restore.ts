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
import { callRestore } from "../translate/call.ts";
import { connectionHang } from "../translate/connect.ts";
import { bindingRestore, flowRestore } from "../translate/open.ts";
import { configChange } from "./configuration.ts";
import { conclude } from "./outcome.ts";

/** Records that one place may need: a flow has four ports. */
const PLACE_OUTPUTS: i32 = 8;

/** Takes up the record at a place: connections first, then bindings, calls, and flows. */
function placeTake(at: i32): void {
  const bindings: i32 = slabCapacity(SLAB_CONNECTIONS);
  const calls: i32 = (bindings + slabCapacity(SLAB_BINDINGS)) | 0;
  const flows: i32 = (calls + slabCapacity(SLAB_CALLS)) | 0;
  if (at < bindings) {
    if (recordUsed(SLAB_CONNECTIONS, at)) connectionHang(at);
  } else if (at < calls) {
    if (recordUsed(SLAB_BINDINGS, at - bindings)) bindingRestore(at - bindings);
  } else if (at < flows) {
    if (recordUsed(SLAB_CALLS, at - calls)) callRestore(at - calls);
  } else if (recordUsed(SLAB_FLOWS, at - flows)) flowRestore(at - flows);
}

/** Places that there are. */
function placeEnd(): i32 {
  return (slabCapacity(SLAB_CONNECTIONS) + slabCapacity(SLAB_BINDINGS) + slabCapacity(SLAB_CALLS) + slabCapacity(SLAB_FLOWS)) | 0;
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
  const end: i32 = placeEnd();
  if (from < 0 || from > end) return fault(FAULT_LENGTH, 0);
  let at: i32 = from;
  while (at < end && outputRoom(PLACE_OUTPUTS)) {
    placeTake(at);
    at = at + 1;
  }
  conclude(REASON_RESTORED, VERDICT_ABSORBED);
  return at < end ? at : 0;
}
