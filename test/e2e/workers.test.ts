/*
 * Two workers behind one address (SPEC A1), in a namespace with loopback alone: sipp's callers at many ports and many addresses, with
 * media. Both take calls, none fails, all is given back; and when one is killed the calls of the other do not notice.
 */

import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { SHIM } from "../shim.ts";
import { Culvert, loopbackConfiguration, NODE, nodeHost } from "./culvert.ts";
import { namespacesOf } from "./namespace.ts";
import { type Program, stopAll } from "./process.ts";
import { file, lab, labPath, program, scenario } from "./requirement.ts";
import { type SippOptions, sipp, sippFigures, sippRun } from "./sipp.ts";

const { netnsOf, make, networkDown } = namespacesOf("cw", ["px"]);
const scripts = join(labPath, "sipp");
const SERVICE = "127.0.0.1:5060";
const SERVER = "127.0.0.3";
/** What the lab's caller and callee play in 3 s, each one packet every 30 ms. */
const PACKETS = 100;
const GIVEN_BACK_S = 60;
/** Calls a second of each of the two callers, and how long one is neither unknown nor answered. */
const RATE = 15;
const SETUP_S = 0.5;
const ADDRESSES = Array.from({ length: 40 }, (_, i) => `127.0.1.${i + 1}`);
const needs = [...lab(), program("sipp"), file("/usr/share/sip-tester/g711a.pcap"), file(nodeHost), file(SHIM)];

class Workers {
  readonly folder: string;
  readonly culvert: Culvert;
  readonly #callees: Program[];

  private constructor(folder: string, culvert: Culvert, callees: Program[]) {
    this.folder = folder;
    this.culvert = culvert;
    this.#callees = callees;
  }

  static async up(by: string): Promise<Workers> {
    const folder = mkdtempSync(join(tmpdir(), "culvert-workers-"));
    await make("true");
    const configuration = loopbackConfiguration(folder, 5060, SERVER);
    configuration.realms.core = { address: "127.0.0.2", linger: "1s" };
    configuration.realms.access = { ...configuration.realms.access, linger: "1s" };
    configuration.capacity = { terminals: 2000, calls: 2000 };
    configuration.workers = { count: 2, by };
    configuration.secret = "000102030405060708090a0b0c0d0e0f";
    configuration.state = { file: join(folder, "state") };
    const culvert = await Culvert.start(folder, configuration, NODE, 150, netnsOf("px"));
    const callee = { scenario: join(scripts, "uas.xml"), local: SERVER, port: 5060, seconds: 140, netns: netnsOf("px"), extra: ["-aa", "-mi", SERVER] };
    const callees = (["u1", "t1"] as const).map((transport, i) =>
      sipp({ ...callee, transport, mediaPort: 6000 + 100 * i, folder: mkdtempSync(join(folder, transport)) }),
    );
    return new Workers(folder, culvert, callees);
  }

  /** Open file descriptors of each worker. */
  get descriptors(): number[] {
    return this.culvert.workers.map((pid) => readdirSync(`/proc/${pid}/fd`).length);
  }

  /** What each worker logged of an event. */
  events(name: string): { worker: number; terminal: string }[] {
    return this.culvert.logged(`"event":"${name}"`);
  }

  countOf(name: string): number[] {
    const events = this.events(name);
    return [0, 1].map((worker) => events.filter((event) => event.worker === worker).length);
  }

  /** Each caller with a port of its own, or with an address of its own out of a list. */
  caller(name: string, calls: number, rate: number, addresses?: string[]): SippOptions {
    const folder = mkdtempSync(join(this.folder, name));
    const list = join(folder, "addresses.csv");
    writeFileSync(list, `SEQUENTIAL\n${(addresses ?? []).map((address) => `${address};\n`).join("")}`);
    const common = {
      remote: SERVICE,
      scenario: join(scripts, "uac_rtp.xml"),
      user: "b",
      local: "127.0.1.1",
      mediaPort: 6100,
      seconds: 60,
      netns: netnsOf("px"),
    };
    const extra = ["-mi", "127.0.1.1", "-max_socket", "1000"];
    if (!addresses) return { ...common, transport: "un", calls, rate, folder, extra };
    return { ...common, transport: "ui", port: 5062, calls, rate, folder, extra: [...extra, "-inf", list, "-ip_field", "0"] };
  }

  /** By TCP, all calls on one connection, from an address of its own. */
  byTcp(i: number, calls: number): SippOptions {
    const common = { remote: SERVICE, scenario: join(scripts, "uac_rtp.xml"), user: "b", transport: "t1" as const, seconds: 60, netns: netnsOf("px") };
    const [local, mediaPort] = [ADDRESSES[i]!, 6200 + 10 * i];
    return { ...common, local, mediaPort, calls, rate: 5, folder: mkdtempSync(join(this.folder, "tcp")), extra: ["-mi", local] };
  }

