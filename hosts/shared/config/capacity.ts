/*
 * Settles the capacities, each from the one it depends on when it is not given.
 */

import type { Report } from "./problem.ts";
import { rangeSize } from "./range.ts";
import { RECORDS_MOST, type Written } from "./schema.ts";
import type { Capacity, Pool } from "./settled.ts";

const TERMINALS = 1000;
/** Room for rules that a reload may add. */
const RULES_LEAST = 64;
/** A megabyte: messages that arrive in pieces are few at a time. */
const BLOCKS = 512;
/** A datagram in fragments is a long message on its way: few at a time. */
const DATAGRAMS = 64;

function times(records: number, factor: number): number {
  return Math.min(RECORDS_MOST, records * factor);
}

function portsOf(pools: Pool[], kind: Pool["kind"]): number {
  return pools.filter((pool) => pool.kind === kind).reduce((sum, pool) => sum + rangeSize(pool.ports), 0);
}

/** Ports fewer than the tables they serve: not wrong, but the pool is what fills first. */
function portCheck(capacity: Capacity, pools: Pool[], realmNames: string[], report: Report): void {
  const signal = portsOf(pools, "signal");
  if (signal < capacity.bindings) {
    report.warn(
      ["capacity"],
      `there are ${signal} signal ports for ${capacity.bindings} bindings: the ports run out first; ` + "widen `ports: { signal: … }` or lower the capacity",
    );
  }
  for (const pool of pools) {
    const pairs = rangeSize(pool.ports) >> 1;
    if (pool.kind !== "media" || pairs >= capacity.calls) continue;
    report.warn(
      ["realms", realmNames[pool.realm]!],
      `its media ports are enough for ${pairs} streams, and there is room for ${capacity.calls} calls: the ports run out first; ` +
        "widen `ports: { media: … }` or lower `capacity: { calls: … }`",
    );
  }
}

export function capacitySettle(written: Written, pools: Pool[], rules: number, realmNames: string[], report: Report): Capacity {
  const given = written.capacity ?? {};
  const terminals = given.terminals ?? TERMINALS;
  const calls = given.calls ?? terminals;
  const capacity: Capacity = {
    terminals,
    bindings: given.bindings ?? times(terminals, 2),
    registrations: given.registrations ?? times(terminals, 2),
    calls,
    flows: given.flows ?? times(calls, 2),
    connections: given.connections ?? times(terminals, 3),
    blocks: given.blocks ?? BLOCKS,
    datagrams: written.interfaces ? (given.datagrams ?? DATAGRAMS) : 0,
    ports: portsOf(pools, "signal") + portsOf(pools, "media"),
    rules: given.rules ?? Math.max(rules, RULES_LEAST),
  };
  if (capacity.rules < rules) report.error(["capacity", "rules"], `there are ${rules} rules, and room for ${capacity.rules}; raise it or leave it away`);
  portCheck(capacity, pools, realmNames, report);
  return capacity;
}
