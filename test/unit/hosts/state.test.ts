import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nodeHost } from "../../../hosts/node/host.ts";
import { configRead, type Config } from "../../../hosts/shared/config.ts";
import { configure } from "../../../hosts/shared/configure.ts";
import * as abi from "../../../hosts/shared/core.ts";
import type { Host, PrivateFile } from "../../../hosts/shared/runtime.ts";
import { stateExtents } from "../../../hosts/shared/state/extent.ts";
import { stateRead } from "../../../hosts/shared/state/reader.ts";
import { StateSaver } from "../../../hosts/shared/state/saver.ts";
import { HEADER_BYTES, headerRead, headerWrite, slotPlaces } from "../../../hosts/shared/state/slot.ts";
import { Random } from "../core/random.ts";
import { fakeLog, type FakeLog } from "./fakelog.ts";
import { type FakeRuntime, fakeRuntime } from "./fakeruntime.ts";

const TEXT = `
realms: { access: { address: 192.0.2.1, ports: { media: 20000-20999 } }, core: { address: 10.9.0.2, ports: { signal: 10000-10999, media: 20000-20999 } } }
services: { voice: { address: 203.0.113.5, servers: [10.9.0.10] } }
capacity: { terminals: 100 }
`;
const KEY = Uint8Array.from({ length: abi.KEY_BYTES }, (_, i) => 3 * i + 1);

let folder: string;
let path: string;
let runtime: FakeRuntime;
let host: Host;
let log: FakeLog;

function settled(text: string): Config {
  const { config, problems } = configRead(text, "culvert.yaml");
  if (!config) throw new Error(JSON.stringify(problems));
  return config;
}

async function booted(config: Config): Promise<abi.Core> {
  const core = await abi.coreOpen({ kind: "js" }, config.capacity, KEY);
  configure(core, config);
  expect(core.boot(1000)).toBe(0);
  return core;
}

/** Writes as the core does, which says so. */
function put({ memory, region }: abi.Core, at: number, value: number): void {
  memory.words[at >> 2] = value;
  memory.bytes[region(abi.REGION_DIRTY) + (at >> abi.PAGE_SHIFT)] = 1;
}

/** Marks every extent, all of one moment. */
function mark(core: abi.Core, value: number): void {
  for (const [from, to] of stateExtents(core.region)) {
    for (let at = from + 2048; at < to; at += 40_960) put(core, at, value);
    put(core, to - 4, value);
  }
}

/** The mark of saved memory, which must be one throughout. */
function markOf(core: abi.Core, memory: Uint8Array): number {
  const words = new Int32Array(memory.buffer);
  const marks = new Set<number>();
  for (const [from, to] of stateExtents(core.region)) {
    for (let at = from + 2048; at < to; at += 40_960) marks.add(words[at >> 2]!);
    marks.add(words[(to - 4) >> 2]!);
  }
  expect(marks.size).toBe(1);
  return [...marks][0]!;
}

function saverStart(core: abi.Core, config: Config, by: Host = host): Promise<StateSaver> {
  return StateSaver.start({ core, config, path, everyMs: 100, host: by, log, clock: () => runtime.now() | 0 });
}

/** Reads what is there for a configuration, into a core of its own. */
async function reread(config: Config, secret?: Uint8Array): Promise<{ mark: number; clock: number; ageMs: number; key: Uint8Array } | undefined> {
  const core = await abi.coreOpen({ kind: "js" }, config.capacity, new Uint8Array(abi.KEY_BYTES));
  const saved = await stateRead(path, core, config, secret, host, log);
  return saved && { mark: markOf(core, saved.memory), clock: saved.clock, ageMs: saved.ageMs, key: saved.key };
}

