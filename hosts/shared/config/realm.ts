/*
 * Settles the realms: kind, addresses and defaults.
 *
 * The kind of a realm that does not say it: as a service uses it (`access:`, `core:`); else by its name,
 * where "core…" is a core realm and every other name an access realm.
 */

import type { Address } from "../address.ts";
import { linkSettle } from "./link.ts";
import type { Report } from "./problem.ts";
import type { WrittenRealm, Written } from "./schema.ts";
import type { Interface, Realm } from "./settled.ts";

const KEEPALIVE_MS = 20_000;
const INACTIVITY_MS = 60_000;
/** 64*T1 of RFC 3261 17.1.2.2. */
const LINGER_MS = 32_000;
const LATCH_WINDOW_MS = 60_000;

function realmKind(name: string, realm: WrittenRealm, written: Written): Realm["kind"] {
  if (realm.kind) return realm.kind;
  for (const service of Object.values(written.services)) {
    if (service.core === name) return "core";
    if (service.access === name) return "access";
  }
  return name.toLowerCase().startsWith("core") ? "core" : "access";
}

function realmSettle(name: string, realm: WrittenRealm, kind: Realm["kind"], interfaces: Interface[], report: Report): Realm | undefined {
  const path = ["realms", name];
  const addresses = [...(realm.address ?? [])];
  const media = realm.media ?? addresses[0];
  if (!media) {
    report.errorAtKey(path, "has no address of ours; give `media:` (what we write into SDP) or `address:`");
    return undefined;
  }
  if (kind === "core" && realm.terminals) report.errorAtKey([...path, "terminals"], "terminals are in access realms, and this is a core realm; remove it");
  if (kind === "core" && addresses.length === 0) addresses.push(media);
  return {
    name,
    kind,
    interfaces: realm.interface ?? [],
    terminals: realm.terminals ?? [],
    addresses,
    media,
    nat: realm.nat ?? (kind === "access" ? "auto" : "never"),
    keepaliveMs: realm.keepalive ?? (kind === "access" ? KEEPALIVE_MS : 0),
    inactivityMs: realm.inactivity ?? INACTIVITY_MS,
    lingerMs: realm.linger ?? LINGER_MS,
    latch: realm.latch?.mode ?? "source",
    latchWindowMs: realm.latch?.window ?? LATCH_WINDOW_MS,
    link: linkSettle(name, kind, realm, interfaces, report),
  };
}

/** An unspecified or multicast address cannot be one of ours. */
function addressCheck(realm: Realm, written: WrittenRealm, report: Report): void {
  const check = (key: "address" | "media", { text, bytes, family }: Address): void => {
    const multicast = family === 4 ? bytes[12]! >> 4 === 14 : bytes[0] === 0xff;
    if (text !== "0.0.0.0" && text !== "::" && !multicast) return;
    report.error(
      ["realms", realm.name, key],
      `${text} is not the address of one host; it is written into messages, so it must be one that the other side can reach`,
    );
  };
  for (const address of written.address ?? []) check("address", address);
  if (written.media) check("media", written.media);
}

/** Addresses of ours, also more than once, in realms of a kind or in all. */
export function addressesOf(realms: Realm[], wanted?: Realm["kind"]): Address[] {
  return realms.filter(({ kind }) => wanted === undefined || kind === wanted).flatMap(({ addresses, media }) => [...addresses, media]);
}

export function realmsSettle(written: Written, interfaces: Interface[], most: number, report: Report): Realm[] {
  const names = Object.entries(written.realms);
  const realms = names.flatMap(([name, realm]) => realmSettle(name, realm, realmKind(name, realm, written), interfaces, report) ?? []);
  for (const realm of realms) addressCheck(realm, written.realms[realm.name]!, report);
  if (names.length > most) report.error(["realms"], `there are ${names.length} realms, and there is room for ${most}`);
  for (const kind of ["access", "core"] as const) {
    if (names.some(([name, realm]) => realmKind(name, realm, written) === kind)) continue;
    const purpose = kind === "core" ? "where the servers are" : "where the terminals are";
    report.error(["realms"], `there is no ${kind} realm (${purpose}); name one "${kind}", or give one \`kind: ${kind}\``);
  }
  return realms;
}
