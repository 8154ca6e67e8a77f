/*
 * `vitest run`: everything but the scenarios with real programs, which have a configuration of their own (test/e2e).
 */

import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest, the longest first. */
const LONG = ["fuzz/fuzz", "parity/cross", "sim/sim", "vector/vector", "fuzz/frames", "sim/attack", "corpus/sip", "corpus/dissect"];

/** Begins with those, also where no earlier run is known: else one of them goes on alone at the end. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = LONG.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return found < 0 ? LONG.length : found;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/e2e/**"],
    // Some compile the C core first, which takes long where other work is done.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    reporters: ["default", "./test/skips.ts"],
  },
});