/** Saves two moments in an orderly way. */
async function twoSaved(config: Config): Promise<abi.Core> {
  const core = await booted(config);
  mark(core, 1);
  const saver = await saverStart(core, config);
  mark(core, 2);
  await saver.stop();
  return core;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "culvert-state-"));
  path = join(folder, "state");
  runtime = fakeRuntime();
  host = { ...nodeHost, runtime, wall: () => 1_700_000_000_000 + runtime.now() };
  log = fakeLog();
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("a file", () => {
  test("gives back the moment that was saved last, its key and its time", async () => {
    const config = settled(TEXT);
    await twoSaved(config);
    runtime.advance(2500);
    expect(await reread(config)).toEqual({ mark: 2, clock: 3500, ageMs: 2500, key: KEY });
    expect(log.at("warn")).toEqual([]);
  });

  test("is only its owner's, and holds the key, which no log line does", async () => {
    await twoSaved(settled(TEXT));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path).includes(Buffer.from(KEY))).toBe(true);
    expect(JSON.stringify(log.lines)).not.toContain(Buffer.from(KEY).toString("hex"));
  });

  test("is saved when its time comes, and only when something has changed", async () => {
    const config = settled(TEXT);
    const core = await booted(config);
    const saver = await saverStart(core, config);
    const settle = async (): Promise<void> => {
      runtime.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await settle();
    await settle();
    expect(saver.totals.saves).toBe(1);
    mark(core, 7);
    await settle();
    expect(saver.totals.saves).toBe(2);
    expect((await reread(config))?.mark).toBe(7);
    await saver.stop();
    expect(saver.totals.saves).toBe(2);
  });

  test("that is not there is an empty start without complaint", async () => {
    expect(await reread(settled(TEXT))).toBeUndefined();
    expect(log.at("warn")).toEqual([]);
    expect(log.at("info")).toEqual([expect.stringMatching(/no saved state yet/)]);
  });

  test("in a directory that is not there is refused with advice", async () => {
    const config = settled(TEXT);
    path = join(folder, "nowhere", "state");
    await expect(saverStart(await booted(config), config)).rejects.toThrow(/state: ".*nowhere\/state" cannot be written: ENOENT.*; give a file/);
  });
});

describe("what is saved is of one moment, though a turn copies a few pages", () => {
  /** A machine on which each look at the clock finds half a millisecond gone; `between` is what happens from one turn to the next. */
  function slow(between: (turn: number) => void): Host {
    let looks = 0;
    let turn = 0;
    const setTimer = (ms: number, callback: () => void): unknown => {
      if (ms > 0) return runtime.setTimer(ms, callback);
      between(++turn);
      return setImmediate(callback);
    };
    return { ...host, runtime: { ...runtime, now: () => runtime.now() + looks++ / 2, setTimer } };
  }

  const LARGE = TEXT.replace("100 }", "4000 }");

  test("what changes meanwhile is in it", async () => {
    const config = settled(LARGE);
    const core = await booted(config);
    const between = (turn: number): void => (turn > 3 ? undefined : mark(core, turn));
    const saver = await saverStart(core, config, slow(between));
    expect((await reread(config))?.mark).toBe(3);
    expect(saver.totals.longestMs).toBeLessThan(2);
    await saver.stop();
  });

  test("what changes in every turn is caught up with", async () => {
    const config = settled(LARGE);
    const core = await booted(config);
    let turns = 0;
    const between = (turn: number): void => {
      turns = turn;
      for (let at = core.region(abi.REGION_TERMINALS); at < core.region(abi.REGION_RULES); at += 4096) put(core, at, turn);
      mark(core, turn);
    };
    await (await saverStart(core, config, slow(between))).stop();
    expect(turns).toBeLessThan(1000);
    expect((await reread(config))?.mark).toBe(turns);
  });
});

