/*
 * A frame (SPEC I1 to I3, P1 to P3): link, IP and transport headers are read into the packet header that datagrams have,
 * and then it goes their way; what is no UDP of ours goes on as it is, to the stack, or nowhere.
 */

import { ld32, st32 } from "../machine.ts";
import { CONFIG_INTERFACES, CONFIG_OTHERWISE, REASSEMBLY } from "../memory/layout.ts";
import { ACTION_DISCARD, POOL_REALM, SERVICE_ACCESS } from "../memory/config.ts";
import {
  FRAME_BYTES,
  FRAME_INTERFACE,
  INTERFACE_PEER,
  WIRE_ASSEMBLED,
  WIRE_DATAGRAM,
  WIRE_MORE,
  WIRE_OFFSET,
  WIRE_PAYLOAD,
  WIRE_PAYLOAD_LEN,
  WIRE_START,
  WIRE_TTL,
} from "../memory/frame.ts";
import { UDP_HEADER } from "../memory/header.ts";
import {
  PACKET_AT,
  PACKET_CONNECTION,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_LEN,
  PACKET_PAYLOAD,
  PACKET_PROTOCOL,
  PACKET_REALM,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TRAFFIC,
  PACKET_TRANSPORT,
  PROTOCOL_ICMP,
  PROTOCOL_ICMP6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TRANSPORT_UDP,
} from "../memory/packet.ts";
import {
  FAULT_LENGTH,
  REASON_CHECKSUM,
  REASON_ELSEWHERE,
  REASON_EXPIRED,
  REASON_FRAGMENT,
  REASON_NOT_OURS,
  REASON_STACK,
  REASON_WRONG_LINK,
  VERDICT_ABSORBED,
  VERDICT_DISCARDED,
  fault,
} from "../memory/reason.ts";
import { PORT_FLOW } from "../memory/tables.ts";
import { isUdpMissing, isUdpRight } from "../encode/packet/checksum.ts";
import { frameBegin, linkRead } from "../input/packet/ethernet.ts";
import { ipRead, transportRead } from "../input/packet/ip.ts";
import { datagramGive, datagramJoin, fragmentTake } from "../table/datagram.ts";
import { interfaceAt, isForeign, linkFind, linkTakes } from "../table/link.ts";
import { isOwn, kindElsewhere, poolAt, poolOf, portOwner } from "../table/port.ts";
import { serviceAt } from "../table/service.ts";
import { isMine } from "../table/share.ts";
import { terminalHash } from "../table/terminal.ts";
import { datagramTake } from "./datagram.ts";
import { icmpTake } from "./icmp.ts";
import { conclude } from "./outcome.ts";
import { frameHand, framePass } from "./pass.ts";
import { isForward, policyOf } from "./policy.ts";
import { inboundTake, payloadSet } from "./side.ts";
import { transmit } from "./transmit.ts";

/** What is not read cannot meet a rule: it goes on, or not, as what meets none. */
function unread(packet: i32, reason: i32): i32 {
  return ld32(CONFIG_OTHERWISE) === ACTION_DISCARD ? conclude(reason, VERDICT_DISCARDED) : framePass(packet, reason);
}

/** Takes the frame in the slot at `packet`, `len` bytes in a slot of `size`. Returns a verdict or a fault. */
export function frameTake(packet: i32, len: i32, size: i32): i32 {
  const ingress: i32 = ld32(packet + FRAME_INTERFACE);
  if (len < 0 || len > size - FRAME_BYTES || ingress < 0 || ingress >= ld32(CONFIG_INTERFACES)) {
    conclude(FAULT_LENGTH, VERDICT_DISCARDED);
    return fault(FAULT_LENGTH, 0);
  }
  st32(packet + PACKET_LEN, len);
  st32(packet + PACKET_REALM, -1);
  st32(packet + PACKET_TRAFFIC, -1);
  st32(packet + PACKET_CONNECTION, 0);
  st32(packet + PACKET_TRANSPORT, TRANSPORT_UDP);
  st32(WIRE_PAYLOAD, 0);
  st32(WIRE_DATAGRAM, 0);
  frameBegin(packet);
  const verdict: i32 = linkTake(packet);
  transmit(packet);
  return verdict;
}

function linkTake(packet: i32): i32 {
  const ingress: i32 = ld32(packet + FRAME_INTERFACE);
  const result: i32 = linkRead(packet);
  const alone: boolean = ld32(interfaceAt(ingress) + INTERFACE_PEER) === 0;
  if (alone && isForeign(ingress, ld32(WIRE_START))) return conclude(REASON_NOT_OURS, VERDICT_DISCARDED);
  if (result !== 0) return framePass(packet, result);
  const damage: i32 = ipRead(packet);
  if (damage !== 0) return unread(packet, damage);
  st32(packet + PACKET_REALM, linkFind(packet));
  return packetTake(packet);
}

