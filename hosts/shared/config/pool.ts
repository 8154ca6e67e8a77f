/*
 * Settles the port pools: one signal pool for each address of a core realm (a port of C a binding), one
 * media pool for each realm. Realms that share an address and say nothing about ports share the default
 * range evenly, in the order of the file.
 * Invariant: no two pools overlap on one address, and none holds a service's port.
 */

import type { Address } from "../address.ts";
import { endpointText } from "../address.ts";
import type { Path, Report } from "./problem.ts";
import { type PortRange, rangePart, rangesOverlap, rangeSize, rangeText } from "./range.ts";
import type { Written } from "./schema.ts";
import type { Pool, Realm, Service } from "./settled.ts";

type PoolKind = Pool["kind"];

const DEFAULTS: Record<PoolKind, PortRange> = {
  signal: { first: 10_000, last: 19_999 },
  media: { first: 20_000, last: 39_999 },
};

interface Wanted {
  realm: number;
  kind: PoolKind;
  address: Address;
  written: PortRange | undefined;
  path: Path;
}

function poolsWanted(written: Written, realms: Realm[]): Wanted[] {
  return realms.flatMap((realm, index) => {
    const ports = written.realms[realm.name]!.ports;
    const path = (kind: PoolKind): Path => ["realms", realm.name, ...(ports?.[kind] ? ["ports", kind] : [])];
    const signal = realm.kind === "core" ? realm.addresses : [];
    return [
      ...signal.map((address): Wanted => ({ realm: index, kind: "signal", address, written: ports?.signal, path: path("signal") })),
      { realm: index, kind: "media" as const, address: realm.media, written: ports?.media, path: path("media") },
    ];
  });
}

/** RTP takes even ports, RTCP the odd ones above (RFC 3550 11), so a media pool is cut to whole pairs. */
function wholePairs(range: PortRange): PortRange {
  return { first: range.first + (range.first & 1), last: range.last - (~range.last & 1) };
}

function rangeFor(wanted: Wanted, all: Wanted[]): PortRange {
  if (wanted.written) return wanted.kind === "media" ? wholePairs(wanted.written) : wanted.written;
  const sharing = all.filter((other) => !other.written && other.kind === wanted.kind && other.address.text === wanted.address.text);
  return rangePart(DEFAULTS[wanted.kind], sharing.indexOf(wanted), sharing.length);
}

function label(pool: Pool, realms: Realm[]): string {
  return `the ${pool.kind} ports ${rangeText(pool.ports)} of realm ${realms[pool.realm]!.name}`;
}

function overlapCheck(pools: Pool[], paths: Path[], realms: Realm[], report: Report): void {
  for (const [i, pool] of pools.entries()) {
    const earlier = pools.slice(0, i).find((other) => other.address.text === pool.address.text && rangesOverlap(other.ports, pool.ports));
    if (!earlier) continue;
    report.error(
      paths[i]!,
      `${pool.kind} ports ${rangeText(pool.ports)} overlap ${label(earlier, realms)} on the same address ${pool.address.text}; ` +
        `give \`ports: { ${pool.kind}: … }\` a range of its own`,
    );
  }
}

function serviceCheck(pools: Pool[], services: Service[], realms: Realm[], report: Report): void {
  for (const service of services) {
    const { text } = service.address;
    const pool = pools.find(({ address, ports }) => address.text === text && ports.first <= service.port && service.port <= ports.last);
    if (!pool) continue;
    const place = `${endpointText(text, service.port)} lies inside ${label(pool, realms)}`;
    report.error(["services", service.name, "address"], `${place}; move the pool with \`ports:\``);
  }
}

export function poolsSettle(written: Written, realms: Realm[], services: Service[], most: number, report: Report): Pool[] {
  const wanted = poolsWanted(written, realms);
  const pools = wanted.map((want): Pool => ({ realm: want.realm, kind: want.kind, address: want.address, ports: rangeFor(want, wanted) }));
  for (const [i, pool] of pools.entries()) {
    const [least, what] = pool.kind === "media" ? [2, "one even port and the odd one above it"] : [1, "one port"];
    if (pool.ports.first >= 1 && rangeSize(pool.ports) >= least) continue;
    report.error(wanted[i]!.path, `${pool.kind} ports must be a range above 0 with at least ${what}`);
  }
  for (const realm of realms) {
    if (realm.kind !== "access" || !written.realms[realm.name]!.ports?.signal) continue;
    report.errorAtKey(["realms", realm.name, "ports", "signal"], "signal ports belong to core realms: terminals reach us at the service address; remove it");
  }
  overlapCheck(
    pools,
    wanted.map((want) => want.path),
    realms,
    report,
  );
  serviceCheck(pools, services, realms, report);
  if (pools.length > most) report.error(["realms"], `the realms need ${pools.length} port pools, and there is room for ${most}; give fewer addresses`);
  return pools;
}
