/*
 * Several workers: what of a configuration each has, what several cannot have, and how they are kept going.
 */

import { describe, expect, test } from "vitest";
import { nodeHost } from "../../../hosts/node/host.ts";
import { type Config, configRead } from "../../../hosts/shared/config.ts";
import { rangeText } from "../../../hosts/shared/config/range.ts";
import type { Host, Shim } from "../../../hosts/shared/runtime.ts";
import { configPart, shareNumber, shareOf } from "../../../hosts/shared/workers/share.ts";
import { workersCount, workersStart } from "../../../hosts/shared/workers/start.ts";
import { Supervisor } from "../../../hosts/shared/workers/supervisor.ts";
import type { Task, WorkerWatcher, Workforce } from "../../../hosts/shared/workers/workforce.ts";
import { problemsOf, read, SMALL } from "./configuration.ts";
import { fakeLog } from "./fakelog.ts";
import { fakeRuntime } from "./fakeruntime.ts";

const SECRET = "secret: 000102030405060708090a0b0c0d0e0f\n";

function partsOf(text: string, count: number): Config[] {
  const config = read(text);
  return Array.from({ length: count }, (_, index) => configPart(config, { index, count, by: config.workers.by }));
}

const portsOf = (config: Config): string[] => config.pools.map(({ ports }) => rangeText(ports));

describe("the part of a worker", () => {
  test("ports are divided, each part beginning at an even one, none in two", () => {
    const parts = partsOf(
      `${SMALL.replace("10.9.0.2 }", "10.9.0.2, ports: { signal: 10001-19999, media: 20000-20013 } }")}workers: 3\ncapacity: { terminals: 4, calls: 3 }\n`,
      3,
    );
    expect(parts.map(portsOf)).toEqual([
      ["20000-26665", "10001-13332", "20000-20003"],
      ["26666-33331", "13333-16664", "20004-20007"],
      ["33332-39997", "16665-19996", "20008-20011"],
    ]);
    for (const { pools } of parts) {
      expect(pools.map(({ whole }) => whole && rangeText(whole))).toEqual(["20000-39999", "10001-19999", "20000-20013"]);
      for (const { kind, ports } of pools) if (kind === "media") expect([ports.first & 1, ports.last & 1]).toEqual([0, 1]);
    }
  });

  test("tables are divided and rounded up, rules are not; ports are its own", () => {
    const [part] = partsOf(`${SMALL}workers: 3\ncapacity: { terminals: 1000, blocks: 1 }\n`, 3) as [Config];
    expect(part.capacity).toEqual({
      terminals: 334,
      bindings: 667,
      registrations: 667,
      calls: 334,
      flows: 667,
      connections: 1000,
      blocks: 1,
      datagrams: 0,
      ports: 6666 + 3332 + 6666,
      rules: 64,
    });
  });

  test("it has a state file of its own, batched sockets, and knows which one it is", () => {
    const [, part] = partsOf(`${SMALL}${SECRET}state: { file: state }\nworkers: { count: 2, by: port }\n`, 2) as [Config, Config];
    expect(part.state).toEqual({ file: "state.1", everyMs: 100 });
    expect([part.io, shareOf(part)]).toEqual(["batched", { index: 1, count: 2, by: "port" }]);
    expect(shareOf(read(`${SMALL}workers: 2\n`))).toBeUndefined();
    expect(shareNumber(shareOf(part))).toBe(2 | (1 << 8) | (1 << 16));
    expect(shareNumber(undefined)).toBe(0);
  });
});

