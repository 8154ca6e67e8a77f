/*
 * `npm run fuzz -- [--seed N] [--seconds S] [--stretches K] [--steps M] [--continue]`: stretches with seeds from N on, until
 * the time is over or, unless told to go on, a fault is found.
 */

import { parseArgs } from "node:util";
import { stretchPlay } from "./fuzz.ts";
import { builtMakers } from "./variant.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seconds: { type: "string", default: "30" },
    stretches: { type: "string", default: "1000000" },
    steps: { type: "string", default: "300" },
    continue: { type: "boolean", default: false },
  },
});

const first = Number(values.seed);
const end = Date.now() + 1000 * Number(values.seconds);
const makers = await builtMakers();
let steps = 0;
let stretches = 0;
const faults = new Map<string, number>();
for (; stretches < Number(values.stretches) && Date.now() < end; stretches++) {
  try {
    steps += (await stretchPlay(makers, first + stretches, Number(values.steps))).steps;
  } catch (error) {
    const property = (error as { property?: string }).property ?? "error";
    if (!faults.has(property)) console.error(`seed ${first + stretches}: ${(error as Error).stack}`);
    faults.set(property, (faults.get(property) ?? 0) + 1);
    process.exitCode = 1;
    if (!values.continue) break;
  }
}
console.log(`${stretches} stretches, ${steps} steps, seeds ${first} to ${first + stretches - 1}`, Object.fromEntries(faults));
