/*
 * Plays a capture through the core (SPEC O2), packet by packet, and gives what became of each.
 *
 * Invariant: deterministic. The clock is the capture's (milliseconds since its first packet), the key is fixed,
 * nothing else is read; so the same capture and configuration give the same packets on every build of the core.
 */

import { type Capture, type CaptureInterface, type CapturedPacket, NANOSECONDS, packetTime } from "../capture/capture.ts";
import type { Datagram } from "../capture/datagram.ts";
import { frameRead } from "../capture/frame.ts";
import { LINK_IP4, LINK_IP6, LINK_RAW, type Link } from "../capture/link.ts";
import { Reassembly, type ReassemblyLoss } from "../capture/reassembly.ts";
import type { Config } from "../config.ts";
import { type CoreSource, VERDICT_TRANSLATED } from "../core.ts";
import { Emitter } from "./emission.ts";
import { Feed, type Outcome } from "./feed.ts";
import { Mirror, type Mirrored } from "./mirror.ts";
import { type Endpoint, Ownership } from "./ownership.ts";

export interface ReplayOptions {
  /** The capture shows the terminals talking to the server directly: mirror.ts. */
  asRecorded: boolean;
}

/** Packet numbers count from 1, as in other tools. */
export type Step =
  /** Not for the core: written as it was. */
  | { kind: "passed"; packet: number; why: string; written: CapturedPacket[] }
  /** What a Culvert had sent when this was recorded: left out, since it is made anew. */
  | { kind: "left"; packet: number; written: CapturedPacket[] }
  /** A datagram of one or more packets, the last of them `packet`; `hop` counts how often it came back to us. */
  | {
      kind: "datagram";
      packet: number;
      hop: number;
      recorded: Datagram;
      fed: Datagram;
      mirrored: Mirrored | undefined;
      realm: number;
      outcome: Outcome;
      written: CapturedPacket[];
    }
  | { kind: "timeout"; now: number; outcome: Outcome; written: CapturedPacket[] };

/** What came in by which packets. */
interface Arrival {
  recorded: Datagram;
  /** Indices into the capture. */
  indices: number[];
  now: number;
}

const NANOSECONDS_PER_MS = 1_000_000n;
/** A packet sent to an address of ours comes back to us so often at most. */
const HOPS_MAX = 8;
/** Timeouts at one moment, above which the core makes no progress. */
const TIMEOUTS_MAX = 100_000;

export class Replay {
  /** Interfaces of what is written; a link type for one IP version only becomes the one for both. */
  readonly interfaces: CaptureInterface[];
  readonly #capture: Capture;
  readonly #feed: Feed;
  readonly #config: Config;
  readonly #options: ReplayOptions;
  readonly #ownership: Ownership;
  readonly #mirror: Mirror;
  readonly #emitter = new Emitter();
  readonly #reassembly = new Reassembly();
  readonly #startedAt: bigint;
  #now = 0;
  /** When the core wants a timeout, undefined for never. */
  #dueAt: number | undefined;
  #lastLink: { number: number; link: Link } | undefined;

  private constructor(feed: Feed, config: Config, capture: Capture, options: ReplayOptions) {
    this.#feed = feed;
    this.#config = config;
    this.#capture = capture;
    this.#options = options;
    this.#ownership = new Ownership(config);
    this.#mirror = new Mirror(config, this.#ownership);
    this.#startedAt = capture.packets.length > 0 ? packetTime(capture, capture.packets[0]!) : 0n;
    this.interfaces = capture.interfaces.map((each) => ({ ...each, linkType: [LINK_IP4, LINK_IP6].includes(each.linkType) ? LINK_RAW : each.linkType }));
  }

  static async open(source: CoreSource, config: Config, capture: Capture, options: ReplayOptions): Promise<Replay> {
    return new Replay(await Feed.open(source, config), config, capture, options);
  }

  /** Packets of datagrams that could not be put together. Complete when the last step was taken. */
  get loss(): ReassemblyLoss {
    return this.#reassembly.loss;
  }

