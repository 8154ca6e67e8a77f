/*
 * The link header of a frame: Ethernet II, one or two tags (IEEE 802.1Q), a stack of MPLS labels (RFC 3032 2.1). What it
 * says goes into the packet header, and into the arrival adjacency what an answer needs.
 */

import { clear, ld16be, ld32, ld32be, ld8, st16be, st32 } from "../../machine.ts";
import {
  ADJACENCY_ADDRESSES,
  ADJACENCY_ARRIVAL,
  ADJACENCY_DEPTH,
  ADJACENCY_INTERFACE,
  ADJACENCY_LABELS,
  ADJACENCY_TAG,
  ADJACENCY_TAG_INNER,
  ADJACENCY_NETWORK,
  FRAME_BYTES,
  FRAME_INTERFACE,
  FRAME_TAG,
  INTERFACE_VPN,
  LABEL_DEPTH_MAX,
  WIRE_CLASS,
  WIRE_END,
  WIRE_IP,
  WIRE_PCP,
  WIRE_START,
  WIRE_TTL,
  WIRE_VERSION,
} from "../../memory/frame.ts";
import { TYPE_IP4, TYPE_IP6, TYPE_MPLS, TYPE_SERVICE_VLAN, TYPE_VLAN } from "../../memory/header.ts";
import { ADJACENCY_SIZE } from "../../memory/layout.ts";
import { PACKET_LEN, PACKET_MPLS, PACKET_MPLS_OUTER, PACKET_VLAN, PACKET_VLAN_OUTER, PACKET_VPN } from "../../memory/packet.ts";
import { REASON_LABELS_DEEP, REASON_NOT_IP } from "../../memory/reason.ts";
import { adjacencyAt, stationsTurn } from "../../table/adjacency.ts";
import { labelsClear, labelsWrite } from "../../table/label.ts";
import { interfaceAt } from "../../table/link.ts";

const ADDRESSES: i32 = 12;
/** The tag of QinQ before it was a standard. */
const TYPE_OLD_VLAN: i32 = 0x9100;
const VLAN_ID: i32 = 0xfff;

function isTag(type: i32): boolean {
  return type === TYPE_VLAN || type === TYPE_SERVICE_VLAN || type === TYPE_OLD_VLAN;
}

/** Puts a tag that the kernel has taken off where it was; says where the frame begins and ends. */
export function frameBegin(packet: i32): void {
  const tag: i32 = ld32(packet + FRAME_TAG);
  let start: i32 = packet + FRAME_BYTES;
  st32(WIRE_END, start + ld32(packet + PACKET_LEN));
  if (tag !== 0) {
    for (let i: i32 = 0; i < ADDRESSES; i += 4) {
      st16be(start - 4 + i, ld16be(start + i));
      st16be(start - 2 + i, ld16be(start + 2 + i));
    }
    start = start - 4;
    st16be(start + ADDRESSES, tag >>> 16);
    st16be(start + ADDRESSES + 2, tag);
    st32(packet + FRAME_TAG, 0);
  }
  st32(WIRE_START, start);
}

/** Notes one tag: the outer ones first. */
function tagNote(packet: i32, a: i32, tag: i32, n: i32): void {
  if (n === 0) st32(WIRE_PCP, (tag >>> 13) & 7);
  if (n === 1) st32(packet + PACKET_VLAN_OUTER, ld32(packet + PACKET_VLAN));
  st32(packet + PACKET_VLAN, tag & VLAN_ID);
  st32(a + (n === 0 ? ADJACENCY_TAG : ADJACENCY_TAG_INNER), tag);
}

/** Notes the label stack at `at`. Returns the address past its bottom, 0 when it has none within reach. */
function labelsRead(packet: i32, a: i32, at: i32): i32 {
  for (let n: i32 = 0; n < LABEL_DEPTH_MAX && at + 4 <= ld32(WIRE_END); n++) {
    const entry: i32 = ld32be(at);
    if (n === 0) {
      st32(WIRE_TTL, entry & 0xff);
      st32(WIRE_CLASS, (entry >>> 9) & 7);
    }
    if (n === 1) st32(packet + PACKET_MPLS_OUTER, ld32(packet + PACKET_MPLS));
    st32(packet + PACKET_MPLS, entry >>> 12);
    st32(a + ADJACENCY_LABELS + (n << 2), entry >>> 12);
    st32(a + ADJACENCY_DEPTH, n + 1);
    at = at + 4;
    if ((entry & 0x100) !== 0) return at;
  }
  return 0;
}

/** Reads the link header. Returns 0 with WIRE_IP at an IP header, or the reason why there is none. */
export function linkRead(packet: i32): i32 {
  const a: i32 = adjacencyAt(ADJACENCY_ARRIVAL);
  const ingress: i32 = ld32(packet + FRAME_INTERFACE);
  const start: i32 = ld32(WIRE_START);
  const end: i32 = ld32(WIRE_END);
  clear(a, ADJACENCY_SIZE);
  labelsClear(packet);
  st32(packet + PACKET_VPN, (ld32(interfaceAt(ingress) + INTERFACE_VPN) - 1) | 0);
  st32(WIRE_IP, 0);
  st32(WIRE_TTL, 255);
  st32(WIRE_PCP, 0);
  st32(WIRE_CLASS, 0);
  if (end - start < ADDRESSES + 2) return REASON_NOT_IP;
  let at: i32 = start + ADDRESSES;
  let tags: i32 = 0;
  while (isTag(ld16be(at)) && at + 6 <= end && tags < 2) {
    tagNote(packet, a, ld32be(at), tags);
    tags++;
    at = at + 4;
  }
  const type: i32 = ld16be(at);
  at = at + 2;
  if (isTag(type)) return REASON_LABELS_DEEP;
  if (type === TYPE_MPLS) {
    at = labelsRead(packet, a, at);
    if (at === 0) return REASON_LABELS_DEEP;
  } else if (type !== TYPE_IP4 && type !== TYPE_IP6) return REASON_NOT_IP;
  labelsWrite(a + ADJACENCY_NETWORK, packet);
  st32(a + ADJACENCY_INTERFACE, ingress + 1);
  stationsTurn(a + ADJACENCY_ADDRESSES, start, ingress);
  return at < end ? versionRead(type, at) : REASON_NOT_IP;
}

/** Behind a label nothing names the protocol: its first four bits tell. */
function versionRead(type: i32, at: i32): i32 {
  const version: i32 = ld8(at) >> 4;
  const right: boolean = type === TYPE_MPLS ? version === 4 || version === 6 : version === (type === TYPE_IP4 ? 4 : 6);
  if (!right) return REASON_NOT_IP;
  st32(WIRE_VERSION, version);
  st32(WIRE_IP, at);
  return 0;
}