describe("a process that is killed while it saves", () => {
  /** What stands in a file after each of its writes. */
  function recorded(moments: Uint8Array[]): Host {
    let image = new Uint8Array();
    const file: PrivateFile = {
      read: async () => new Uint8Array(),
      write: async (at, bytes) => {
        const longer = new Uint8Array(Math.max(image.length, at + bytes.length));
        longer.set(image);
        longer.set(bytes, at);
        image = longer;
        moments.push(image);
        // Half of it.
        const torn = longer.slice();
        torn.fill(0xa5, at + (bytes.length >> 1), at + bytes.length);
        moments.push(torn);
      },
      publish: async () => void moments.splice(0, moments.length, image),
      close: async () => undefined,
    };
    return { ...host, privateCreate: async () => file };
  }

  test("leaves one moment whole, whenever that happens", async () => {
    const config = settled(TEXT);
    const core = await booted(config);
    const moments: Uint8Array[] = [];
    mark(core, 1);
    const saver = await saverStart(core, config, recorded(moments));
    expect(moments).toHaveLength(1);
    const found: number[] = [];
    for (const value of [2, 3]) {
      mark(core, value);
      runtime.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await saver.stop();
    expect(moments.length).toBeGreaterThan(12);
    for (const bytes of moments) {
      writeFileSync(path, bytes, { mode: 0o600 });
      found.push((await reread(config))?.mark ?? 0);
    }
    expect(found).toEqual([...found].sort());
    expect(new Set(found)).toEqual(new Set([1, 2, 3]));
  });
});

describe("is refused, with a warning that says why:", () => {
  async function refusal(config: Config, secret?: Uint8Array): Promise<string[]> {
    expect(await reread(config, secret)).toBeUndefined();
    return log.at("warn");
  }

  test.each([
    ["other capacities", TEXT.replace("100 }", "101 }"), /capacity/],
    ["another realm", TEXT.replaceAll("access:", "inside:"), /realms are not/],
    ["another service", TEXT.replace("voice:", "video:"), /services are not/],
    ["other ports", TEXT.replace("10000-10999", "11000-11999"), /ports or addresses/],
    ["another address", TEXT.replace("10.9.0.2,", "10.9.0.3,"), /ports or addresses/],
  ])("%s", async (_, text, why) => {
    await twoSaved(settled(TEXT));
    expect(await refusal(settled(text))).toEqual([expect.stringMatching(why)]);
  });

  test("another secret, which it does not say", async () => {
    await twoSaved(settled(TEXT));
    expect((await reread(settled(TEXT), KEY))?.mark).toBe(2);
    const [warning] = await refusal(settled(TEXT), KEY.slice().fill(0x66));
    expect(warning).toMatch(/`secret:` is another/);
    expect(warning).not.toContain("6666");
  });

  test("another version", async () => {
    const config = settled(TEXT);
    const core = await twoSaved(config);
    const bytes = readFileSync(path);
    for (const slot of [0, 1] as const) {
      const at = slotPlaces(slot, core.memory.bytes.length).header;
      const header = headerRead(bytes.subarray(at, at + HEADER_BYTES))!;
      bytes.set(headerWrite({ ...header, layout: header.layout + 1 }), at);
    }
    writeFileSync(path, bytes);
    expect(await refusal(config)).toEqual([expect.stringMatching(/version of Culvert/)]);
  });

  test("one that is older than a week", async () => {
    await twoSaved(settled(TEXT));
    runtime.advance(8 * 86_400_000);
    expect(await refusal(settled(TEXT))).toEqual([expect.stringMatching(/older than a week/)]);
  });

  test("one that others may read", async () => {
    await twoSaved(settled(TEXT));
    chmodSync(path, 0o640);
    expect(await refusal(settled(TEXT))).toEqual([expect.stringMatching(/others than its owner may read or write it \(mode 640\)/)]);
  });

  test.each([
    ["nothing in it", new Uint8Array()],
    ["no state at all", new TextEncoder().encode("hello\n".repeat(10_000))],
  ])("%s", async (_, bytes) => {
    writeFileSync(path, bytes, { mode: 0o600 });
    expect(await refusal(settled(TEXT))).toEqual([expect.stringMatching(/damaged, or no state/)]);
  });

  test("a directory", async () => {
    path = folder;
    chmodSync(folder, 0o700);
    expect(await refusal(settled(TEXT))).toEqual([expect.stringMatching(/EISDIR/)]);
  });

  test("one that was cut short", async () => {
    await twoSaved(settled(TEXT));
    writeFileSync(path, readFileSync(path).subarray(0, 100_000));
    expect((await refusal(settled(TEXT))).at(-1)).toMatch(/it is damaged/);
  });
});

test("where the later moment is damaged the one before is used", async () => {
  const config = settled(TEXT);
  const core = await twoSaved(config);
  const bytes = readFileSync(path);
  const at = slotPlaces(1, core.memory.bytes.length).memory + core.region(abi.REGION_CALLS) + 100;
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(path, bytes);
  expect((await reread(config))?.mark).toBe(1);
  expect(log.at("warn")).toEqual([expect.stringMatching(/damaged; what was saved before/)]);
});

test("a file that is damaged or cut short anywhere gives one of its moments or none, and says why", async () => {
  const config = settled(TEXT);
  const core = await twoSaved(config);
  const whole = readFileSync(path);
  const moment = async (): Promise<Uint8Array | undefined> => (await stateRead(path, core, config, undefined, host, log))?.memory;
  const moments = [await moment()];
  const second = slotPlaces(1, core.memory.bytes.length).header;
  writeFileSync(path, whole.subarray(0, second));
  moments.push(await moment());
  const random = new Random(1);
  const given = { moments: 0, refused: 0 };
  for (let n = 0; n < 150; n++) {
    const bytes = Buffer.from(whole);
    const cut = random.chance(0.3) ? random.below(bytes.length) : bytes.length;
    for (let i = random.below(4); i >= 0; i--) {
      const at = random.chance(0.5) ? random.below(bytes.length) : (random.chance(0.5) ? second : 0) + random.below(400);
      bytes[at] = bytes[at]! ^ (1 << random.below(8));
    }
    writeFileSync(path, bytes.subarray(0, cut));
    log.lines.length = 0;
    const memory = await moment();
    if (memory) expect(moments.some((one) => Buffer.compare(one!, memory) === 0)).toBe(true);
    else expect(log.at("warn").join()).toMatch(/is not used.*damaged/);
    given[memory ? "moments" : "refused"]++;
  }
  expect(given.moments).toBeGreaterThan(10);
  expect(given.refused).toBeGreaterThan(10);
});

test("a service that is added behind the others changes nothing", async () => {
  await twoSaved(settled(TEXT));
  const more = settled(TEXT.replace("[10.9.0.10] }", "[10.9.0.10] }, video: { address: 203.0.113.6, servers: [10.9.0.10] }"));
  expect((await reread(more))?.mark).toBe(2);
});

test("what cannot be written is said once in a while, and tried again", async () => {
  const config = settled(TEXT);
  const core = await booted(config);
  let full = true;
  const file: PrivateFile = {
    read: async () => new Uint8Array(),
    write: async () => {
      if (full) throw new Error("ENOSPC: no space left on device");
    },
    publish: async () => undefined,
    close: async () => undefined,
  };
  const saver = await saverStart(core, config, { ...host, privateCreate: async () => file });
  for (let i = 0; i < 3; i++) {
    runtime.advance(100);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(log.at("error")).toEqual([expect.stringMatching(/cannot be saved.*ENOSPC/)]);
  full = false;
  runtime.advance(100);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(saver.totals).toMatchObject({ saves: 1 });
  await saver.stop();
});

test("a file is made beside a link that somebody put there, and takes its place", async () => {
  const config = settled(TEXT);
  const victim = join(folder, "victim");
  writeFileSync(victim, "mine");
  for (const name of [path, `${path}.new`]) symlinkSync(victim, name);
  const saver = await saverStart(await booted(config), config);
  await saver.stop();
  expect(readFileSync(victim, "utf8")).toBe("mine");
  expect((await reread(config))?.key).toEqual(KEY);
});
