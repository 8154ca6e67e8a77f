/*
 * The C header names the contract that the core was built with.
 */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as abi from "#abi";

test("CULVERT_ABI is the version that a booted core has in its header", () => {
  expect(/#define CULVERT_ABI (\d+)/.exec(readFileSync("bindings/c/culvert.h", "utf8"))?.[1]).toBe(String(abi.ABI_VERSION));
});
