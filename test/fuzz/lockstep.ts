/*
 * Builds of the core in this process, JavaScript and WebAssembly, in lockstep and synchronously: every input goes to each,
 * and each must give the same result, the same outputs and the same memory. What went in is kept, so that another
 * build can play it again (native.ts).
 *
 * Invariant: a lockstep is nothing but its image and its log: the same two make the same run.
 */

import * as abi from "#abi";
import { addressParse } from "../../hosts/shared/address.ts";
import { stateExtents } from "../../hosts/shared/state/extent.ts";
import { type Exports, PAGE, pageHashes } from "../parity/engine.ts";
import { configurationAreas } from "../vector/image.ts";
import { CoreFault, TRAP } from "./fault.ts";
import { type Output, outputsEqual, outputsRead } from "./output.ts";

/** Makes a core over a fresh memory of `size` bytes. */
export interface Maker {
  name: string;
  make(size: number): Promise<Machine>;
}

export interface Machine {
  name: string;
  exports: Exports;
  bytes: Buffer;
}

export interface Packet {
  realm: number;
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
  payload: Buffer;
}

/** What one input led to. */
export interface Outcome {
  result: number;
  /** Reason of the last verdict. */
  reason: number;
  outputs: Output[];
  /** Milliseconds until the next deadline, -1 for none. */
  timeoutMs: number;
  /** Ports that the machine refused. */
  refused: number;
}

/** One call of `input`, with what was written before it and what came of it. */
export interface Entry {
  writes: [number, Buffer][];
  kind: number;
  len: number;
  now: number;
  result: number;
  /** Output records taken, the timeout among them. */
  taken: number;
  /** BINDs that were refused: the address of the record by its place in the order. */
  refused: Map<number, number>;
  /** One hash for each page of memory after it, after every so many entries. */
  pages: Uint32Array | undefined;
}

/** Most records of one input: the queue holds fewer. */
const DRAIN_MAX = 2 * abi.OUTPUT_MAX;
/** Entries of a log from one with the pages of memory to the next, at least: it takes long to hash them, and longer where each access is checked. */
const PAGES_EACH = 8;

const addresses = new Map<string, Uint8Array>();

function addressBytes(text: string): Uint8Array {
  let bytes = addresses.get(text);
  if (!bytes) {
    bytes = addressParse(text)!.bytes;
    addresses.set(text, bytes);
  }
  return bytes;
}

/** The header of a packet at INPUT or in a slot. */
export function headerBytes(packet: Omit<Packet, "payload">, protocol: number): Buffer {
  const bytes = Buffer.alloc(abi.PACKET_PAYLOAD);
  bytes.writeInt32LE(packet.realm, abi.PACKET_REALM);
  bytes.writeInt32LE(packet.sourcePort, abi.PACKET_SOURCE_PORT);
  bytes.writeInt32LE(packet.destinationPort, abi.PACKET_DESTINATION_PORT);
  bytes.writeInt32LE(protocol, abi.PACKET_PROTOCOL);
  for (const label of [abi.PACKET_VPN, abi.PACKET_VLAN, abi.PACKET_MPLS]) bytes.writeInt32LE(-1, label);
  // Any DSCP and ECN, the same for what comes again.
  bytes.writeInt32LE((packet.sourcePort ^ packet.destinationPort) & 0xff, abi.PACKET_TRAFFIC);
  bytes.set(addressBytes(packet.source), abi.PACKET_SOURCE);
  bytes.set(addressBytes(packet.destination), abi.PACKET_DESTINATION);
  return bytes;
}

/** A packet as it stands at INPUT or in a slot. */
export function packetBytes(packet: Packet): Buffer {
  const header = headerBytes(packet, abi.PROTOCOL_UDP);
  header.writeInt32LE(packet.payload.length, abi.PACKET_LEN);
  return Buffer.concat([header, packet.payload]);
}

/** Does the machine refuse this port now? One in some, and at times every one. */
function isRefused(port: number, now: number): boolean {
  return (port ^ now) % 37 === 0 || now % 101 === 0;
}

