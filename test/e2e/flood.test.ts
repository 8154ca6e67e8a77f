/*
 * A flood of media, more than a processor can relay: after it a steady rate passes again, on every way of input and output.
 * Played by the bench of the media path, in namespaces of its own.
 */

import { join } from "node:path";
import { describe, expect } from "vitest";
import { SHIM } from "../shim.ts";
import { run } from "./process.ts";
import { file, lab, labPath, program, scenario } from "./requirement.ts";

const needs = [...lab(), ...["cc", "taskset", "rtpengine"].map(program), file(join(labPath, "gen.c")), file(SHIM)];

describe("flood", () => {
  scenario("after a flood forwarding goes on", needs, 120, async () => {
    const env = { SECONDS: "1", ROUNDS: "1", RATES: "5000", IO: "portable,batched" };
    const { code, output } = await run("npm", ["run", "--silent", "bench", "--", "media"], { seconds: 100, env });
    expect(code, output).toBe(0);
    const after = output.slice(output.indexOf("flood"));
    expect(after.match(/forwards$/gm), output).toHaveLength(2);
  });
});
