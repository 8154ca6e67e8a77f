/*
 * `npm run catalogue`: plays the vectors that name a line of the conformance list on all builds, both ways, and writes
 * the table in test/README.md of what that gave.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { enginesOpen } from "../parity/engines.ts";
import { NATIVE } from "../parity/native.ts";
import { linesRead, TABLE, tableFind, tableOf } from "./catalogue.ts";
import type { Section } from "./document.ts";
import { libraryRead } from "./library.ts";
import { sectionPlay, waysOf } from "./play.ts";

const engines = await enginesOpen(NATIVE);
if (engines.length < 3) throw new Error("the table is about js, wasm and c");

const lines = linesRead(libraryRead());
const played = new Map<Section, boolean>();
for (const { file, section } of lines.flatMap(({ vectors }) => vectors)) {
  if (played.has(section)) continue;
  try {
    for (const way of waysOf(section)) await sectionPlay(section, file, engines, way);
    played.set(section, true);
  } catch (error) {
    console.error((error as Error).message);
    played.set(section, false);
    process.exitCode = 1;
  }
}
for (const engine of engines) engine.close();
writeFileSync(TABLE, tableFind(readFileSync(TABLE, "utf8")).replace(tableOf(lines, (section) => played.get(section)!)));
