/*
 * The rule classifier (core/table/rule.ts) against a linear matcher, as JavaScript and as WebAssembly:
 * same answers, and the same memory byte for byte.
 */

import { beforeAll, describe, expect, test } from "vitest";
import * as config from "../../../core/memory/config.ts";
import { FAULT_CONFIG, fault } from "../../../core/memory/reason.ts";
import { type Core, coreOpen } from "./harness.ts";
import { Random } from "./random.ts";
import {
  anyRule,
  anySide,
  LABELS,
  linearMatch,
  MAPPED,
  type Packet,
  packetNear,
  packetWrite,
  type Rule,
  type RuleSide,
  ruleDraw,
  rulesLoad,
  shapeDraw,
} from "./rules.ts";

const FILES = ["core/table/rule.ts", "core/memory/layout.ts"];
/** Enough for 4,096 rules. */
const MEMORY_SIZE = 64 << 20;
const CANARY = 0xa5;
const CANARY_SIZE = 4096;

let js: Core;
let wasm: Core;

beforeAll(async () => {
  ({ js, wasm } = await coreOpen(FILES, MEMORY_SIZE));
}, 60_000);

/** What a match against the loaded rules answers. */
function match(core: Core, packet: Packet): number {
  const input = core.constant("INPUT");
  packetWrite(core, input, packet);
  return core.call("ruleMatch", input);
}

function hits(core: Core, n: number): number[] {
  const first = (core.call("table", core.constant("REGION_RULES")) + config.RULE_HITS) >> 2;
  return Array.from({ length: n }, (_, i) => core.words[first + (i * core.constant("RULE_SIZE")) / 4]!);
}

/** Are all tables of both memories, and what stands behind them, the same? */
function sameMemory(): boolean {
  const end = js.call("table", js.constant("REGION_END")) + CANARY_SIZE;
  return Buffer.compare(js.bytes.subarray(0, end), wasm.bytes.subarray(0, end)) === 0;
}

/** Loads the rules into both cores, with a canary behind the last table. */
function load(rules: Rule[], capacity = rules.length): void {
  for (const core of [js, wasm]) {
    expect(rulesLoad(core, rules, capacity)).toBe(rules.length);
    const end = core.call("table", core.constant("REGION_END"));
    core.bytes.fill(CANARY, end, end + CANARY_SIZE);
    expect(core.call("rulesCompile")).toBe(rules.length);
    expect(core.bytes.subarray(end, end + CANARY_SIZE).every((byte) => byte === CANARY)).toBe(true);
  }
}

/** Loads the rules and matches the packets everywhere, twice: the second time they are recalled. Returns the answers. */
function compare(rules: Rule[], once: Packet[], capacity = rules.length): number[] {
  const packets = [...once, ...once];
  load(rules, capacity);
  expect(sameMemory(), "memory after compiling").toBe(true);
  const answers = packets.map((packet) => linearMatch(rules, packet));
  const counted = new Array<number>(rules.length).fill(0);
  for (const answer of answers) if (answer >= 0) counted[answer]!++;
  for (const core of [js, wasm]) {
    expect(
      packets.map((packet) => match(core, packet)),
      core.name,
    ).toEqual(answers);
    expect(hits(core, rules.length)).toEqual(counted);
  }
  expect(sameMemory(), "memory after matching").toBe(true);
  return answers.slice(0, once.length);
}

function draw(random: Random, n: number, packetCount: number): { rules: Rule[]; packets: Packet[] } {
  const shape = shapeDraw(random);
  const rules = Array.from({ length: n }, () => ruleDraw(random, shape));
  const packets = Array.from({ length: packetCount }, () => {
    const rule = n > 0 && random.chance(0.9) ? random.pick(rules) : ruleDraw(random, shape);
    return packetNear(random, rule, random.pick([0, 0, 1, 1, 2, 9]));
  });
  return { rules, packets };
}

describe("random rule sets", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "seed %i: 100 sets of up to 70 rules",
    (seed) => {
      const random = new Random(seed);
      let matched = 0;
      let missed = 0;
      for (let i = 0; i < 100; i++) {
        const n = random.pick([1, 2, 3, 31, 32, 33, 64, 65, random.between(0, 70)]);
        const { rules, packets } = draw(random, n, 50);
        const answers = compare(rules, packets, n + random.pick([0, 0, 1, 40]));
        for (const answer of answers) answer < 0 ? missed++ : matched++;
      }
      /* The generator is of use only while it draws both kinds. */
      expect(Math.min(matched, missed)).toBeGreaterThan(500);
    },
    60_000,
  );

  test.each([1023, 1024, 1025, 2049])(
    "%i rules: where a further word of aggregates begins",
    (n) => {
      const random = new Random(n);
      for (let i = 0; i < 3; i++) {
        const { rules, packets } = draw(random, n, 200);
        compare(rules, packets);
      }
    },
    60_000,
  );
});

