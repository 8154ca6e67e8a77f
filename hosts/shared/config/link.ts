/*
 * Settles packet mode: the interfaces whose frames are read whole, and what frames of a realm look like. Without
 * `interfaces:` there is none, and what a realm says of tags and labels is for rules and captures alone.
 */

import type { Report } from "./problem.ts";
import type { Written, WrittenRealm } from "./schema.ts";
import type { Interface, Link, Marks, Realm } from "./settled.ts";
import { suggestionText } from "./suggestion.ts";

const MTU = 1500;

/** The outer and the inner (or only) one of what is written as one number or two. */
export function labelsOf(written: number | [number, number] | undefined): { outer: number | undefined; inner: number | undefined } {
  return Array.isArray(written) ? { outer: written[0], inner: written[1] } : { outer: undefined, inner: written };
}

function marksOf(written: WrittenRealm["dscp"]): Marks {
  return typeof written === "object" ? { signal: written.signal, media: written.media } : { signal: written, media: written };
}

export function interfacesSettle(written: Written, most: number, report: Report): Interface[] {
  const entries = Object.entries(written.interfaces ?? {});
  const names = entries.map(([name]) => name);
  if (names.length > 0 && written.io === "portable")
    report.error(["io"], "portable sockets read no frames, and `interfaces:` wants them read; remove one of the two");
  if (names.length > most) report.error(["interfaces"], `there are ${names.length} interfaces, and there is room for ${most}`);
  return entries.map(([name, one], i) => {
    const path = ["interfaces", name, "peer"];
    const peer = one.peer === undefined ? undefined : names.indexOf(one.peer);
    if (peer === -1) report.error(path, `there is no interface "${one.peer}"${suggestionText(one.peer!, names)}`);
    if (peer === i) report.error(path, "an interface cannot be its own peer; name the one on the other side");
    return { name, mac: one.mac, peer, mtu: one.mtu ?? MTU, vpn: one.vpn, receive: one.receive ?? "packet" };
  });
}

/** Indices of a realm's devices among the interfaces: with packet mode each is one of them, so that a slip of the pen does not take any frame. */
function realmInterfaces(name: string, devices: string[], interfaces: Interface[], report: Report): number[] {
  if (interfaces.length === 0) return [];
  const names = interfaces.map((one) => one.name);
  for (const device of devices) {
    if (names.includes(device)) continue;
    const path = ["realms", name, "interface"];
    report.error(path, `there is no "${device}" under \`interfaces:\`, where packet mode has all of them${suggestionText(device, names)}`);
  }
  return devices.map((device) => names.indexOf(device)).filter((index) => index >= 0);
}

/** What frames of a realm look like. */
export function linkSettle(name: string, kind: Realm["kind"], realm: WrittenRealm, interfaces: Interface[], report: Report): Link {
  const indices = realmInterfaces(name, realm.interface ?? [], interfaces, report);
  const vlan = labelsOf(realm.vlan);
  const mpls = labelsOf(realm.mpls);
  if (realm.nextHop !== undefined && indices.length !== 1)
    report.error(["realms", name, "nextHop"], "is reached by one interface; give `interface:` one, and not several, that stands under `interfaces:`");
  const apart = (vlan.inner ?? 0) > 0 || mpls.inner !== undefined;
  if (kind === "core" && apart && interfaces.length > 0 && realm.nextHop === undefined)
    report.error(
      ["realms", name, mpls.inner === undefined ? "vlan" : "mpls"],
      "this machine's own stack, which asks for the way to the servers, writes no tags and labels; say by `nextHop:` which hardware address leads there",
    );
  return {
    interfaces: indices,
    vlan: vlan.inner,
    vlanOuter: vlan.outer,
    mpls: mpls.inner,
    mplsOuter: mpls.outer,
    vpn: realm.vpn,
    nextHop: realm.nextHop,
    dscp: marksOf(realm.dscp),
    pcp: marksOf(realm.pcp),
    trafficClass: marksOf(realm.trafficClass),
  };
}
