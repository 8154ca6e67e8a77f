/*
 * How long a rule match takes, against that of ten rules and against trying the rules one after another in the same
 * engine and the same run, and how long compiling them takes. Bundle with esbuild, run from the root with plain node.
 */

import { type Core, coreOpen } from "../unit/core/harness.ts";
import { Random } from "../unit/core/random.ts";
import { anyRule, MAPPED, type Packet, packetNear, packetWrite, type Rule, rulesLoad, type RuleSide } from "../unit/core/rules.ts";

const COUNTS = [10, 256, 1024, 4096, 10_000];
const PACKET_COUNT = 4096;
const PACKET_SIZE = 128;
/** Different packets that come again and again: flows that are under way. */
const FLOWS = 256;
const MEMORY_SIZE = 320 << 20;
/** Short and many, so that some of them are not interrupted. */
const REPEATS = 40;
const REPEAT_MS = 3;
/** Packets for the linear yardstick. */
const LINEAR_COUNT = 64;

/** A prefix in 10/8 (fewer, shared networks, as in real rule sets) or, one in five times, in 2001:db8::/32. */
function sideDraw(random: Random): RuleSide {
  const host = BigInt(random.word() >>> 0);
  const six = random.chance(0.2);
  const address = six ? (0x20010db8n << 96n) | (host << 64n) | 1n : MAPPED | (10n << 24n) | (host & 0xffffffn);
  return { address, prefix: six ? random.pick([48, 56, 64, 128]) : random.pick([112, 116, 120, 120, 124, 128]), first: 0, last: 65535 };
}

/** Filter rules as a carrier edge would have them: any of the fields, most of them left open. */
function mixedRule(random: Random): Rule {
  const rule = anyRule();
  if (random.chance(0.7)) rule.destination = sideDraw(random);
  if (random.chance(0.5)) rule.source = sideDraw(random);
  if (random.chance(0.5)) {
    rule.destination.first = random.pick([5060, 5061, 1719, 1720, 2427, 2944, random.between(1024, 65000)]);
    rule.destination.last = random.chance(0.7) ? rule.destination.first : Math.min(65535, rule.destination.first + 100);
  }
  if (random.chance(0.2)) rule.source.first = 1024;
  if (random.chance(0.5)) rule.protocol = random.pick([6, 17]);
  if (random.chance(0.4)) rule.vlan = random.between(1, 4094);
  if (random.chance(0.1)) rule.vpn = random.between(1, 500);
  if (random.chance(0.1)) rule.mpls = random.between(16, 2000);
  if (random.chance(0.3)) rule.realm = random.between(0, 3);
  /* A rule with nothing but common fields would hide all rules after it. */
  if (rule.source.prefix + rule.destination.prefix === 0 && rule.vlan < 0) rule.destination = sideDraw(random);
  return rule;
}

/** One rule for each VLAN, all to one service address. */
function vlanRule(_random: Random, i: number): Rule {
  const rule = anyRule();
  rule.vlan = i;
  rule.destination.address = MAPPED | 0xcb007105n;
  rule.destination.prefix = 128;
  return rule;
}

/**
 * The worst for aggregates: nested port ranges put the rules in an order in which the two labels alternate,
 * so each word has rules for either label of the packet, and none, but for the last rule, for both.
 */
function hostileRule(_random: Random, i: number, n: number): Rule {
  const rule = anyRule();
  const last = i === n - 1;
  rule.destination.first = i + 1;
  rule.destination.last = 65534 - i;
  rule.vlan = last || i % 2 ? 1 : 2;
  rule.vpn = last || i % 2 === 0 ? 1 : 2;
  return rule;
}

const SETS = { mixed: mixedRule, "one per VLAN": vlanRule, hostile: hostileRule };

/** Packets that meet some rule (the last one if hostile), and, one in four, stray ones. */
function packetsDraw(random: Random, rules: Rule[], set: string): Packet[] {
  return Array.from({ length: PACKET_COUNT }, () => {
    if (set === "hostile") return packetNear(random, rules.at(-1)!, 0);
    return packetNear(random, random.pick(rules), random.chance(0.25) ? 2 : 0);
  });
}

/** Best of some repeats, in nanoseconds a call of `body` that does `n` things. */
function measure(n: number, body: () => void, repeats = REPEATS): number {
  let best = Number.POSITIVE_INFINITY;
  body();
  for (let repeat = 0; repeat < repeats; repeat++) {
    const start = performance.now();
    let rounds = 0;
    while (performance.now() - start < REPEAT_MS) {
      body();
      rounds++;
    }
    best = Math.min(best, ((performance.now() - start) * 1e6) / (rounds * n));
  }
  return best;
}

/** Nanoseconds for a packet like one that came before, and for one that is new. */
interface Cost {
  again: number;
  fast: number;
}

/** Prints one line: the classifier and the yardstick on one core with one set of rules. `ten` is the cost of the fewest. */
function bench(core: Core, set: keyof typeof SETS, n: number, ten: Cost | undefined): Cost {
  const random = new Random(n);
  const rules = Array.from({ length: n }, (_, i) => SETS[set](random, i, n));
  const packets = packetsDraw(random, rules, set);
  if (rulesLoad(core, rules, n) !== n) throw new Error("the rules do not compile");
  const first = core.call("table", core.constant("REGION_END"));
  for (const [i, packet] of packets.entries()) packetWrite(core, first + i * PACKET_SIZE, packet);
  const [freshRun, recalledRun] = [core.find("freshRun"), core.find("recalledRun")];
  const linearRun = core.find("linearRun");
  const answers = linearRun(first, PACKET_COUNT, PACKET_SIZE);
  if (freshRun(first, PACKET_COUNT, PACKET_SIZE) !== answers || recalledRun(first, PACKET_COUNT, PACKET_SIZE) !== answers)
    throw new Error("the answers differ");
  const fast = measure(PACKET_COUNT, () => freshRun(first, PACKET_COUNT, PACKET_SIZE));
  const again = measure(FLOWS, () => recalledRun(first, FLOWS, PACKET_SIZE));
  const slow = measure(LINEAR_COUNT, () => linearRun(first, LINEAR_COUNT, PACKET_SIZE));
  const compileMs = measure(1, () => core.call("rulesCompile"), 3) / 1e6;
  const ratios = [again / (ten ?? { again }).again, fast / (ten ?? { fast }).fast].map((ratio) => ratio.toFixed(1));
  const cells = [core.name, set, n, again.toFixed(0), ratios[0], fast.toFixed(0), ratios[1], slow.toFixed(0), (slow / fast).toFixed(1), compileMs.toFixed(2)];
  console.log(`| ${cells.join(" | ")} |`);
  return { again, fast };
}

const cores = await coreOpen(["core/table/rule.ts", "core/memory/layout.ts", "test/bench/linear.ts"], MEMORY_SIZE);
console.log(
  "| core | rules | n | ns again | to that of 10 | ns first | to that of 10 | ns linear | linear : first | ms to compile |\n|---|---|---|---|---|---|---|---|---|---|",
);
for (const core of [cores.wasm, cores.js]) {
  for (const set of Object.keys(SETS) as (keyof typeof SETS)[]) {
    let ten: Cost | undefined;
    for (const n of COUNTS) {
      const cost = bench(core, set, n, ten);
      ten ??= cost;
    }
  }
}
