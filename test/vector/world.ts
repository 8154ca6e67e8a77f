/*
 * All builds of the core side by side with one clock: every input goes to each, and each must give the same
 * result, the same outputs and the same memory.
 */

import * as abi from "#abi";
import { addressParse } from "../../hosts/shared/address.ts";
import { reasonName, verdictName } from "../../hosts/shared/names.ts";
import { stateExtents } from "../../hosts/shared/state/extent.ts";
import type { Built } from "../frame/build.ts";
import { type Engine, PAGE } from "../parity/engine.ts";
import { memoriesDifference } from "./difference.ts";
import { configurationAreas } from "./image.ts";
import { type Output, outputsDrain } from "./output.ts";
import { Ports } from "./ports.ts";

export interface Packet {
  realm: number;
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
  payload: Uint8Array;
  labels: Record<string, number>;
}

/** A connection that opens. */
export type Arrival = Omit<Packet, "payload"> & { transport: number };

/** What one input led to. */
export interface Outcome {
  verdict: string;
  reason: string;
  outputs: Output[];
  /** Milliseconds until the next deadline, -1 for none. */
  timeoutMs: number;
}

const ZEROS = new Uint8Array(PAGE);

/** Most deadlines inside one `advance`. */
const DEADLINES_MAX = 10_000;

/** Traffic class: DSCP and ECN (RFC 2474 3, RFC 3168 5). */
export function trafficOf({ dscp = 0, ecn = 0 }: Record<string, number>): number {
  return (dscp << 2) | ecn;
}

function headerBytes(packet: Omit<Packet, "payload">, protocol: number): Buffer {
  const bytes = Buffer.alloc(abi.PACKET_PAYLOAD);
  bytes.writeInt32LE(packet.realm, abi.PACKET_REALM);
  bytes.writeInt32LE(packet.sourcePort, abi.PACKET_SOURCE_PORT);
  bytes.writeInt32LE(packet.destinationPort, abi.PACKET_DESTINATION_PORT);
  bytes.writeInt32LE(packet.labels["proto"] ?? protocol, abi.PACKET_PROTOCOL);
  bytes.writeInt32LE(packet.labels["vpn"] ?? -1, abi.PACKET_VPN);
  bytes.writeInt32LE(packet.labels["vlan"] ?? -1, abi.PACKET_VLAN);
  bytes.writeInt32LE(packet.labels["mpls"] ?? -1, abi.PACKET_MPLS);
  bytes.writeInt32LE(trafficOf(packet.labels), abi.PACKET_TRAFFIC);
  bytes.set(addressParse(packet.source)!.bytes, abi.PACKET_SOURCE);
  bytes.set(addressParse(packet.destination)!.bytes, abi.PACKET_DESTINATION);
  return bytes;
}

function packetBytes(packet: Packet): Uint8Array {
  const header = headerBytes(packet, abi.PROTOCOL_UDP);
  header.writeInt32LE(packet.payload.length, abi.PACKET_LEN);
  return Buffer.concat([header, packet.payload]);
}

/** A frame behind its head, as a host writes it. */
function frameBytes(number: number, { bytes, tag, partial }: Built): Uint8Array {
  const head = Buffer.alloc(abi.FRAME_BYTES);
  head.writeInt32LE(bytes.length, abi.PACKET_LEN);
  head.writeInt32LE(number, abi.FRAME_INTERFACE);
  head.writeInt32LE(tag | 0, abi.FRAME_TAG);
  head.writeInt32LE(partial ? abi.FRAME_FLAG_PARTIAL : 0, abi.FRAME_FLAGS);
  return Buffer.concat([head, bytes]);
}

/** The header of an input about a connection. */
function connectionBytes(handle: number, port: number, payload: Uint8Array): Uint8Array {
  const header = Buffer.alloc(abi.PACKET_PAYLOAD);
  header.writeInt32LE(payload.length, abi.PACKET_LEN);
  header.writeInt32LE(port, abi.PACKET_DESTINATION_PORT);
  header.writeInt32LE(handle, abi.PACKET_CONNECTION);
  return Buffer.concat([header, payload]);
}

async function reasonOf(engine: Engine): Promise<number> {
  return Buffer.from(await engine.read(abi.HEADER_REASON, 4)).readInt32LE(0);
}

/** What comes of an input; `refused` are the ports it asks for that the machine does not open, from 1 (0: all of them). */
async function outcomeOf(engine: Engine, result: number, now: number, refused: number[] = []): Promise<Outcome> {
  let reason = await reasonOf(engine);
  let verdict = result;
  const outputs = await outputsDrain(engine, async (at, nth) => {
    if (!refused.includes(nth) && !refused.includes(0)) return false;
    const again = await engine.input(abi.KIND_REFUSED, at, now);
    // Otherwise it was about nothing that can be put together again.
    if (again !== abi.VERDICT_ABSORBED || (await reasonOf(engine)) !== abi.REASON_PORT_REFUSED) [verdict, reason] = [again, await reasonOf(engine)];
    return true;
  });
  const last = outputs.pop()!;
  return {
    verdict: verdict < 0 ? "fault" : verdictName(verdict),
    reason: reasonName(verdict < 0 ? abi.faultReason(verdict) : reason),
    outputs,
    timeoutMs: last.value,
  };
}