export class Lockstep {
  /** Is memory compared after every input, or after every so many? */
  compareEach = 1;
  readonly log: Entry[] = [];
  private inputs = 0;
  private trying = false;
  /** Memory when the marks of pages were looked at last, and what clears them before the next input. */
  private seen: Buffer | undefined;
  private cleared: [number, Buffer][] = [];

  private constructor(
    readonly machines: Machine[],
    readonly image: Uint8Array,
    readonly start: number,
    private readonly keepLog: boolean,
  ) {}

  static async open(makers: Maker[], image: Uint8Array, start: number, keepLog = false): Promise<Lockstep> {
    const machines: Machine[] = [];
    for (const maker of makers) {
      const machine = await maker.make(Math.ceil(image.length / PAGE) * PAGE);
      machine.bytes.set(image);
      machines.push(machine);
    }
    const lockstep = new Lockstep(machines, image, start, keepLog);
    for (const { exports, name } of machines) if (exports.boot(start | 0) !== 0) throw new CoreFault("boot", `${name} does not boot`);
    lockstep.drain(start);
    return lockstep;
  }

  /** The first machine's memory. */
  get bytes(): Buffer {
    return this.machines[0]!.bytes;
  }

  word(at: number): number {
    return this.bytes.readInt32LE(at);
  }

  datagram(packet: Packet, now: number): Outcome {
    return this.run([[abi.INPUT, packetBytes(packet)]], abi.KIND_DATAGRAM, packet.payload.length, now);
  }

  batch(packets: Packet[], now: number): Outcome {
    return this.run(
      packets.map((packet, i): [number, Buffer] => [abi.SLOTS + i * abi.SLOT_SIZE, packetBytes(packet)]),
      abi.KIND_BATCH,
      packets.length,
      now,
    );
  }

  timeout(now: number): Outcome {
    return this.run([], abi.KIND_TIMEOUT, 0, now);
  }

  private region(id: number): number {
    return this.word(abi.DIRECTORY + 4 * id);
  }

  /** What another process begins with: what hosts save of this one's memory, and the configuration. All else is zero. */
  saved(): Buffer {
    const memory = Buffer.alloc(this.bytes.length);
    for (const [from, to] of stateExtents((id) => this.region(id))) this.bytes.copy(memory, from, from, to);
    const rules = this.region(abi.REGION_RULES);
    const areas = configurationAreas(rules, this.region(abi.REGION_CLASSIFIER) - rules);
    for (const [at, size] of areas) memory.set(this.image.subarray(at, at + size), at);
    return memory;
  }

  /** Another process goes on with such a memory: all that comes of it. */
  restart(memory: Buffer, now: number): Outcome {
    const outputs: Output[] = [];
    this.seen = undefined;
    for (let from = 0; ; ) {
      const outcome = this.run(from === 0 ? [[0, memory]] : [], abi.KIND_RESTORE, from, now);
      outputs.push(...outcome.outputs);
      from = outcome.result;
      if (from <= 0) return { ...outcome, outputs };
    }
  }

  /** Every page of the tables that has changed since this was asked last is marked as such; then the marks are cleared, as hosts do. */
  marked(): void {
    const dirty = this.region(abi.REGION_DIRTY);
    const marks = this.bytes.subarray(dirty, this.region(abi.REGION_END));
    const size = 1 << abi.PAGE_SHIFT;
    for (const [first, end] of stateExtents((id) => this.region(id))) {
      for (let at = Math.max(first, this.region(abi.REGION_TERMINALS)); this.seen && at < end; at += size) {
        if (marks[at / size] === 1 || this.bytes.compare(this.seen, at, at + size, at, at + size) === 0) continue;
        throw new CoreFault("dirty", `the page at ${at} has changed, and is not marked`);
      }
    }
    this.seen = Buffer.from(this.bytes);
    this.cleared = [[dirty, Buffer.alloc(marks.length)]];
  }

