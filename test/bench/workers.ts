/*
 * What a second worker brings (`workers:`): calls and packets a second of one and of two, in turns, in the same run. Generators take
 * processors too, and there may be but two: so the workers are halted (SIGSTOP) while their sockets are filled with INVITEs of new calls, or
 * with RTP of calls that are up, and what is measured is how long they take for it, each on a processor of its own, with nothing else
 * to do. Wants root (a namespace of its own). From the environment: ROUNDS.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf, prefer, processTime } from "./medialab.ts";
import { missing } from "./program.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 7);
/** Rounds in which programs are compiled. */
const WARM = 8;
const PROGRAMS = ["ip", "taskset"];
const INSIDE = "CULVERT_WORKERS_LAB";
/** Terminals, each at a port of its own from here on, so that both workers have about as many, and the same in every run. */
const TERMINALS = 200;
const FIRST_PORT = 41_000;
/** For each worker in one round: what fits into its sockets, which take 4 MiB. Each call takes four descriptors until the end. */
const CALLS = 250;
const PACKETS = 4500;
const RTP = Buffer.concat([Buffer.from([0x80, 0]), Buffer.alloc(170, 0x55)]);
/** Nobody reads what is sent there. */
const SINK = "127.0.0.9";

interface Proxy {
  count: number;
  /** The processes that do the work. */
  pids: number[];
  service: string;
}

/** A worker that has not run for so long, with nothing waiting for it, is done. */
const IDLE_MS = 5;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

const launched: ChildProcess[] = [];

function configText(count: number, access: string, core: string, server: string): string {
  return `
realms:
  access: { address: ${access}, nat: never, inactivity: off, ports: { media: 20000-59999 } }
  core: { address: ${core}, inactivity: off, ports: { signal: 10000-19999, media: 20000-59999 } }
services: { voice: { address: ${access}, servers: ["${server}"], transports: { tcp: false } } }
capacity: { terminals: 1000, calls: 20000, flows: 20000 }
secret: 000102030405060708090a0b0c0d0e0f
log: { level: info, format: json }
io: batched
workers: { count: ${count}, by: port }
`;
}

async function launch(folder: string, count: number, server: string): Promise<Proxy> {
  const [service, core] = [`127.0.${count}.1`, `127.0.${count}.2`];
  const path = join(folder, `${count}.yaml`);
  writeFileSync(path, configText(count, service, core, server));
  // A file, since a pipe that nobody reads meanwhile would halt it.
  const log = join(folder, `${count}.log`);
  const child = spawn(process.execPath, ["dist/node.js", "run", "-c", path], { stdio: ["ignore", openSync(log, "w"), "inherit"] });
  launched.push(child);
  while (!readFileSync(log, "utf8").includes('"msg":"up"')) {
    if (child.exitCode !== null) throw new Error(`it ended:\n${readFileSync(log, "utf8")}`);
    await sleep(20);
  }
  const pids = count === 1 ? [child.pid!] : childrenOf(child.pid!);
  for (const [i, pid] of pids.entries()) {
    execFileSync("taskset", ["-apc", String((i + 1) % availableParallelism()), String(pid)], { stdio: "ignore" });
    prefer(pid);
  }
  return { count, pids, service };
}

async function socketOpen(address: string, port = 0): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 }).bind(port, address);
  await once(socket, "listening");
  return socket;
}

function sdp(address: string, port: number): string {
  return ["v=0", `o=- 1 1 IN IP4 ${address}`, "s=-", `c=IN IP4 ${address}`, "t=0 0", `m=audio ${port} RTP/AVP 0`, ""].join("\r\n");
}

function message(lines: string[], body: string): Buffer {
  return Buffer.from([...lines, "Content-Type: application/sdp", `Content-Length: ${body.length}`, "", body].join("\r\n"));
}

