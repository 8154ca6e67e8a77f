/*
 * The fuzz of packet mode, bounded, on js, wasm and c; and bugs planted into the core that it must find.
 */

import { describe, expect, test } from "vitest";
import * as abi from "#abi";
import { driverBuild, NATIVE, NativeEngine, targetMissing } from "../parity/native.ts";
import { seedFind } from "./fault.ts";
import { framesPlay } from "./frames.ts";
import { logReplay } from "./native.ts";
import type { Plant } from "./plant.ts";
import { builtMakers, jsVariant } from "./variant.ts";

const STRETCHES = 30;
const STEPS = 200;
const PLANT_STRETCHES = 20;

const PLANTS: Omit<Plant, "into">[] = [
  {
    what: "media of any network is let in",
    property: "network",
    change: { file: "core/table/adjacency.ts", from: "return ld32(a + ADJACENCY_INTERFACE) === 0 || equal16", to: "return ld32(a) >= 0 || equal16" },
  },
  {
    what: "all terminals are reached by the way of the first",
    property: "network",
    change: {
      file: "core/table/adjacency.ts",
      from: "return ADJACENCY_REALMS + REALM_MAX + terminal;",
      to: "return ADJACENCY_REALMS + REALM_MAX + (terminal & 0);",
    },
  },
  {
    what: "a time to live of one is sent on",
    property: "written",
    change: { file: "core/path/frame.ts", from: "  if (ld32(WIRE_TTL) <= 1) return REASON_EXPIRED;\n", to: "" },
  },
  {
    what: "the IPv4 checksum is that of the frame that came",
    property: "written",
    change: { file: "core/encode/packet/header.ts", from: "  st16be(p + 10, sumEnd(sumAdd(0, p, IP4_HEADER)));\n", to: "" },
  },
  {
    what: "a frame that passes is one byte short",
    property: "untouched",
    change: { file: "core/path/pass.ts", from: "(ld32(WIRE_END) - start) | 0", to: "(ld32(WIRE_END) - start - 1) | 0" },
  },
  {
    what: "fragments are never given back",
    property: "fragments",
    change: { file: "core/table/datagram.ts", from: "  blocksFree(d);\n  timerStop", to: "  timerStop" },
  },
];

describe("fuzz of frames", () => {
  test("js and wasm agree, and every property holds", async () => {
    const makers = await builtMakers();
    let frames = 0;
    for (let seed = 1; seed <= STRETCHES; seed++) frames += (await framesPlay(makers, seed, STEPS)).frames;
    expect(frames).toBeGreaterThan(STRETCHES * STEPS);
  }, 180_000);

  const missing = targetMissing(NATIVE);
  test.skipIf(missing !== undefined)(`c agrees too${missing ? ` (${missing})` : ""}`, async () => {
    const [js] = await builtMakers();
    const engine = new NativeEngine(NATIVE, driverBuild(NATIVE, "dist/small.wasm", abi));
    try {
      for (let seed = 201; seed <= 203; seed++) {
        const { lockstep } = await framesPlay([js!], seed, STEPS, true);
        await logReplay(engine, lockstep);
      }
    } finally {
      engine.close();
    }
  });
});

describe("a planted bug in packet mode is found", () => {
  test.each(PLANTS)("$what", async ({ change, property }) => {
    const makers = [await jsVariant([change])];
    expect(await seedFind(property, PLANT_STRETCHES, (seed) => framesPlay(makers, seed, STEPS)), `${property}, in ${PLANT_STRETCHES} stretches`).toBeDefined();
  });
});
