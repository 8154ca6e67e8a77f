/*
 * The whole vector set on the C core for other machines, under qemu-user, beside the JavaScript core: same
 * results, same outputs, same memory, byte for byte, also where the processor is big-endian.
 */

import { afterAll, beforeAll, describe, test } from "vitest";
import { libraryRead } from "../vector/library.ts";
import { sectionPlay } from "../vector/play.ts";
import type { Engine } from "./engine.ts";
import { enginesOpen } from "./engines.ts";
import { CROSS, targetMissing } from "./native.ts";

const library = libraryRead();

for (const target of CROSS) {
  const missing = targetMissing(target);
  describe.skipIf(missing !== undefined)(`${target.name}${missing ? ` (${missing})` : ""}`, () => {
    let engines: Engine[] = [];

    beforeAll(async () => {
      engines = (await enginesOpen(target)).filter(({ name }) => name !== "wasm");
    }, 120_000);

    afterAll(() => {
      for (const engine of engines) engine.close();
    });

    for (const { file, title, sections } of library) {
      test(title, async () => {
        for (const section of sections) await sectionPlay(section, file, engines, "repeated");
      }, 120_000);
    }
  });
}
