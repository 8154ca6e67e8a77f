/*
 * Namespaces for the media bench: terminals, the relay in the middle, servers, with a veth pair on either side and, as far as the
 * relay can tell, a gateway before both. The generator of ../shared/lab sends from the first; in the last the device counts what
 * arrives, and it is dropped at once, which costs the relay's processor little. Everything but `labUp` and `labDown` runs inside the relay's namespace.
 */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

export const TERMINAL = "198.51.100.10";
export const SERVER = "203.0.113.20";
export const ACCESS = "10.1.0.1";
export const CORE = "10.2.0.1";
/** Ports of terminals and of servers go up by two for each call. */
export const TERMINAL_PORT = 10_000;
export const SERVER_PORT = 30_000;

/** Relays are here, the generator and its softirqs on the other. */
export const RELAY_PROCESSOR = 1;
const GENERATOR_PROCESSOR = 0;
/** At both ends of a measurement generator and relay are left to settle. */
const EDGE_S = 0.4;
const PRIORITY = -15;

export interface Lab {
  /** Namespaces. */
  terminals: string;
  relay: string;
  servers: string;
  /** The generator's program. */
  generator: string;
}

/** What one measurement saw. */
export interface Load {
  /** Packets a second that the generator sent, and that arrived. */
  offered: number;
  delivered: number;
  /** Nanoseconds of processor time for each delivered packet: the relay's threads, and its processor's softirq thread. */
  cost: number;
}

function run(program: string, ...words: string[]): string {
  return execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function ip(words: string): string {
  return run("ip", ...words.split(" "));
}

function inside(namespace: string, ...words: string[]): string {
  return run("ip", "netns", "exec", namespace, ...words);
}

function macOf(namespace: string, device: string): string {
  return ip(`-n ${namespace} -br link show ${device}`).split(/\s+/)[2]!;
}

/** With queues for as many as send by AF_XDP. */
function link(one: string, device: string, other: string, peer: string): void {
  ip(`link add ${device} netns ${one} numtxqueues 3 numrxqueues 3 type veth peer name ${peer} netns ${other} numtxqueues 3 numrxqueues 3`);
  ip(`-n ${one} link set ${device} up`);
  ip(`-n ${other} link set ${peer} up`);
}

/** The way to an address is a gateway's. */
function behind(relay: string, address: string, gateway: string, device: string, mac: string): void {
  ip(`-n ${relay} neigh replace ${gateway} lladdr ${mac} dev ${device}`);
  ip(`-n ${relay} route add ${address} via ${gateway}`);
}

export function labUp({ terminals, relay, servers }: Lab): void {
  for (const namespace of [terminals, relay, servers]) {
    ip(`netns add ${namespace}`);
    ip(`-n ${namespace} link set lo up`);
    inside(namespace, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0");
  }
  link(terminals, "t0", relay, "p1");
  link(servers, "s0", relay, "p2");
  for (const device of ["p1", "p2"]) spawnSync("ip", ["netns", "exec", relay, "ethtool", "-K", device, "rxvlan", "off"]);
  ip(`-n ${terminals} addr add ${TERMINAL}/32 dev t0`);
  ip(`-n ${relay} addr add ${ACCESS}/24 dev p1`);
  ip(`-n ${relay} addr add ${CORE}/24 dev p2`);
  ip(`-n ${servers} addr add ${SERVER}/32 dev s0`);
  behind(relay, TERMINAL, "10.1.0.254", "p1", macOf(terminals, "t0"));
  behind(relay, SERVER, "10.2.0.254", "p2", macOf(servers, "s0"));
}

/** From now on what arrives at the servers is for somebody else: any other way to drop it takes the relay's processor longer. */
export function serversMove({ servers }: Lab): void {
  ip(`-n ${servers} link set s0 address 02:00:00:00:00:fe`);
}

export function labDown({ terminals, relay, servers }: Lab): void {
  for (const namespace of [terminals, relay, servers]) {
    try {
      ip(`netns del ${namespace}`);
    } catch {
      // It was not made.
    }
  }
}

/** Puts a process before others of the machine: what else goes on would be measured too. */
export function prefer(pid: number): void {
  try {
    setPriority(pid, PRIORITY);
    writeFileSync(`/proc/${pid}/autogroup`, String(PRIORITY));
  } catch {
    // The kernel has no autogroups.
  }
}

/** Runs something with the processors polling when they have nothing to do, and not halting: what the kernel calls latency 0 (PM QoS). */
export async function awake<T>(measure: () => Promise<T>): Promise<T> {
  const file = openSync("/dev/cpu_dma_latency", "w");
  try {
    writeSync(file, new Uint8Array(4));
    return await measure();
  } finally {
    closeSync(file);
  }
}

function arrived({ servers }: Lab): number {
  return Number(inside(servers, "cat", "/sys/class/net/s0/statistics/rx_packets"));
}

function threadTime(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  } catch {
    return 0;
  }
}

/** Nanoseconds that the threads of a process have run. */
export function processTime(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + threadTime(pid, thread), 0);
}

