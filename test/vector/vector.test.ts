/*
 * Every vector of this folder on the JavaScript, the WebAssembly and the C core at once: README.md. What that gave is
 * what the table of the conformance list in test/README.md must say.
 */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../parity/engine.ts";
import { enginesOpen } from "../parity/engines.ts";
import { NATIVE, targetMissing } from "../parity/native.ts";
import { linesRead, TABLE, tableFind, tableOf } from "./catalogue.ts";
import type { Section } from "./document.ts";
import { libraryRead } from "./library.ts";
import { enginesOf, sectionPlay, WAYS, type Way, waysOf } from "./play.ts";

const library = libraryRead();
const lines = linesRead(library);
const passed = new Map<Section, Set<Way>>();
let engines: Engine[] = [];

beforeAll(async () => {
  engines = await enginesOpen(NATIVE);
}, 300_000);

afterAll(() => {
  for (const engine of engines) engine.close();
});

for (const { file, title, sections } of library) {
  describe(`${title} (${basename(file)})`, () => {
    for (const section of sections) {
      for (const way of waysOf(section)) {
        test(`${section.name}${WAYS[way]}`, async () => {
          await sectionPlay(section, file, enginesOf(way, engines), way);
          passed.set(section, (passed.get(section) ?? new Set()).add(way));
        });
      }
    }
  });
}

test.skipIf(targetMissing(NATIVE) !== undefined)("the table in test/README.md is what was played (npm run catalogue)", () => {
  const table = tableOf(lines, (section) => passed.get(section)?.size === waysOf(section).length);
  expect(tableFind(readFileSync(TABLE, "utf8")).table).toBe(table);
});

test("a vector that fails would show in the table", () => {
  const odd = library.flatMap(({ sections }) => sections).find(({ ids }) => ids.length > 0)!;
  const table = tableOf(lines, (section) => section !== odd);
  expect(table.split("\n").filter((row) => row.includes("| FAIL"))).toHaveLength(odd.ids.length);
});

test("every line of the list has a vector or a reason, and every heading names a line", () => {
  const numbers = lines.map(({ id }) => Number(id.split("-")[1]));
  const listed = Array.from({ length: 80 }, (_, i) => i + 1).concat([104, 105, 106, 107]);
  expect(numbers).toEqual(listed);
  expect(lines.filter(({ vectors, rest, open }) => vectors.length === 0 && rest === undefined && open === undefined)).toEqual([]);
  const known = new Set(lines.map(({ id }) => id));
  const odd = library.flatMap(({ file, sections }) => sections.flatMap(({ ids, line }) => ids.map((id) => ({ id, place: `${file}:${line}` }))));
  expect(odd.filter(({ id }) => !known.has(id))).toEqual([]);
});
