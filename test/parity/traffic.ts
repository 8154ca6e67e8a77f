/*
 * Made-up traffic for a world of cores: the messages of the vectors with real ports and tokens in them, damaged or
 * whole, and media at the ports that are open.
 *
 * Invariant: what is opened is closed once, and what is sent fits a datagram.
 */

import { expect } from "vitest";
import * as abi from "#abi";
import type { Random } from "../unit/core/random.ts";
import { libraryRead } from "../vector/library.ts";
import type { Output } from "../vector/output.ts";
import { type Input, isAction } from "../vector/step.ts";
import { bytesOf, lengthFill, textExpand } from "../vector/text.ts";
import type { World } from "../vector/world.ts";
import { mutate } from "./mutation.ts";

const PAYLOAD_MAX = 65507;
const TERMINALS = Array.from({ length: 20 }, (_, i) => `198.51.100.${i + 11}`);
const SERVICE = { destination: "203.0.113.20", destinationPort: 5060 };

interface Seed {
  text: string;
  fromCore: boolean;
}

/** The messages that the vectors send in; placeholders stay, for the run to fill. */
function seedsRead(): Seed[] {
  const inputs = libraryRead().flatMap(({ sections }) =>
    sections.flatMap(({ turns }) => turns.map(({ action }) => action).filter((action): action is Input => isAction(action) && action.type === "in")),
  );
  const plain = inputs.filter(({ flavour }) => flavour !== "edit" && flavour !== "rtp");
  return plain.map(({ flavour, text, route }) => ({ text: textExpand(flavour, text, ""), fromCore: route.from.address.startsWith("10.") }));
}

/** Follows what is open, and puts real numbers and tokens into messages. */
export class Traffic {
  readonly open = new Map<string, Output>();
  private readonly tokens: string[] = ["aaaa"];
  private readonly seeds = seedsRead();

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {}

  private take(outputs: Output[]): void {
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
  private port(kind: number): Output | undefined {
    const ports = [...this.open.values()].filter(({ detail }) => detail === kind);
    return ports.length === 0 ? undefined : this.random.pick(ports);
  }

  private fill(text: string): string {
    const signal = this.port(abi.POOL_SIGNAL)?.localPort ?? 10000;
    const media = this.port(abi.POOL_MEDIA)?.localPort ?? 20000;
    const filled = text
      .replace(/\{token:\w+\}/g, () => this.random.pick(this.tokens.filter(Boolean)))
      .replace(/\{[amnvw]\d?\+?1?\}/g, String(media))
      .replace(/\{\w+\}/g, String(signal));
    return lengthFill(filled);
  }

  /** A message of the vectors from a terminal or from the core, damaged up to five times. */
  async message(): Promise<void> {
    const { random } = this;
    const seed = random.pick(this.seeds);
    let text = this.fill(seed.text);
    for (let i = random.pick([0, 0, 1, 1, 2, 5]); i > 0; i--) text = mutate(text, random);
    if (random.chance(0.5)) text = text.replace(/(Call-ID: )(\w+)/, `$1$2${random.below(12)}`);
    const payload = bytesOf(text.slice(0, PAYLOAD_MAX));
    const target = this.port(abi.POOL_SIGNAL);
    const outcome =
      seed.fromCore && target
        ? this.world.datagram({
            ...placeOf(target),
            source: random.chance(0.8) ? "10.9.0.10" : "10.9.0.77",
            sourcePort: random.pick([5060, 5080]),
            payload,
            labels: {},
          })
        : this.world.datagram({ realm: 0, ...SERVICE, source: random.pick(TERMINALS), sourcePort: random.pick([5060, 5060, 40000]), payload, labels: {} });
    this.take((await outcome).outputs);
  }

  /** A packet, or what only looks like one, to a media port that is open. */
  async media(): Promise<void> {
    const { random } = this;
    const target = this.port(abi.POOL_MEDIA);
    if (!target) return;
    const source = target.realm === 1 ? random.pick(["10.9.0.20", "10.9.0.30", "10.9.0.2"]) : random.pick([...TERMINALS, "192.0.2.66"]);
    const payload = random.chance(0.8)
      ? Buffer.from([0x80, random.pick([0, 8, 200, 201]), 0, random.below(9), 0, 0, 0, 1, 0, 0, 0, random.below(3)])
      : Buffer.from(Array.from({ length: random.below(24) }, () => random.below(256)));
    this.take((await this.world.datagram({ ...placeOf(target), source, sourcePort: random.pick([4000, 6000, 31000]), payload, labels: {} })).outputs);
  }

  async time(): Promise<void> {
    this.take((await this.world.advance(this.random.pick([1, 100, 500, 5000, 33_000]))).outputs);
  }
}

function placeOf(target: Output): { realm: number; destination: string; destinationPort: number } {
  return { realm: target.realm, destination: target.local, destinationPort: target.localPort };
}
