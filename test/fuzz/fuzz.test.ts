/*
 * The differential fuzz, bounded: some stretches on js, wasm and c, and proof that it would find what it is for. For more,
 * `npm run fuzz -- --seed 1000 --seconds 600`.
 */

import { describe, expect, test } from "vitest";
import { NATIVE, NativeEngine, driverBuild, targetMissing } from "../parity/native.ts";
import * as abi from "#abi";
import { paceClose, stretchPlay } from "./fuzz.ts";
import { logReplay } from "./native.ts";
import { PLANTS, plantFind } from "./plant.ts";
import { builtMakers } from "./variant.ts";

const STRETCHES = 40;
const STEPS = 220;
const NATIVE_STRETCHES = 4;
const PLANT_STRETCHES = 60;
/** What a long run looks at everything after. */
const LONG_EACH = 32;
/** Seeds that found something in the core or in the fuzz itself, with the steps that they took: test/README.md says what. */
const FOUND: [seed: number, steps: number][] = [
  [55, 300],
  [57, 300],
  [59, 300],
  [88, 300],
  [136, 300],
  [221, 300],
  [227, 300],
  [100_014, 1000],
  [300_914, 1000],
  [4_000_149, 1000],
  [200_002_490, 1000],
  [200_003_977, 1000],
  [200_004_727, 1000],
  [200_004_848, 1000],
  [200_004_917, 1000],
  [200_005_049, 1000],
  [300_004_085, 1000],
  [400_000_013, 1000],
];

describe("fuzz", () => {
  test("js and wasm agree, and every property holds", async () => {
    const makers = await builtMakers();
    for (let seed = 1; seed <= STRETCHES; seed++) await stretchPlay(makers, seed, paceClose(STEPS));
  }, 180_000);

  test.each(FOUND)("what seed %i found stays mended", async (seed, steps) => {
    await stretchPlay(await builtMakers(), seed, { ...paceClose(steps), each: LONG_EACH });
  });

  const missing = targetMissing(NATIVE);
  test.skipIf(missing !== undefined)(`c agrees too${missing ? ` (${missing})` : ""}`, async () => {
    const [js] = await builtMakers();
    const engine = new NativeEngine(NATIVE, driverBuild(NATIVE, "dist/small.wasm", abi));
    try {
      for (let seed = 101; seed < 101 + NATIVE_STRETCHES; seed++) {
        const { lockstep } = await stretchPlay([js!], seed, { ...paceClose(STEPS), keepLog: true });
        await logReplay(engine, lockstep);
        lockstep.log[STEPS >> 1]!.result ^= 1;
        await expect(logReplay(engine, lockstep)).rejects.toThrow("difference");
      }
    } finally {
      engine.close();
    }
  });
});

describe("a planted bug is found", () => {
  test("also where everything is looked at now and then only", async () => {
    const pace = { ...paceClose(STEPS), each: LONG_EACH };
    for (const plant of [PLANTS[0]!, ...PLANTS.filter(({ property }) => property === "tables")])
      expect(await plantFind(plant, PLANT_STRETCHES, pace), plant.what).toBeDefined();
  });

  test.each([
    ["says what is nowhere", { to: "return nowhere;" }, "traps: ReferenceError: nowhere is not defined"],
    ["stands where the core has moved on", { from: "return nowhere;" }, "plant the bug elsewhere"],
    ["is in a file that is gone", { file: "core/nowhere.ts" }, "core/nowhere.ts is no part of the core"],
  ])("one that %s is not taken for one that is not found", async (_, change, message) => {
    const plant = PLANTS.find(({ what }) => what === "a token's tag is not looked at")!;
    const broken = { ...plant, change: { ...plant.change, ...change } };
    await expect(plantFind(broken, PLANT_STRETCHES, paceClose(STEPS))).rejects.toThrow(message);
  });

  test.each(PLANTS)("$what", async (plant) => {
    expect(await plantFind(plant, PLANT_STRETCHES, paceClose(STEPS)), `${plant.property}, in ${PLANT_STRETCHES} stretches`).toBeDefined();
  });
});