/** A configured memory, where the rules stand in it and how many bytes they are. */
export interface Configured {
  memory: Uint8Array;
  rules: number;
  rulesSize: number;
}

/** Where the pages begin that are not all zeros. */
function pagesUsed(image: Uint8Array): number[] {
  const used: number[] = [];
  for (let at = 0; at < image.length; at += PAGE) {
    const page = image.subarray(at, at + PAGE);
    if (Buffer.compare(page, ZEROS.subarray(0, page.length)) !== 0) used.push(at);
  }
  return used;
}

async function configurationWrite(engine: Engine, { memory, rules, rulesSize }: Configured): Promise<void> {
  for (const [at, size] of configurationAreas(rules, rulesSize)) await engine.write(at, memory.subarray(at, at + size));
}

/** A fresh core with what a host saves of the one that ended, and the configuration. */
async function engineRestart(engine: Engine, image: Configured): Promise<void> {
  const regions = new Map<number, number>();
  for (let id = 0; id <= abi.REGION_END; id++) regions.set(id, await engine.region(id));
  const saved: [number, Uint8Array][] = [];
  for (const [from, to] of stateExtents((id) => regions.get(id)!)) {
    for (let at = from; at < to; at += PAGE) saved.push([at, await engine.read(at, Math.min(PAGE, to - at))]);
  }
  await engine.open(image.memory.length);
  for (const [at, bytes] of saved) if (pagesUsed(bytes).length > 0) await engine.write(at, bytes);
  await configurationWrite(engine, image);
}

export class World {
  private now: number;
  private timeoutMs = -1;
  private readonly ports = new Ports();

  private constructor(
    private readonly engines: Engine[],
    private image: Configured,
    now: number,
    private readonly always: boolean,
  ) {
    this.now = now;
  }

  /** Boots every engine at `now` with the configured memory `image`. Memories are compared after each input, or only when asked for. */
  static async boot(engines: Engine[], image: Configured, now: number, always = true): Promise<World> {
    const world = new World(engines, image, now, always);
    const { memory } = image;
    const pages = pagesUsed(memory);
    for (const engine of engines) {
      await engine.open(memory.length);
      for (const at of pages) await engine.write(at, memory.subarray(at, at + PAGE));
    }
    const outcome = await world.run(async (engine) => outcomeOf(engine, await engine.boot(world.clock), world.clock));
    if (outcome.verdict === "fault") throw new Error(`boot: ${outcome.reason}`);
    return world;
  }

  private get clock(): number {
    return this.now | 0;
  }

  /** Compares the memories of all engines. */
  async compare(): Promise<void> {
    const difference = await memoriesDifference(this.engines);
    if (difference !== undefined) throw new Error(difference);
  }

  /** Does the same on all engines and compares; `whole`: their memories too. */
  private async run(act: (engine: Engine) => Promise<Outcome>, whole = true): Promise<Outcome> {
    const outcomes = await Promise.all(this.engines.map(act));
    const [first, ...others] = this.engines as [Engine, ...Engine[]];
    for (const [i, engine] of others.entries()) {
      const mine = JSON.stringify(outcomes[0]);
      const theirs = JSON.stringify(outcomes[i + 1]);
      if (mine !== theirs) throw new Error(`${first.name} and ${engine.name} answer differently:\n${mine}\n${theirs}`);
    }
    if (whole && this.always) await this.compare();
    this.timeoutMs = outcomes[0]!.timeoutMs;
    this.ports.note(outcomes[0]!.outputs);
    return outcomes[0]!;
  }

  private input(kind: number, len: number, refused: number[] = []): Promise<Outcome> {
    return this.run(async (engine) => outcomeOf(engine, await engine.input(kind, len, this.clock), this.clock, refused));
  }

  async datagram(packet: Packet, refused: number[] = []): Promise<Outcome> {
    const bytes = packetBytes(packet);
    await Promise.all(this.engines.map((engine) => engine.write(abi.INPUT, bytes)));
    return this.input(abi.KIND_DATAGRAM, packet.payload.length, refused);
  }

  private async put(bytes: Uint8Array): Promise<void> {
    await Promise.all(this.engines.map((engine) => engine.write(abi.INPUT, bytes)));
  }

  /** A frame that comes in by the interface of this index; by a slot if it is to. */
  async frame(number: number, built: Built, slot: boolean): Promise<Outcome> {
    const bytes = frameBytes(number, built);
    await Promise.all(this.engines.map((engine) => engine.write(slot ? abi.SLOTS : abi.INPUT, bytes)));
    return slot ? this.input(abi.KIND_FRAMES, 1) : this.input(abi.KIND_FRAME, built.bytes.length);
  }

