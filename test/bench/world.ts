/*
 * A configured core with synthetic terminals, for the benchmarks: messages are written into the slots of a batch, so
 * that only the core is timed.
 */

import { configRead } from "../../hosts/shared/config.ts";
import { configure } from "../../hosts/shared/configure.ts";
import * as abi from "../../hosts/shared/core.ts";
import { type Core, type CoreKind, type CoreMemory, coreOpen, KEY_BYTES } from "../../hosts/shared/core.ts";
import { readFile } from "node:fs/promises";

const SERVICE = [203, 0, 113, 5];
const SERVER = [10, 9, 0, 10];

/** Addresses of ours in the core realm: 50,000 signaling ports each. */
function coreAddresses(terminals: number): string[] {
  return Array.from({ length: Math.ceil(terminals / 50000) }, (_, i) => `10.9.1.${i + 1}`);
}

/** With `framed`, packet mode: terminals are reached by a next hop at eth1. */
function yaml(terminals: number, framed: boolean): string {
  return `${framed ? "interfaces: { eth1: { mac: 02:00:00:00:01:01 }, eth0: { mac: 02:00:00:00:00:01 } }" : ""}
realms:
  access: { interface: eth1, ${framed ? "nextHop: 02:00:00:00:01:fe, " : ""}media: 198.51.100.2, keepalive: off }
  core: { interface: eth0, address: [${coreAddresses(terminals).join(", ")}], media: 10.9.0.3, ports: { signal: 10000-60000 }, linger: 1s }
services:
  voice: { address: ${SERVICE.join(".")}, servers: [${SERVER.join(".")}] }
capacity: { terminals: ${terminals + 16}, bindings: ${terminals + 16}, registrations: ${terminals + 16}, calls: 4096, flows: 4096 }
log: { level: warn }
`;
}

export interface Endpoint {
  address: number[];
  port: number;
}

export const SERVICE_END: Endpoint = { address: SERVICE, port: 5060 };
export const SERVER_END: Endpoint = { address: SERVER, port: 5060 };

/** One message that the core wants sent, in packet mode with the headers before it. */
export interface Sent {
  local: Endpoint;
  remote: Endpoint;
  text: string;
}

/** Terminal `i`, behind a NAT of its own, claims a private address. */
export function terminal(i: number): Endpoint {
  return { address: [100, 64 + (i >> 16), (i >> 8) & 255, i & 255], port: 1024 + (i % 60000) };
}

export class World {
  readonly core: Core;
  readonly memory: CoreMemory;
  nowMs = 1000;

  private constructor(core: Core) {
    this.core = core;
    this.memory = core.memory;
  }

  static async open(kind: CoreKind, terminals: number, framed = false): Promise<World> {
    const { config, problems } = configRead(yaml(terminals, framed), "bench.yaml");
    if (!config) throw new Error(problems.map((problem) => problem.message).join("\n"));
    const source = kind === "js" ? { kind } : { kind, binary: await readFile("dist/core.wasm") };
    const core = await coreOpen(source, config.capacity, new Uint8Array(KEY_BYTES).fill(7));
    configure(core, config, true);
    const world = new World(core);
    if (core.boot(world.nowMs) < 0) throw new Error("the core refuses the benchmark's configuration");
    return world;
  }

  #endpoint(at: number, end: Endpoint): void {
    const { bytes, words } = this.memory;
    bytes.fill(0, at, at + 10);
    bytes.set([255, 255, ...end.address], at + 10);
    void words;
  }

  /** Writes a packet into slot `slot`. */
  put(slot: number, realm: number, source: Endpoint, destination: Endpoint, payload: Uint8Array): void {
    const at = abi.SLOTS + slot * abi.SLOT_SIZE;
    const { bytes, words } = this.memory;
    const word = (field: number, value: number): void => {
      words[(at + field) >> 2] = value;
    };
    word(abi.PACKET_LEN, payload.length);
    word(abi.PACKET_REALM, realm);
    word(abi.PACKET_SOURCE_PORT, source.port);
    word(abi.PACKET_DESTINATION_PORT, destination.port);
    word(abi.PACKET_PROTOCOL, abi.PROTOCOL_UDP);
    for (const label of [abi.PACKET_VPN, abi.PACKET_VLAN, abi.PACKET_MPLS]) word(label, -1);
    this.#endpoint(at + abi.PACKET_SOURCE, source);
    this.#endpoint(at + abi.PACKET_DESTINATION, destination);
    bytes.set(payload, at + abi.PACKET_PAYLOAD);
  }

  /** Writes a frame into slot `slot`, from interface `ingress`. */
  putFrame(slot: number, ingress: number, frame: Uint8Array): void {
    const at = abi.SLOTS + slot * abi.SLOT_SIZE;
    const { bytes, words } = this.memory;
    words[(at + abi.PACKET_LEN) >> 2] = frame.length;
    words[(at + abi.FRAME_INTERFACE) >> 2] = ingress;
    words[(at + abi.FRAME_TAG) >> 2] = 0;
    words[(at + abi.FRAME_FLAGS) >> 2] = 0;
    bytes.set(frame, at + abi.FRAME_BYTES);
  }

  /** Runs `n` slots; they must all be taken. */
  run(n: number, kind: number = abi.KIND_BATCH): void {
    const taken = this.core.input(kind, n, this.nowMs);
    if (taken !== n) throw new Error(`the core took ${taken} of ${n} packets`);
  }

  #read(at: number, port: number): Endpoint {
    return { address: [...this.memory.bytes.subarray(at + 12, at + 16)], port };
  }

  /** What the core wants sent after a run. */
  sent(): Sent[] {
    const all: Sent[] = [];
    for (;;) {
      const at = this.core.output();
      const word = (field: number): number => this.memory.words[(at + field) >> 2]!;
      const kind = word(abi.OUTPUT_KIND);
      if (kind === abi.OUTPUT_TIMEOUT) return all;
      if (kind !== abi.OUTPUT_SEND && kind !== abi.OUTPUT_FRAME) continue;
      const payload = word(abi.OUTPUT_PAYLOAD);
      all.push({
        local: this.#read(at + abi.OUTPUT_LOCAL, word(abi.OUTPUT_LOCAL_PORT)),
        remote: this.#read(at + abi.OUTPUT_REMOTE, word(abi.OUTPUT_REMOTE_PORT)),
        text: Buffer.from(this.memory.bytes.subarray(payload, payload + word(abi.OUTPUT_LEN))).toString("latin1"),
      });
    }
  }

  /** Puts one packet through and gives what comes of it. */
  exchange(realm: number, source: Endpoint, destination: Endpoint, text: string): Sent[] {
    this.put(0, realm, source, destination, Buffer.from(text, "latin1"));
    this.run(1);
    return this.sent();
  }

  /** Fires timers until `ms` have passed. */
  advance(ms: number): void {
    const end = this.nowMs + ms;
    while (this.nowMs < end) {
      this.nowMs = Math.min(end, this.nowMs + 500);
      for (let i = 0; i < 4096; i++) {
        this.core.input(abi.KIND_TIMEOUT, 0, this.nowMs);
        this.sent();
        const wait = this.memory.words[(this.core.output() + abi.OUTPUT_VALUE) >> 2]!;
        if (wait !== 0) break;
      }
    }
  }

  counter(reason: number): number {
    return this.memory.words[(abi.COUNTERS >> 2) + reason]!;
  }
}