  /** What was relayed in all, by the totals that the workers log at the end. */
  async stop(): Promise<number[]> {
    await Promise.all(this.#callees.map((callee) => callee.stop()));
    await this.culvert.stop();
    const totals = this.culvert.logged<{ worker: number; reasons: { relayed?: number } }>('"msg":"stopped"');
    return [0, 1].map((worker) => totals.find((one) => one.worker === worker)?.reasons.relayed ?? 0);
  }

  async down(): Promise<void> {
    await stopAll();
    await networkDown();
    if (process.env.CULVERT_KEEP !== "1") rmSync(this.folder, { recursive: true, force: true });
  }
}

const TCP_CALLS = 3;

describe("two workers", () => {
  scenario("400 calls with media from as many ports: both take some, none fails, all is given back", needs, 200, async () => {
    const calls = 400;
    const workers = await Workers.up("port");
    try {
      const idle = workers.descriptors;
      const caller = workers.caller("caller", calls, 25);
      const { code, output } = await sippRun(caller);
      const report = `${output.slice(-1500)}\n${JSON.stringify(sippFigures(caller))}${workers.culvert.tail}`;
      expect(code, report).toBe(0);
      expect(sippFigures(caller), report).toMatchObject({ successful: calls, failed: 0 });
      const placed = workers.countOf("call-started");
      expect(placed[0]! + placed[1]!, report).toBe(calls);
      expect(Math.min(...placed), report).toBeGreaterThan(calls / 4);
      const streams = Array.from({ length: 6 }, (_, i) => workers.byTcp(i, TCP_CALLS));
      for (const one of await Promise.all(streams.map(sippRun))) expect(one.code, one.output.slice(-1000) + workers.culvert.tail).toBe(0);
      const started = workers.countOf("call-started");
      expect(started[0]! + started[1]!).toBe(calls + streams.length * TCP_CALLS);
      // An address has one worker, whatever its ports.
      for (const worker of [0, 1]) expect((started[worker]! - placed[worker]!) % TCP_CALLS).toBe(0);
      for (const worker of [0, 1]) expect(started[worker]!, report).toBeGreaterThan(placed[worker]!);
      let waited = 0;
      for (; waited < GIVEN_BACK_S && String(workers.descriptors) !== String(idle); waited++) await sleep(1000);
      expect(workers.descriptors, `${waited} s after the last call${workers.culvert.tail}`).toEqual(idle);
      expect(workers.countOf("call-ended")).toEqual(started);
      const relayed = await workers.stop();
      console.log(JSON.stringify({ figures: sippFigures(caller), started, relayed, givenBackS: waited }));
      for (const worker of [0, 1]) expect(relayed[worker], report).toBeGreaterThan(0.95 * 2 * PACKETS * started[worker]!);
    } finally {
      await workers.down();
    }
  });

  scenario("who started them is killed: they end by themselves, in order", needs, 60, async () => {
    const workers = await Workers.up("address");
    try {
      const pids = workers.culvert.workers;
      process.kill(workers.culvert.program.pid, "SIGKILL");
      for (let waited = 0; waited < 50 && pids.some((pid) => existsSync(`/proc/${pid}`)); waited++) await sleep(100);
      expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
      expect((await workers.culvert.program.ended).output.match(/state saved/g)).toHaveLength(2);
    } finally {
      await workers.down();
    }
  });

  scenario("one is killed while calls are up: those of the other go on, and it takes calls again", needs, 200, async () => {
    const calls = 120;
    const workers = await Workers.up("address");
    try {
      const first = workers.caller("first", ADDRESSES.length, 20, ADDRESSES);
      const placed = await sippRun(first);
      expect(placed.code, placed.output + workers.culvert.tail).toBe(0);
      const owners = new Map(workers.events("call-started").map(({ worker, terminal }) => [terminal.replace(/:.*/, ""), worker]));
      const [kept, lost] = [0, 1].map((worker) => ADDRESSES.filter((address) => owners.get(address) === worker)) as [string[], string[]];
      expect(Math.min(kept.length, lost.length), String([...owners])).toBeGreaterThan(ADDRESSES.length / 5);

      const [ofKept, ofLost] = [workers.caller("kept", calls, RATE, kept), { ...workers.caller("lost", calls, RATE, lost), port: 5064, mediaPort: 6300 }];
      const both = [sippRun(ofKept), sippRun(ofLost)];
      await sleep(4000);
      // Which process is which worker is not told; who has the calls of the killed one shows it.
      const [, killed] = workers.culvert.workers as [number, number];
      process.kill(killed, "SIGKILL");
      await Promise.all(both);
      await workers.culvert.program.until(/"worker":1[^\n]*a worker is up[\s\S]*"worker":1[^\n]*a worker is up/, 10);
      const report = `${JSON.stringify([sippFigures(ofKept), sippFigures(ofLost)])}${workers.culvert.tail}`;
      expect(sippFigures(ofKept), report).toMatchObject({ successful: calls, failed: 0 });
      expect(sippFigures(ofKept).retransmissions, report).toBeLessThan(calls / 10);
      // The killed one had calls, and so has who follows it; what was being set up at that moment may be lost.
      expect(sippFigures(ofLost).retransmissions, report).toBeGreaterThan(0);
      expect(sippFigures(ofLost).failed, report).toBeLessThanOrEqual(SETUP_S * RATE);
      expect(workers.culvert.program.output.split("goes on with the state that was saved").length - 1).toBe(1);

      const again = workers.caller("again", 40, 20, lost);
      expect((await sippRun(again)).code, workers.culvert.tail).toBe(0);
      const later = workers.events("call-started").filter(({ terminal }) => lost.includes(terminal.replace(/:.*/, "")));
      expect(new Set(later.map(({ worker }) => worker))).toEqual(new Set([1]));
      const relayed = await workers.stop();
      console.log(report.slice(0, report.indexOf("\n")), JSON.stringify({ addresses: [kept.length, lost.length], relayed }));
      expect(relayed[0], report).toBeGreaterThan(0.95 * 2 * PACKETS * (calls + kept.length));
    } finally {
      await workers.down();
    }
  });
});