function invite(terminal: Socket, call: string): Buffer {
  const { address, port } = terminal.address();
  const lines = [
    "INVITE sip:callee@example.com SIP/2.0",
    `Via: SIP/2.0/UDP ${address}:${port};branch=z9hG4bK${call}`,
    "Max-Forwards: 70",
    `From: <sip:caller@example.com>;tag=${call}`,
    "To: <sip:callee@example.com>",
    `Call-ID: ${call}`,
    "CSeq: 1 INVITE",
    `Contact: <sip:caller@${address}:${port}>`,
  ];
  return message(lines, sdp(address, port));
}

/** Answers an INVITE: its media is the sink's. */
function answer(request: string): Buffer {
  const copied = ["Via", "From", "Call-ID", "CSeq"].map((name) => new RegExp(`^${name}: .*$`, "m").exec(request)![0].trimEnd());
  return message(["SIP/2.0 200 OK", ...copied, "To: <sip:callee@example.com>;tag=s", `Contact: <sip:callee@${SINK}>`], sdp(SINK, 9));
}

async function send(socket: Socket, bytes: Buffer, port: number, address: string): Promise<void> {
  await new Promise<void>((done, failed) => socket.send(bytes, port, address, (error) => (error ? failed(error) : done())));
}

/** Rows of the wide sockets, which are those of IPv6: bytes that wait, and packets that found no room. */
function queues(): [number, number] {
  const rows = readFileSync("/proc/net/udp6", "utf8").trim().split("\n").slice(1);
  const fields = rows.map((row) => row.trim().split(/\s+/));
  const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0);
  return [sum(fields.map((row) => Number.parseInt(row[4]!.split(":")[1]!, 16))), sum(fields.map((row) => Number(row[12])))];
}

/** What it took: milliseconds until all was taken, those that the busier worker ran, and those that all ran. */
interface Taken {
  wall: number;
  longest: number;
  run: number;
}

/** Has the workers take what is sent to them while they are halted. Meanwhile this process waits without reading a socket of its own. */
async function drain({ pids }: Proxy, fill: () => Promise<void>): Promise<Taken> {
  const times = (): number[] => pids.map((pid) => processTime(pid) / 1e6);
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  const [, before] = queues();
  await fill();
  if (queues()[0] === 0) throw new Error("nothing waits for the workers");
  const ran = times();
  const began = performance.now();
  for (const pid of pids) process.kill(pid, "SIGCONT");
  let [last, ended] = [0, began];
  while (performance.now() - ended < IDLE_MS || queues()[0] > 0) {
    Atomics.wait(PAUSE, 0, 0, 0.3);
    const now = times().reduce((sum, time) => sum + time, 0);
    if (now !== last) [last, ended] = [now, performance.now()];
  }
  const wall = ended - began;
  if (queues()[1] > before) throw new Error("the sockets had no room for all of it; lower what is sent");
  const runs = times().map((time, i) => time - ran[i]!);
  return { wall, longest: Math.max(...runs), run: runs.reduce((sum, one) => sum + one, 0) };
}

/** Sets up a call for each terminal. Returns the ports of ours that they send media to. */
async function callsUp({ service }: Proxy, terminals: Socket[], server: Socket): Promise<number[]> {
  const onRequest = (data: Buffer, from: { port: number; address: string }): void => server.send(answer(data.toString("latin1")), from.port, from.address);
  server.on("message", onRequest);
  const ports: number[] = [];
  for (const [i, terminal] of terminals.entries()) {
    const answered = once(terminal, "message") as Promise<[Buffer]>;
    await send(terminal, invite(terminal, `up-${service}-${i}`), 5060, service);
    ports.push(Number(/^m=audio (\d+)/m.exec((await answered)[0].toString("latin1"))![1]));
  }
  server.off("message", onRequest);
  return ports;
}

function median(list: number[]): number {
  return [...list].sort((a, b) => a - b)[list.length >> 1]!;
}

function row(cells: string[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(24) : cell.padStart(14))).join("");
}

