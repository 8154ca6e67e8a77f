/*
 * What an ICMP error quotes (RFC 792, RFC 4443 3): the IP and UDP headers of the packet that it is about.
 */

import { copy, ld16be, ld32, ld8, st32 } from "../../machine.ts";
import {
  WIRE_INNER_IP,
  WIRE_INNER_LOCAL,
  WIRE_INNER_LOCAL_PORT,
  WIRE_INNER_REMOTE,
  WIRE_INNER_REMOTE_PORT,
  WIRE_INNER_UDP,
  WIRE_STOP,
  WIRE_TRANSPORT,
} from "../../memory/frame.ts";
import { ICMP_HEADER, IP4_HEADER, IP6_HEADER, UDP_HEADER } from "../../memory/header.ts";
import { PACKET_DESTINATION, PACKET_PROTOCOL, PACKET_SOURCE, PROTOCOL_ICMP, PROTOCOL_ICMP6, PROTOCOL_UDP } from "../../memory/packet.ts";
import { mappedWrite } from "../../bytes/address.ts";
import { pseudoSum, sumAdd } from "../../bytes/checksum.ts";

const UNREACHABLE: i32 = 3;
const TIME_EXCEEDED: i32 = 11;
const PARAMETER_PROBLEM: i32 = 12;
/** ICMPv6 types from 1 to 4 are errors about a packet; those above are to come. */
const ERROR6_LAST: i32 = 4;

function isError(packet: i32, type: i32): boolean {
  if (ld32(packet + PACKET_PROTOCOL) === PROTOCOL_ICMP6) return type >= 1 && type <= ERROR6_LAST;
  return ld32(packet + PACKET_PROTOCOL) === PROTOCOL_ICMP && (type === UNREACHABLE || type === TIME_EXCEEDED || type === PARAMETER_PROBLEM);
}

/** The quoted packet of IPv4; its UDP header, 0 when it shows none. */
function quoted4(ip: i32, end: i32): i32 {
  const header: i32 = (ld8(ip) & 15) << 2;
  if (ld8(ip) >> 4 !== 4 || header < IP4_HEADER || ip + header + UDP_HEADER > end) return 0;
  if (ld8(ip + 9) !== PROTOCOL_UDP || (ld16be(ip + 6) & 0x1fff) !== 0) return 0;
  mappedWrite(WIRE_INNER_LOCAL, ip + 12);
  mappedWrite(WIRE_INNER_REMOTE, ip + 16);
  return ip + header;
}

function quoted6(ip: i32, end: i32): i32 {
  if (ip + IP6_HEADER + UDP_HEADER > end || ld8(ip) >> 4 !== 6 || ld8(ip + 6) !== PROTOCOL_UDP) return 0;
  copy(WIRE_INNER_LOCAL, ip + 8, 16);
  copy(WIRE_INNER_REMOTE, ip + 24, 16);
  return ip + IP6_HEADER;
}

/** Is the packet in hand an ICMP error about a UDP packet? Then WIRE_INNER_* say which: its sender is called local. */
export function quotedRead(packet: i32): boolean {
  const at: i32 = ld32(WIRE_TRANSPORT);
  const end: i32 = ld32(WIRE_STOP);
  const ip: i32 = at + ICMP_HEADER;
  if (end - ip < IP4_HEADER + UDP_HEADER || !isError(packet, ld8(at))) return false;
  const udp: i32 = ld32(packet + PACKET_PROTOCOL) === PROTOCOL_ICMP ? quoted4(ip, end) : quoted6(ip, end);
  if (udp === 0) return false;
  st32(WIRE_INNER_IP, ip);
  st32(WIRE_INNER_UDP, udp);
  st32(WIRE_INNER_LOCAL_PORT, ld16be(udp));
  st32(WIRE_INNER_REMOTE_PORT, ld16be(udp + 2));
  return true;
}

/** Is the checksum of the ICMP message in hand right? */
export function isIcmpRight(packet: i32): boolean {
  const at: i32 = ld32(WIRE_TRANSPORT);
  const len: i32 = (ld32(WIRE_STOP) - at) | 0;
  const six: boolean = ld32(packet + PACKET_PROTOCOL) === PROTOCOL_ICMP6;
  const pseudo: i32 = six ? pseudoSum(packet + PACKET_SOURCE, packet + PACKET_DESTINATION, PROTOCOL_ICMP6, len) : 0;
  return sumAdd(pseudo, at, len) === 0xffff;
}
