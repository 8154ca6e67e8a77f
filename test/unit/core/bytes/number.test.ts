/*
 * Numbers and dotted quads at the places where their length changes, on both builds: read as JavaScript reads them, and
 * written back the same.
 */

import { beforeAll, describe, expect, test } from "vitest";
import { type Core, coreOpen } from "../harness.ts";

const TEXT = 4096;
const TO = 8192;
const KINDS = ["js", "wasm"] as const;
let cores: Record<(typeof KINDS)[number], Core>;

beforeAll(async () => {
  cores = await coreOpen(["core/bytes/decimal.ts", "core/bytes/address.ts"], 65536);
});

function put(core: Core, text: string, behind: string): number {
  const bytes = Buffer.from(text + behind, "latin1");
  core.bytes.set(bytes, TEXT);
  return TEXT + text.length;
}

const POWERS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => 10 ** n);
const NUMBERS = [...new Set([0, 1, 255, 256, 5060, 65535, 65536, 2147483647, ...POWERS.flatMap((n) => [n - 1, n, n + 1, 5 * (n / 10)])])].filter(
  (n) => Number.isInteger(n) && n >= 0,
);

describe.each(KINDS)("%s", (kind) => {
  test("decimals are written and read", () => {
    const core = cores[kind];
    for (const n of NUMBERS) {
      const end = core.call("decimalWrite", TO, n);
      expect(Buffer.from(core.bytes.subarray(TO, end)).toString()).toBe(String(n));
      for (const behind of ["", "5", ";", "/9"]) expect(core.call("decimalRead", TEXT, put(core, String(n), behind))).toBe(n);
    }
  });

  test.each(["", "2147483648", "4294967296", "99999999999", "00000000002147483648"])("%j is no number that fits", (text) => {
    const core = cores[kind];
    expect(core.call("decimalRead", TEXT, put(core, text, "9"))).toBe(-1);
  });

  test.each([
    ["x", 0],
    ["1x", 1],
    ["-1", 0],
    ["+1", 0],
    ["1 ", 1],
    ["/", 0],
    [":", 0],
    ["12345678x", 8],
    ["123456789x", 9],
    ["1234:678", 4],
  ])("of %j the first %i are digits", (text, n) => {
    const core = cores[kind];
    expect(core.call("digitsEnd", TEXT, put(core, text, "9"))).toBe(TEXT + n);
  });

  test("digits end where something else begins, and at the end", () => {
    const core = cores[kind];
    for (let n = 0; n < 40; n++) {
      expect(core.call("digitsEnd", TEXT, put(core, "7".repeat(n), "7"))).toBe(TEXT + n);
      for (const stop of ["/", ":", ".", "\x00", "\xb7"]) {
        put(core, "7".repeat(n), stop + "7");
        expect(core.call("digitsEnd", TEXT, TEXT + 60)).toBe(TEXT + n);
      }
    }
  });

  test.each(["0.0.0.0", "1.2.3.4", "10.11.0.10", "192.168.1.2", "255.255.255.255", "1.20.255.0", "099.001.010.9"])("%s is a dotted quad", (text) => {
    const core = cores[kind];
    for (const behind of ["", "7", ".", ".5", ":5060", ">"]) {
      const stop = core.call("ip4Read", TEXT, put(core, text, behind), TO);
      expect(stop).toBe(TEXT + text.length);
      expect([...core.bytes.subarray(TO, TO + 16)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...text.split(".").map(Number)]);
    }
  });

  test.each(["", "1", "1.2", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "256.1.1.1", "1.1.1.256", "1.300.1.1", "1.2.3.1234", "1234.1.1.1", "1.2.3.x", "1,2,3,4"])(
    "%j is no dotted quad",
    (text) => {
      const core = cores[kind];
      expect(core.call("ip4Read", TEXT, put(core, text, "5"), TO)).toBe(0);
    },
  );

  test("a quad ends at the first byte that is no digit after the fourth number", () => {
    const core = cores[kind];
    put(core, "1.2.3.4", ".5.6.7");
    expect(core.call("ip4Read", TEXT, TEXT + 13, TO)).toBe(TEXT + 7);
  });
});