/** Processes that a process has started, the first one first. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
}

function softirqThread(): number {
  const named = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/comm`, "utf8") === `ksoftirqd/${RELAY_PROCESSOR}\n`;
    } catch {
      return false;
    }
  };
  return Number(readdirSync("/proc").find((entry) => /^\d+$/.test(entry) && named(entry)));
}

const softirqs = softirqThread();

/** Sends for so long to these ports, one for each call; 0 packets a second is as many as it can. Resolves to its last line. */
async function generate(lab: Lab, ports: number[], pps: number, seconds: number): Promise<string> {
  const to = [macOf(lab.relay, "p1"), TERMINAL, TERMINAL_PORT, ACCESS, 0, ports.length, pps, seconds, GENERATOR_PROCESSOR];
  const child = spawn("ip", ["netns", "exec", lab.terminals, lab.generator, "tx", "t0", ...to.map(String)], {
    env: { ...process.env, GEN_PORTS: ports.join(" ") },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  prefer(child.pid!);
  let text = "";
  child.stdout.on("data", (data: Buffer) => (text += data.toString()));
  await new Promise((resolve) => child.on("close", resolve));
  return text;
}

/** The servers send a little to these ports, one for each call: in packet mode the relay learns the way to them so. */
export function answer({ relay, servers, generator }: Lab, ports: number[]): void {
  const to = [macOf(relay, "p2"), SERVER, SERVER_PORT, CORE, 0, ports.length, ports.length * 10, 1, GENERATOR_PROCESSOR];
  run("ip", "netns", "exec", servers, "env", `GEN_PORTS=${ports.join(" ")}`, generator, "tx", "s0", ...to.map(String));
}

/** Sends through a relay and measures what arrives and what the relay's process takes for it. */
export async function load(lab: Lab, pids: number[], ports: number[], pps: number, seconds: number): Promise<Load> {
  const sending = generate(lab, ports, pps, seconds + 2 * EDGE_S);
  const sample = (): [number, number, number] => [arrived(lab), [...pids, softirqs].reduce((sum, pid) => sum + processTime(pid), 0), performance.now()];
  await sleep(EDGE_S * 1000);
  const [packets, time, begun] = sample();
  await sleep(seconds * 1000);
  const [after, used, ended] = sample();
  const offered = Number(/(\d+) pps/.exec(await sending)![1]);
  await sleep(EDGE_S * 1000);
  return { offered, delivered: ((after - packets) * 1000) / (ended - begun), cost: (used - time) / (after - packets) };
}

/** Microseconds from sending to the servers' device: the median and the 99th percentile. */
export async function delay(lab: Lab, ports: number[], pps: number, seconds: number): Promise<[number, number]> {
  const words = ["netns", "exec", lab.servers, lab.generator, "rx", "s0", "20000", "60000", String(seconds + 1), String(GENERATOR_PROCESSOR)];
  const sink = spawn("ip", words, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  sink.stdout.on("data", (data: Buffer) => (text += data.toString()));
  const over = new Promise((resolve) => sink.on("close", resolve));
  await sleep(EDGE_S * 1000);
  await generate(lab, ports, pps, seconds);
  await over;
  const found = /p50 ([\d.]+) .*p99 ([\d.]+)/.exec(text);
  return found ? [Number(found[1]), Number(found[2])] : [Number.NaN, Number.NaN];
}
