/*
 * Adjacencies: interface, hardware addresses, tags and labels towards a terminal, the end of a flow or a realm's next
 * hop (SPEC I3c: the path learned from the request). They stand beside their owners, so that none can outlive its owner.
 */

import { clear, copy, copy16, equal16, ld32, mul, st32 } from "../machine.ts";
import {
  ADJACENCY_ADDRESSES,
  ADJACENCY_ARRIVAL,
  ADJACENCY_DEPTH,
  ADJACENCY_INTERFACE,
  ADJACENCY_LABELS,
  ADJACENCY_REALMS,
  ADJACENCY_TAG,
  ADJACENCY_TAG_INNER,
  ADJACENCY_NETWORK,
  INTERFACE_ADDRESS,
  INTERFACE_PEER,
  LINK_INTERFACES,
  LINK_MPLS,
  LINK_MPLS_OUTER,
  LINK_NEXT_HOP,
  LINK_VLAN,
  LINK_VLAN_OUTER,
} from "../memory/frame.ts";
import {
  ADJACENCY_SIZE,
  CAPACITY_DATAGRAMS,
  CAPACITY_TERMINALS,
  CONFIG_INTERFACES,
  CONFIG_REALMS,
  INTERFACE_MAX,
  REALM_MAX,
  REGION_ADJACENCIES,
  table,
} from "../memory/layout.ts";
import { TYPE_SERVICE_VLAN, TYPE_VLAN } from "../memory/header.ts";
import { PACKET_TRAFFIC } from "../memory/packet.ts";
import { dirtyMark } from "./dirty.ts";
import { hasInterface, interfaceAt, isGroup, isStation, linkAt } from "./link.ts";

const VLAN_ID: i32 = 0xfff;

/** Address of the adjacency with this index. */
export function adjacencyAt(index: i32): i32 {
  return dirtyMark((table(REGION_ADJACENCIES) + mul(index, ADJACENCY_SIZE)) | 0);
}

export function realmAdjacency(realm: i32): i32 {
  return ADJACENCY_REALMS + realm;
}

export function terminalAdjacency(terminal: i32): i32 {
  return ADJACENCY_REALMS + REALM_MAX + terminal;
}

/** Index of the adjacency of a flow's end: of its core side or not, of RTCP or not. */
export function flowAdjacency(flow: i32, core: boolean, rtcp: boolean): i32 {
  return (ADJACENCY_REALMS + REALM_MAX + ld32(CAPACITY_TERMINALS) + (flow << 2) + (core ? 2 : 0) + (rtcp ? 1 : 0)) | 0;
}

/** Is packet mode on? */
export function isFraming(): boolean {
  return ld32(CONFIG_INTERFACES) !== 0;
}

/** Does the packet come from a frame? */
export function isFramed(packet: i32): boolean {
  return ld32(packet + PACKET_TRAFFIC) < 0;
}

function adjacencyCopy(to: i32, from: i32): void {
  for (let at: i32 = 0; at < ADJACENCY_SIZE; at += 16) copy16(to + at, from + at);
}

/** Makes the adjacency that of where the packet came from; of one that is no frame, nothing is learned. */
export function adjacencyLearn(index: i32, packet: i32): void {
  if (isFramed(packet)) adjacencyCopy(adjacencyAt(index), adjacencyAt(ADJACENCY_ARRIVAL));
}

/** Makes it what another one is. */
export function adjacencyMove(to: i32, from: i32): void {
  if (isFraming()) adjacencyCopy(adjacencyAt(to), adjacencyAt(from));
}

export function adjacencyForget(index: i32): void {
  if (isFraming()) clear(adjacencyAt(index), ADJACENCY_SIZE);
}

/** Does the packet come by the network that the adjacency leads into? Where either is not known from frames, nothing speaks against it. */
export function isSameNetwork(index: i32, packet: i32): boolean {
  if (!isFramed(packet)) return true;
  const a: i32 = adjacencyAt(index);
  return ld32(a + ADJACENCY_INTERFACE) === 0 || equal16(a + ADJACENCY_NETWORK, adjacencyAt(ADJACENCY_ARRIVAL) + ADJACENCY_NETWORK);
}

