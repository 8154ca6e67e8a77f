/*
 * Rules and packets for the tests of the classifier: as plain objects, written into a core's memory,
 * drawn at random, and matched the obvious way (SPEC P1), which is what the classifier must agree with.
 */

import * as config from "../../../core/memory/config.ts";
import * as packet from "../../../core/memory/packet.ts";
import type { Core } from "./harness.ts";
import type { Random } from "./random.ts";

export const LABELS = ["realm", "vpn", "vlan", "vlanOuter", "mpls", "mplsOuter", "protocol"] as const;
export type Label = (typeof LABELS)[number];
export type Side = "source" | "destination";

/** Addresses are 128-bit numbers. A prefix of 0 bits, a label of -1 and the ports 0 to 65535 are "any". */
export interface RuleSide {
  address: bigint;
  prefix: number;
  first: number;
  last: number;
}

export type Rule = Record<Label, number> & Record<Side, RuleSide> & { action: number; service: number };
export type Packet = Record<Label, number> & Record<Side, { address: bigint; port: number }>;

export const MAPPED = 0xffffn << 32n;
const ALL = (1n << 128n) - 1n;
const INT_MAX = 0x7fffffff;
const INT_MIN = -0x80000000;

export const anySide = (): RuleSide => ({ address: 0n, prefix: 0, first: 0, last: 65535 });

export function anyRule(): Rule {
  const labels = Object.fromEntries(LABELS.map((label) => [label, -1])) as Record<Label, number>;
  return { action: 0, service: 0, ...labels, source: anySide(), destination: anySide() };
}

function sideMatches(rule: RuleSide, address: bigint, port: number): boolean {
  const shift = BigInt(128 - rule.prefix);
  if (rule.address >> shift !== address >> shift) return false;
  return (rule.first === 0 && rule.last === 65535) || (port >= rule.first && port <= rule.last);
}

/** Index of the first rule that matches, or -1: one rule after another, one field after another. */
export function linearMatch(rules: readonly Rule[], p: Packet): number {
  return rules.findIndex(
    (rule) =>
      LABELS.every((label) => rule[label] === -1 || rule[label] === p[label]) &&
      sideMatches(rule.source, p.source.address, p.source.port) &&
      sideMatches(rule.destination, p.destination.address, p.destination.port),
  );
}

function addressWrite(core: Core, at: number, address: bigint): void {
  core.view.setBigUint64(at, address >> 64n);
  core.view.setBigUint64(at + 8, address & 0xffffffffffffffffn);
}

export function ruleWrite(core: Core, at: number, rule: Rule): void {
  const put = (offset: number, value: number): void => {
    core.words[(at + offset) >> 2] = value;
  };
  put(config.RULE_ACTION, rule.action);
  put(config.RULE_SERVICE, rule.service);
  put(config.RULE_REALM, rule.realm);
  put(config.RULE_VPN, rule.vpn);
  put(config.RULE_VLAN, rule.vlan);
  put(config.RULE_VLAN_OUTER, rule.vlanOuter);
  put(config.RULE_MPLS, rule.mpls);
  put(config.RULE_MPLS_OUTER, rule.mplsOuter);
  put(config.RULE_PROTOCOL, rule.protocol);
  put(config.RULE_SOURCE_PREFIX, rule.source.prefix);
  put(config.RULE_SOURCE_PORT_FIRST, rule.source.first);
  put(config.RULE_SOURCE_PORT_LAST, rule.source.last);
  put(config.RULE_DESTINATION_PREFIX, rule.destination.prefix);
  put(config.RULE_DESTINATION_PORT_FIRST, rule.destination.first);
  put(config.RULE_DESTINATION_PORT_LAST, rule.destination.last);
  put(config.RULE_HITS, 0);
  addressWrite(core, at + config.RULE_SOURCE, rule.source.address);
  addressWrite(core, at + config.RULE_DESTINATION, rule.destination.address);
}

export function packetWrite(core: Core, at: number, p: Packet): void {
  const put = (offset: number, value: number): void => {
    core.words[(at + offset) >> 2] = value;
  };
  put(packet.PACKET_REALM, p.realm);
  put(packet.PACKET_VPN, p.vpn);
  put(packet.PACKET_VLAN, p.vlan);
  put(packet.PACKET_VLAN_OUTER, p.vlanOuter);
  put(packet.PACKET_MPLS, p.mpls);
  put(packet.PACKET_MPLS_OUTER, p.mplsOuter);
  put(packet.PACKET_PROTOCOL, p.protocol);
  put(packet.PACKET_SOURCE_PORT, p.source.port);
  put(packet.PACKET_DESTINATION_PORT, p.destination.port);
  addressWrite(core, at + packet.PACKET_SOURCE, p.source.address);
  addressWrite(core, at + packet.PACKET_DESTINATION, p.destination.address);
}

/** Writes capacity, counts and records, lays the memory out and compiles. Returns what rulesCompile does. */
export function rulesLoad(core: Core, rules: readonly Rule[], capacity: number): number {
  core.words[core.constant("CAPACITY_RULES") >> 2] = capacity;
  core.words[core.constant("CONFIG_RULES") >> 2] = rules.length;
  core.words[core.constant("CONFIG_REALMS") >> 2] = 16;
  core.words[core.constant("CONFIG_SERVICES") >> 2] = 32;
  core.call("layoutWrite");
  const at = core.call("table", core.constant("REGION_RULES"));
  for (const [i, rule] of rules.entries()) ruleWrite(core, at + i * core.constant("RULE_SIZE"), rule);
  return core.call("rulesCompile");
}

