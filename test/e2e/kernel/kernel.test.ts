/*
 * Culvert beside the Linux kernel's own SIP helper: the same cases, sent byte for byte through a router that runs the
 * one or the other. What Culvert gets wrong fails; what each gets right is TABLE.md, which must be what was measured.
 * The control run is a router that translates addresses and leaves SIP alone: there, most cases must fail.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { nodeHost } from "../culvert.ts";
import { file, lab, scenario } from "../requirement.ts";
import { networkDown, networkUp } from "./network.ts";
import { Play } from "./play.ts";
import { casesRead } from "./read.ts";
import { type Router, routerStart } from "./router.ts";
import { Stage } from "./stage.ts";
import { culvertLines, kernelNamed, kernelOf, PARAMETERS, type Result, TABLE, tableRead, tableText } from "./table.ts";

const needs = [...lab(), file(nodeHost)];
const SECONDS = 120;
const measured: Partial<Record<Router, Result[]>> = {};

async function casesPlay(): Promise<Result[]> {
  const stage = await Stage.up();
  const results: Result[] = [];
  try {
    for (const [number, played] of casesRead().entries()) {
      const wrong = await new Play(stage, played, number).run().catch((error: unknown) => {
        throw new Error(`${played.place}: ${(error as Error).message}`);
      });
      results.push({ played, wrong });
    }
    return results;
  } finally {
    await stage.down();
  }
}

/** Plays every case through one router. */
async function measure(router: Router): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), "culvert-e2e-"));
  try {
    await networkUp(folder);
    const stop = await routerStart(router, folder, SECONDS);
    const results = await casesPlay();
    await stop();
    return (measured[router] = results);
  } finally {
    await networkDown();
    rmSync(folder, { recursive: true, force: true });
  }
}

const faultsOf = (results: Result[]): string[] =>
  results.filter(({ wrong }) => wrong !== "").map(({ played, wrong }) => `${played.place} ${played.name}: ${wrong}`);

describe("the conformance list through a router", () => {
  scenario("control: a NAT that leaves SIP alone gets most of it wrong", needs, SECONDS, async () => {
    const results = await measure("bare");
    expect(faultsOf(results).length).toBeGreaterThan(results.length / 2);
  });

  scenario("Linux with its SIP helper gets more of it right", [...needs, file(PARAMETERS)], SECONDS, async () => {
    const results = await measure("kernel");
    expect(faultsOf(results).length).toBeLessThan(faultsOf(measured.bare ?? []).length);
  });

  scenario("Culvert gets every case right", needs, SECONDS, async () => {
    expect(faultsOf(await measure("culvert"))).toEqual([]);
  });

  scenario("TABLE.md is what was measured", [...needs, file(PARAMETERS)], SECONDS, async () => {
    const [culvert, kernel, bare] = [measured.culvert ?? [], measured.kernel ?? [], measured.bare ?? []];
    const text = tableText(culvert, kernel, bare);
    if (process.env.UPDATE === "1") writeFileSync(TABLE, text);
    const table = tableRead();
    expect(culvertLines(table)).toEqual(culvertLines(text));
    // Another kernel may get other cases right: that is told, and is no fault of ours.
    if (kernelOf(table) === kernelNamed()) expect(table).toBe(text);
    else console.log(`measured on ${kernelNamed()}, ${TABLE} on ${kernelOf(table)}:\n${text}`);
  });
});