/** Does it lead into a network that the machine's own stack does not send to: behind a tag or a label, or into a VPN? */
export function isApart(index: i32): boolean {
  const a: i32 = adjacencyAt(index);
  if (ld32(a + ADJACENCY_INTERFACE) === 0) return false;
  const tags: i32 = (ld32(a + ADJACENCY_TAG) | ld32(a + ADJACENCY_TAG_INNER)) & VLAN_ID;
  return (tags | ld32(a + ADJACENCY_DEPTH)) !== 0 || ld32(a + ADJACENCY_NETWORK) !== -1;
}

/** One label of a stack. */
function labelAdd(a: i32, wanted: i32): void {
  const depth: i32 = ld32(a + ADJACENCY_DEPTH);
  if (wanted === 0) return;
  st32(a + ADJACENCY_LABELS + (depth << 2), wanted - 1);
  st32(a + ADJACENCY_DEPTH, depth + 1);
}

function tagOf(tpid: i32, wanted: i32): i32 {
  return wanted > 1 ? (tpid << 16) | (wanted - 1) : 0;
}

/** Index plus one of the first interface that a link names, 0 when none is there. */
function firstInterface(link: i32): i32 {
  const interfaces: i32 = ld32(CONFIG_INTERFACES);
  for (let i: i32 = 0; i < interfaces && ld32(link + LINK_INTERFACES) !== 0; i++) if (hasInterface(link, i)) return i + 1;
  return 0;
}

/** Writes what the configuration says of a realm's next hop, and nothing where it says none. */
function configured(realm: i32): void {
  const link: i32 = linkAt(realm);
  const a: i32 = adjacencyAt(realmAdjacency(realm));
  const egress: i32 = firstInterface(link);
  clear(a, ADJACENCY_SIZE);
  if (egress === 0 || !isStation(link + LINK_NEXT_HOP)) return;
  st32(a + ADJACENCY_INTERFACE, egress);
  const inner: i32 = tagOf(TYPE_VLAN, ld32(link + LINK_VLAN));
  const outer: i32 = tagOf(TYPE_SERVICE_VLAN, ld32(link + LINK_VLAN_OUTER));
  st32(a + ADJACENCY_TAG, outer !== 0 ? outer : inner);
  st32(a + ADJACENCY_TAG_INNER, outer !== 0 ? inner : 0);
  labelAdd(a, ld32(link + LINK_MPLS_OUTER));
  labelAdd(a, ld32(link + LINK_MPLS));
  copy(a + ADJACENCY_ADDRESSES, link + LINK_NEXT_HOP, 6);
  copy(a + ADJACENCY_ADDRESSES + 6, interfaceAt(egress - 1) + INTERFACE_ADDRESS, 6);
}

/** Looks the interfaces over and takes the configured next hops over; what was learned of others stays. Returns false when there is no room for packet mode, or a peer does not exist. */
export function linksTake(): boolean {
  const interfaces: i32 = ld32(CONFIG_INTERFACES);
  if (interfaces < 0 || interfaces > INTERFACE_MAX || (interfaces > 0 && ld32(CAPACITY_DATAGRAMS) === 0)) return false;
  for (let i: i32 = 0; i < interfaces; i++) {
    const peer: i32 = ld32(interfaceAt(i) + INTERFACE_PEER);
    if (peer < 0 || peer > interfaces) return false;
  }
  for (let i: i32 = 0; i < ld32(CONFIG_REALMS) && interfaces > 0; i++) configured(i);
  return true;
}

/** Forgets everything that was learned. */
export function adjacenciesInit(): void {
  clear(table(REGION_ADJACENCIES), (table(REGION_ADJACENCIES + 1) - table(REGION_ADJACENCIES)) | 0);
}

/** Turns the address pair at `p` round: from where a frame came to where its answer goes; a destination that is no station's becomes that of the interface. */
export function stationsTurn(to: i32, p: i32, ingress: i32): void {
  copy(to, p + 6, 6);
  copy(to + 6, isGroup(p) ? interfaceAt(ingress) + INTERFACE_ADDRESS : p, 6);
}
