/*
 * What a replay did, counted: what matched, what changed, what passed and why, what was dropped and why.
 */

import type { ReassemblyLoss } from "../capture/reassembly.ts";
import { faultPosition, INPUT, PACKET_PAYLOAD, REASON_OTHERWISE_DISCARD, REASON_OTHERWISE_FORWARD } from "../core.ts";
import { eventName, reasonName } from "../names.ts";
import { type Fate, fateOf } from "./fate.ts";
import type { Step } from "./replay.ts";
import { sipSplit } from "./siptext.ts";
import { messageName, roleName } from "./wording.ts";

type Counts = Record<string, number>;

/** The first packet that a fault was seen in, and how many had it. */
export interface FaultCount {
  packets: number;
  first: number;
  /** Byte of the payload. */
  at: number;
}

export interface SummaryRecord {
  packets: number;
  datagrams: number;
  written: number;
  cut: boolean;
  mirrored: { signaling: number; media: number };
  /** What a Culvert had sent when this was recorded. */
  leftOut: number;
  /** Outputs that came back to an address of ours. */
  returned: number;
  timeouts: number;
  rules: { rule: string; packets: number }[];
  fates: Partial<Record<Fate, number>>;
  /** By method or status, then fate. */
  messages: Record<string, Partial<Record<Fate, number>>>;
  mentions: Counts;
  notForCore: Counts;
  passed: Counts;
  dropped: Counts;
  faults: Record<string, FaultCount>;
  events: Counts;
}

function count(counts: Counts, key: string, n = 1): void {
  counts[key] = (counts[key] ?? 0) + n;
}

type DatagramStep = Extract<Step, { kind: "datagram" }>;

export class Summary {
  readonly record: SummaryRecord;
  readonly #rules = new Map<number, number>();
  readonly #label: (rule: number) => string;

  /** `label` names a rule by its index. */
  constructor(packets: number, cut: boolean, label: (rule: number) => string) {
    this.#label = label;
    this.record = {
      packets,
      datagrams: 0,
      written: 0,
      cut,
      mirrored: { signaling: 0, media: 0 },
      leftOut: 0,
      returned: 0,
      timeouts: 0,
      rules: [],
      fates: {},
      messages: {},
      mentions: {},
      notForCore: {},
      passed: {},
      dropped: {},
      faults: {},
      events: {},
    };
  }

  add(step: Step): void {
    const { record } = this;
    record.written += step.written.length;
    if (step.kind === "passed") count(record.notForCore, step.why, step.written.length);
    if (step.kind === "left") record.leftOut++;
    if (step.kind === "timeout") record.timeouts++;
    if (step.kind === "timeout" || step.kind === "datagram") {
      for (const output of step.outcome.outputs) if (output.kind === "event") count(record.events, eventName(output.event));
    }
    if (step.kind === "datagram") this.#datagram(step);
  }

  #datagram(step: DatagramStep): void {
    const { record } = this;
    const { outcome, packet } = step;
    const fate = fateOf(outcome);
    const reason = reasonName(outcome.reason);
    if (step.hop > 0) record.returned++;
    else record.datagrams++;
    if (step.mirrored) record.mirrored[step.mirrored]++;
    if (outcome.rule >= 0 || outcome.reason === REASON_OTHERWISE_FORWARD || outcome.reason === REASON_OTHERWISE_DISCARD)
      this.#rules.set(outcome.rule, (this.#rules.get(outcome.rule) ?? 0) + 1);
    record.fates[fate] = (record.fates[fate] ?? 0) + 1;
    if (fate === "passed") count(record.passed, reason);
    if (fate === "dropped") count(record.dropped, reason);
    if (outcome.verdict < 0) {
      const fault = (record.faults[reason] ??= { packets: 0, first: packet, at: Math.max(0, faultPosition(outcome.verdict) - INPUT - PACKET_PAYLOAD) });
      fault.packets++;
    }
    if (outcome.observation || sipSplit(step.fed.payload)) this.#message(step, fate);
  }

  #message(step: DatagramStep, fate: Fate): void {
    const { observation } = step.outcome;
    const fates = (this.record.messages[messageName(step.fed.payload, observation)] ??= {});
    fates[fate] = (fates[fate] ?? 0) + 1;
    if (fate !== "translated") return;
    for (const mention of observation?.mentions ?? []) if (mention.changed) count(this.record.mentions, roleName(mention.role));
  }

  /** The whole, after the last step. */
  finish(loss: ReassemblyLoss): SummaryRecord {
    const { record } = this;
    const lost: [string, number[]][] = [
      ["fragment received twice", loss.duplicate],
      ["overlapping fragments", loss.overlapping],
      ["fragments never complete", loss.incomplete],
    ];
    for (const [why, packets] of lost) if (packets.length > 0) count(record.dropped, why, packets.length);
    record.rules = [...this.#rules].sort(([a], [b]) => (a < 0 ? 1 : b < 0 ? -1 : a - b)).map(([rule, packets]) => ({ rule: this.#label(rule), packets }));
    return record;
  }
}

function countLines(title: string, counts: Counts): string[] {
  const entries = Object.entries(counts).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return entries.length === 0 ? [] : [title, ...entries.map(([key, n]) => `  ${String(n).padStart(7)}  ${key}`)];
}

function fatesText(fates: Partial<Record<Fate, number>>): string {
  return Object.entries(fates)
    .map(([fate, n]) => `${n} ${fate}`)
    .join(", ");
}

/** The summary as people read it. */
export function summaryText(record: SummaryRecord): string {
  const { mirrored } = record;
  const asides = [
    record.cut ? "The capture ends in the middle of a packet: what came before it was used." : "",
    mirrored.signaling + mirrored.media > 0 ? `Mirrored as if recorded with Culvert in between: ${mirrored.signaling} signaling, ${mirrored.media} media.` : "",
    record.leftOut > 0 ? `Left out, since a Culvert had sent them when this was recorded: ${record.leftOut}.` : "",
    record.returned > 0 ? `Sent to an address of our own and taken in again: ${record.returned}.` : "",
  ];
  return [
    `${record.packets} packets read, ${record.datagrams} UDP datagrams taken, ${record.written} packets written`,
    ...asides.filter((aside) => aside !== ""),
    `Datagrams: ${fatesText(record.fates) || "none"}`,
    ...countLines("Matched:", Object.fromEntries(record.rules.map(({ rule, packets }) => [rule, packets]))),
    ...(Object.keys(record.messages).length === 0
      ? []
      : ["SIP messages:", ...Object.entries(record.messages).map(([name, fates]) => `  ${name.padEnd(16)} ${fatesText(fates)}`)]),
    ...countLines("Changed mentions:", record.mentions),
    ...countLines("Passed byte-identical:", record.passed),
    ...countLines("Not for the core, passed untouched:", record.notForCore),
    ...countLines("Dropped:", record.dropped),
    ...(Object.keys(record.faults).length === 0
      ? []
      : [
          "Faults:",
          ...Object.entries(record.faults).map(
            ([reason, { packets, first, at }]) => `  ${String(packets).padStart(7)}  ${reason}, first in packet ${first} at byte ${at}`,
          ),
        ]),
    ...countLines("Events:", record.events),
  ].join("\n");
}
