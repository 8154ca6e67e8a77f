/*
 * What a relayed packet costs: Culvert on each way of input and output that this machine has, beside rtpengine in user space in
 * the same run, which is the yardstick. Calls are set up by SIP (rtpengine: by its control protocol), the generator of
 * ../shared/lab sends 172-byte RTP at a steady rate, the same for all, in turns; then once as much as it can, after which a
 * steady rate must pass again. rtpengine is spared that: it does not come back. The delay is measured with processors that halt
 * when they have nothing to do, as on most machines, and "awake": a virtual one takes tens of microseconds to wake up. From the environment: CALLS, RATES (packets a
 * second), SECONDS and ROUNDS of each measurement, IO (names of Culvert's ways; in place of rings xdp, which receives by AF_XDP and wants ethtool, or workers, two of them with rings), RUNTIMES (node, deno).
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Calls, DistantMedia, type Media } from "./call.ts";
import {
  ACCESS,
  answer,
  awake,
  childrenOf,
  CORE,
  delay,
  type Lab,
  labDown,
  labUp,
  load,
  type Load,
  prefer,
  RELAY_PROCESSOR,
  SERVER,
  SERVER_PORT,
  serversMove,
  TERMINAL,
  TERMINAL_PORT,
} from "./medialab.ts";
import { ngCalls } from "./ng.ts";
import { missing } from "./program.ts";

const PROGRAMS = ["ip", "sysctl", "taskset", "cc", "rtpengine"];
const CALLS = Number(process.env.CALLS ?? 100);
const RATES = (process.env.RATES ?? "20000,60000,100000").split(",").map(Number);
const SECONDS = Number(process.env.SECONDS ?? 2);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const WAYS = (process.env.IO ?? "portable,batched,rings").split(",");
const RUNTIMES = (process.env.RUNTIMES ?? "node").split(",");
if (WAYS.includes("xdp")) PROGRAMS.push("ethtool");
/** Ways by packet rings; of these one by AF_XDP, which diverts frames before other rings hear them: one of them at a time. */
const FRAMED = ["rings", "xdp", "workers"];
/** Packets a second at which the delay is measured: 50 for each of 100 calls. */
const DELAY_RATE = 5000;
const NG_PORT = 2223;
const YARDSTICK = "rtpengine";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Of what is sent at a steady rate this much must arrive. */
const LEAST = 0.9;

interface Relay {
  name: string;
  /** The processes that do the work. */
  pids: number[];
  /** Where the generator sends, one port for each call. */
  ports: number[];
  /** Does it hear what is for the others as well? Then it is halted while they have their turn. */
  rings: boolean;
}

/** All that was started; it ends with this process. */
const launched: ChildProcess[] = [];

/** Starts a program on the relays' processor and waits until it says that it is up. */
async function launch(words: string[], up?: string): Promise<ChildProcess> {
  const child = spawn("taskset", ["-c", String(RELAY_PROCESSOR), ...words], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  launched.push(child);
  prefer(child.pid!);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (text += data.toString()));
  while (up !== undefined && !text.includes(up)) {
    if (child.exitCode !== null) throw new Error(`${words[0]} ended:\n${text}`);
    await sleep(20);
  }
  return child;
}

function sides(i: number, caller: boolean): Media {
  return caller ? new DistantMedia({ address: TERMINAL, port: TERMINAL_PORT + 2 * i }) : new DistantMedia({ address: SERVER, port: SERVER_PORT + 2 * i });
}

async function rtpengine(): Promise<Relay> {
  const options = [`--interface=a/${ACCESS}`, `--interface=b/${CORE}`, `--listen-ng=127.0.0.1:${NG_PORT}`, "--port-min=50000", "--port-max=59999"];
  const child = await launch(["rtpengine", "--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--num-threads=1", "--timeout=3600", ...options]);
  const pairs = Array.from({ length: CALLS }, (_, i): [Media, Media] => [sides(i, true), sides(i, false)]);
  await ngCalls(NG_PORT, ["a", "b"], pairs);
  return { name: YARDSTICK, pids: [child.pid!], ports: pairs.map(([caller]) => caller.target!.port), rings: false };
}