/** Rates by what the busier worker ran: what they are where each has a processor for itself. By the clock others of the machine count too, and the kernel's threads. */
function show(name: string, n: number, [one, two]: [Taken[], Taken[]]): void {
  const of = (list: Taken[], what: keyof Taken): number => median(list.map((taken) => taken[what]));
  const rates = [one, two].map((list, i) => (n * (i + 1) * 1000) / of(list, "longest"));
  const costs = [one, two].map((list, i) => (of(list, "run") * 1000) / n / (i + 1));
  const ratios = (["longest", "wall"] as const).map((what) => (2 * of(one, what)) / of(two, what));
  console.log(row([name, ...rates.map((rate) => rate.toFixed(0)), ...ratios.map((ratio) => ratio.toFixed(2)), ...costs.map((cost) => cost.toFixed(2))]));
}

/** In a namespace of its own. */
async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "culvert-workers-"));
  process.on("exit", () => {
    for (const child of launched) child.kill("SIGTERM");
    rmSync(folder, { recursive: true });
  });
  // Or it would see too late that the workers are done.
  prefer(process.pid);
  const server = await socketOpen(SINK);
  const terminals = await Promise.all(Array.from({ length: TERMINALS }, (_, i) => socketOpen("127.0.0.8", FIRST_PORT + i)));
  await socketOpen(SINK, 9);
  const proxies: Proxy[] = [];
  for (const count of [1, 2]) proxies.push(await launch(folder, count, `${SINK}:${server.address().port}`));
  const ports: number[][] = [];
  for (const proxy of proxies) ports.push(await callsUp(proxy, terminals, server));
  const calls: [Taken[], Taken[]] = [[], []];
  const packets: [Taken[], Taken[]] = [[], []];
  for (let round = -WARM; round < ROUNDS; round++) {
    for (const [i, proxy] of proxies.entries()) {
      const media = async (): Promise<void> => {
        for (let n = 0; n < PACKETS * proxy.count; n++) await send(terminals[n % TERMINALS]!, RTP, ports[i]![n % TERMINALS]!, proxy.service);
      };
      const setup = async (): Promise<void> => {
        for (let n = 0; n < CALLS * proxy.count; n++) {
          const terminal = terminals[n % TERMINALS]!;
          await send(terminal, invite(terminal, `new-${round}-${n}`), 5060, proxy.service);
        }
      };
      const [relayed, placed] = [await drain(proxy, media), await drain(proxy, setup)];
      if (round < 0) continue;
      packets[i]!.push(relayed);
      calls[i]!.push(placed);
    }
  }
  console.log(`${ROUNDS} rounds in turns, ${availableParallelism()} processors: medians`);
  console.log(row(["a second", "1 worker", "2 workers", "ratio", "by the clock", "us each, 1", "us each, 2"]));
  show("INVITEs of new calls", CALLS, calls);
  show("RTP packets relayed", PACKETS, packets);
  process.exit();
}

function enclose(): void {
  const namespace = `cv-workers${process.pid}`;
  execFileSync("ip", ["netns", "add", namespace]);
  try {
    execFileSync("ip", ["-n", namespace, "link", "set", "lo", "up"]);
    const words = ["netns", "exec", namespace, "sh", "-c", 'ulimit -n $(ulimit -Hn); exec "$@"', "sh", process.execPath, process.argv[1]!, "workers"];
    execFileSync("ip", words, { stdio: "inherit", env: { ...process.env, [INSIDE]: "1" } });
  } finally {
    execFileSync("ip", ["netns", "del", namespace]);
  }
}

const absent = missing(PROGRAMS);
if (process.env[INSIDE] !== undefined) await measure();
else if (absent.length > 0 || process.getuid?.() !== 0)
  console.log(`skipped: wants root and ${PROGRAMS.join(", ")}${absent.length > 0 ? `; ${absent.join(", ")} missing` : ""}`);
else enclose();
