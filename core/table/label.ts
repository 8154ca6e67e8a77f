/*
 * The labels of a packet (SPEC P1): VPN id, VLAN ids, MPLS labels. Four of them say of which network it is (SPEC V7); as
 * a set they take 16 bytes.
 */

import { ld32, st32 } from "../machine.ts";
import { PACKET_MPLS, PACKET_MPLS_OUTER, PACKET_VLAN, PACKET_VLAN_OUTER, PACKET_VPN } from "../memory/packet.ts";
import { hashWord } from "../bytes/hash.ts";

/** Says that a packet has no outer ones, of which only frames tell. */
export function outerLabelsClear(packet: i32): void {
  st32(packet + PACKET_VLAN_OUTER, -1);
  st32(packet + PACKET_MPLS_OUTER, -1);
}

/** Says that a packet has none at all. */
export function labelsClear(packet: i32): void {
  st32(packet + PACKET_VPN, -1);
  st32(packet + PACKET_VLAN, -1);
  st32(packet + PACKET_MPLS, -1);
  outerLabelsClear(packet);
}

/** Has the packet any that says of which network it is? */
export function isLabelled(packet: i32): boolean {
  const vlans: i32 = ld32(packet + PACKET_VLAN) & ld32(packet + PACKET_VLAN_OUTER);
  return (vlans & ld32(packet + PACKET_MPLS) & ld32(packet + PACKET_VPN)) !== -1;
}

/** Takes the network of a packet into the hash that was begun. */
export function labelsHash(packet: i32): void {
  hashWord(ld32(packet + PACKET_VPN));
  hashWord(ld32(packet + PACKET_VLAN));
  hashWord(ld32(packet + PACKET_VLAN_OUTER));
  hashWord(ld32(packet + PACKET_MPLS));
}

/** Writes the network of a packet as a set. */
export function labelsWrite(to: i32, packet: i32): void {
  st32(to, ld32(packet + PACKET_VPN));
  st32(to + 4, ld32(packet + PACKET_VLAN));
  st32(to + 8, ld32(packet + PACKET_VLAN_OUTER));
  st32(to + 12, ld32(packet + PACKET_MPLS));
}

/** Is the set that of the packet? */
export function labelsAre(labels: i32, packet: i32): boolean {
  const vlans: boolean = ld32(labels + 4) === ld32(packet + PACKET_VLAN) && ld32(labels + 8) === ld32(packet + PACKET_VLAN_OUTER);
  return vlans && ld32(labels) === ld32(packet + PACKET_VPN) && ld32(labels + 12) === ld32(packet + PACKET_MPLS);
}
