/*
 * What of a configuration one of several workers has (SPEC A1): all of the rules and services, a part of the ports and as much of the
 * tables. Nobody else has a port of its part, so what comes back comes to the worker that sent.
 */

import type { Capacity, Config, Pool, Workers } from "../config.ts";
import { rangePart, rangeSize } from "../config/range.ts";

/** One of several workers. */
export interface Share {
  index: number;
  count: number;
  by: Workers["by"];
}

/** As hosts/linux takes it; 0 for none. */
export function shareNumber(share: Share | undefined): number {
  return share ? share.count | (share.index << 8) | (share.by === "port" ? 1 << 16 : 0) : 0;
}

/** Which worker a configuration is for, where it is for one of several. */
export function shareOf({ workers: { index, count, by } }: Config): Share | undefined {
  return index === undefined || count === "auto" ? undefined : { index, count, by };
}

function poolPart(pool: Pool, { index, count }: Share): Pool {
  return { ...pool, ports: rangePart(pool.ports, index, count), whole: pool.ports };
}

/** Tables of a part of the size, rounded up; rules are everybody's. */
function capacityPart(capacity: Capacity, pools: Pool[], count: number): Capacity {
  const entries = Object.entries(capacity).map(([name, records]) => [name, Math.ceil(records / count)] as const);
  const ports = pools.reduce((sum, pool) => sum + rangeSize(pool.ports), 0);
  return { ...(Object.fromEntries(entries) as unknown as Capacity), ports, rules: capacity.rules };
}

/** The configuration of a worker. */
export function configPart(config: Config, share: Share): Config {
  const pools = config.pools.map((pool) => poolPart(pool, share));
  return {
    ...config,
    pools,
    workers: share,
    // Ports are shared by these alone.
    io: "batched",
    capacity: capacityPart(config.capacity, pools, share.count),
    state: config.state && { ...config.state, file: `${config.state.file}.${share.index}` },
  };
}
