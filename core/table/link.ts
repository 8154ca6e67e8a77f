/*
 * Links: which realm a frame belongs to, by the interface, VLAN ids, MPLS labels and VPN id that it came with (SPEC P1,
 * V7), and whether it may be for a realm. A realm that says nothing of the kind takes any frame.
 */

import { ld16be, ld32, ld32be, mul } from "../machine.ts";
import { CONFIG_REALMS, INTERFACES, INTERFACE_SIZE, LINKS, LINK_SIZE, REALM_MAX } from "../memory/layout.ts";
import { FRAME_INTERFACE, INTERFACE_ADDRESS, LINK_INTERFACES, LINK_MPLS, LINK_MPLS_OUTER, LINK_VLAN, LINK_VLAN_OUTER, LINK_VPN } from "../memory/frame.ts";
import { PACKET_MPLS, PACKET_MPLS_OUTER, PACKET_VLAN, PACKET_VLAN_OUTER, PACKET_VPN } from "../memory/packet.ts";

export function linkAt(realm: i32): i32 {
  return LINKS + mul(realm, LINK_SIZE);
}

export function interfaceAt(index: i32): i32 {
  return INTERFACES + mul(index, INTERFACE_SIZE);
}

/** Does a link that says `wanted` take what has `value`: 0 for any, else one more than the value? */
function takes(wanted: i32, value: i32): boolean {
  return wanted === 0 || wanted === value + 1;
}

/** Does a link have the interface with this index? */
export function hasInterface(link: i32, index: i32): boolean {
  const interfaces: i32 = ld32(link + LINK_INTERFACES);
  return interfaces === 0 || ((interfaces >> index) & 1) !== 0;
}

/** May the frame whose packet header this is be for that realm? VLAN id 0 is a priority tag: no VLAN (IEEE 802.1Q 9.6). */
export function linkTakes(realm: i32, packet: i32): boolean {
  const link: i32 = linkAt(realm);
  const vlan: i32 = ld32(packet + PACKET_VLAN);
  return (
    hasInterface(link, ld32(packet + FRAME_INTERFACE)) &&
    takes(ld32(link + LINK_VLAN), vlan < 0 ? 0 : vlan) &&
    takes(ld32(link + LINK_VLAN_OUTER), ld32(packet + PACKET_VLAN_OUTER)) &&
    takes(ld32(link + LINK_MPLS), ld32(packet + PACKET_MPLS)) &&
    takes(ld32(link + LINK_MPLS_OUTER), ld32(packet + PACKET_MPLS_OUTER)) &&
    takes(ld32(link + LINK_VPN), ld32(packet + PACKET_VPN))
  );
}

function said(value: i32): i32 {
  return value === 0 ? 0 : 1;
}

/** How much a link says. */
function weight(link: i32): i32 {
  const tags: i32 = said(ld32(link + LINK_VLAN)) + said(ld32(link + LINK_VLAN_OUTER));
  const labels: i32 = said(ld32(link + LINK_MPLS)) + said(ld32(link + LINK_MPLS_OUTER));
  return tags + labels + said(ld32(link + LINK_INTERFACES)) + said(ld32(link + LINK_VPN));
}

/** Index of the realm that the frame belongs to: the one that says most of those that take it, the first of several; -1 when none that says anything does. */
export function linkFind(packet: i32): i32 {
  const realms: i32 = ld32(CONFIG_REALMS);
  let best: i32 = -1;
  let most: i32 = 0;
  for (let i: i32 = 0; i < realms && i < REALM_MAX; i++) {
    const heavy: i32 = weight(linkAt(i));
    if (heavy <= most || !linkTakes(i, packet)) continue;
    best = i;
    most = heavy;
  }
  return best;
}

/** Is there a hardware address at `p`? */
export function isStation(p: i32): boolean {
  return ld32be(p) !== 0 || ld16be(p + 4) !== 0;
}

/** Is the hardware address at `p` that of a group (IEEE 802 8.2)? */
export function isGroup(p: i32): boolean {
  return (ld16be(p) & 0x100) !== 0;
}

/** Is it the interface's own? */
export function isOurStation(index: i32, p: i32): boolean {
  const own: i32 = interfaceAt(index) + INTERFACE_ADDRESS;
  return isStation(own) && ld32be(own) === ld32be(p) && ld16be(own + 4) === ld16be(p + 4);
}

/** Has the interface an address of its own, which the one at `p` is not, and is that of one station? */
export function isForeign(index: i32, p: i32): boolean {
  return isStation(interfaceAt(index) + INTERFACE_ADDRESS) && !isGroup(p) && !isOurStation(index, p);
}
