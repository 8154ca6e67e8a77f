/*
 * What stands before the payload at INPUT when a packet or a connection comes by a socket or out of a capture.
 */

import * as abi from "./core.ts";

/** Word index of the input slot. */
export const SLOT = abi.INPUT >> 2;

/** Where it comes to; the words are the address in the order of memory. */
export interface Destination {
  readonly realm: number;
  readonly words: Int32Array;
  readonly port: number;
}

/** Labels of where it comes from, and what it is marked with; a socket of a runtime shows none of it. */
export interface Labels {
  /** 0 to 4095, -1 for none (IEEE 802.1Q). */
  readonly vlan: number;
  /** The outermost, -1 for none (RFC 3032). */
  readonly mpls: number;
  /** DSCP and ECN. */
  readonly traffic: number;
}

const NO_LABELS: Labels = { vlan: -1, mpls: -1, traffic: 0 };

/** Writes the header but for the length; `protocol` is PROTOCOL_*. */
export function headerWrite(words: Int32Array, protocol: number, source: Int32Array, sourcePort: number, to: Destination, labels = NO_LABELS): void {
  words[SLOT + (abi.PACKET_REALM >> 2)] = to.realm;
  words[SLOT + (abi.PACKET_SOURCE_PORT >> 2)] = sourcePort;
  words[SLOT + (abi.PACKET_DESTINATION_PORT >> 2)] = to.port;
  words[SLOT + (abi.PACKET_PROTOCOL >> 2)] = protocol;
  words[SLOT + (abi.PACKET_VPN >> 2)] = -1;
  words[SLOT + (abi.PACKET_VLAN >> 2)] = labels.vlan;
  words[SLOT + (abi.PACKET_MPLS >> 2)] = labels.mpls;
  words[SLOT + (abi.PACKET_TRAFFIC >> 2)] = labels.traffic;
  words.set(source, SLOT + (abi.PACKET_SOURCE >> 2));
  words.set(to.words, SLOT + (abi.PACKET_DESTINATION >> 2));
}