  *steps(): Generator<Step> {
    for (const [index, packet] of this.#capture.packets.entries()) {
      const elapsed = Number((packetTime(this.#capture, packet) - this.#startedAt) / NANOSECONDS_PER_MS);
      yield* this.#timeouts(Math.max(this.#now, elapsed));
      try {
        yield* this.#packet(index, packet);
      } catch (error) {
        throw new Error(`packet ${index + 1}: ${(error as Error).message}`, { cause: error });
      }
    }
    this.#reassembly.expire(Infinity);
  }

  /** Moves the clock to `now`, serving what falls due on the way. */
  *#timeouts(now: number): Generator<Step> {
    for (let n = 0; this.#dueAt !== undefined && this.#dueAt <= now; n++) {
      if (this.#dueAt > this.#now) n = 0;
      if (n > TIMEOUTS_MAX) throw new Error(`the core asks for one timeout after the other at ${this.#now} ms: please report this together with the capture`);
      this.#now = Math.max(this.#now, this.#dueAt);
      const outcome = this.#take(this.#feed.timeout(this.#now));
      yield { kind: "timeout", now: this.#now, outcome, written: this.#writeOwn(outcome) };
    }
    this.#now = now;
  }

  #take(outcome: Outcome): Outcome {
    this.#dueAt = outcome.wait < 0 ? undefined : this.#now + outcome.wait;
    return outcome;
  }

  *#packet(index: number, packet: CapturedPacket): Generator<Step> {
    const frame = frameRead(this.#capture.interfaces[packet.interface]!.linkType, packet.bytes, packet.wireLength);
    if (frame.kind === "other") {
      yield { kind: "passed", packet: index + 1, why: frame.why, written: [packet] };
    } else if (frame.kind === "datagram") {
      yield* this.#datagram({ recorded: frame.datagram, indices: [index], now: this.#now });
    } else {
      const whole = this.#reassembly.add(frame.fragment, index, this.#now);
      if (whole?.datagram) yield* this.#datagram({ recorded: whole.datagram, indices: whole.packets, now: this.#now });
      else if (whole) yield { kind: "passed", packet: index + 1, why: "damaged IP or UDP header", written: this.#again(whole.packets) };
    }
  }

  *#datagram(arrival: Arrival): Generator<Step> {
    const { recorded, indices } = arrival;
    const last = indices.at(-1)!;
    const number = this.#capture.packets[last]!.interface;
    this.#emitter.learn(number, recorded);
    this.#lastLink = { number, link: recorded.link };
    if (this.#ownership.poolRealm({ address: recorded.source, port: recorded.sourcePort }) >= 0) {
      yield { kind: "left", packet: last + 1, written: [] };
      return;
    }
    const mirrored = this.#options.asRecorded ? this.#mirror.apply(recorded) : undefined;
    yield* this.#hop(arrival, mirrored?.datagram ?? recorded, mirrored?.kind, 0);
  }

  /** Feeds a datagram; what the core then sends to an address of ours is fed in turn. */
  *#hop(arrival: Arrival, fed: Datagram, mirrored: Mirrored | undefined, hop: number): Generator<Step> {
    const { recorded, indices } = arrival;
    const realm = this.#ownership.ingressRealm({ address: fed.source, port: fed.sourcePort }, { address: fed.destination, port: fed.destinationPort });
    const labels = { vlan: fed.link.vlans.at(-1) ?? -1, mpls: fed.link.labels.at(-1) ?? -1, traffic: fed.traffic };
    const outcome = this.#take(this.#feed.datagram(fed, realm, labels, this.#now));
    this.#learn(fed, outcome);
    const last = indices.at(-1)!;
    const written = this.#write(arrival, fed, mirrored !== undefined || hop > 0, outcome);
    yield { kind: "datagram", packet: last + 1, hop, recorded, fed, mirrored, realm, outcome, written };
    for (const output of outcome.outputs) {
      if (output.kind !== "send" || hop >= HOPS_MAX || this.#ownership.poolRealm(output.remote) < 0) continue;
      yield* this.#hop(arrival, this.#returned(fed, output), undefined, hop + 1);
    }
  }

  #returned(fed: Datagram, output: { local: Endpoint; remote: Endpoint; payload: Uint8Array }): Datagram {
    const { local, remote, payload } = output;
    return {
      ...fed,
      version: remote.address.family,
      source: local.address,
      sourcePort: local.port,
      destination: remote.address,
      destinationPort: remote.port,
      payload,
    };
  }

  #learn(fed: Datagram, outcome: Outcome): void {
    const sent = outcome.outputs.find((output) => output.kind === "send");
    if (outcome.verdict !== VERDICT_TRANSLATED || !outcome.observation || sent?.kind !== "send") return;
    const rule = this.#config.rules[outcome.rule];
    this.#mirror.learn(fed, rule && this.#config.services[rule.service], outcome.observation, sent);
  }

  /** What is passed on untouched is the recorded frames themselves. */
  #write(arrival: Arrival, fed: Datagram, changed: boolean, outcome: Outcome): CapturedPacket[] {
    const cause = this.#capture.packets[arrival.indices.at(-1)!]!;
    return outcome.outputs.flatMap((output) => {
      if (output.kind === "forward" && !changed) return this.#again(arrival.indices);
      if (output.kind !== "send" && output.kind !== "forward") return [];
      const bytes = this.#emitter.write(cause.interface, output, fed, fed.link);
      return bytes ? [{ interface: cause.interface, ticks: cause.ticks, bytes, wireLength: bytes.length }] : [];
    });
  }

  /** What a timer sent goes out where its receiver was seen. */
  #writeOwn(outcome: Outcome): CapturedPacket[] {
    return outcome.outputs.flatMap((output) => {
      if (output.kind !== "send" || !this.#lastLink) return [];
      const seen = this.interfaces.findIndex((_, number) => this.#emitter.link(number, output.remote.address) !== undefined);
      const number = seen < 0 ? this.#lastLink.number : seen;
      const bytes = this.#emitter.write(number, output, undefined, this.#lastLink.link);
      const time = this.#startedAt + BigInt(this.#now) * NANOSECONDS_PER_MS;
      const ticks = (time * this.interfaces[number]!.ticksPerSecond) / NANOSECONDS;
      return bytes ? [{ interface: number, ticks, bytes, wireLength: bytes.length }] : [];
    });
  }

  /** The recorded packets, at the time of the last: that is when the datagram was whole. */
  #again(indices: number[]): CapturedPacket[] {
    const last = this.#capture.packets[indices.at(-1)!]!;
    return indices
      .map((index) => this.#capture.packets[index]!)
      .map((packet) => (packet.interface === last.interface ? { ...packet, ticks: last.ticks } : packet));
  }
}
