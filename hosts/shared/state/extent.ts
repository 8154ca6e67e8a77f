/*
 * What of the core's memory a restart needs: all but what the configuration, the rules and each input write anew.
 * Whole pages of 4 KiB; what else stands in the first and last of them is written anew as well.
 */

import { DOMAINS, REALMS, REASSEMBLY, REGION_CONNECTIONS, REGION_RECALLS, REGION_RULES, WHEEL } from "../core.ts";

export const PAGE_BYTES = 4096;

/** From and to, as addresses in memory. */
export type Extent = readonly [number, number];

/** `region` is the core's: the capacities must be in its header. */
export function stateExtents(region: (id: number) => number): Extent[] {
  const parts = [
    [0, REALMS],
    [WHEEL, REASSEMBLY],
    [DOMAINS, region(REGION_RULES)],
    [region(REGION_CONNECTIONS), region(REGION_RECALLS)],
  ] as const;
  return parts.map(([from, to]) => [Math.floor(from / PAGE_BYTES) * PAGE_BYTES, Math.ceil(to / PAGE_BYTES) * PAGE_BYTES]);
}
