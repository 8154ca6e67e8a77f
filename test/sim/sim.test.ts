/*
 * Some worlds of the simulator on js and wasm in lockstep, one of them twice, and one again on c. For more,
 * `npm run sim -- --seed 1000 --runs 100 --minutes 10`.
 */

import { describe, expect, test } from "vitest";
import * as abi from "#abi";
import { logReplay } from "../fuzz/native.ts";
import { builtMakers } from "../fuzz/variant.ts";
import { NATIVE, NativeEngine, driverBuild, targetMissing } from "../parity/native.ts";
import { PLANTS, plantFind } from "./plant.ts";
import { World } from "./world.ts";

const SEEDS = 24;
const MINUTES = 3;
const PLANT_SEEDS = 10;

describe("simulator", () => {
  test("phones behind NATs hear each other, and everything ends", async () => {
    const makers = await builtMakers();
    let answered = 0;
    let heard = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const result = (await World.open(makers, seed)).run(MINUTES);
      answered += result.answered;
      heard += result.heard;
    }
    expect(answered, "calls answered: the worlds must be worth looking at").toBeGreaterThan(SEEDS * 5);
    expect(heard).toBeGreaterThan(SEEDS * 300);
  }, 180_000);

  test("the same seed is the same run", async () => {
    const makers = (await builtMakers()).slice(0, 1);
    const runs = [];
    for (let i = 0; i < 2; i++) runs.push((await World.open(makers, 7)).run(MINUTES).trace);
    expect(runs[0]).toBe(runs[1]);
    expect((await World.open(makers, 8)).run(MINUTES).trace).not.toBe(runs[0]);
  });

  const missing = targetMissing(NATIVE);
  test.skipIf(missing !== undefined)(`c does the same${missing ? ` (${missing})` : ""}`, async () => {
    const [js] = await builtMakers();
    const engine = new NativeEngine(NATIVE, driverBuild(NATIVE, "dist/small.wasm", abi));
    try {
      const { lockstep } = (await World.open([js!], 3, true)).run(1);
      expect(lockstep.log.length).toBeGreaterThan(500);
      await logReplay(engine, lockstep);
    } finally {
      engine.close();
    }
  });
});

describe("a planted bug is found", () => {
  test.each(PLANTS)("$what", async (plant) => {
    expect(await plantFind(plant, PLANT_SEEDS, MINUTES), `${plant.property}, in ${PLANT_SEEDS} worlds`).toBeDefined();
  });
});