  /** A connection is accepted. Its handle, 0 when it is refused. */
  async accept(arrival: Arrival): Promise<{ outcome: Outcome; handle: number }> {
    const header = headerBytes(arrival, abi.PROTOCOL_TCP);
    header.writeInt32LE(arrival.transport, abi.PACKET_TRANSPORT);
    await this.put(header);
    return this.opened();
  }

  /** A dialled connection is up. */
  async answered(handle: number, port: number): Promise<Outcome> {
    await this.put(connectionBytes(handle, port, new Uint8Array()));
    return (await this.opened()).outcome;
  }

  private async opened(): Promise<{ outcome: Outcome; handle: number }> {
    let handle = 0;
    const outcome = await this.run(async (engine) => {
      const result = await engine.input(abi.KIND_OPEN, 0, this.clock);
      handle = Math.max(0, result);
      return outcomeOf(engine, Math.min(abi.VERDICT_ABSORBED, result), this.clock);
    });
    return { outcome, handle };
  }

  /** A connection is gone; `unsent` was to be sent on one that was never up. */
  async close(handle: number, unsent: Uint8Array): Promise<Outcome> {
    await this.put(connectionBytes(handle, 0, unsent));
    return this.input(abi.KIND_CLOSE, unsent.length);
  }

  /** Bytes of a connection, all of them: what is not taken is handed in again, as hosts do. */
  async stream(handle: number, bytes: Uint8Array, refused: number[], whole = true): Promise<Outcome> {
    const outputs: Output[] = [];
    for (let at = 0; ; ) {
      const part = bytes.subarray(at, at + abi.INPUT_SIZE - abi.PACKET_PAYLOAD);
      await this.put(connectionBytes(handle, 0, part));
      let taken = 0;
      const outcome = await this.run(async (engine) => {
        taken = await engine.input(abi.KIND_STREAM, part.length, this.clock);
        return outcomeOf(engine, Math.min(abi.VERDICT_ABSORBED, taken), this.clock, refused);
      }, whole);
      outputs.push(...outcome.outputs);
      at += Math.max(taken, 0);
      if (taken < 0 || at >= bytes.length) return { ...outcome, outputs };
    }
  }

  /** The same by way of a slot; the outcome's verdict is the number of slots taken. */
  async batch(packet: Packet): Promise<Outcome> {
    const bytes = packetBytes(packet);
    await Promise.all(this.engines.map((engine) => engine.write(abi.SLOTS, bytes)));
    return this.input(abi.KIND_BATCH, 1);
  }

  /** Writes a configuration into the running cores, as hosts do, and has it taken over. */
  async reload(image: Configured): Promise<Outcome> {
    this.image = image;
    for (const engine of this.engines) await configurationWrite(engine, image);
    return this.input(abi.KIND_CONFIG, 0);
  }

  /**
   * Ends every core and goes on with others `ms` later, which have of its memory what hosts save. What they announce, with the
   * ports that they should have announced and did not, or announced and should not. Memories are compared after the next input.
   */
  async restart(ms: number, refused: number[] = []): Promise<{ outcome: Outcome; missing: string[]; odd: string[] }> {
    for (const engine of this.engines) await engineRestart(engine, this.image);
    this.now += ms;
    const before = this.ports.take();
    const outputs: Output[] = [];
    for (let at = 0; ; ) {
      const from = at;
      const outcome = await this.run(async (engine) => {
        at = await engine.input(abi.KIND_RESTORE, from, this.clock);
        return outcomeOf(engine, at < 0 ? at : abi.VERDICT_ABSORBED, this.clock, refused);
      }, false);
      if (outcome.verdict === "fault") throw new Error(`restart: ${outcome.reason}`);
      outputs.push(...outcome.outputs);
      if (at <= 0) return { outcome: { ...outcome, outputs }, ...this.ports.compare(before) };
    }
  }

  /** Lets time pass, with a timeout input whenever one is due. The outputs of all of them together. */
  async advance(ms: number): Promise<Outcome> {
    const end = this.now + ms;
    const outputs: Output[] = [];
    let outcome: Outcome = { verdict: "none", reason: "none", outputs, timeoutMs: this.timeoutMs };
    let fired = 0;
    while (this.timeoutMs >= 0 && this.now + this.timeoutMs <= end) {
      if (++fired > DEADLINES_MAX) throw new Error(`more than ${DEADLINES_MAX} deadlines in ${ms} ms`);
      this.now += this.timeoutMs;
      outcome = await this.input(abi.KIND_TIMEOUT, 0);
      outputs.push(...outcome.outputs);
    }
    if (this.timeoutMs >= 0) this.timeoutMs -= end - this.now;
    this.now = end;
    return { ...outcome, outputs, timeoutMs: this.timeoutMs };
  }
}
