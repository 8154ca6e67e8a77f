/*
 * The scenarios with real programs, one after the other; run.ts runs groups of them beside each other. Nothing is retried: a
 * flicker is a finding.
 */

import { configDefaults, defineConfig } from "vitest/config";

const ALL = "test/e2e/**/*.test.ts";
/** They measure time and load. */
const ALONE = ["flood", "hostile", "load"].map((name) => `test/e2e/${name}.test.ts`);
/** They are in the lab's namespaces (lab.ts). */
const LAB = ["audio", "flows", "keepalive", "latch", "privacy"].map((name) => `test/e2e/${name}.test.ts`);

export default defineConfig({
  test: {
    root: process.cwd(),
    env: { CULVERT_E2E: "1" },
    globalSetup: ["test/e2e/lock.ts"],
    fileParallelism: false,
    maxWorkers: 1,
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["verbose", "./test/skips.ts"],
    // A killed run must not outlive its processes: each has its own bound, see process.ts.
    teardownTimeout: 10_000,
    projects: [
      { extends: true, test: { name: "alone", include: ALONE } },
      { extends: true, test: { name: "lab", include: LAB } },
      { extends: true, test: { name: "own", include: [ALL], exclude: [...configDefaults.exclude, ...ALONE, ...LAB] } },
    ],
  },
});
