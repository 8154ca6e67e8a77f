/*
 * The whole vector set on the C core for other machines, under qemu-user, all of them beside the JavaScript core: same
 * results and outputs of every input, same memory at the end of every section, byte for byte, also where the processor is
 * big-endian.
 */

import { afterAll, beforeAll, describe, test } from "vitest";
import { libraryRead } from "../vector/library.ts";
import { sectionPlay } from "../vector/play.ts";
import type { Engine } from "./engine.ts";
import { enginesOpen } from "./engines.ts";
import { CROSS, targetMissing } from "./native.ts";

const targets = CROSS.filter((target) => targetMissing(target) === undefined);
for (const target of CROSS) if (!targets.includes(target)) test.skip(`${target.name} (${targetMissing(target)})`, () => undefined);

describe.skipIf(targets.length === 0)(targets.map(({ name }) => name).join(", "), () => {
  const engines: Engine[] = [];

  beforeAll(async () => {
    for (const target of targets) {
      const opened = await enginesOpen(target);
      engines.push(...opened.filter(({ name }) => name === target.name || (engines.length === 0 && name === "js")));
    }
  }, 300_000);

  afterAll(() => {
    for (const engine of engines) engine.close();
  });

  for (const { file, title, sections } of libraryRead()) {
    test(title, async () => {
      for (const section of sections) await sectionPlay(section, file, engines, "repeated", false);
    }, 120_000);
  }
});
