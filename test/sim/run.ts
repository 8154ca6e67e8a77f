/*
 * `npm run sim -- [--seed N] [--runs K] [--minutes M] [--engine js] [--continue]`: worlds with seeds from N on, each for M
 * virtual minutes; with a seed and no number of runs that one alone. Goes on after a fault when told to.
 */

import { parseArgs } from "node:util";
import { builtMakers } from "../fuzz/variant.ts";
import { World } from "./world.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    runs: { type: "string" },
    minutes: { type: "string", default: "3" },
    engine: { type: "string" },
    continue: { type: "boolean", default: false },
  },
});

const makers = (await builtMakers()).filter(({ name }) => values.engine === undefined || name === values.engine);
const first = Number(values.seed ?? 1);
const runs = Number(values.runs ?? (values.seed === undefined ? 20 : 1));
const faults = new Map<string, number[]>();
for (let seed = first; seed < first + runs; seed++) {
  try {
    const began = Date.now();
    const { trace, calls, answered, heard } = (await World.open(makers, seed)).run(Number(values.minutes));
    console.log(
      `seed ${seed}: ${calls} calls, ${answered} answered, ${heard} media packets heard, trace ${(trace >>> 0).toString(16)}, ${Date.now() - began} ms`,
    );
  } catch (error) {
    const property = (error as { property?: string }).property ?? "error";
    console.error(`seed ${seed}: ${faults.has(property) ? (error as Error).message.split("\n")[0] : (error as Error).stack}`);
    faults.set(property, [...(faults.get(property) ?? []), seed]);
    process.exitCode = 1;
    if (!values.continue) break;
  }
}
if (faults.size > 0) console.error(Object.fromEntries(faults));
