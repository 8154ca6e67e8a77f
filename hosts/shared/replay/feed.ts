/*
 * One core driven by hand: a packet or a timeout in, what it wants done out.
 *
 * Invariant: outputs are copies, so that the next input may overwrite the core's memory.
 */

import { addressFrom, addressWords } from "../address.ts";
import { coreBoot } from "../begin.ts";
import type { Datagram } from "../capture/datagram.ts";
import type { Config } from "../config.ts";
import { configure } from "../configure.ts";
import * as abi from "../core.ts";
import { type Core, type CoreSource, coreOpen } from "../core.ts";
import { headerWrite, type Labels, SLOT } from "../header.ts";
import { type Observation, observe, observeReset } from "./observation.ts";
import type { Endpoint } from "./ownership.ts";

/** The same key each time, so that tokens and ports come out the same each time. */
const KEY = new TextEncoder().encode("culvert   replay");

/** A datagram that leaves. */
export interface Sent {
  local: Endpoint;
  remote: Endpoint;
  payload: Uint8Array;
  /** DSCP and ECN; undefined for what goes on untouched. */
  traffic: number | undefined;
}

export type Output =
  | (Sent & { kind: "send" | "forward"; realm: number })
  | { kind: "bind" | "unbind"; realm: number; local: Endpoint }
  | { kind: "event"; event: number; detail: number };

/** What one input came to. */
export interface Outcome {
  /** VERDICT_*, or a fault (negative). */
  verdict: number;
  /** REASON_* or FAULT_*. */
  reason: number;
  outputs: Output[];
  /** Milliseconds until the core wants a timeout, -1 for never. */
  wait: number;
  /** Index of the rule that was met, -1 when no rule was. */
  rule: number;
  observation: Observation | undefined;
}

export class Feed {
  readonly core: Core;
  readonly #config: Config;
  readonly #rules: number;

  private constructor(core: Core, config: Config) {
    this.core = core;
    this.#config = config;
    this.#rules = core.region(abi.REGION_RULES) >> 2;
  }

  /** Opens, configures and boots a core at time 0. */
  static async open(source: CoreSource, config: Config): Promise<Feed> {
    const core = await coreOpen(source, config.capacity, KEY);
    configure(core, config);
    coreBoot(core, 0);
    return new Feed(core, config);
  }

  datagram({ source, sourcePort, destination, destinationPort, payload }: Datagram, realm: number, labels: Labels, now: number): Outcome {
    const { words, bytes } = this.core.memory;
    const to = { realm, words: addressWords(destination), port: destinationPort };
    headerWrite(words, abi.PROTOCOL_UDP, addressWords(source), sourcePort, to, labels);
    words[SLOT + (abi.PACKET_LEN >> 2)] = payload.length;
    bytes.set(payload, abi.INPUT + abi.PACKET_PAYLOAD);
    return this.#input(abi.KIND_DATAGRAM, payload.length, now);
  }

  timeout(now: number): Outcome {
    return this.#input(abi.KIND_TIMEOUT, 0, now);
  }

  #input(kind: number, length: number, now: number): Outcome {
    const { words } = this.core.memory;
    observeReset(this.core);
    const before = this.#hits();
    const verdict = this.core.input(kind, length, now | 0);
    const observation = kind === abi.KIND_DATAGRAM ? observe(this.core) : undefined;
    const rule = this.#hits().findIndex((hits, i) => hits !== before[i]);
    const reason = words[abi.HEADER_REASON >> 2]!;
    return { verdict, reason, rule, observation, ...this.#drain() };
  }

  #hits(): number[] {
    const { words } = this.core.memory;
    return this.#config.rules.map((_, i) => words[this.#rules + ((i * abi.RULE_SIZE + abi.RULE_HITS) >> 2)]!);
  }

  #drain(): { outputs: Output[]; wait: number } {
    const { words } = this.core.memory;
    const outputs: Output[] = [];
    for (let n = 0; n <= abi.OUTPUT_MAX; n++) {
      const at = this.core.output();
      if (words[(at + abi.OUTPUT_KIND) >> 2] === abi.OUTPUT_TIMEOUT) return { outputs, wait: words[(at + abi.OUTPUT_VALUE) >> 2]! };
      const output = this.#read(at);
      if (output) outputs.push(output);
    }
    throw new Error("the core gave more outputs than its queue holds");
  }

  #read(at: number): Output | undefined {
    const { words, bytes } = this.core.memory;
    const word = (field: number): number => words[(at + field) >> 2]!;
    const realm = word(abi.OUTPUT_REALM);
    const local = { address: addressFrom(bytes, at + abi.OUTPUT_LOCAL), port: word(abi.OUTPUT_LOCAL_PORT) };
    switch (word(abi.OUTPUT_KIND)) {
      case abi.OUTPUT_SEND:
      case abi.OUTPUT_FORWARD: {
        const remote = { address: addressFrom(bytes, at + abi.OUTPUT_REMOTE), port: word(abi.OUTPUT_REMOTE_PORT) };
        const payload = word(abi.OUTPUT_PAYLOAD);
        const kind = word(abi.OUTPUT_KIND) === abi.OUTPUT_SEND ? "send" : "forward";
        const traffic = kind === "send" ? word(abi.OUTPUT_DETAIL) : undefined;
        return { kind, realm, local, remote, payload: bytes.slice(payload, payload + word(abi.OUTPUT_LEN)), traffic };
      }
      case abi.OUTPUT_BIND:
        return { kind: "bind", realm, local };
      case abi.OUTPUT_UNBIND:
        return { kind: "unbind", realm, local };
      case abi.OUTPUT_EVENT:
        return { kind: "event", event: realm, detail: word(abi.OUTPUT_DETAIL) };
      default:
        return undefined;
    }
  }
}
