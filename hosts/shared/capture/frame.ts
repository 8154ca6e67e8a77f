/*
 * What a captured frame carries: a UDP datagram, a fragment of one, or something that passes untouched and why.
 * IPv4 (RFC 791), IPv6 with its extension headers (RFC 8200 4), UDP (RFC 768).
 *
 * Invariant: lengths come from the IP header, not from the frame, which may be padded or carry a trailer.
 */

import { type Address, addressFrom } from "../address.ts";
import { type Datagram, PROTOCOL_UDP } from "./datagram.ts";
import { type Link, linkRead } from "./link.ts";

/** The IP layer of one packet: all of a datagram, or a piece of one. */
export interface IpPacket extends Omit<Datagram, "sourcePort" | "destinationPort" | "checksummed" | "payload"> {
  protocol: number;
  /** What follows the IP headers. */
  content: Uint8Array;
}

export interface Fragment extends IpPacket {
  id: number;
  /** Where the content belongs in the whole, in bytes. */
  offset: number;
  more: boolean;
}

export type Frame = { kind: "datagram"; datagram: Datagram } | { kind: "fragment"; fragment: Fragment } | { kind: "other"; why: string };

export const WHY_CUT = "cut short by the capture";
export const WHY_LINK = "not IP";
export const WHY_TUNNEL = "IPv6 routing header";
export const WHY_DAMAGED = "damaged IP or UDP header";

const PROTOCOL_NAMES: Record<number, string> = {
  1: "ICMP",
  2: "IGMP",
  4: "IP in IP",
  6: "TCP",
  41: "IPv6 in IP",
  47: "GRE",
  50: "ESP",
  58: "ICMPv6",
  89: "OSPF",
  112: "VRRP",
  132: "SCTP",
};

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
const EXTENSIONS_MAX = 8;

function other(why: string): Frame {
  return { kind: "other", why };
}

/** The UDP datagram in the content of an IP packet; undefined when its header is damaged. */
export function udpRead(packet: IpPacket): Datagram | undefined {
  const { protocol: _protocol, content, ...rest } = packet;
  if (content.length < 8) return undefined;
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const length = view.getUint16(4);
  if (length < 8 || length > content.length) return undefined;
  return {
    ...rest,
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    checksummed: view.getUint16(6) !== 0,
    payload: content.subarray(8, length),
  };
}

function ipClassify(packet: IpPacket): Frame {
  if (packet.protocol !== PROTOCOL_UDP) return other(`not UDP: ${PROTOCOL_NAMES[packet.protocol] ?? `IP protocol ${packet.protocol}`}`);
  const datagram = udpRead(packet);
  return datagram ? { kind: "datagram", datagram } : other(WHY_DAMAGED);
}

function fragmentClassify(fragment: Fragment): Frame {
  if (fragment.offset === 0 && !fragment.more) return ipClassify(fragment);
  if (fragment.protocol !== PROTOCOL_UDP) return ipClassify(fragment);
  return { kind: "fragment", fragment };
}

function ip4Address(bytes: Uint8Array, at: number): Address {
  const whole = new Uint8Array(16);
  whole[10] = 0xff;
  whole[11] = 0xff;
  whole.set(bytes.subarray(at, at + 4), 12);
  return addressFrom(whole, 0);
}

function ip4Read(link: Link, bytes: Uint8Array, wireLength: number): Frame {
  if (bytes.length < 20) return other(WHY_CUT);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = (view.getUint8(0) & 15) << 2;
  /* A total length of zero is what captures show of a packet that the network card will still cut up. */
  const length = view.getUint16(2) || wireLength;
  if (headerLength < 20 || length < headerLength) return other(WHY_DAMAGED);
  if (length > bytes.length) return other(length <= wireLength ? WHY_CUT : WHY_DAMAGED);
  const place = view.getUint16(6);
  return fragmentClassify({
    link,
    version: 4,
    source: ip4Address(bytes, 12),
    destination: ip4Address(bytes, 16),
    hops: view.getUint8(8),
    traffic: view.getUint8(1),
    protocol: view.getUint8(9),
    content: bytes.subarray(headerLength, length),
    id: view.getUint16(4),
    offset: (place & 0x1fff) << 3,
    more: (place & 0x2000) !== 0,
  });
}

interface Extensions {
  protocol: number;
  at: number;
  fragment?: Pick<Fragment, "id" | "offset" | "more">;
}

/** Walks the extension headers from `at` to what is not one, or to what a fragment holds. */
function extensionsSkip(view: DataView, protocol: number, end: number): Extensions | undefined {
  const walk: Extensions = { protocol, at: 40 };
  for (let i = 0; i < EXTENSIONS_MAX; i++) {
    if (![HOP_BY_HOP, DESTINATION_OPTIONS, FRAGMENT].includes(walk.protocol)) return walk;
    if (walk.at + 8 > end) return undefined;
    const next = view.getUint8(walk.at);
    if (walk.protocol === FRAGMENT) {
      const place = view.getUint16(walk.at + 2);
      walk.fragment = { id: view.getUint32(walk.at + 4), offset: place & 0xfff8, more: (place & 1) !== 0 };
      walk.at += 8;
    } else {
      walk.at += (view.getUint8(walk.at + 1) + 1) << 3;
    }
    walk.protocol = next;
    if (walk.fragment && walk.fragment.offset > 0) break;
  }
  return walk.at <= end ? walk : undefined;
}

function ip6Read(link: Link, bytes: Uint8Array, wireLength: number): Frame {
  if (bytes.length < 40) return other(WHY_CUT);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = 40 + view.getUint16(4);
  if (end > bytes.length) return other(end <= wireLength ? WHY_CUT : WHY_DAMAGED);
  const walk = extensionsSkip(view, view.getUint8(6), end);
  if (!walk) return other(WHY_DAMAGED);
  if (walk.protocol === ROUTING) return other(WHY_TUNNEL);
  return fragmentClassify({
    link,
    version: 6,
    source: addressFrom(bytes, 8),
    destination: addressFrom(bytes, 24),
    hops: view.getUint8(7),
    traffic: (view.getUint16(0) >> 4) & 0xff,
    protocol: walk.protocol,
    content: bytes.subarray(walk.at, end),
    ...(walk.fragment ?? { id: 0, offset: 0, more: false }),
  });
}

/** Dissects a frame of which the capture kept `bytes` of `wireLength`. */
export function frameRead(linkType: number, bytes: Uint8Array, wireLength: number): Frame {
  const link = linkRead(linkType, bytes);
  if (!link) return other(WHY_LINK);
  const ip = bytes.subarray(link.header.length);
  if (ip.length === 0) return other(WHY_CUT);
  const version = ip[0]! >> 4;
  const ipWireLength = wireLength - link.header.length;
  if (version === 4) return ip4Read(link, ip, ipWireLength);
  if (version === 6) return ip6Read(link, ip, ipWireLength);
  return other(WHY_LINK);
}
