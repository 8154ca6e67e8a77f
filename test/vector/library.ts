/*
 * All vector files of this folder.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Chapter, documentRead, type VectorDocument } from "./document.ts";

const FOLDER = "test/vector";
/** Markdown that holds no vectors. */
const OTHERS = ["README.md", "torture.md"];

/** Its sections may stand behind `after` in every file. */
const SHARED = "setup.md";

export function libraryRead(): VectorDocument[] {
  const read = (name: string, shared: Chapter[]) => documentRead(readFileSync(join(FOLDER, name), "utf8"), join(FOLDER, name), shared);
  const setup = read(SHARED, []);
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".md") && name !== SHARED && !OTHERS.includes(name));
  return [setup, ...names.sort().map((name) => read(name, setup.chapters))];
}