describe("what may be said", () => {
  test("one, by the address, unless something else is said", () => {
    expect(read(SMALL).workers).toEqual({ count: 1, by: "address" });
    expect(read(`${SMALL}workers: auto\n`).workers).toEqual({ count: "auto", by: "address" });
    expect(read(`${SMALL}workers: { count: 4, by: port }\n`).workers).toEqual({ count: 4, by: "port" });
  });

  test.each([
    ["workers: 0\n", ["culvert.yaml:6:10: error: workers: must be at least 1"]],
    ["workers: many\n", ["culvert.yaml:6:10: error: workers: must be auto or a number from 1 to 32"]],
    ["workers: { count: 2, by: name }\n", ["culvert.yaml:6:10: error: workers: must be auto, a number from 1 to 32, or { count: …, by: address or port }"]],
    [
      "workers: 2\nio: portable\n",
      ["culvert.yaml:6:10: error: workers: several workers share ports by batched sockets; leave `io: portable` away, or have one worker"],
    ],
    [
      "workers: 2\ninterfaces: { eth0: { receive: xdp } }\n",
      ["culvert.yaml:6:10: error: workers: `receive: xdp` gives frames to one worker; leave one of the two away"],
    ],
    [
      "workers: auto\nstate: { file: state }\n",
      ["culvert.yaml:7:8: error: state: several workers have a file each, and one key: say `secret:` too; make one with `openssl rand -hex 16`"],
    ],
  ])("%j is refused", (lines, problems) => {
    expect(problemsOf(SMALL + lines)).toEqual(problems);
  });

  test("ranges that are too small for so many are refused", () => {
    const text = SMALL.replace("10.9.0.2 }", "10.9.0.2, ports: { signal: 10000-10005, media: 20000-20005 } }").replace(
      "192.0.2.1 }",
      "192.0.2.1, ports: { media: 20000-20007 } }",
    );
    const errors = problemsOf(`${text}workers: 4\n`).filter((line) => line.includes("error"));
    expect(errors).toEqual([
      "culvert.yaml:6:10: error: workers: the signal ports 10000-10005 of realm core are too few for 4 workers, each of which has a part of them, at least 2; widen `ports: { signal: … }` or lower `workers:`",
      "culvert.yaml:6:10: error: workers: the media ports 20000-20005 of realm core are too few for 4 workers, each of which has a part of them, at least 2; widen `ports: { media: … }` or lower `workers:`",
    ]);
    expect(problemsOf(`${text}workers: 3\n`).filter((line) => line.includes("error"))).toEqual([]);
  });
});

/** Processes that do what the test says. */
function fakeWorkforce(processors: number) {
  const started: { task: Task; watcher: WorkerWatcher; done: string[] }[] = [];
  const workforce: Workforce = {
    processors,
    start(task, watcher) {
      const one = { task, watcher, done: [] as string[] };
      started.push(one);
      return { stop: () => void one.done.push("stop"), kill: () => void one.done.push("kill") };
    },
  };
  return { workforce, started };
}

function hostOf(workforce: Workforce | undefined, shim: Shim | string): Host {
  const { workforce: _, ...rest } = nodeHost;
  return { ...rest, ...(workforce ? { workforce } : {}), runtime: { ...fakeRuntime(), shim: () => shim } };
}

const shim = { close: () => undefined } as unknown as Shim;

describe("how many there are", () => {
  const auto = read(`${SMALL}workers: auto\n`);
  const three = read(`${SMALL}workers: 3\n`);

  test("what is said; with auto one for each processor, and no more than the ports are enough for", () => {
    const host = hostOf(fakeWorkforce(4).workforce, shim);
    expect(workersCount(three, host, fakeLog())).toBe(3);
    expect(workersCount(auto, host, fakeLog())).toBe(4);
    expect(workersCount(auto, hostOf(fakeWorkforce(256).workforce, shim), fakeLog())).toBe(32);
    const narrow = configRead(`${SMALL.replace("10.9.0.2 }", "10.9.0.2, ports: { media: 20000-20005 } }")}workers: auto\n`, "culvert.yaml").config!;
    expect(workersCount(narrow, host, fakeLog())).toBe(3);
    expect(workersCount(read(SMALL), hostOf(undefined, "no"), fakeLog())).toBe(1);
  });

  test("a number that cannot be had is an error; with auto there is one, and the log says why", () => {
    expect(() => workersCount(three, hostOf(fakeWorkforce(4).workforce, "no rights"), fakeLog())).toThrow(
      "workers: 3 cannot be had: they share ports by batched sockets: no rights; say `workers: 1` or auto",
    );
    expect(() => workersCount(three, hostOf(undefined, shim), fakeLog())).toThrow("workers: 3 cannot be had: on fake there is one");
    const log = fakeLog();
    expect(workersCount(auto, hostOf(fakeWorkforce(4).workforce, "no rights"), log)).toBe(1);
    expect(log.at("warn").join("\n")).toContain("one worker: they share ports by batched sockets: no rights");
    const quiet = fakeLog();
    expect(workersCount(auto, hostOf(fakeWorkforce(1).workforce, "no rights"), quiet)).toBe(1);
    expect(quiet.at("warn")).toEqual([]);
  });
});