/** It is this relay's turn. */
function turn(relays: Relay[], relay: Relay): Relay {
  for (const { rings, pids } of relays) if (rings) for (const pid of pids) process.kill(pid, pids === relay.pids ? "SIGCONT" : "SIGSTOP");
  return relay;
}

/** Packet mode, with media in frames; signaling is on loopback. Empty for sockets. */
function framing(way: string): { interfaces: string; access: string; core: string } {
  if (!FRAMED.includes(way)) return { interfaces: "", access: "", core: "" };
  const receive = way === "xdp" ? "receive: xdp" : "";
  return { interfaces: `interfaces: { p1: { ${receive} }, p2: { ${receive} } }`, access: "interface: p1, ", core: "interface: p2, " };
}

/** The `index`th Culvert has ports of its own. */
function configText(way: string, index: number, server: string): string {
  const ports = 20_000 + 4000 * index;
  const { interfaces, access, core } = framing(way);
  return `
${interfaces}
realms:
  access: { ${access}address: 127.0.0.1, media: ${ACCESS}, nat: never, inactivity: off, ports: { media: "${ports}-${ports + 3999}" } }
  core: { ${core}address: 127.0.0.1, media: ${CORE}, inactivity: off, ports: { signal: "${10_000 + 1000 * index}-${10_999 + 1000 * index}", media: "${ports}-${ports + 3999}" } }
services:
  voice: { address: "127.0.0.1:${5060 + index}", servers: ["${server}"], transports: { tcp: false } }
capacity: { terminals: ${2 * CALLS}, calls: ${2 * CALLS}, flows: ${2 * CALLS} }
log: { level: info, format: json }
${way === "workers" ? "workers: { count: 2, by: port }" : ""}
io: ${FRAMED.includes(way) ? "batched" : way}
`;
}

/** The processes that do the work of a Culvert. */
function workersOf(pid: number, way: string): number[] {
  if (way !== "workers") return [pid];
  const pids = childrenOf(pid);
  for (const worker of pids) prefer(worker);
  return pids;
}

async function culvert(lab: Lab, runtime: string, way: string, index: number, folder: string): Promise<Relay> {
  const calls = await Calls.open(CALLS, sides);
  const config = join(folder, `${runtime}-${way}.yaml`);
  writeFileSync(config, configText(way, index, calls.server));
  const host = runtime === "deno" ? [resolve("node_modules/.bin/deno"), "run", "-A", "dist/deno.js"] : [process.execPath, "dist/node.js"];
  const child = await launch([...host, "run", "-c", config], '"msg":"up"');
  for (let i = 0; i < CALLS; i++) calls.begin(i, 5060 + index);
  for (let waited = 0; waited < 100 && calls.totals.answered < CALLS; waited++) await sleep(50);
  if (calls.totals.answered < CALLS) throw new Error(`${calls.totals.answered} of ${CALLS} calls were answered`);
  const ports = calls.calls.map(({ caller }) => caller.target!.port);
  const rings = FRAMED.includes(way);
  if (rings)
    answer(
      lab,
      calls.calls.map(({ callee }) => callee.target!.port),
    );
  calls.close();
  return { name: `Culvert, ${runtime}, ${way}`, pids: workersOf(child.pid!, way), ports, rings };
}

function median(list: number[]): number {
  return [...list].sort((a, b) => a - b)[list.length >> 1]!;
}

function row(cells: string[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(26) : cell.padStart(13))).join("");
}

/** All relays in turns at one rate. */
async function steady(lab: Lab, relays: Relay[], pps: number): Promise<void> {
  const seen = relays.map((): Load[] => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, relay] of relays.entries()) seen[i]!.push(await load(lab, turn(relays, relay).pids, relay.ports, pps, SECONDS));
  const costs = seen.map((list) => median(list.map(({ cost }) => cost)));
  const yard = costs[relays.findIndex(({ name }) => name === YARDSTICK)]!;
  for (const [i, relay] of relays.entries()) {
    const delivered = median(seen[i]!.map((one) => one.delivered));
    const offered = median(seen[i]!.map((one) => one.offered));
    const cells = [offered.toFixed(0), delivered.toFixed(0), costs[i]!.toFixed(0), (1e9 / costs[i]!).toFixed(0), (yard / costs[i]!).toFixed(2)];
    console.log(row([relay.name, ...cells]));
  }
}

