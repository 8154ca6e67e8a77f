/*
 * `npm run e2e`: the scenarios with real programs, one after the other. Nothing is retried: a flicker is a finding.
 */

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: process.cwd(),
    env: { CULVERT_E2E: "1" },
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: ["test/e2e/lock.ts"],
    fileParallelism: false,
    maxWorkers: 1,
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["verbose", "./test/skips.ts"],
    // A killed run must not outlive its processes: each has its own bound, see process.ts.
    teardownTimeout: 10_000,
  },
});