/** A fragment, of UDP or TCP: kept until its datagram is whole, which then is the packet in hand. */
function pieceTake(packet: i32): i32 {
  const index: i32 = fragmentTake(packet);
  if (index < 0) return conclude(-index, -index === REASON_FRAGMENT ? VERDICT_ABSORBED : VERDICT_DISCARDED);
  datagramJoin(index, REASSEMBLY + PACKET_PAYLOAD);
  st32(WIRE_DATAGRAM, index + 1);
  st32(WIRE_ASSEMBLED, 1);
  const verdict: i32 = wholeTake(packet);
  datagramGive(index);
  return verdict;
}

/** An IP packet. */
function packetTake(packet: i32): i32 {
  const protocol: i32 = ld32(packet + PACKET_PROTOCOL);
  if ((ld32(WIRE_OFFSET) | ld32(WIRE_MORE)) === 0) return wholeTake(packet);
  return protocol === PROTOCOL_UDP || protocol === PROTOCOL_TCP ? pieceTake(packet) : policyTake(packet);
}

/** One that is whole. */
function wholeTake(packet: i32): i32 {
  const damage: i32 = transportRead(packet);
  if (damage !== 0) return unread(packet, damage);
  const protocol: i32 = ld32(packet + PACKET_PROTOCOL);
  const udp: boolean = protocol === PROTOCOL_UDP;
  const own: boolean = isOwn(packet + PACKET_DESTINATION);
  if (protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMP6) {
    const verdict: i32 = icmpTake(packet);
    if (verdict >= 0) return verdict;
  }
  if (!own) return policyTake(packet);
  if (!udp) return frameHand(packet, REASON_STACK);
  const port: i32 = ld32(packet + PACKET_DESTINATION_PORT);
  const pool: i32 = poolOf(packet + PACKET_DESTINATION, port);
  if (pool >= 0) return portTake(packet, pool);
  return kindElsewhere(packet + PACKET_DESTINATION, port) !== 0 ? conclude(REASON_ELSEWHERE, VERDICT_DISCARDED) : policyTake(packet);
}

/** To no port of ours: the rules say. */
function policyTake(packet: i32): i32 {
  const udp: boolean = ld32(packet + PACKET_PROTOCOL) === PROTOCOL_UDP;
  const service: i32 = policyOf(packet);
  if (service >= 0) return serviceTake(packet, service, udp);
  if (!isForward(-service)) return conclude(-service, VERDICT_DISCARDED);
  return isOwn(packet + PACKET_DESTINATION) ? frameHand(packet, REASON_STACK) : framePass(packet, -service);
}

/** Something that stands against translating the packet in hand: 0, or a reason. Media passes with the checksum that it has. */
function objection(packet: i32, media: boolean): i32 {
  if (ld32(WIRE_TTL) <= 1) return REASON_EXPIRED;
  if (media) return isUdpMissing(packet) ? REASON_CHECKSUM : 0;
  const udp: i32 = ld32(WIRE_PAYLOAD) - UDP_HEADER;
  return isUdpRight(udp, UDP_HEADER + ld32(WIRE_PAYLOAD_LEN), packet) ? 0 : REASON_CHECKSUM;
}

/** To a port of ours, by the link of its realm. */
function portTake(packet: i32, pool: i32): i32 {
  const realm: i32 = ld32(poolAt(pool) + POOL_REALM);
  if (!linkTakes(realm, packet)) return conclude(REASON_WRONG_LINK, VERDICT_DISCARDED);
  st32(packet + PACKET_REALM, realm);
  const media: boolean = (portOwner(pool, ld32(packet + PACKET_DESTINATION_PORT)) & PORT_FLOW) !== 0;
  const against: i32 = objection(packet, media);
  return against !== 0 ? conclude(against, VERDICT_DISCARDED) : datagramTake(packet, pool);
}

/** For a service: a datagram of a terminal, in the service's realm where the frame tells none; a stream is the stack's. */
function serviceTake(packet: i32, service: i32, udp: boolean): i32 {
  if (!udp) return frameHand(packet, REASON_STACK);
  if (!isMine(packet + PACKET_SOURCE, ld32(packet + PACKET_SOURCE_PORT))) return conclude(REASON_ELSEWHERE, VERDICT_DISCARDED);
  const against: i32 = objection(packet, false);
  if (against !== 0) return conclude(against, VERDICT_DISCARDED);
  if (ld32(packet + PACKET_REALM) < 0) st32(packet + PACKET_REALM, ld32(serviceAt(service) + SERVICE_ACCESS));
  terminalHash(packet);
  payloadSet(ld32(packet + PACKET_AT), ld32(packet + PACKET_LEN));
  return inboundTake(packet, service);
}
