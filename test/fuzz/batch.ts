/*
 * A batch comes to what its messages come to one at a time: the same outputs in the same order, and the same tables.
 */

import * as abi from "#abi";
import { CoreFault } from "./fault.ts";
import type { Lockstep, Outcome, Packet } from "./lockstep.ts";
import type { Output } from "./output.ts";

/** What outputs say, the deadline apart, which each input has. */
function outputsText(outputs: Output[]): string[] {
  return outputs.filter(({ kind }) => kind !== abi.OUTPUT_TIMEOUT).map((output) => JSON.stringify(output));
}

/** The tables up to the marks of their pages, which say what may have changed. */
function tablesOf(lockstep: Lockstep): Buffer {
  const [from, to] = [abi.REGION_TERMINALS, abi.REGION_DIRTY].map((id) => lockstep.word(abi.DIRECTORY + 4 * id)) as [number, number];
  return Buffer.from(lockstep.bytes.subarray(from, to));
}

/**
 * Plays packets one at a time, as if it had not been, and gives what compares a batch of them with that. A batch in which the machine
 * refused a port shows nothing, since that is told at another moment, and neither does one that was not taken whole.
 */
export function singlesPlay(lockstep: Lockstep, packets: Packet[], now: number): (batch: Outcome) => void {
  const { singles, tables } = lockstep.trial(() => ({ singles: packets.map((packet) => lockstep.batch([packet], now)), tables: tablesOf(lockstep) }));
  return (batch) => {
    if (batch.result !== packets.length || [batch, ...singles].some(({ refused }) => refused > 0)) return;
    const [whole, parts] = [outputsText(batch.outputs), singles.flatMap(({ outputs }) => outputsText(outputs))];
    const at = whole.findIndex((text, i) => text !== parts[i]);
    if (at >= 0 || whole.length !== parts.length) throw new CoreFault("batch", `output ${at} of a batch is\n${whole[at]}\nand one at a time\n${parts[at]}`);
    if (tables.compare(tablesOf(lockstep)) !== 0) throw new CoreFault("batch", "the tables are other than after its messages one at a time");
  };
}
