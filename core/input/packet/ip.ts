/*
 * The IP and transport headers of a frame: IPv4 (RFC 791 3.1), IPv6 with its extension headers (RFC 8200 4), UDP (RFC 768)
 * and the ports of TCP. What they say goes into the packet header.
 *
 * Invariant: nothing is read past the frame, and lengths are those of the headers, not of the frame, which may be padded.
 */

import { copy, ld16be, ld32, ld32be, ld8, st32 } from "../../machine.ts";
import {
  FRAME_FLAGS,
  FRAME_FLAG_PARTIAL,
  WIRE_CHECKSUM,
  WIRE_END,
  WIRE_ID,
  WIRE_IP,
  WIRE_MORE,
  WIRE_OFFSET,
  WIRE_PARTIAL,
  WIRE_PAYLOAD,
  WIRE_PAYLOAD_LEN,
  WIRE_STOP,
  WIRE_TRAFFIC,
  WIRE_TRANSPORT,
  WIRE_TTL,
  WIRE_VERSION,
  WIRE_WHOLE,
} from "../../memory/frame.ts";
import { FRAGMENT_HEADER, IP4_HEADER, IP6_HEADER, NEXT_FRAGMENT, TCP_HEADER, UDP_HEADER } from "../../memory/header.ts";
import {
  PACKET_AT,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_LEN,
  PACKET_PROTOCOL,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from "../../memory/packet.ts";
import { FAULT_FRAME, REASON_CHECKSUM, REASON_NOT_IP } from "../../memory/reason.ts";
import { isMapped, mappedWrite } from "../../bytes/address.ts";
import { sumAdd } from "../../bytes/checksum.ts";

const HOP_BY_HOP: i32 = 0;
const ROUTING: i32 = 43;
const DESTINATION_OPTIONS: i32 = 60;
/** Extension headers that are walked past. */
const EXTENSIONS_MAX: i32 = 8;

function ttlNote(ttl: i32): void {
  if (ttl < ld32(WIRE_TTL)) st32(WIRE_TTL, ttl);
}

function ip4Read(packet: i32, ip: i32): i32 {
  const end: i32 = ld32(WIRE_END);
  if (end - ip < IP4_HEADER) return FAULT_FRAME;
  const header: i32 = (ld8(ip) & 15) << 2;
  const length: i32 = ld16be(ip + 2);
  if (header < IP4_HEADER || length < header || length > end - ip) return FAULT_FRAME;
  if (sumAdd(0, ip, header) !== 0xffff) return REASON_CHECKSUM;
  const place: i32 = ld16be(ip + 6);
  st32(WIRE_TRAFFIC, ld8(ip + 1));
  st32(WIRE_ID, ld16be(ip + 4));
  st32(WIRE_WHOLE, place & 0x4000);
  st32(WIRE_MORE, place & 0x2000);
  st32(WIRE_OFFSET, (place & 0x1fff) << 3);
  ttlNote(ld8(ip + 8));
  st32(packet + PACKET_PROTOCOL, ld8(ip + 9));
  mappedWrite(packet + PACKET_SOURCE, ip + 12);
  mappedWrite(packet + PACKET_DESTINATION, ip + 16);
  st32(WIRE_TRANSPORT, ip + header);
  st32(WIRE_STOP, ip + length);
  return 0;
}

/** An IPv4 address in an IPv6 header is nobody's (RFC 4291 2.5.5.2 has it for programs): it would be taken for IPv4. */
function ip6Read(packet: i32, ip: i32): i32 {
  const end: i32 = ld32(WIRE_END);
  if (end - ip < IP6_HEADER) return FAULT_FRAME;
  const stop: i32 = (ip + IP6_HEADER + ld16be(ip + 4)) | 0;
  if (stop > end) return FAULT_FRAME;
  st32(WIRE_TRAFFIC, (ld16be(ip) >> 4) & 0xff);
  st32(WIRE_WHOLE, 0);
  ttlNote(ld8(ip + 7));
  copy(packet + PACKET_SOURCE, ip + 8, 16);
  copy(packet + PACKET_DESTINATION, ip + 24, 16);
  st32(WIRE_STOP, stop);
  if (isMapped(packet + PACKET_SOURCE) || isMapped(packet + PACKET_DESTINATION)) return FAULT_FRAME;
  return extensionsSkip(packet, ld8(ip + 6), ip + IP6_HEADER);
}

/** Walks to the transport header, or to what is not walked past: a routing header that has hops left, the data of a fragment. */
function extensionsSkip(packet: i32, first: i32, from: i32): i32 {
  const stop: i32 = ld32(WIRE_STOP);
  let next: i32 = first;
  let at: i32 = from;
  for (let i: i32 = 0; i < EXTENSIONS_MAX; i++) {
    const known: boolean = next === HOP_BY_HOP || next === DESTINATION_OPTIONS || next === ROUTING || next === NEXT_FRAGMENT;
    if (!known) break;
    if (at + 8 > stop) return FAULT_FRAME;
    if (next === ROUTING && ld8(at + 3) !== 0) return REASON_NOT_IP;
    const len: i32 = next === NEXT_FRAGMENT ? FRAGMENT_HEADER : (ld8(at + 1) + 1) << 3;
    if (next === NEXT_FRAGMENT) {
      const place: i32 = ld16be(at + 2);
      st32(WIRE_OFFSET, place & 0xfff8);
      st32(WIRE_MORE, place & 1);
      st32(WIRE_ID, ld32be(at + 4));
    }
    const fragment: boolean = ld32(WIRE_OFFSET) + ld32(WIRE_MORE) > 0;
    next = ld8(at);
    at = at + len;
    if (at > stop) return FAULT_FRAME;
    if (fragment) break;
  }
  st32(packet + PACKET_PROTOCOL, next);
  st32(WIRE_TRANSPORT, at);
  return 0;
}

/** Reads the IP header of the frame in hand. Returns 0, or the reason why it is not read. */
export function ipRead(packet: i32): i32 {
  const ip: i32 = ld32(WIRE_IP);
  st32(WIRE_OFFSET, 0);
  st32(WIRE_MORE, 0);
  st32(WIRE_ID, 0);
  st32(WIRE_CHECKSUM, 0);
  st32(WIRE_PARTIAL, ld32(packet + FRAME_FLAGS) & FRAME_FLAG_PARTIAL);
  st32(packet + PACKET_SOURCE_PORT, -1);
  st32(packet + PACKET_DESTINATION_PORT, -1);
  return ld32(WIRE_VERSION) === 4 ? ip4Read(packet, ip) : ip6Read(packet, ip);
}

/** Reads the transport header, where it is one that is known, and says where the payload is. Returns 0 or the fault. */
export function transportRead(packet: i32): i32 {
  const protocol: i32 = ld32(packet + PACKET_PROTOCOL);
  const at: i32 = ld32(WIRE_TRANSPORT);
  const len: i32 = ld32(WIRE_STOP) - at;
  st32(WIRE_PAYLOAD, 0);
  if (protocol !== PROTOCOL_UDP && protocol !== PROTOCOL_TCP) return 0;
  if (len < (protocol === PROTOCOL_UDP ? UDP_HEADER : TCP_HEADER)) return FAULT_FRAME;
  st32(packet + PACKET_SOURCE_PORT, ld16be(at));
  st32(packet + PACKET_DESTINATION_PORT, ld16be(at + 2));
  if (protocol !== PROTOCOL_UDP) return 0;
  const length: i32 = ld16be(at + 4);
  if (length < UDP_HEADER || length > len) return FAULT_FRAME;
  st32(WIRE_CHECKSUM, ld16be(at + 6));
  payloadNote(packet, at + UDP_HEADER, length - UDP_HEADER);
  return 0;
}

function payloadNote(packet: i32, p: i32, len: i32): void {
  st32(packet + PACKET_AT, p);
  st32(packet + PACKET_LEN, len);
  st32(WIRE_PAYLOAD, p);
  st32(WIRE_PAYLOAD_LEN, len);
}