/** How a set of rules is drawn: how often a rule restricts each field, and from how many bases addresses come. */
export interface Shape {
  labels: Record<Label, number>;
  address: Record<Side, number>;
  port: Record<Side, number>;
  bases: bigint[];
}

function address(random: Random): bigint {
  const host = BigInt(random.word() >>> 0);
  if (random.chance(0.5)) return MAPPED | host;
  let v = host;
  for (let i = 0; i < 3; i++) v = (v << 32n) | BigInt(random.word() >>> 0);
  return v;
}

/** A shape in which each field is restricted never, sometimes, often or always. */
export function shapeDraw(random: Random): Shape {
  const often = (): number => random.pick([0, 0, 0.1, 0.5, 0.9, 1]);
  const edges = [0n, ALL, MAPPED, MAPPED | 0xffffffffn, MAPPED - 1n, MAPPED + (1n << 32n), 1n << 127n];
  return {
    labels: Object.fromEntries(LABELS.map((label) => [label, often()])) as Record<Label, number>,
    address: { source: often(), destination: often() },
    port: { source: often(), destination: often() },
    bases: [...edges, ...Array.from({ length: random.between(1, 8) }, () => address(random))],
  };
}

function labelDraw(random: Random, label: Label): number {
  if (label === "realm") return random.between(0, 15);
  if (label === "protocol") return random.pick([0, 1, 6, 17, 254, 255, random.between(0, 255)]);
  return random.pick([0, 1, 2, 4095, INT_MAX, INT_MAX - 1, random.between(0, 9), random.between(0, 4095), random.word() >>> 1]);
}

function portsDraw(random: Random): { first: number; last: number } {
  const ports = [0, 0, 1, 5060, 5061, 65534, 65535, 65535, random.between(0, 20), random.between(0, 65535)];
  const [first, last] = [random.pick(ports), random.pick(ports)].sort((a, b) => a - b) as [number, number];
  return random.chance(0.4) ? { first, last: first } : { first, last };
}

/** One of the bases with some of its bits from `depth` on drawn anew, so that prefixes nest and neighbour. */
function addressDraw(random: Random, shape: Shape, depth: number): bigint {
  const base = random.pick(shape.bases);
  if (random.chance(0.4)) return base;
  const rest = BigInt(128 - depth);
  const noise = address(random) & ((1n << rest) - 1n);
  return ((base >> rest) << rest) | noise;
}

function sideDraw(random: Random, shape: Shape, side: Side): RuleSide {
  const drawn = anySide();
  if (random.chance(shape.address[side])) {
    drawn.prefix = random.pick([0, 1, 96, 97, 104, 120, 127, 128, random.between(96, 128), random.between(0, 128)]);
    drawn.address = addressDraw(random, shape, random.between(0, 128));
  } else if (random.chance(0.3)) {
    drawn.address = address(random);
  }
  if (random.chance(shape.port[side])) Object.assign(drawn, portsDraw(random));
  return drawn;
}

export function ruleDraw(random: Random, shape: Shape): Rule {
  const rule = anyRule();
  rule.action = random.between(0, 2);
  for (const label of LABELS) if (random.chance(shape.labels[label])) rule[label] = labelDraw(random, label);
  rule.source = sideDraw(random, shape, "source");
  rule.destination = sideDraw(random, shape, "destination");
  return rule;
}

/** An address inside the prefix, or one step off either end of it. */
function addressNear(random: Random, rule: RuleSide, stray: boolean): bigint {
  const rest = BigInt(128 - rule.prefix);
  const first = (rule.address >> rest) << rest;
  const last = first | ((1n << rest) - 1n);
  if (stray) return (random.chance(0.5) ? first - 1n : last + 1n) & ALL;
  return random.pick([first, last, first | (address(random) & ((1n << rest) - 1n))]);
}

function portNear(random: Random, rule: RuleSide, stray: boolean): number {
  if (stray) return random.pick([rule.first - 1, rule.last + 1, 0, 65535, -1, 65536, INT_MAX, INT_MIN]);
  return random.pick([rule.first, rule.last, random.between(rule.first, rule.last)]);
}

function labelNear(random: Random, rule: Rule, label: Label, stray: boolean): number {
  if (stray) return random.pick([-1, 0, rule[label] - 1, rule[label] + 1, INT_MAX, INT_MIN, labelDraw(random, label)]) | 0;
  return rule[label] === -1 ? random.pick([-1, labelDraw(random, label)]) : rule[label];
}

/** A packet that meets `rule`, but for at most `strays` fields where it may just miss it. */
export function packetNear(random: Random, rule: Rule, strays: number): Packet {
  const off = new Set(Array.from({ length: strays }, () => random.below(LABELS.length + 4)));
  const side = (name: Side, at: number): Packet[Side] => ({
    address: addressNear(random, rule[name], off.has(at)),
    port: portNear(random, rule[name], off.has(at + 1)),
  });
  const drawn = { source: side("source", LABELS.length), destination: side("destination", LABELS.length + 2) } as Packet;
  LABELS.forEach((label, i) => {
    drawn[label] = labelNear(random, rule, label, off.has(i));
  });
  return drawn;
}
