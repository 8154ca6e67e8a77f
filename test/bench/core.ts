/*
 * What the core costs: a 764-byte INVITE with SDP translated fully, against copying and scanning it in the same engine
 * and against two JavaScript SIP parsers that only parse; the same with up to 100,000 registered terminals; an RTP
 * packet; and the bytes of table memory a terminal and a call take. Run by `npm run bench -- core`.
 */

import { createRequire } from "node:module";
import * as abi from "../../hosts/shared/core.ts";
import { coreOpen } from "../unit/core/harness.ts";
import { Random } from "../unit/core/random.ts";
import { frameBuild } from "../frame/build.ts";
import { descriptionRead } from "../frame/layer.ts";
import { answered, INVITE_BYTES, invite, register, registered } from "./message.ts";
import { SERVER_END, type Sent, SERVICE_END, terminal, World } from "./world.ts";

const ACCESS = 0;
const CORE = 1;
/** Our media address towards terminals. */
const MEDIA = [198, 51, 100, 2];
const ROUNDS = 400;

/** One thing to be timed: does it a number of times and says how many nanoseconds one took. */
type Timed = () => number;

function timed(n: number, body: () => void): Timed {
  return () => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < n; i++) body();
    return Number(process.hrtime.bigint() - start) / n;
  };
}

/** Share of the rounds that a figure is better than: who else is on the machine only ever adds. */
const QUIET = 0.1;

/** Nanoseconds of each in a quiet round; they take turns, so that the machine's drift meets all of them. */
function turns(rounds: number, all: Timed[]): number[] {
  const costs = all.map((): number[] => []);
  for (let round = 0; round < rounds; round++) for (const [i, one] of all.entries()) costs[i]!.push(one());
  return costs.map((list) => list.sort((a, b) => a - b)[Math.floor(list.length * QUIET)]!);
}

function registerAll(world: World, n: number): void {
  for (let i = 0; i < n; i++) {
    const out = world.exchange(ACCESS, terminal(i), SERVICE_END, register(i, 1));
    const sent = out[0]!;
    world.exchange(CORE, SERVER_END, sent.local, registered(sent.text));
  }
}

/** Fills every slot with a message of a random terminal out of `n`. */
function fill(world: World, random: Random, n: number, write: (i: number) => string): void {
  for (let slot = 0; slot < abi.SLOT_MAX; slot++) {
    const i = random.below(n);
    world.put(slot, ACCESS, terminal(i), SERVICE_END, Buffer.from(write(i), "latin1"));
  }
}

/** A batch of what the slots hold; nanoseconds for each. */
function batch(world: World, times: number): Timed {
  const run = timed(times, () => world.run(abi.SLOT_MAX));
  return () => run() / abi.SLOT_MAX;
}

/** An INVITE, retransmitted, in a call that is known: everything but opening ports. */
function inviteKnown(world: World): Timed {
  fill(world, new Random(1), abi.SLOT_MAX, (i) => invite(i, 0));
  return batch(world, 10);
}

/** Nanoseconds for the first INVITE of a call: a call record, a flow, four ports and their BIND outputs. */
function inviteFresh(world: World): number {
  const all: number[] = [];
  for (let call = 1; call < ROUNDS; call++) {
    fill(world, new Random(call), abi.SLOT_MAX, (i) => invite(i, call));
    const start = process.hrtime.bigint();
    world.run(abi.SLOT_MAX);
    all.push(Number(process.hrtime.bigint() - start) / abi.SLOT_MAX);
    if (call % 16 === 0) world.advance(300000);
  }
  return all.sort((a, b) => a - b)[Math.floor(all.length * QUIET)]!;
}

/** One batch of REGISTERs of random terminals out of `n`, none of them in the processor's caches for the sake of the one before. */
function registerBatch(world: World, random: Random, n: number): Timed {
  const run = batch(world, 1);
  return () => {
    fill(world, random, n, (i) => register(i, 2));
    return run();
  };
}

/** Nanoseconds for each number of terminals. */
async function registerCosts(sizes: number[]): Promise<number[]> {
  const all: Timed[] = [];
  const random = new Random(1);
  for (const n of sizes) {
    const world = await World.open("wasm", n);
    registerAll(world, n);
    if (world.counter(abi.REASON_TRANSLATED) !== 2 * n) throw new Error("not every terminal is registered");
    all.push(registerBatch(world, random, n));
  }
  return turns(1000, all);
}

function rtpPacket(): Buffer {
  const packet = Buffer.alloc(172);
  packet[0] = 0x80;
  return packet;
}

/** A call that is up, its media latched. Returns our port towards the server. */
function callUp(world: World): number {
  const [request] = world.exchange(ACCESS, terminal(0), SERVICE_END, invite(0, 99)) as [Sent];
  const [answer] = world.exchange(CORE, SERVER_END, request.local, answered(request.text)) as [Sent];
  const [towards, ours] = [request, answer].map(({ text }) => Number(/m=audio (\d+)/.exec(text)![1])) as [number, number];
  world.put(0, ACCESS, { ...terminal(0), port: 16384 }, { address: MEDIA, port: ours }, rtpPacket());
  world.run(1);
  return towards;
}

/** All of a batch must have been relayed, the last by a record of this kind. */
function relayedCheck(world: World, before: number, kind: number): void {
  const tail = world.memory.words[abi.HEADER_OUT_TAIL >> 2]!;
  const last = world.memory.words[(abi.OUTPUTS + (tail - 1) * abi.OUTPUT_SIZE + abi.OUTPUT_KIND) >> 2];
  if (world.counter(abi.REASON_RELAYED) - before !== abi.SLOT_MAX || last !== kind) throw new Error("not every packet is relayed");
}

