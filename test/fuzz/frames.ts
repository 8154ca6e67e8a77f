/*
 * The fuzz of packet mode: hostile and damaged frames on all builds in lockstep. What goes on is what came, byte for byte;
 * what is written anew is right; and nothing reaches a terminal by a network that it never sent by.
 */

import * as abi from "#abi";
import { frameDissect, isPiece } from "../frame/dissect.ts";
import { Random } from "../unit/core/random.ts";
import { imageOf } from "../vector/image.ts";
import { frameWhole } from "../vector/frame.ts";
import { CoreFault } from "./fault.ts";
import { frameDraw, type FrameMove, type World } from "./framestock.ts";
import { imageRefuse } from "./image.ts";
import { Lockstep, type Maker } from "./lockstep.ts";
import type { Output } from "./output.ts";

const INTERFACES = 2;
/** One step in so many comes after a restart. */
const RESTARTS = 0.01;

const FOUR: World = {
  six: false,
  service: "203.0.113.20",
  media: "203.0.113.21",
  address: "10.9.0.2",
  coreMedia: "10.9.0.3",
  server: "10.9.0.10",
  gateway: "10.9.0.30",
  terminals: ["10.0.0.5", "10.0.0.6"],
  networks: ["", "vlan 100", "vlan 101", "vlan 300 tpid=88a8\nvlan 100", "mpls 1000", "mpls 16\nmpls 1001"],
};
const SIX: World = {
  ...FOUR,
  six: true,
  service: "2001:db8:e::20",
  media: "2001:db8:e::21",
  address: "fd00:9::2",
  coreMedia: "fd00:9::3",
  server: "fd00:9::10",
  gateway: "fd00:9::30",
  terminals: ["fd00:5::5", "fd00:5::6"],
};

function yaml(random: Random, world: World): string {
  const bridged = random.chance(0.5);
  const tiny = random.chance(0.3);
  const peer = (name: string): string => (bridged ? `, peer: ${name}` : "");
  return `
interfaces:
  eth1: { mac: 02:00:00:00:01:01, mtu: ${random.pick([576, 1280, 1500])}${peer("eth0")} }
  eth0: { mac: 02:00:00:00:00:01, mtu: ${random.pick([576, 1500])}${peer("eth1")} }
realms:
  access: { interface: eth1, media: "${world.media}", keepalive: ${random.pick(["off", "20s"])}, latch: ${random.pick(["source", "any"])}, ports: { media: 20000-20063 } }
  core: { interface: eth0, address: "${world.address}", media: "${world.coreMedia}", nextHop: 02:00:00:00:00:fe, ports: { signal: 10000-10031, media: 20000-20063 } }
services:
  voice: { address: "${world.service}", servers: ["${world.server}"] }
otherwise: ${random.pick(["forward", "discard"])}
capacity: { terminals: ${tiny ? 2 : 32}, bindings: 32, registrations: 16, calls: ${tiny ? 2 : 16}, flows: 32, connections: 4, blocks: ${tiny ? 8 : 64}, datagrams: ${tiny ? 2 : 16}, rules: 4 }
`;
}

function frameBytes({ ingress, built }: FrameMove): Buffer {
  const head = Buffer.alloc(abi.FRAME_BYTES);
  head.writeInt32LE(built.bytes.length, abi.PACKET_LEN);
  head.writeInt32LE(ingress, abi.FRAME_INTERFACE);
  head.writeInt32LE(built.tag | 0, abi.FRAME_TAG);
  head.writeInt32LE(built.partial ? abi.FRAME_FLAG_PARTIAL : 0, abi.FRAME_FLAGS);
  return Buffer.concat([head, built.bytes]);
}

/** Tags and labels as words, the outermost first. */
function networkOf(lines: ReturnType<typeof frameDissect>["layers"]): string {
  return lines.flatMap(({ kind, words }) => (kind === "vlan" ? [`v${words[0]}`] : kind === "mpls" ? [`m${words[0]}`] : [])).join(" ");
}

interface Arrival {
  ingress: number;
  network: string;
  /** Where it was sent to. */
  target: string;
}

