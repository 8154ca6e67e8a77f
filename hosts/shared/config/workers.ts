/*
 * Settles how many processes share the work, and says what several of them cannot have.
 */

import type { Report } from "./problem.ts";
import { rangeSize, rangeText } from "./range.ts";
import type { Written } from "./schema.ts";
import type { Pool, Workers } from "./settled.ts";

/** An even port and the odd one above it: what one worker's part of a pool has at least. */
export const PART_LEAST = 2;

/** How many workers a pool is enough for. */
export function workersFit(pool: Pool): number {
  return Math.floor(rangeSize(pool.ports) / PART_LEAST);
}

function poolsCheck(count: number, pools: Pool[], names: string[], report: Report): void {
  for (const pool of pools) {
    if (workersFit(pool) >= count) continue;
    const ports = `${pool.kind} ports ${rangeText(pool.ports)} of realm ${names[pool.realm]!}`;
    report.error(
      ["workers"],
      `the ${ports} are too few for ${count} workers, each of which has a part of them, at least ${PART_LEAST}; ` +
        `widen \`ports: { ${pool.kind}: … }\` or lower \`workers:\``,
    );
  }
}

export function workersSettle(written: Written, pools: Pool[], names: string[], report: Report): Workers {
  const { count, by } = written.workers ?? { count: 1 as const, by: undefined };
  const workers: Workers = { count, by: by ?? "address" };
  if (count === 1) return workers;
  if (written.state && written.secret === undefined)
    report.error(["state"], "several workers have a file each, and one key: say `secret:` too; make one with `openssl rand -hex 16`");
  if (count === "auto") return workers;
  if (Object.values(written.interfaces ?? {}).some((one) => one?.receive === "xdp"))
    report.error(["workers"], "`receive: xdp` gives frames to one worker; leave one of the two away");
  if (written.io === "portable") report.error(["workers"], "several workers share ports by batched sockets; leave `io: portable` away, or have one worker");
  poolsCheck(count, pools, names, report);
  return workers;
}
