/*
 * The seal over texts of any length, on both builds: what is sealed opens for its purpose alone, the same text gives the same
 * letters, and nothing that was changed by one character opens.
 */

import { beforeAll, describe, expect, test } from "vitest";
import * as abi from "../../../../hosts/shared/core.ts";
import { type Core, coreOpen } from "../harness.ts";

const TEXT = 4096;
const TO = 8192;
const MAX = 256;
const LENGTHS = [1, 7, 8, 15, 16, 17, 31, 32, 33, 100, 255, 256];
const KINDS = ["js", "wasm"] as const;
let cores: Record<(typeof KINDS)[number], Core>;

beforeAll(async () => {
  cores = await coreOpen(["core/bytes/seal.ts"], 65536);
  for (const kind of KINDS) {
    cores[kind].bytes.set(
      Array.from({ length: 16 }, (_, i) => i * 7 + 1),
      abi.HEADER_KEY,
    );
    cores[kind].call("sealInit");
  }
});

const sample = (length: number): string => Array.from({ length }, (_, i) => String.fromCharCode(33 + ((i * 31 + length) % 94))).join("");

function seal(core: Core, purpose: number, text: string): string {
  core.bytes.set(Buffer.from(text, "latin1"), TEXT);
  core.call("sealPut", 0, TEXT, text.length);
  return Buffer.from(core.bytes.subarray(TO, core.call("sealWrite", TO, purpose, text.length))).toString("latin1");
}

function open(core: Core, purpose: number, sealed: string): string | undefined {
  core.bytes.set(Buffer.from(sealed, "latin1"), TEXT);
  const length = core.call("sealRead", purpose, TEXT, sealed.length);
  const at = abi.SEAL_STATE + 48;
  return length < 0 ? undefined : Buffer.from(core.bytes.subarray(at, at + length)).toString("latin1");
}

describe.each(KINDS)("%s", (kind) => {
  test.each(LENGTHS)("%d bytes come back, and the same letters the second time", (length) => {
    const core = cores[kind];
    const sealed = seal(core, 5, sample(length));
    expect(sealed).toMatch(/^[a-z2-7]+$/);
    expect(sealed).toHaveLength(Math.ceil(((length + 8) * 8) / 5));
    expect(open(core, 5, sealed)).toBe(sample(length));
    expect(seal(core, 5, sample(length))).toBe(sealed);
  });

  test.each([1, 16, 17, MAX])("%d bytes open for no other purpose and with no other character", (length) => {
    const core = cores[kind];
    const sealed = seal(core, 5, sample(length));
    expect(open(core, 6, sealed)).toBeUndefined();
    for (let i = 0; i < sealed.length; i++) {
      const other = sealed[i] === "a" ? "b" : "a";
      expect(open(core, 5, sealed.slice(0, i) + other + sealed.slice(i + 1))).toBeUndefined();
    }
    expect(open(core, 5, `${sealed}a`)).toBeUndefined();
    expect(open(core, 5, sealed.slice(0, -1))).toBeUndefined();
  });

  test("a text and the same text with zeros behind it are two", () => {
    const core = cores[kind];
    expect(seal(core, 5, "a").slice(0, 12)).not.toBe(seal(core, 5, "a\0").slice(0, 12));
    expect(open(core, 5, seal(core, 5, "a\0"))).toBe("a\0");
  });

  test.each(["", "a", "aaaaaaaaaaaaa", "!".repeat(20), "a".repeat(424), "a".repeat(1000)])("%j was not sealed here", (text) => {
    expect(open(cores[kind], 5, text)).toBeUndefined();
  });
});

test("both builds write the same", () => {
  for (const length of LENGTHS) expect(seal(cores.js, 9, sample(length))).toBe(seal(cores.wasm, 9, sample(length)));
});
