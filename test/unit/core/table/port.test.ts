import { beforeAll, expect, test } from "vitest";
import { type Core, coreOpen } from "../harness.ts";

let cores: Core[];

beforeAll(async () => {
  cores = Object.values(await coreOpen(["core/table/port.ts", "core/memory/layout.ts"], 1 << 20));
});

test("another number of pools is another configuration, however far off", () => {
  for (const { name, call, constant, words } of cores) {
    const [configured, taken, most] = ["CONFIG_POOLS", "POOLS_TAKEN", "POOL_MAX"].map(constant) as [number, number, number];
    words[configured >> 2] = 0;
    const results = [0, 1, -1, -2, -0x80000000, 0x7fffffff].map((count) => {
      words[taken >> 2] = count;
      return call("poolsCheck");
    });
    expect(results, name).toEqual([0, ...new Array<number>(5).fill(most + 1)]);
  }
});
