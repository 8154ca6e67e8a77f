/*
 * A UDP datagram with what is needed to put it into a frame again: IPv4 (RFC 791) or IPv6 (RFC 8200) over a
 * link header.
 *
 * Invariant: a datagram written here is a new one (RFC 4787 REQ-13): own identification, DF clear, no options,
 * whole up to 65,535 bytes.
 */

import type { Address } from "../address.ts";
import { sumAdd, sumFold, udpChecksum } from "./checksum.ts";
import { type Link, linkWrite } from "./link.ts";

export const PROTOCOL_UDP = 17;
const IP4_HEADER = 20;
const IP6_HEADER = 40;
const UDP_HEADER = 8;
const LENGTH_MAX = 65_535;

export interface Datagram {
  link: Link;
  version: 4 | 6;
  source: Address;
  destination: Address;
  sourcePort: number;
  destinationPort: number;
  /** Time to live, or hop limit. */
  hops: number;
  /** DSCP and ECN. */
  traffic: number;
  /** False for a checksum of zero, which IPv4 allows and which stays zero. */
  checksummed: boolean;
  payload: Uint8Array;
}

/** The UDP packet of a datagram, its addresses as they stand in the IP header. */
function udpWrite(datagram: Datagram, source: Uint8Array, destination: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(UDP_HEADER + datagram.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, datagram.sourcePort);
  view.setUint16(2, datagram.destinationPort);
  view.setUint16(4, bytes.length);
  bytes.set(datagram.payload, UDP_HEADER);
  if (datagram.checksummed || datagram.version === 6) view.setUint16(6, udpChecksum(source, destination, bytes, PROTOCOL_UDP));
  return bytes;
}

function ip4Write(datagram: Datagram, id: number, source: Uint8Array, destination: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(IP4_HEADER);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x45);
  view.setUint8(1, datagram.traffic);
  view.setUint16(2, IP4_HEADER + length);
  view.setUint16(4, id & 0xffff);
  view.setUint8(8, datagram.hops);
  view.setUint8(9, PROTOCOL_UDP);
  bytes.set(source, 12);
  bytes.set(destination, 16);
  view.setUint16(10, sumFold(sumAdd(0, bytes)));
  return bytes;
}

function ip6Write(datagram: Datagram, source: Uint8Array, destination: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(IP6_HEADER);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x60000000 | (datagram.traffic << 20));
  view.setUint16(4, length);
  view.setUint8(6, PROTOCOL_UDP);
  view.setUint8(7, datagram.hops);
  bytes.set(source, 8);
  bytes.set(destination, 24);
  return bytes;
}

/** The frame of a datagram with IPv4 identification `id`, or undefined when it is longer than IP can carry. */
export function datagramWrite(datagram: Datagram, id: number): Uint8Array | undefined {
  const { version } = datagram;
  const skipped = version === 4 ? 12 : 0;
  const source = datagram.source.bytes.subarray(skipped);
  const destination = datagram.destination.bytes.subarray(skipped);
  const length = UDP_HEADER + datagram.payload.length + (version === 4 ? IP4_HEADER : 0);
  if (length > LENGTH_MAX) return undefined;
  const udp = udpWrite(datagram, source, destination);
  const ip = version === 4 ? ip4Write(datagram, id, source, destination, udp.length) : ip6Write(datagram, source, destination, udp.length);
  const link = linkWrite(datagram.link, version, ip.length + udp.length);
  const frame = new Uint8Array(link.length + ip.length + udp.length);
  frame.set(link);
  frame.set(ip, link.length);
  frame.set(udp, link.length + ip.length);
  return frame;
}
