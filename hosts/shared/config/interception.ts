/*
 * Settles how packets for the service addresses get here (SPEC I1-I4): defaults, and what cannot be.
 */

import { type Address, prefixText } from "../address.ts";
import type { Path, Report } from "./problem.ts";
import { addressesOf } from "./realm.ts";
import type { Written } from "./schema.ts";
import type { Gateway, Interception, Realm, Return, Service } from "./settled.ts";

const PREFERENCE = 10;
const TABLE = 1067;
const MARK = 0x40000000;
const DEVICE = "lo";
/** Stand in a router's configuration for names that the file does not give. */
const TERMINAL_PORT = "TERMINAL-INTERFACE";
const PROXY_PORT = "PROXY-INTERFACE";
const PATH: Path = ["interception"];

/** The first address of each IP version. */
function oneOfEach(addresses: Address[]): Address[] {
  return addresses.filter((address, i) => addresses.findIndex(({ family }) => family === address.family) === i);
}

function gatewaySettle(written: Written, realms: Realm[]): Gateway {
  const given = written.interception?.router ?? {};
  const ours = addressesOf(realms, "access");
  return {
    terminals: given.terminals ?? [TERMINAL_PORT],
    proxy: given.proxy ?? PROXY_PORT,
    nextHops: given.nextHops ?? oneOfEach(ours),
    returns: given.returns ?? [],
  };
}

function returnsCheck({ returns }: Interception, report: Report): void {
  for (const [i, { via, to }] of returns.entries()) {
    const path = [...PATH, "returns", i];
    if (to && to.address.family !== via.family) report.error([...path, "to"], `${prefixText(to)} and via: ${via.text} are of different IP versions`);
    const same = (other: Interception["returns"][number]): boolean => other.via.family === via.family && other.to?.address.text === to?.address.text;
    const earlier = returns.slice(0, i).find((other) => same(other) && other.to?.length === to?.length);
    if (earlier) report.error(path, `the way back is already by ${earlier.via.text}; remove one, or give each its own \`to:\``);
  }
}

/** Does media for terminals go this way back as well? Where that does not say `to`, not from an address that core realms have too. */
export function mediaReturns(media: Address, realms: Realm[], { to }: Return): boolean {
  return to !== undefined || addressesOf(realms, "core").every(({ text }) => text !== media.text);
}

function mediaCheck({ returns }: Interception, realms: Realm[], report: Report): void {
  for (const [i, way] of returns.entries()) {
    const realm = realms.find(({ kind, media }) => kind === "access" && media.family === way.via.family && !mediaReturns(media, realms, way));
    if (!realm) continue;
    report.warn(
      [...PATH, "returns", i],
      `media for terminals leaves from ${realm.media.text}, which is an address of a core realm too, so it keeps to the main routing table; give \`to:\` with the terminals' networks`,
    );
  }
}

/** A router has one next hop for each IP version, and needs one for each that the services use. */
function gatewayCheck(interception: Interception, services: Service[], report: Report): void {
  for (const key of ["nextHops", "returns"] as const) {
    const addresses = interception.router[key];
    if (oneOfEach(addresses).length < addresses.length) report.error([...PATH, "router", key], "can have one address of each IP version");
  }
  if (interception.mode === "serial") return;
  for (const { name, address } of services) {
    if (interception.router.nextHops.some(({ family }) => family === address.family)) continue;
    report.error(
      PATH,
      `service "${name}" is IPv${address.family}, and the router has no such address of ours to send to; give \`router: { nextHops: [ … ] }\``,
    );
  }
}

/** Linux asks for neighbours in the name of an IPv6 address of the interface, and would give it away. */
function deviceCheck({ kind, device }: Interception, realms: Realm[], services: Service[], report: Report): void {
  if (kind !== "local") return;
  const service = services.find(({ address, access }) => address.family === 6 && realms[access]?.interfaces.includes(device));
  if (!service) return;
  report.error(
    [...PATH, "device"],
    `terminals of service "${service.name}" are at ${device}, where an IPv6 address cannot be kept silent; give another interface, such as lo`,
  );
}

export function interceptionSettle(written: Written, realms: Realm[], services: Service[], report: Report): Interception {
  const given = written.interception ?? {};
  const interception: Interception = {
    mode: given.mode ?? "serial",
    kind: given.kind ?? "shadow",
    device: given.device ?? DEVICE,
    fallback: given.fallback ?? "forward",
    returns: (given.returns ?? []).map(({ via, interface: device, to }) => ({ via, interface: device, to })),
    preference: given.preference ?? PREFERENCE,
    table: given.table ?? TABLE,
    mark: given.mark ?? MARK,
    router: gatewaySettle(written, realms),
  };
  if (given.device !== undefined && interception.kind !== "local") {
    report.warn([...PATH, "device"], "is not used: only `kind: local` puts service addresses on an interface");
  }
  if (given.router && interception.mode === "serial") report.warn([...PATH, "router"], "is not used: nothing is asked of a router in serial mode");
  returnsCheck(interception, report);
  mediaCheck(interception, realms, report);
  gatewayCheck(interception, services, report);
  deviceCheck(interception, realms, services, report);
  return interception;
}