/** A packet that no restricted field is in. */
function plainPacket(): Packet {
  const side = { address: MAPPED | 1n, port: 5060 };
  return { realm: -1, vpn: -1, vlan: -1, vlanOuter: -1, mpls: -1, mplsOuter: -1, protocol: 17, source: { ...side }, destination: { ...side } };
}

describe("edges of the fields", () => {
  test("no rules match nothing, open rules match all, the first one wins", () => {
    expect(compare([], [plainPacket()])).toEqual([-1]);
    expect(compare([], [plainPacket()], 64)).toEqual([-1]);
    const odd = { ...plainPacket(), realm: -5, vpn: 7, source: { address: 0n, port: -1 }, destination: { address: 1n << 127n, port: 70000 } };
    expect(compare([anyRule(), anyRule()], [plainPacket(), odd])).toEqual([0, 0]);
  });

  test("the room for few rules is enough when each restricts every field", () => {
    const restricted = (i: number): Rule => {
      const side: RuleSide = { address: MAPPED | BigInt(2 * i), prefix: 128, first: 2 * i, last: 2 * i };
      const labels = Object.fromEntries(LABELS.map((label) => [label, label === "realm" ? i % 2 : 2 * i]));
      return { ...anyRule(), ...labels, source: { ...side }, destination: side };
    };
    for (let n = 1; n <= 40; n++) load(Array.from({ length: n }, (_, i) => restricted(i)));
  });

  test("every prefix length, at both ends of the prefix and one step off them", () => {
    const all = (1n << 128n) - 1n;
    for (const base of [0n, all, MAPPED, MAPPED | 0xc0000207n, 0x20010db8n << 96n, 1n << 127n, (1n << 127n) - 1n]) {
      const rules = Array.from({ length: 128 }, (_, i) => {
        const rule = anyRule();
        Object.assign(i % 2 ? rule.source : rule.destination, { address: base, prefix: 128 - i });
        return rule;
      });
      const ends = rules.flatMap(({ source, destination }) => {
        const rest = BigInt(128 - (source.prefix || destination.prefix));
        const first = (base >> rest) << rest;
        return [first, first - 1n, first + (1n << rest) - 1n, first + (1n << rest)].map((v) => v & all);
      });
      const packets = ends.map((v) => ({ ...plainPacket(), source: { address: v, port: 0 }, destination: { address: v, port: 0 } }));
      compare(rules, packets);
    }
  });

  test("IPv4 /0 is not any: it leaves IPv6 out", () => {
    const rule = anyRule();
    Object.assign(rule.source, { address: MAPPED, prefix: 96 });
    const from = (address: bigint): Packet => ({ ...plainPacket(), source: { address, port: 1 } });
    const packets = [MAPPED, MAPPED | 0xffffffffn, MAPPED - 1n, MAPPED + (1n << 32n), 0n].map(from);
    expect(compare([rule], packets)).toEqual([0, 0, -1, -1, -1]);
  });

  test("ports are unsigned and inclusive; labels match exactly, also the largest", () => {
    const rules: Rule[] = [
      { ...anyRule(), source: { ...anySide(), first: 65535 } },
      { ...anyRule(), destination: { ...anySide(), last: 0 } },
      { ...anyRule(), vpn: 0x7fffffff },
      { ...anyRule(), vlan: 0 },
    ];
    const packet = (from: number, to: number, vpn: number, vlan: number): Packet => {
      const base = plainPacket();
      return { ...base, vpn, vlan, source: { ...base.source, port: from }, destination: { ...base.destination, port: to } };
    };
    const packets = [packet(65535, 1, -1, -1), packet(65534, 0, -1, -1), packet(-1, -1, 0x7fffffff, -1), packet(65536, 1, 0x7ffffffe, 0), packet(1, 1, 0, -1)];
    expect(compare(rules, packets)).toEqual([0, 1, 2, 3, -1]);
  });

  test("aggregates that agree by different rules are not a match", () => {
    const rules = Array.from({ length: 1500 }, (_, i) => ({ ...anyRule(), vlan: i % 2 ? 1 : 2, vpn: i % 2 ? 2 : 1 }));
    rules.push({ ...anyRule(), vlan: 1, vpn: 1 });
    expect(
      compare(rules, [
        { ...plainPacket(), vlan: 1, vpn: 1 },
        { ...plainPacket(), vlan: 2, vpn: 2 },
      ]),
    ).toEqual([1500, -1]);
  });

  test.each([...Array(18).keys(), 32, 33, 100, 1000, 4096])("%i rules that all differ in every field fill no more than the region", (n) => {
    const rules = Array.from({ length: n }, (_, i) => {
      const rule = anyRule();
      for (const label of ["vpn", "vlan", "mpls"] as const) rule[label] = 2 * i;
      rule.realm = (2 * i) % 16;
      rule.protocol = (2 * i) % 256;
      Object.assign(rule.source, { address: BigInt(2 * i) << 64n, prefix: 128, first: 8 * i, last: 8 * i + 3 });
      Object.assign(rule.destination, { address: MAPPED | BigInt(2 * i), prefix: 128, first: 8 * i, last: 8 * i + 3 });
      return rule;
    });
    const packets = rules.filter((_, i) => i % 97 === 0).map((rule) => packetNear(new Random(n), rule, 0));
    expect(compare(rules, packets)).toEqual(packets.map((_, i) => i * 97));
  });
});

