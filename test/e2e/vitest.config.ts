/*
 * The scenarios with real programs, one file after the other; run.ts runs groups of them beside each other. Nothing is retried: a
 * flicker is a finding.
 */

import { readdirSync, readFileSync } from "node:fs";
import { configDefaults, defineConfig } from "vitest/config";

const FOLDER = "test/e2e";
const ALL = `${FOLDER}/**/*.test.ts`;
/** They measure time and load. */
const ALONE = ["flood", "hostile", "load", "restart", "workers"].map((name) => `${FOLDER}/${name}.test.ts`);

function isInLab(path: string): boolean {
  return path.endsWith(".test.ts") && readFileSync(path, "utf8").includes('from "./lab.ts"');
}

/** They are in the lab's namespaces, of which there is one set: never two at a time, unless run.ts gives each group a set of its own. */
const LAB = readdirSync(FOLDER)
  .map((name) => `${FOLDER}/${name}`)
  .filter((path) => isInLab(path) && !ALONE.includes(path));
/** The half of them that takes as long as the others. */
const TWIN = ["flows", "latch", "privacy"].map((name) => `${FOLDER}/${name}.test.ts`);
/** They have namespaces of their own, and go with a half of the lab, so that all groups take as long. */
const WITH_LAB = [`${FOLDER}/frames/*.test.ts`];
const WITH_TWIN = [`${FOLDER}/router/*.test.ts`];

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
      { extends: true, test: { name: "lab", include: [...LAB, ...WITH_LAB], exclude: TWIN } },
      { extends: true, test: { name: "twin", include: [...TWIN, ...WITH_TWIN] } },
      { extends: true, test: { name: "own", include: [ALL], exclude: [...configDefaults.exclude, ...ALONE, ...LAB, ...WITH_LAB, ...WITH_TWIN] } },
    ],
  },
});
