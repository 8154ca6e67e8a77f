/*
 * The UDP checksum of what leaves: of a payload that passes as it came, updated by what its addresses and ports became
 * (RFC 1624 3), so that a wrong one stays wrong; of any other, computed. None stays none in IPv4 (RFC 768), and is computed
 * for IPv6, which always has one (RFC 8200 8.1).
 */

import { ld32, st16be } from "../../machine.ts";
import { WIRE_CHECKSUM, WIRE_PARTIAL, WIRE_PAYLOAD, WIRE_PAYLOAD_LEN } from "../../memory/frame.ts";
import { UDP_HEADER } from "../../memory/header.ts";
import { OUTPUT_LEN, OUTPUT_LOCAL, OUTPUT_LOCAL_PORT, OUTPUT_PAYLOAD, OUTPUT_REMOTE, OUTPUT_REMOTE_PORT } from "../../memory/output.ts";
import { PACKET_DESTINATION, PACKET_DESTINATION_PORT, PACKET_SOURCE, PACKET_SOURCE_PORT, PROTOCOL_UDP } from "../../memory/packet.ts";
import { checksumUpdate, pseudoSum, sumAdd, sumEnd, sumFold, udpSent } from "../../bytes/checksum.ts";
import { isSix } from "./header.ts";

/** Does the record send the payload of the frame in hand as it is? */
function isPassed(record: i32): boolean {
  return ld32(record + OUTPUT_PAYLOAD) === ld32(WIRE_PAYLOAD) && ld32(record + OUTPUT_LEN) === ld32(WIRE_PAYLOAD_LEN);
}

/** Folded sum of two addresses and two ports. */
function endsSum(source: i32, sourcePort: i32, destination: i32, destinationPort: i32): i32 {
  return sumFold(sumAdd(sumAdd(0, source, 16), destination, 16) + sumFold(sourcePort + destinationPort));
}

/** The checksum of a record's datagram; `packet` is the header of the frame in hand, 0 where there is none. */
export function udpChecksum(record: i32, packet: i32): i32 {
  const local: i32 = record + OUTPUT_LOCAL;
  const remote: i32 = record + OUTPUT_REMOTE;
  const localPort: i32 = ld32(record + OUTPUT_LOCAL_PORT);
  const remotePort: i32 = ld32(record + OUTPUT_REMOTE_PORT);
  const ends: i32 = endsSum(local, localPort, remote, remotePort);
  if (packet !== 0 && isPassed(record) && ld32(WIRE_PARTIAL) === 0) {
    const came: i32 = ld32(WIRE_CHECKSUM);
    if (came === 0 && !isSix(remote)) return 0;
    const source: i32 = packet + PACKET_SOURCE;
    const before: i32 = endsSum(source, ld32(packet + PACKET_SOURCE_PORT), packet + PACKET_DESTINATION, ld32(packet + PACKET_DESTINATION_PORT));
    if (came !== 0) return udpSent(checksumUpdate(came, before, ends));
  }
  const len: i32 = UDP_HEADER + ld32(record + OUTPUT_LEN);
  const header: i32 = sumFold(ends + sumFold(PROTOCOL_UDP + len + len));
  return udpSent(sumEnd(sumAdd(header, ld32(record + OUTPUT_PAYLOAD), len - UDP_HEADER)));
}

/** Is there no checksum where there must be one? */
export function isUdpMissing(packet: i32): boolean {
  return ld32(WIRE_CHECKSUM) === 0 && isSix(packet + PACKET_DESTINATION);
}

/** Is the checksum of the UDP datagram at `p`, `len` bytes, right? One that is left to the network card cannot be wrong. */
export function isUdpRight(p: i32, len: i32, packet: i32): boolean {
  const came: i32 = ld32(WIRE_CHECKSUM);
  if (ld32(WIRE_PARTIAL) !== 0) return true;
  if (came === 0) return !isUdpMissing(packet);
  return sumAdd(pseudoSum(packet + PACKET_SOURCE, packet + PACKET_DESTINATION, PROTOCOL_UDP, len), p, len) === 0xffff;
}

/** Completes a checksum at `field` of the segment at `p`, `len` bytes, that was left to the network card (0 in UDP means none, so it is sent as 0xffff). */
export function partialFill(p: i32, len: i32, field: i32, protocol: i32, packet: i32): void {
  st16be(field, 0);
  const sum: i32 = sumAdd(pseudoSum(packet + PACKET_SOURCE, packet + PACKET_DESTINATION, protocol, len), p, len);
  st16be(field, udpSent(sumEnd(sum)));
}