/** An RTP packet of a call that is up and latched. */
function rtp(world: World): Timed {
  const port = callUp(world);
  const before = world.counter(abi.REASON_RELAYED);
  const media = { address: [10, 9, 0, 3], port };
  for (let slot = 0; slot < abi.SLOT_MAX; slot++) world.put(slot, CORE, { address: SERVER_END.address, port: 4000 }, media, rtpPacket());
  world.run(abi.SLOT_MAX);
  relayedCheck(world, before, abi.OUTPUT_SEND);
  return batch(world, 50);
}

/** The same as a whole frame, which is rewritten in place; the frame stands in its slot again each time, as a kernel puts it there. */
async function frame(kind: abi.CoreKind, tagged: string): Promise<Timed[]> {
  const world = await World.open(kind, 1000, true);
  const port = callUp(world);
  const before = world.counter(abi.REASON_RELAYED);
  const text = `eth 02:00:00:00:00:fe -> 02:00:00:00:00:01\n${tagged}ip 10.9.0.10 -> 10.9.0.3\nudp 4000 -> ${port}`;
  const { bytes } = frameBuild(descriptionRead(text, false).layers, rtpPacket());
  const put = (): void => {
    for (let slot = 0; slot < abi.SLOT_MAX; slot++) world.putFrame(slot, 1, bytes);
  };
  put();
  world.run(abi.SLOT_MAX, abi.KIND_FRAMES);
  relayedCheck(world, before, abi.OUTPUT_FRAME);
  const both = timed(50, () => {
    put();
    world.run(abi.SLOT_MAX, abi.KIND_FRAMES);
  });
  const alone = timed(50, put);
  return [() => both() / abi.SLOT_MAX, () => alone() / abi.SLOT_MAX];
}

/** A scan by hand and a copy of the same message, in the same engine. */
async function yard(kind: abi.CoreKind): Promise<Timed> {
  const core = (await coreOpen(["test/bench/yard.ts"], 65536))[kind];
  core.bytes.set(Buffer.from(invite(0, 0), "latin1"), 1024);
  const run = core.find("yardRun");
  return timed(500, () => run(1024, INVITE_BYTES, 8192));
}

/** Parsing alone by two well-known JavaScript stacks. */
function parsers(): Timed[] {
  const require = createRequire(import.meta.url);
  const text = invite(0, 0);
  const logger = { error() {}, warn() {}, log() {}, debug() {} };
  const sipjs = require("sip.js/lib/core/messages/parser.js") as { Parser: { parseMessage(data: string, logger: object): unknown } };
  const DrachtioMessage = require("drachtio-srf/lib/sip-parser/message.js") as new (text: string) => unknown;
  return [timed(1, () => sipjs.Parser.parseMessage(text, logger)), timed(50, () => new DrachtioMessage(text))];
}

/** One world for all: V8 makes a second instance of the JavaScript core, and with it the first, half as fast. */
async function messageTable(kind: abi.CoreKind): Promise<void> {
  const world = await World.open(kind, 1000);
  registerAll(world, abi.SLOT_MAX);
  const all = [await yard(kind), inviteKnown(world)];
  turns(ROUNDS / 10, all);
  const [scan, invited] = turns(ROUNDS, all) as [number, number];
  const [sipjs, drachtio] = turns(ROUNDS / 4, parsers()) as [number, number];
  const fresh = inviteFresh(world);
  const [relayed] = turns(ROUNDS, [rtp(world)]) as [number];
  const [plain, plainPut, tagged, taggedPut] = turns(ROUNDS, [...(await frame(kind, "")), ...(await frame(kind, "vlan 100\nmpls 1000\n"))]) as [
    number,
    number,
    number,
    number,
  ];
  console.log(`\n| ${kind} | ns | x scan and copy |\n|---|---|---|`);
  show("scan by hand and copy, 764 bytes", scan, scan);
  show("INVITE of 764 bytes, known call", invited, scan);
  show("INVITE of 764 bytes, new call and ports", fresh, scan);
  show("RTP packet, 172 bytes", relayed, scan);
  show("the same as a frame, rewritten", plain - plainPut, scan);
  show("the same that came with a tag and a label", tagged - taggedPut, scan);
  show("sip.js parser, parsing alone", sipjs, scan);
  show("drachtio-srf parser, parsing alone", drachtio, scan);
  console.log(`the INVITE translated takes 1/${(drachtio / invited).toFixed(1)} of drachtio-srf's parsing, 1/${(sipjs / invited).toFixed(0)} of sip.js's`);
}

function show(name: string, ns: number, yard: number): void {
  console.log(`| ${name} | ${ns.toFixed(0)} | ${(ns / yard).toFixed(1)} |`);
}

for (const kind of ["wasm", "js"] as const) await messageTable(kind);

console.log("\n| registered terminals (wasm) | ns for a REGISTER of one at random | ratio to 100 |\n|---|---|---|");
const SIZES = [100, 1000, 10000, 100000];
const costs = await registerCosts(SIZES);
for (const [i, ns] of costs.entries()) console.log(`| ${SIZES[i]} | ${ns.toFixed(0)} | ${(ns / costs[0]!).toFixed(2)} |`);

/* A record, its timer, its bucket and its ports: what one more of each takes. */
const perTerminal = abi.BINDING_SIZE + 2 * (abi.TIMER_SIZE + 4) + 4;
const perCall = abi.CALL_SIZE + abi.FLOW_SIZE + abi.TIMER_SIZE + 4 + 16;
console.log(
  `\nbytes of table memory: ${perTerminal} for a terminal (${perTerminal + abi.REGISTRATION_SIZE + abi.TIMER_SIZE + 8} registered), ${perCall} for a call with one stream`,
);
