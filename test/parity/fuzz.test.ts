/*
 * Differential fuzz: the messages of the vectors, whole and damaged, with media, time and answers in between, on all
 * builds of the core. After every input the three must agree in every byte of memory; besides, what is opened is closed
 * once, and what is sent fits a datagram. FUZZ_SEED and FUZZ_STEPS change the run.
 */

import { afterAll, beforeAll, expect, test } from "vitest";
import * as abi from "#abi";
import { Random } from "../unit/core/random.ts";
import { imageOf } from "../vector/image.ts";
import { libraryRead } from "../vector/library.ts";
import type { Output } from "../vector/output.ts";
import { type Input, isAction } from "../vector/step.ts";
import { bytesOf, lengthFill, textExpand } from "../vector/text.ts";
import { World } from "../vector/world.ts";
import type { Engine } from "./engine.ts";
import { enginesOpen } from "./engines.ts";
import { mutate } from "./mutation.ts";
import { NATIVE } from "./native.ts";

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
const PAYLOAD_MAX = 65507;

interface Seed {
  text: string;
  fromCore: boolean;
}

let engines: Engine[] = [];

beforeAll(async () => {
  engines = await enginesOpen(NATIVE);
}, 60_000);

afterAll(() => {
  for (const engine of engines) engine.close();
});

/** The messages that the vectors send in; placeholders stay, for the run to fill. */
function seedsRead(): Seed[] {
  const inputs = libraryRead().flatMap(({ sections }) => sections.flatMap(({ turns }) => turns.map(({ action }) => action).filter((action): action is Input => isAction(action) && action.type === "in")));
  const plain = inputs.filter(({ flavour }) => flavour !== "edit" && flavour !== "rtp");
  return plain.map(({ flavour, text, route }) => ({ text: textExpand(flavour, text, ""), fromCore: route.from.address.startsWith("10.") }));
}

/** Follows what is open, and puts real numbers and tokens into messages. */
class Session {
  readonly open = new Map<string, Output>();
  private readonly tokens: string[] = ["aaaa"];

  constructor(private readonly random: Random) {}

  take(outputs: Output[]): void {
    for (const output of outputs) {
      const key = `${output.realm} ${output.local}:${output.localPort}`;
      if (output.kind === abi.OUTPUT_BIND) {
        expect(this.open.has(key), `${key} is opened twice`).toBe(false);
        this.open.set(key, output);
      } else if (output.kind === abi.OUTPUT_UNBIND) {
        expect(this.open.delete(key), `${key} is closed and was not open`).toBe(true);
      } else if (output.kind === abi.OUTPUT_SEND || output.kind === abi.OUTPUT_FORWARD) {
        expect(output.payload.length).toBeLessThanOrEqual(PAYLOAD_MAX);
        const token = /cvt=([a-z0-9]+)/.exec(output.payload)?.[1];
        if (token !== undefined) this.tokens[this.random.below(8)] = token;
      }
    }
  }

  /** One of our open ports, of signaling or media. */
  port(kind: number): Output | undefined {
    const ports = [...this.open.values()].filter(({ detail }) => detail === kind);
    return ports.length === 0 ? undefined : this.random.pick(ports);
  }

  fill(text: string): string {
    const signal = this.port(abi.POOL_SIGNAL)?.localPort ?? 10000;
    const media = this.port(abi.POOL_MEDIA)?.localPort ?? 20000;
    const filled = text.replace(/\{token:\w+\}/g, () => this.random.pick(this.tokens.filter(Boolean))).replace(/\{[amnvw]\d?\+?1?\}/g, String(media)).replace(/\{\w+\}/g, String(signal));
    return lengthFill(filled);
  }
}

test("all builds agree about damaged traffic", async () => {
  const random = new Random(SEED);
  const seeds = seedsRead();
  const { memory } = await imageOf(CONFIG, "fuzz");
  const world = await World.boot(engines, memory, 0x7fffffff - 60_000);
  const session = new Session(random);
  const terminals = Array.from({ length: 20 }, (_, i) => `198.51.100.${i + 11}`);

  const message = async (): Promise<void> => {
    const seed = random.pick(seeds);
    let text = session.fill(seed.text);
    for (let i = random.pick([0, 0, 1, 1, 2, 5]); i > 0; i--) text = mutate(text, random);
    if (random.chance(0.5)) text = text.replace(/(Call-ID: )(\w+)/, `$1$2${random.below(12)}`);
    const target = session.port(abi.POOL_SIGNAL);
    const payload = bytesOf(text.slice(0, PAYLOAD_MAX));
    const labels = {};
    if (seed.fromCore && target) {
      const source = random.chance(0.8) ? "10.9.0.10" : "10.9.0.77";
      session.take((await world.datagram({ realm: 1, source, sourcePort: random.pick([5060, 5080]), destination: target.local, destinationPort: target.localPort, payload, labels })).outputs);
    } else {
      session.take((await world.datagram({ realm: 0, source: random.pick(terminals), sourcePort: random.pick([5060, 5060, 40000]), destination: "203.0.113.20", destinationPort: 5060, payload, labels })).outputs);
    }
  };

  const media = async (): Promise<void> => {
    const target = session.port(abi.POOL_MEDIA);
    if (!target) return;
    const source = target.realm === 1 ? random.pick(["10.9.0.20", "10.9.0.30", "10.9.0.2"]) : random.pick([...terminals, "192.0.2.66"]);
    const bytes = random.chance(0.8) ? Buffer.from([0x80, random.pick([0, 8, 200, 201]), 0, random.below(9), 0, 0, 0, 1, 0, 0, 0, random.below(3)]) : Buffer.from(Array.from({ length: random.below(24) }, () => random.below(256)));
    session.take((await world.datagram({ realm: target.realm, source, sourcePort: random.pick([4000, 6000, 31000]), destination: target.local, destinationPort: target.localPort, payload: bytes, labels: {} })).outputs);
  };

  for (let step = 0; step < STEPS; step++) {
    const kind = random.below(10);
    if (kind < 6) await message();
    else if (kind < 9) await media();
    else session.take((await world.advance(random.pick([1, 100, 500, 5000, 33_000]))).outputs);
  }
  expect(session.open.size).toBeGreaterThan(0);
}, 120_000);
