/*
 * What stands before the payload at INPUT when a packet or a connection comes by a socket, which shows no labels.
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

/** Writes the header but for the length; `protocol` is PROTOCOL_*. */
export function headerWrite(words: Int32Array, protocol: number, source: Int32Array, sourcePort: number, to: Destination): void {
  words[SLOT + (abi.PACKET_REALM >> 2)] = to.realm;
  words[SLOT + (abi.PACKET_SOURCE_PORT >> 2)] = sourcePort;
  words[SLOT + (abi.PACKET_DESTINATION_PORT >> 2)] = to.port;
  words[SLOT + (abi.PACKET_PROTOCOL >> 2)] = protocol;
  words[SLOT + (abi.PACKET_VPN >> 2)] = -1;
  words[SLOT + (abi.PACKET_VLAN >> 2)] = -1;
  words[SLOT + (abi.PACKET_MPLS >> 2)] = -1;
  words.set(source, SLOT + (abi.PACKET_SOURCE >> 2));
  words.set(to.words, SLOT + (abi.PACKET_DESTINATION >> 2));
}
