/*
 * `npm run fuzz -- [--seed N] [--stretches K] [--steps M] [--inputs I] [--seconds S] [--on js,wasm] [--each C] [--workers W]
 * [--continue]`: stretches of M steps with seeds from N on, until K are played, they had I inputs, S seconds are over or, unless
 * told to go on, a fault is found. `--on c` plays on the C core with sanitizers what JavaScript did. With `--each` all of memory
 * and all tables are looked at after every so many calls of the core and not after each, which is for long runs.
 */

import { parseArgs } from "node:util";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { type Campaign, campaignPlay, COUNTS, FAULTS } from "./campaign.ts";

const BUILDS = ["js", "wasm", "c"];
/** From one line about how far it has come to the next. */
const REPORT_MS = 60_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    stretches: { type: "string", default: "1000000000" },
    steps: { type: "string", default: "300" },
    inputs: { type: "string", default: "2000000000" },
    seconds: { type: "string" },
    on: { type: "string", default: "js,wasm" },
    each: { type: "string", default: "1" },
    workers: { type: "string", default: "1" },
    continue: { type: "boolean", default: false },
  },
});

/** What the options say. Without seconds, 30 unless another end is given. */
function campaignRead(): Campaign {
  const on = values.on.split(",");
  const strange = on.find((name) => !BUILDS.includes(name));
  if (strange !== undefined) throw new Error(`--on ${values.on}: there is no build "${strange}", but ${BUILDS.join(", ")}`);
  const isEnded = values.stretches !== "1000000000" || values.inputs !== "2000000000";
  const seconds = values.seconds ?? (isEnded ? "1000000" : "30");
  return {
    seed: Number(values.seed),
    stretches: Number(values.stretches),
    inputs: Number(values.inputs),
    end: Date.now() + 1000 * Number(seconds),
    pace: { steps: Number(values.steps), each: Number(values.each), keepLog: false },
    on,
    goesOn: values.continue,
  };
}

async function threadsRun(campaign: Campaign, counts: Int32Array): Promise<void> {
  const workers = Array.from(
    { length: Number(values.workers) },
    () => new Worker(new URL(import.meta.url), { workerData: { campaign, counts }, argv: process.argv.slice(2) }),
  );
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          worker.on("error", reject);
          worker.on("exit", () => resolve());
        }),
    ),
  );
}

function show(campaign: Campaign, counts: Int32Array, began: number): void {
  const [, played, inputs, faults] = counts;
  const seconds = (Date.now() - began) / 1000;
  console.log(
    `${campaign.on.join()}: ${played} stretches from seed ${campaign.seed}, ${inputs} inputs, ${faults} faults, ${Math.round(seconds)} s, ${Math.round(inputs! / seconds)} inputs/s`,
  );
}

async function main(): Promise<void> {
  const campaign = campaignRead();
  const counts = new Int32Array(new SharedArrayBuffer(4 * COUNTS));
  const began = Date.now();
  const timer = setInterval(() => show(campaign, counts, began), REPORT_MS);
  await (Number(values.workers) === 1 ? campaignPlay(campaign, counts) : threadsRun(campaign, counts));
  clearInterval(timer);
  show(campaign, counts, began);
  if (counts[FAULTS]! > 0) process.exitCode = 1;
}

if (isMainThread) await main();
else await campaignPlay((workerData as { campaign: Campaign }).campaign, (workerData as { counts: Int32Array }).counts);