describe("invalid records", () => {
  const INT_MIN = -0x80000000;
  const labels = ["realm", "vpn", "vlan", "vlanOuter", "mpls", "mplsOuter", "protocol"].flatMap((label): [string, Partial<Rule>][] => [
    [`${label} -2`, { [label]: -2 }],
    [`${label} of -2^31`, { [label]: INT_MIN }],
  ]);
  const sides = ["source", "destination"].flatMap((side): [string, Partial<Rule>][] => [
    [`${side} prefix -1`, { [side]: { ...anySide(), prefix: -1 } }],
    [`${side} prefix 129`, { [side]: { ...anySide(), prefix: 129 } }],
    [`${side} prefix of 2^31-1`, { [side]: { ...anySide(), prefix: 0x7fffffff } }],
    [`${side} ports from -1`, { [side]: { ...anySide(), first: -1 } }],
    [`${side} ports to 65536`, { [side]: { ...anySide(), last: 65536 } }],
    [`${side} ports to 2^31-1`, { [side]: { ...anySide(), last: 0x7fffffff } }],
    [`${side} ports backwards`, { [side]: { ...anySide(), first: 2, last: 1 } }],
    [`${side} ports of -2^31`, { [side]: { ...anySide(), first: INT_MIN, last: INT_MIN } }],
  ]);
  const bad: [string, Partial<Rule>][] = [
    ["action -1", { action: -1 }],
    ["action 3", { action: 3 }],
    ["service -1", { action: 2, service: -1 }],
    ["service that does not exist", { action: 2, service: 32 }],
    ["realm that does not exist", { realm: 16 }],
    ["protocol 256", { protocol: 256 }],
    ...labels,
    ...sides,
  ];

  test.each(bad)("%s is a fault at its index, after which nothing matches", (_, spoilt) => {
    load([anyRule(), anyRule(), anyRule()]);
    const rules = [anyRule(), { ...anyRule(), ...spoilt }, anyRule()];
    for (const core of [js, wasm]) {
      expect(rulesLoad(core, rules, 3)).toBe(fault(FAULT_CONFIG, 1));
      expect(match(core, plainPacket())).toBe(-1);
    }
    expect(sameMemory()).toBe(true);
  });

  test("more rules than the capacity, or less than none", () => {
    for (const core of [js, wasm]) {
      load([anyRule(), anyRule()]);
      /* The count is looked at before any record is. */
      expect(rulesLoad(core, [{ ...anyRule(), action: -1 }, anyRule(), anyRule()], 2)).toBe(fault(FAULT_CONFIG, 2));
      expect(match(core, plainPacket())).toBe(-1);
      core.words[core.constant("CONFIG_RULES") >> 2] = INT_MIN;
      expect(core.call("rulesCompile")).toBe(fault(FAULT_CONFIG, 0));
    }
  });

  test("a match before anything was compiled is no match", async () => {
    const fresh = await coreOpen(FILES, 1 << 20);
    for (const core of [fresh.js, fresh.wasm]) {
      core.call("layoutWrite");
      expect(match(core, plainPacket())).toBe(-1);
    }
  });
});
