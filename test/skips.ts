/*
 * A reporter that tells what was skipped and, with CULVERT_STRICT_SKIPS=1 (.ci/run, where everything is installed),
 * makes the run fail for it: a test that quietly stops running is a test that was lost.
 */

import type { Reporter, TestModule } from "vitest/node";

export default class Skips implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests("skipped")].map((test) => test.fullName));
    if (skipped.length === 0) return;
    console.log(`\nskipped (${skipped.length}):\n${skipped.map((name) => `  ${name}`).join("\n")}`);
    if (process.env["CULVERT_STRICT_SKIPS"] !== "1") return;
    console.error("CULVERT_STRICT_SKIPS=1: nothing may be skipped here; install what the lines above name");
    process.exitCode = 1;
  }
}
