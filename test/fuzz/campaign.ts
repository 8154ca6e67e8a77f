/*
 * Many stretches, shared out among threads: each takes the next seed that nobody has, until enough has been played, the
 * time is over, or something is found.
 */

import { writeSync } from "node:fs";
import { NativeEngine, SANITIZED, driverBuild } from "../parity/native.ts";
import * as abi from "#abi";
import { type Pace, stretchPlay } from "./fuzz.ts";
import type { Machine, Maker } from "./lockstep.ts";
import { logReplay } from "./native.ts";
import { builtMakers } from "./variant.ts";

export interface Campaign {
  /** The first seed, and how many. */
  seed: number;
  stretches: number;
  /** Inputs and time (Date.now()) after which no other stretch is begun. */
  inputs: number;
  end: number;
  pace: Pace;
  /** Of "js", "wasm" and "c". */
  on: string[];
  /** Goes on after a fault. */
  goesOn: boolean;
}

/** Counts that the threads share, as indices of an Int32Array. */
export const TAKEN = 0;
export const PLAYED = 1;
export const INPUTS = 2;
export const FAULTS = 3;
export const COUNTS = 4;

/** Plays one seed on what it is to be played on. Returns the inputs. */
type Play = (seed: number) => Promise<number>;

/** The same machine again, its memory emptied: it is nothing else, and what a compiler has learned of it is not lost. */
function reused(maker: Maker): Maker {
  const machines = new Map<number, Machine>();
  return {
    name: maker.name,
    async make(size: number): Promise<Machine> {
      const machine = machines.get(size) ?? (await maker.make(size));
      machines.set(size, machine);
      machine.bytes.fill(0);
      return machine;
    },
  };
}

/** C runs beside JavaScript, and with sanitizers; a thread has one of its own. */
async function playerOpen({ on, pace }: Campaign): Promise<{ play: Play; close: () => void }> {
  const built = await builtMakers();
  const makers = built.filter(({ name }) => on.includes(name) || (on.includes("c") && name === "js")).map(reused);
  if (!on.includes("c")) return { play: async (seed) => (await stretchPlay(makers, seed, pace)).inputs, close: () => undefined };
  const binary = driverBuild(SANITIZED, "dist/small.wasm", abi);
  let engine = new NativeEngine(SANITIZED, binary);
  const play = async (seed: number): Promise<number> => {
    const { lockstep, inputs } = await stretchPlay(makers, seed, { ...pace, keepLog: true });
    try {
      await logReplay(engine, lockstep);
    } catch (error) {
      engine.close();
      engine = new NativeEngine(SANITIZED, binary);
      throw error;
    }
    return inputs;
  };
  return { play, close: () => engine.close() };
}

/** Descriptor of the standard error, which a thread's process.stderr does not tell. */
const STDERR = 2;

/** At once: what a thread says otherwise waits until it has nothing to do. */
function tell(seed: number, { pace, on }: Campaign, error: unknown): void {
  const again = `npm run fuzz -- --seed ${seed} --stretches 1 --steps ${pace.steps} --on ${on.join()}`;
  writeSync(STDERR, `seed ${seed}: ${error instanceof Error ? error.stack : String(error)}\n${again}\n`);
}

/** One thread's part. */
export async function campaignPlay(campaign: Campaign, counts: Int32Array): Promise<void> {
  const { play, close } = await playerOpen(campaign);
  const isOver = (): boolean =>
    Atomics.load(counts, INPUTS) >= campaign.inputs || Date.now() >= campaign.end || (Atomics.load(counts, FAULTS) > 0 && !campaign.goesOn);
  while (!isOver()) {
    const taken = Atomics.add(counts, TAKEN, 1);
    if (taken >= campaign.stretches) break;
    try {
      Atomics.add(counts, INPUTS, await play(campaign.seed + taken));
    } catch (error) {
      Atomics.add(counts, FAULTS, 1);
      tell(campaign.seed + taken, campaign, error);
    }
    Atomics.add(counts, PLAYED, 1);
  }
  close();
}
