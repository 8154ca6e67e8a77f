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

describe("fuzz", () => {
  test("js and wasm agree, and every property holds", async () => {
    const makers = await builtMakers();
    for (let seed = 1; seed <= STRETCHES; seed++) await stretchPlay(makers, seed, paceClose(STEPS));
  }, 180_000);

  const missing = targetMissing(NATIVE);
  test.skipIf(missing !== undefined)(`c agrees too${missing ? ` (${missing})` : ""}`, async () => {
    const [js] = await builtMakers();
    const engine = new NativeEngine(NATIVE, driverBuild(NATIVE, "dist/small.wasm", abi));
    try {
      for (let seed = 101; seed < 101 + NATIVE_STRETCHES; seed++) {
        const { lockstep } = await stretchPlay([js!], seed, { ...paceClose(STEPS), keepLog: true });
        await logReplay(engine, lockstep);
      }
    } finally {
      engine.close();
    }
  });
});

describe("a planted bug is found", () => {
  test.each(PLANTS)("$what", async (plant) => {
    expect(await plantFind(plant, PLANT_STRETCHES, paceClose(STEPS)), `${plant.property}, in ${PLANT_STRETCHES} stretches`).toBeDefined();
  });
});
