/*
 * A packet as the host hands it in: a header, then the payload. The same shape stands at INPUT
 * (Kind.Datagram, Open, Stream, Close) and in each of the SLOTS (Kind.Batch). Of a stream only connection and length
 * need be said: the core fills in the rest from what it was told when the connection opened.
 */

/** Payload bytes. */
export const PACKET_LEN: i32 = 0;
/** Index of the realm it came in from. */
export const PACKET_REALM: i32 = 4;
export const PACKET_SOURCE_PORT: i32 = 8;
export const PACKET_DESTINATION_PORT: i32 = 12;
/** IP protocol number: 17 UDP. */
export const PACKET_PROTOCOL: i32 = 16;
/** Labels, -1 where there is none: VPN id, VLAN id of the inner (or only) tag, MPLS label at the bottom of the stack. */
export const PACKET_VPN: i32 = 20;
export const PACKET_VLAN: i32 = 24;
export const PACKET_MPLS: i32 = 28;
/** Source and destination address, 16 bytes each. */
export const PACKET_SOURCE: i32 = 32;
export const PACKET_DESTINATION: i32 = 48;
/** Handle of the connection that it came by, 0 for a datagram; for Kind.Open the dialled one that is up, 0 for an accepted one. */
export const PACKET_CONNECTION: i32 = 64;
/** TRANSPORT_* */
export const PACKET_TRANSPORT: i32 = 68;
/** VLAN id of the outer of two tags and MPLS label at the top of a stack of several, -1 where there is none. */
export const PACKET_VLAN_OUTER: i32 = 72;
export const PACKET_MPLS_OUTER: i32 = 76;
/** Traffic class that a datagram came with, DSCP and ECN (RFC 2474 3, RFC 3168 5), 0 where the host does not see it. The core writes -1 for a frame, which has its own. */
export const PACKET_TRAFFIC: i32 = 84;
/* Written by the core: index of the pool that it goes to a port of, -1 for none; the keyed hash of its source; where its payload stands. */
export const PACKET_POOL: i32 = 80;
export const PACKET_HASH: i32 = 88;
export const PACKET_AT: i32 = 92;
/** Where the payload of a datagram begins. */
export const PACKET_PAYLOAD: i32 = 96;

/* IP protocol numbers. */
export const PROTOCOL_ICMP: i32 = 1;
export const PROTOCOL_TCP: i32 = 6;
export const PROTOCOL_UDP: i32 = 17;
export const PROTOCOL_ICMP6: i32 = 58;

/* What SIP is carried by (RFC 3261 18, RFC 7118). */
export const TRANSPORT_UDP: i32 = 0;
export const TRANSPORT_TCP: i32 = 1;
export const TRANSPORT_TLS: i32 = 2;
export const TRANSPORT_WS: i32 = 3;
export const TRANSPORT_WSS: i32 = 4;
