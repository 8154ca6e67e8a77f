/*
 * A packet as the host hands it in: a header, then the payload. The same shape stands at INPUT
 * (Kind.Datagram) and in each of the SLOTS (Kind.Batch).
 */

/** Payload bytes. */
export const PACKET_LEN: i32 = 0;
/** Index of the realm it came in from. */
export const PACKET_REALM: i32 = 4;
export const PACKET_SOURCE_PORT: i32 = 8;
export const PACKET_DESTINATION_PORT: i32 = 12;
/** IP protocol number: 17 UDP. */
export const PACKET_PROTOCOL: i32 = 16;
/** Labels, -1 where there is none. */
export const PACKET_VPN: i32 = 20;
export const PACKET_VLAN: i32 = 24;
export const PACKET_MPLS: i32 = 28;
/** Source and destination address, 16 bytes each. */
export const PACKET_SOURCE: i32 = 32;
export const PACKET_DESTINATION: i32 = 48;
/** Keyed hash of the source, written by the core. */
export const PACKET_HASH: i32 = 88;
/** Where the payload begins; the bytes between are for labels and link-layer headers. */
export const PACKET_PAYLOAD: i32 = 96;

export const PROTOCOL_UDP: i32 = 17;
