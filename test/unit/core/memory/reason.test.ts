/*
 * Reasons and faults are counted by number: no two may have the same one.
 */

import { expect, test } from "vitest";
import * as abi from "#abi";

test("every reason has a number of its own, and a counter", () => {
  const reasons = Object.entries(abi).filter(([name, value]) => /^(REASON|FAULT)_/.test(name) && typeof value === "number") as [string, number][];
  expect(reasons.length).toBeGreaterThan(50);
  for (const [name, value] of reasons) {
    expect(
      reasons.filter(([, other]) => other === value).map(([other]) => other),
      name,
    ).toEqual([name]);
    expect(value, name).toBeLessThan(abi.COUNTER_COUNT);
  }
});
