/*
 * What the core costs: a 764-byte INVITE with SDP translated fully, against copying and scanning it in the same engine
 * and against two JavaScript SIP parsers that only parse; the same with up to 100,000 registered terminals; an RTP
 * packet; and the bytes of table memory a terminal and a call take. Run by `npm run bench -- core`.
 */

import { createRequire } from "node:module";
import * as abi from "../../hosts/shared/core.ts";
import { coreOpen } from "../unit/core/harness.ts";
import { Random } from "../unit/core/random.ts";
import { INVITE_BYTES, invite, register, registered } from "./message.ts";
import { SERVER_END, SERVICE_END, terminal, World } from "./world.ts";

const ACCESS = 0;
const CORE = 1;
const REPEATS = 9;

/** Median of `REPEATS` runs, in nanoseconds for each of `n` things done. */
function median(n: number, body: () => void): number {
  const all: number[] = [];
  body();
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = process.hrtime.bigint();
    body();
    all.push(Number(process.hrtime.bigint() - start) / n);
  }
  return all.sort((a, b) => a - b)[REPEATS >> 1]!;
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

/** Nanoseconds for an INVITE, retransmitted, in a call that is known: everything but opening ports. */
function inviteKnown(world: World): number {
  fill(world, new Random(1), abi.SLOT_MAX, (i) => invite(i, 0));
  world.run(abi.SLOT_MAX);
  return median(abi.SLOT_MAX * 50, () => {
    for (let i = 0; i < 50; i++) world.run(abi.SLOT_MAX);
  });
}

/** Nanoseconds for the first INVITE of a call: a call record, a flow, four ports and their BIND outputs. */
function inviteFresh(world: World): number {
  const all: number[] = [];
  for (let call = 1; call < 40; call++) {
    fill(world, new Random(call), abi.SLOT_MAX, (i) => invite(i, call));
    const start = process.hrtime.bigint();
    world.run(abi.SLOT_MAX);
    all.push(Number(process.hrtime.bigint() - start) / abi.SLOT_MAX);
    if (call % 16 === 0) world.advance(300000);
  }
  return all.sort((a, b) => a - b)[all.length >> 1]!;
}

/** One batch of REGISTERs of random terminals out of `n`, none of them in the processor's caches for the sake of the one before. */
function registerBatch(world: World, random: Random, n: number): number {
  fill(world, random, n, (i) => register(i, 2));
  const start = process.hrtime.bigint();
  world.run(abi.SLOT_MAX);
  return Number(process.hrtime.bigint() - start) / abi.SLOT_MAX;
}

/** Median nanoseconds for each number of terminals; the worlds take turns, so that the machine's drift meets all of them. */
async function registerCosts(sizes: number[]): Promise<number[]> {
  const worlds: World[] = [];
  for (const n of sizes) {
    const world = await World.open("wasm", n);
    registerAll(world, n);
    if (world.counter(abi.REASON_TRANSLATED) !== 2 * n) throw new Error("not every terminal is registered");
    worlds.push(world);
  }
  const random = new Random(1);
  const all = sizes.map((): number[] => []);
  for (let round = 0; round < 1000; round++) for (const [i, world] of worlds.entries()) all[i]!.push(registerBatch(world, random, sizes[i]!));
  return all.map((costs) => costs.sort((x, y) => x - y)[costs.length >> 1]!);
}

/** Nanoseconds for an RTP packet each way of a call that is up and latched. */
function rtpCost(world: World): number {
  const packet = Buffer.alloc(172);
  packet[0] = 0x80;
  const out = world.exchange(ACCESS, terminal(0), SERVICE_END, invite(0, 99));
  const offered = Number(/m=audio (\d+)/.exec(out[0]!.text)![1]);
  const media = { address: [10, 9, 0, 3], port: offered };
  for (let slot = 0; slot < abi.SLOT_MAX; slot++) world.put(slot, CORE, { address: SERVER_END.address, port: 4000 }, media, packet);
  return median(abi.SLOT_MAX * 200, () => {
    for (let i = 0; i < 200; i++) world.run(abi.SLOT_MAX);
  });
}

/** Nanoseconds for a scan by hand and a copy of the same message, in the same engine. */
async function yardCost(kind: "js" | "wasm"): Promise<number> {
  const core = (await coreOpen(["test/bench/yard.ts"], 65536))[kind];
  core.bytes.set(Buffer.from(invite(0, 0), "latin1"), 1024);
  const run = core.find("yardRun");
  return median(20000, () => {
    for (let i = 0; i < 20000; i++) run(1024, INVITE_BYTES, 8192);
  });
}

/** Nanoseconds for parsing alone by two well-known JavaScript stacks, null for one that is not installed. */
function parserCosts(): { name: string; ns: number }[] {
  const require = createRequire(import.meta.url);
  const text = invite(0, 0);
  const logger = { error() {}, warn() {}, log() {}, debug() {} };
  const sipjs = require("sip.js/lib/core/messages/parser.js") as { Parser: { parseMessage(data: string, logger: object): unknown } };
  const DrachtioMessage = require("drachtio-srf/lib/sip-parser/message.js") as new (text: string) => unknown;
  const time = (name: string, parse: () => unknown): { name: string; ns: number } => ({
    name,
    ns: median(2000, () => {
      for (let i = 0; i < 2000; i++) parse();
    }),
  });
  return [time("sip.js parser", () => sipjs.Parser.parseMessage(text, logger)), time("drachtio-srf parser", () => new DrachtioMessage(text))];
}

function show(name: string, ns: number, yard: number): void {
  console.log(`| ${name} | ${ns.toFixed(0)} | ${(ns / yard).toFixed(1)} |`);
}

for (const kind of ["wasm", "js"] as const) {
  const world = await World.open(kind, 1000);
  registerAll(world, abi.SLOT_MAX);
  const yard = await yardCost(kind);
  console.log(`\n| ${kind} | ns | x scan and copy |\n|---|---|---|`);
  show("scan by hand and copy, 764 bytes", yard, yard);
  show("INVITE of 764 bytes, known call", inviteKnown(world), yard);
  show("INVITE of 764 bytes, new call and ports", inviteFresh(world), yard);
  show("RTP packet, 172 bytes", rtpCost(world), yard);
  for (const parser of parserCosts()) show(`${parser.name}, parsing alone`, parser.ns, yard);
}

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
