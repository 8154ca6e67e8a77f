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
import { sectionPlay, type Way } from "./play.ts";

const library = libraryRead();
const lines = linesRead(library);
const passed: Record<Way, Set<Section>> = { written: new Set(), repeated: new Set() };
let engines: Engine[] = [];

beforeAll(async () => {
  engines = await enginesOpen(NATIVE);
}, 60_000);

afterAll(() => {
  for (const engine of engines) engine.close();
});

for (const { file, title, sections } of library) {
  describe(`${title} (${basename(file)})`, () => {
    for (const section of sections) {
      const play = async (way: Way): Promise<void> => {
        await sectionPlay(section, file, engines, way);
        passed[way].add(section);
      };
      test(section.name, () => play("written"));
      test(`${section.name}, all sent twice`, () => play("repeated"));
    }
  });
}

test.skipIf(targetMissing(NATIVE) !== undefined)("the table in test/README.md is what was played (npm run catalogue)", () => {
  const table = tableOf(lines, (section) => passed.written.has(section) && passed.repeated.has(section));
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
