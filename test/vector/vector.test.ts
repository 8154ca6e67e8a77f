/*
 * Every vector of this folder on the JavaScript, the WebAssembly and the C core at once: README.md.
 */

import { basename } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Engine } from "../parity/engine.ts";
import { enginesOpen } from "../parity/engines.ts";
import { NATIVE } from "../parity/native.ts";
import { libraryRead } from "./library.ts";
import { isStreamed, sectionPlay } from "./play.ts";

let engines: Engine[] = [];

beforeAll(async () => {
  engines = await enginesOpen(NATIVE);
}, 60_000);

afterAll(() => {
  for (const engine of engines) engine.close();
});

for (const { file, title, sections } of libraryRead()) {
  describe(`${title} (${basename(file)})`, () => {
    for (const section of sections) {
      test(section.name, () => sectionPlay(section, file, engines, "written"));
      test(`${section.name}, all sent twice`, () => sectionPlay(section, file, engines, "repeated"));
      if (isStreamed(section)) test(`${section.name}, byte by byte`, () => sectionPlay(section, file, engines, "bytes"));
    }
  });
}