describe("the supervisor", () => {
  const tasks = partsOf(`${SMALL}workers: 2\n`, 2).map((config): Task => ({ config, directory: "", kind: "wasm" }));

  async function up() {
    const runtime = fakeRuntime();
    const log = fakeLog();
    const { workforce, started } = fakeWorkforce(2);
    const supervisor = new Supervisor(tasks, workforce, runtime, log);
    const starting = supervisor.start();
    started.forEach(({ watcher }) => watcher.onUp());
    await starting;
    return { runtime, log, started, supervisor };
  }

  test("a worker that ends is started again with its task, and again after longer and longer pauses; others are left alone", async () => {
    const { runtime, log, started } = await up();
    runtime.advance(20_000);
    started[1]!.watcher.onEnd("SIGKILL");
    runtime.advance(0);
    expect(started.map(({ task }) => task)).toEqual([tasks[0], tasks[1], tasks[1]]);
    expect(log.at("error").join("\n")).toContain("a worker ended, and is started again");
    for (const [i, pauseMs] of [0, 100, 200, 400].entries()) {
      started.at(-1)!.watcher.onEnd("exit code 2");
      if (pauseMs > 0) runtime.advance(pauseMs - 1);
      expect(started.length, `pause ${pauseMs}`).toBe(3 + i);
      runtime.advance(1);
      expect(started.length, `pause ${pauseMs}`).toBe(4 + i);
    }
    runtime.advance(20_000);
    started.at(-1)!.watcher.onEnd("SIGSEGV");
    runtime.advance(0);
    expect(started).toHaveLength(8);
    expect(started[0]!.done).toEqual([]);
  });

  test("one that cannot start ends them all, and its message is the error", async () => {
    const { workforce, started } = fakeWorkforce(2);
    const supervisor = new Supervisor(tasks, workforce, fakeRuntime(), fakeLog());
    const starting = supervisor.start();
    started[0]!.watcher.onUp();
    started[1]!.watcher.onFailure("the port is taken");
    started[1]!.watcher.onEnd("exit code 2");
    await Promise.resolve();
    await Promise.resolve();
    expect(started[0]!.done).toEqual(["stop"]);
    started[0]!.watcher.onEnd("exit code 0");
    await expect(starting).rejects.toThrow("the port is taken");
    expect(started).toHaveLength(2);
  });

  test("one that ends before it is up without a word is an error too", async () => {
    const { workforce, started } = fakeWorkforce(2);
    const starting = new Supervisor(tasks, workforce, fakeRuntime(), fakeLog()).start();
    started[1]!.watcher.onEnd("SIGKILL");
    started[0]!.watcher.onEnd("exit code 0");
    await expect(starting).rejects.toThrow("worker 1 ended before it was up (SIGKILL)");
  });

  test("stop waits until none is left, and kills what does not end", async () => {
    const { runtime, started, supervisor } = await up();
    let stopped = false;
    const stopping = supervisor.stop().then(() => (stopped = true));
    expect(started.map(({ done }) => done)).toEqual([["stop"], ["stop"]]);
    started[0]!.watcher.onEnd("exit code 0");
    runtime.advance(10_000);
    expect(started.map(({ done }) => done)).toEqual([["stop"], ["stop", "kill"]]);
    await Promise.resolve();
    expect(stopped).toBe(false);
    started[1]!.watcher.onEnd("SIGKILL");
    await stopping;
    runtime.advance(60_000);
    expect(started).toHaveLength(2);
  });

  test("a worker that waits to be started again is not, once it is over", async () => {
    const { runtime, started, supervisor } = await up();
    started[0]!.watcher.onEnd("SIGKILL");
    const stopping = supervisor.stop();
    started[1]!.watcher.onEnd("exit code 0");
    await stopping;
    runtime.advance(60_000);
    expect(started).toHaveLength(2);
  });
});

test("each worker is told its part and the one key, which no log has", async () => {
  const { workforce, started } = fakeWorkforce(2);
  const log = fakeLog();
  const starting = workersStart({ config: read(`${SMALL}workers: 2\n`), directory: "/etc/", kind: "wasm", host: hostOf(workforce, shim), log });
  while (started.length < 2) await Promise.resolve();
  started.forEach(({ watcher }) => watcher.onUp());
  const running = await starting;
  expect(started.map(({ task }) => [task.config.workers.index, task.config.secret, task.directory])).toEqual([0, 1].map((i) => [i, "07".repeat(16), "/etc/"]));
  expect(JSON.stringify(log)).not.toContain("0707");
  expect(log.at("info").join("\n")).toContain("up");
  const stopping = running.stop();
  started.forEach(({ watcher }) => watcher.onEnd("exit code 0"));
  await stopping;
});
