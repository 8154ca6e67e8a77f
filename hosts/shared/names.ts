/*
 * Names for the numbers of the contract, as people read them: REASON_RULE_FORWARD is "rule-forward".
 */

import * as contract from "./core.ts";

/** Index = value; the first constant of a value names it. */
function namesOf(...prefixes: string[]): string[] {
  const names: string[] = [];
  for (const [constant, value] of Object.entries(contract)) {
    const prefix = prefixes.find((candidate) => constant.startsWith(candidate));
    if (prefix && typeof value === "number") names[value] ??= constant.slice(prefix.length).toLowerCase().replaceAll("_", "-");
  }
  return names;
}

const reasons = namesOf("REASON_", "FAULT_");
const verdicts = namesOf("VERDICT_");
const events = namesOf("EVENT_");
const regions = namesOf("REGION_");
const ends = namesOf("END_");

export function reasonName(reason: number): string {
  return reasons[reason] ?? `reason-${reason}`;
}

/** A verdict, or for a fault its reason. */
export function verdictName(verdict: number): string {
  return verdict < 0 ? reasonName(contract.faultReason(verdict)) : (verdicts[verdict] ?? `verdict-${verdict}`);
}

export function eventName(event: number): string {
  return events[event] ?? `event-${event}`;
}

export function regionName(region: number): string {
  return regions[region] ?? `region-${region}`;
}

/** Why a call ended. */
export function endName(reason: number): string {
  return ends[reason] ?? `end-${reason}`;
}

/** The counters that are not zero, by reason. */
export function countersRead(memory: contract.CoreMemory): Record<string, number> {
  const counters: Record<string, number> = {};
  for (let reason = 0; reason < contract.COUNTER_COUNT; reason++) {
    const count = memory.words[(contract.COUNTERS >> 2) + reason]! >>> 0;
    if (count > 0) counters[reasonName(reason)] = count;
  }
  return counters;
}
