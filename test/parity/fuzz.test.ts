/*
 * Differential fuzz: the messages of the vectors, whole and damaged, with media, time and answers in between, on all
 * builds of the core. After every input the three must agree in every byte of memory; besides, what is opened is closed
 * once, and what is sent fits a datagram. FUZZ_SEED and FUZZ_STEPS change the run.
 */

import { afterAll, beforeAll, expect, test } from "vitest";
import { Random } from "../unit/core/random.ts";
import { imageOf } from "../vector/image.ts";
import { World } from "../vector/world.ts";
import type { Engine } from "./engine.ts";
import { enginesOpen } from "./engines.ts";
import { NATIVE } from "./native.ts";
import { Traffic } from "./traffic.ts";

const CONFIG = `
realms:
  access: { media: 203.0.113.21, keepalive: 20s, latch: { mode: any } }
  core: { address: 10.9.0.2, media: 10.9.0.3, ports: { signal: 10000-10015, media: 20000-20031 } }
services:
  voice: { address: 203.0.113.20, servers: [10.9.0.10], terminalExpires: 30s, openCore: true }
rules:
  - { to: 203.0.113.20/32, proxy: voice }
`;
const SEED = Number(process.env["FUZZ_SEED"] ?? 20260101);
const STEPS = Number(process.env["FUZZ_STEPS"] ?? 2500);

let engines: Engine[] = [];

beforeAll(async () => {
  engines = await enginesOpen(NATIVE);
}, 60_000);

afterAll(() => {
  for (const engine of engines) engine.close();
});

test("all builds agree about damaged traffic", async () => {
  const random = new Random(SEED);
  const { memory } = await imageOf(CONFIG, "fuzz");
  const traffic = new Traffic(await World.boot(engines, memory, 0x7fffffff - 60_000), random);
  for (let step = 0; step < STEPS; step++) {
    const kind = random.below(10);
    await (kind < 6 ? traffic.message() : kind < 9 ? traffic.media() : traffic.time());
  }
  expect(traffic.open.size).toBeGreaterThan(0);
}, 120_000);