  /** Writes into every memory, calls `input` on every machine, drains, compares. */
  run(given: [number, Buffer][], kind: number, len: number, now: number): Outcome {
    const writes = [...this.cleared, ...given];
    this.cleared = [];
    const results = this.machines.map(({ exports, bytes, name }) => {
      for (const [at, data] of writes) bytes.set(data, at);
      try {
        return exports.input(kind, len, now | 0);
      } catch (error) {
        throw new CoreFault(TRAP, `${name} traps: ${String(error)}`);
      }
    });
    for (const [i, result] of results.entries()) this.same(result === results[0], i, `results ${results[0]} and ${result}`);
    const { outputs, timeoutMs, taken, refused, verdict } = this.drain(now, results[0]!);
    if (!this.trying && this.inputs++ % this.compareEach === 0) this.compare();
    if (this.keepLog && !this.trying) this.log.push({ writes, kind, len, now: now | 0, result: results[0]!, taken, refused, pages: this.pages() });
    return { result: kind === abi.KIND_DATAGRAM ? verdict : results[0]!, reason: this.word(abi.HEADER_REASON), outputs, timeoutMs, refused: refused.size };
  }

  /** Plays something that has not been afterwards: every memory is as it was, and the log knows nothing of it. */
  trial<T>(play: () => T): T {
    const kept = this.machines.map(({ bytes }) => Buffer.from(bytes));
    const { cleared } = this;
    this.trying = true;
    const result = play();
    this.compare();
    this.trying = false;
    this.cleared = cleared;
    for (const [i, { bytes }] of this.machines.entries()) kept[i]!.copy(bytes);
    return result;
  }

  private pages(): Uint32Array | undefined {
    const each = Math.max(PAGES_EACH, 2 * this.compareEach);
    return this.log.length % each === each - 1 ? pageHashes(this.bytes.buffer as ArrayBuffer) : undefined;
  }

  private same(equal: boolean, machine: number, what: string): void {
    if (!equal) throw new CoreFault("difference", `${this.machines[0]!.name} and ${this.machines[machine]!.name} differ: ${what}`);
  }

  /** Drains all; some of the ports that are asked for are refused, and `refused` has where in the order and the record. */
  private drain(now: number, result = 0): { outputs: Output[]; timeoutMs: number; taken: number; refused: Map<number, number>; verdict: number } {
    const refused = new Map<number, number>();
    let verdict = result;
    const drained = this.machines.map(({ exports, bytes }) => {
      const places: number[] = [];
      for (let i = 0; i < DRAIN_MAX; i++) {
        const at = exports.output();
        const kind = bytes.readInt32LE(at + abi.OUTPUT_KIND);
        places.push(at);
        if (kind === abi.OUTPUT_TIMEOUT) return places;
        if (kind !== abi.OUTPUT_BIND || !isRefused(bytes.readInt32LE(at + abi.OUTPUT_LOCAL_PORT), now)) continue;
        const again = exports.input(abi.KIND_REFUSED, at, now | 0);
        if (again !== abi.VERDICT_ABSORBED || bytes.readInt32LE(abi.HEADER_REASON) !== abi.REASON_PORT_REFUSED) verdict = again;
        refused.set(i, at);
      }
      throw new CoreFault("outputs", `${DRAIN_MAX} outputs and no timeout`);
    });
    for (const [i, places] of drained.entries()) this.same(places.join() === drained[0]!.join(), i, "the outputs");
    const outputs = outputsRead(this.bytes, drained[0]!);
    for (const [i, { bytes }] of this.machines.entries()) if (i > 0) this.same(outputsEqual(this.bytes, bytes, drained[0]!), i, "what the outputs say");
    const last = outputs.pop()!;
    return { outputs, timeoutMs: last.value, taken: drained[0]!.length, refused, verdict };
  }

  /** Compares the whole memories. */
  compare(): void {
    const [first, ...others] = this.machines;
    for (const [i, other] of others.entries()) {
      if (first!.bytes.equals(other.bytes)) continue;
      const at = first!.bytes.findIndex((byte, position) => byte !== other.bytes[position]);
      this.same(false, i + 1, `memory at ${at}: ${first!.bytes.readInt32LE(at & -4)} and ${other.bytes.readInt32LE(at & -4)}`);
    }
  }
}
