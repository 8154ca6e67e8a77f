/*
 * An ICMP error for the other side: the one in hand, quoting the headers of the packet that the receiver sent (RFC 5508
 * 4.2) and nothing of what it carried, which would be the other side's form of it. From one family to the other as RFC 7915
 * 4.2 and 5.2 have it.
 */

import { ld16be, ld32, ld32be, ld8, st16be, st32be, st8 } from "../../machine.ts";
import { WIRE_INNER_IP, WIRE_INNER_UDP, WIRE_TRANSPORT, WIRE_VERSION } from "../../memory/frame.ts";
import { ICMP_HEADER, IP4_HEADER, IP6_HEADER, UDP_HEADER } from "../../memory/header.ts";
import { OUTPUT_LOCAL, OUTPUT_LOCAL_PORT, OUTPUT_REMOTE, OUTPUT_REMOTE_PORT } from "../../memory/output.ts";
import { PROTOCOL_ICMP6, PROTOCOL_UDP } from "../../memory/packet.ts";
import { pseudoSum, sumAdd, sumEnd } from "../../bytes/checksum.ts";
import { ip4Write, ip6Write, udpWrite } from "./header.ts";

/** How much longer IPv6's header is than IPv4's. */
const DIFFERENCE: i32 = IP6_HEADER - IP4_HEADER;
/** Of a message that has no counterpart. */
const NONE: i32 = -1;

/** Type << 8 | code of IPv6 for one of IPv4 (RFC 7915 4.2). */
function sixOf(type: i32, code: i32): i32 {
  if (type === 11) return 0x300 | code;
  if (type !== 3 || code === 2) return NONE;
  if (code === 3) return 0x104;
  if (code === 4) return 0x200;
  return code === 9 || code === 10 || code === 13 || code === 15 ? 0x101 : 0x100;
}

/** Type << 8 | code of IPv4 for one of IPv6 (RFC 7915 5.2). */
function fourOf(type: i32, code: i32): i32 {
  if (type === 3) return 0xb00 | code;
  if (type === 2) return 0x304;
  if (type !== 1) return NONE;
  if (code === 4) return 0x303;
  return code === 1 ? 0x30a : 0x301;
}

/** Type << 8 | code for the receiver's family, -1 when it has none. */
export function icmpKind(six: boolean): i32 {
  const at: i32 = ld32(WIRE_TRANSPORT);
  if ((ld32(WIRE_VERSION) === 6) === six) return ld16be(at);
  return six ? sixOf(ld8(at), ld8(at + 1)) : fourOf(ld8(at), ld8(at + 1));
}

/** The second word of the message, which says the MTU where it is about that. */
function restOf(kind: i32, six: boolean): i32 {
  const rest: i32 = ld32be(ld32(WIRE_TRANSPORT) + 4);
  if ((ld32(WIRE_VERSION) === 6) === six) return rest;
  if (kind === 0x200) return ((rest & 0xffff) + DIFFERENCE) | 0;
  return kind === 0x304 ? (rest - DIFFERENCE) & 0xffff : 0;
}

/** Traffic class and TTL of the quoted packet. */
function quotedTtl(): i32 {
  return ld8(ld32(WIRE_INNER_IP) + (ld32(WIRE_VERSION) === 6 ? 7 : 8));
}

/**
 * Writes the message at `to` for a record's remote, which had sent from its port to the record's local address and port.
 * Returns its length.
 */
export function icmpWrite(to: i32, record: i32, six: boolean, kind: i32): i32 {
  const local: i32 = record + OUTPUT_LOCAL;
  const remote: i32 = record + OUTPUT_REMOTE;
  const ip: i32 = to + ICMP_HEADER;
  const header: i32 = six ? IP6_HEADER : IP4_HEADER;
  const length: i32 = ld16be(ld32(WIRE_INNER_UDP) + 4);
  const len: i32 = ICMP_HEADER + header + UDP_HEADER;
  if (six) ip6Write(ip, length, 0, quotedTtl(), PROTOCOL_UDP, remote, local);
  else ip4Write(ip, length, 0, 0, 0, quotedTtl(), PROTOCOL_UDP, remote, local);
  udpWrite(ip + header, ld32(record + OUTPUT_REMOTE_PORT), ld32(record + OUTPUT_LOCAL_PORT), length - UDP_HEADER, 0);
  st8(to, kind >> 8);
  st8(to + 1, kind);
  st16be(to + 2, 0);
  st32be(to + 4, restOf(kind, six));
  const pseudo: i32 = six ? pseudoSum(local, remote, PROTOCOL_ICMP6, len) : 0;
  st16be(to + 2, sumEnd(sumAdd(pseudo, to, len)));
  return len;
}