/** As much as the generator can, then a steady rate: has the relay come back? */
async function flood(lab: Lab, relay: Relay): Promise<void> {
  const most = await load(lab, relay.pids, relay.ports, 0, SECONDS);
  const after = await load(lab, relay.pids, relay.ports, RATES[0]!, SECONDS);
  const back = after.delivered >= LEAST * after.offered;
  const cells = [most.offered, most.delivered, most.cost, 1e9 / most.cost].map((value) => value.toFixed(0));
  console.log(row([relay.name, ...cells, back ? "forwards" : "STOPPED"]));
  if (!back) process.exitCode = 1;
}

async function compare(lab: Lab, relays: Relay[]): Promise<void> {
  console.log(`${CALLS} calls, 172-byte RTP one way, ${ROUNDS} rounds of ${SECONDS} s: medians. "ratio" is packets for each CPU-second, times ${YARDSTICK}'s`);
  console.log(row([`delay at ${DELAY_RATE}/s`, "p50 us", "p99 us", "awake p50", "awake p99"]));
  for (const relay of relays) {
    const measure = (): Promise<number[]> => delay(lab, turn(relays, relay).ports, DELAY_RATE, SECONDS);
    console.log(row([relay.name, ...[...(await measure()), ...(await awake(measure))].map((value) => value.toFixed(1))]));
  }
  console.log(row(["steady", "offered/s", "arrived/s", "ns a packet", "per CPU-s", "ratio"]));
  for (const pps of RATES) await steady(lab, relays, pps);
  console.log(row(["flood", "offered/s", "arrived/s", "ns a packet", "per CPU-s", "afterwards"]));
  for (const relay of relays) if (relay.name !== YARDSTICK) await flood(lab, turn(relays, relay));
}

/** In the relay's namespace. */
async function measure(lab: Lab): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "culvert-media-"));
  for (const signal of SIGNALS) process.on(signal, () => process.exit(1));
  process.on("exit", () => {
    for (const child of launched) child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  const relays = [await rtpengine()];
  let index = 0;
  for (const runtime of RUNTIMES) for (const way of WAYS) relays.push(await culvert(lab, runtime, way, index++, folder));
  serversMove(lab);
  await compare(lab, relays);
  process.exit();
}

/** Makes the namespaces and runs this bench once more, in the middle one. */
async function enclose(source: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "culvert-lab-"));
  const name = (side: string): string => `cv-media${process.pid}-${side}`;
  const lab: Lab = { terminals: name("t"), relay: name("p"), servers: name("s"), generator: join(folder, "gen") };
  try {
    execFileSync("cc", ["-O2", "-o", lab.generator, source]);
    labUp(lab);
    const words = ["netns", "exec", lab.relay, "sh", "-c", 'ulimit -n $(ulimit -Hn); exec "$@"', "sh", process.execPath, ...process.argv.slice(1, 2), "media"];
    const inner = spawn("ip", words, { stdio: "inherit", env: { ...process.env, CULVERT_MEDIA_LAB: JSON.stringify(lab) } });
    for (const signal of SIGNALS) process.on(signal, () => inner.kill("SIGTERM"));
    process.exitCode = await new Promise<number>((resolve) => inner.on("exit", (code) => resolve(code ?? 1)));
  } finally {
    labDown(lab);
    rmSync(folder, { recursive: true });
  }
}

const generator = join(resolve(process.env.CULVERT_SHARED ?? "../shared"), "lab/gen.c");
const absent = [...missing(PROGRAMS), ...(existsSync(generator) ? [] : [generator])];
if (process.env.CULVERT_MEDIA_LAB !== undefined) await measure(JSON.parse(process.env.CULVERT_MEDIA_LAB) as Lab);
else if (absent.length > 0 || process.getuid?.() !== 0)
  console.log(`skipped: wants root and ${PROGRAMS.join(", ")}${absent.length > 0 ? `; ${absent.join(", ")} missing` : ""}`);
else await enclose(generator);