class Stretch {
  /** Networks and addresses that something came from by the terminals' interface. */
  readonly #heard = new Set<string>();
  readonly #came = new Set<string>();
  /** By port of ours: the network of the terminal whose frame opened it. */
  readonly #owners = new Map<string, string>();
  readonly #ports: number[] = [];
  readonly #signal: number[] = [];
  #now = 0x7fffffff - 5000;
  steps = 0;

  constructor(
    private readonly lockstep: Lockstep,
    private readonly random: Random,
    private readonly world: World,
    private readonly restarts: Random,
  ) {
    this.#now = lockstep.start;
  }

  step(): void {
    const { random, lockstep } = this;
    this.#now += random.pick([0, 1, 20, 20, 500]);
    if (random.chance(0.03)) this.#advance(random.pick([1000, 30_000, 61_000]));
    if (this.restarts.chance(RESTARTS)) this.#restart();
    const batch = random.chance(0.15);
    const moves = Array.from({ length: batch ? random.between(1, 8) : 1 }, () => frameDraw(random, this.world, this.#ports, this.#signal));
    const fitting = batch ? moves.filter(({ built }) => built.bytes.length <= abi.SLOT_SIZE - abi.FRAME_BYTES) : moves;
    const arrivals = fitting.map(({ ingress, built }) => this.#note(ingress, frameWhole(built)));
    this.steps += fitting.length;
    if (!batch) {
      const { built } = fitting[0]!;
      return this.#judge(lockstep.run([[abi.INPUT, frameBytes(fitting[0]!)]], abi.KIND_FRAME, built.bytes.length, this.#now), arrivals[0]);
    }
    for (let left = fitting; left.length > 0; ) {
      const writes = left.map((move, i): [number, Buffer] => [abi.SLOTS + i * abi.SLOT_SIZE, frameBytes(move)]);
      const outcome = lockstep.run(writes, abi.KIND_FRAMES, left.length, this.#now);
      if (outcome.result < 1) throw new CoreFault("batch", `${outcome.result} of ${left.length} frames taken`);
      this.#judge(outcome);
      left = left.slice(outcome.result);
    }
  }

  /** The process ends, and another one goes on with what hosts save: the ports of ours are opened again, and nothing is sent. */
  #restart(): void {
    const { lockstep, restarts } = this;
    if (restarts.chance(0.5)) imageRefuse(lockstep, restarts, this.#now);
    const { result, outputs } = lockstep.restart(lockstep.saved(), this.#now);
    const odd = outputs.find(({ kind }) => kind !== abi.OUTPUT_BIND);
    if (result < 0 || odd) throw new CoreFault("restart", `a restart gives ${result}${odd ? ` and output ${odd.kind}` : ""}`);
  }

  /** What a frame is before the core sees it; undefined when it is too damaged to say. */
  #note(ingress: number, whole: string): Arrival | undefined {
    this.#came.add(whole);
    try {
      const { layers } = frameDissect(Buffer.from(whole, "latin1"));
      const ip = layers.find(({ kind }) => kind === "ip")?.words ?? [];
      const network = networkOf(layers);
      if (ingress === 0) this.#heard.add(`${network} ${ip[0] ?? ""}`);
      return { ingress, network, target: `${ip[2]}:${layers.find(({ kind }) => kind === "udp")?.words[2]}` };
    } catch {
      return undefined;
    }
  }

  #advance(ms: number): void {
    this.#now += ms;
    for (let i = 0; i < 100; i++) {
      const outcome = this.lockstep.timeout(this.#now);
      this.#judge(outcome);
      if (outcome.timeoutMs !== 0) return;
    }
  }

  #judge({ outputs }: { outputs: Pick<Output, "kind" | "local" | "localPort" | "detail">[] }, arrival?: Arrival): void {
    for (const { kind, local, localPort, detail } of outputs) {
      const place = `${local}:${localPort}`;
      if (kind === abi.OUTPUT_BIND) (detail === abi.POOL_MEDIA ? this.#ports : this.#signal).push(localPort);
      if (kind === abi.OUTPUT_BIND && arrival?.ingress === 0) this.#owners.set(place, arrival.network);
      else if (kind === abi.OUTPUT_BIND || kind === abi.OUTPUT_UNBIND) this.#owners.delete(place);
    }
    const { lockstep } = this;
    const tail = lockstep.word(abi.HEADER_OUT_TAIL);
    for (let i = 0; i < tail; i++) this.#record(abi.OUTPUTS + i * abi.OUTPUT_SIZE, arrival);
  }

  #record(at: number, arrival: Arrival | undefined): void {
    const word = (field: number): number => this.lockstep.word(at + field);
    const kind = word(abi.OUTPUT_KIND);
    if (![abi.OUTPUT_FRAME, abi.OUTPUT_BRIDGE, abi.OUTPUT_STACK].includes(kind)) return;
    const start = word(abi.OUTPUT_PAYLOAD);
    const frame = Buffer.from(this.lockstep.bytes.subarray(start, start + word(abi.OUTPUT_LEN)));
    const egress = word(abi.OUTPUT_VALUE);
    if (egress < 0 || egress >= INTERFACES) throw new CoreFault("interface", `there is no interface ${egress}`);
    if (kind === abi.OUTPUT_FRAME) this.#written(frame, egress, arrival);
    else if (!this.#came.has(frame.toString("latin1")) && !this.#completed(frame)) throw new CoreFault("untouched", frame.toString("hex"));
  }

  /** A frame whose checksum was left to the network card goes on completed. */
  #completed(frame: Buffer): boolean {
    for (const came of this.#came) {
      if (came.length !== frame.length) continue;
      let differ = 0;
      for (let i = 0; i < frame.length; i++) if (frame[i] !== came.charCodeAt(i)) differ++;
      if (differ <= 2) return true;
    }
    return false;
  }

  /** What the core wrote: lengths and header checksums right, no time to live of 0, by a network that the receiver sent by. */
  #written(frame: Buffer, egress: number, arrival: Arrival | undefined): void {
    const { layers } = frameDissect(frame);
    const ip = layers.find(({ kind }) => kind === "ip");
    const wrong = !ip || ip.fields.has("checksum") || ip.fields.has("length") || ip.fields.get("ttl") === "0" || layers[0]!.fields.has("padding");
    const udp = layers[layers.indexOf(ip!) + 1];
    if (wrong || (!isPiece(frame) && udp?.fields.has("length"))) throw new CoreFault("written", frame.toString("hex"));
    const place = `${networkOf(layers)} ${ip.words[2]}`;
    if (egress === 0 && !this.#heard.has(place)) throw new CoreFault("network", `${place} never sent: ${frame.toString("hex")}`);
    this.#parted(networkOf(layers), `${ip.words[0]}:${udp?.words[0]}`, egress, arrival);
  }

  /** What has to do with a port that a terminal opened comes and goes by that terminal's network. */
  #parted(network: string, local: string, egress: number, arrival: Arrival | undefined): void {
    const owner = this.#owners.get(local) ?? (arrival && this.#owners.get(arrival.target));
    if (owner === undefined || arrival === undefined) return;
    const [there, here] = egress === 0 ? [network, "goes to"] : [arrival.ingress === 0 ? arrival.network : owner, "comes from"];
    if (there !== owner) throw new CoreFault("network", `what a terminal of "${owner}" opened ${here} "${there}"`);
  }

  /** After two minutes of silence no fragment is held. */
  end(): void {
    this.#advance(61_000);
    this.#advance(61_000);
    if (this.lockstep.word(abi.WIRE_HELD) !== 0) throw new CoreFault("fragments", `${this.lockstep.word(abi.WIRE_HELD)} blocks are held`);
    this.lockstep.compare();
  }
}

/** Plays the stretch of a seed. Returns the lockstep and how many frames came. */
export async function framesPlay(makers: Maker[], seed: number, steps: number, keepLog = false): Promise<{ lockstep: Lockstep; frames: number }> {
  const random = new Random(seed);
  const world = random.chance(0.7) ? FOUR : SIX;
  const { memory } = await imageOf(yaml(random, world), "the fuzz of frames");
  const lockstep = await Lockstep.open(makers, memory, random.pick([1000, 0x7fffffff - 5000]), keepLog);
  const stretch = new Stretch(lockstep, random, world, new Random(~seed));
  for (let i = 0; i < steps; i++) stretch.step();
  stretch.end();
  return { lockstep, frames: stretch.steps };
}
