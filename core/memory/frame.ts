/*
 * Packet mode: frames as a host hands them in, and what the core notes about the one in hand. At INPUT (KIND_FRAME) or in
 * a slot (KIND_FRAMES) stands a packet header (memory/packet.ts), of which the host writes PACKET_LEN alone, then the head
 * below, then the frame from its destination address on, without the frame check sequence.
 */

import { WIRE } from "./layout.ts";

/* The head, offsets into a slot. */
/** Index of the interface that it came in by. */
export const FRAME_INTERFACE: i32 = 96;
/** A tag that the kernel has taken off, as PACKET_AUXDATA gives it: TPID << 16 | TCI; 0 for none. */
export const FRAME_TAG: i32 = 100;
/** FRAME_* bits. */
export const FRAME_FLAGS: i32 = 104;
/** Twelve bytes of the host's own about a frame that goes on as it is; the core does not read them, and writes over them when it rewrites the frame. */
export const FRAME_OFFLOAD: i32 = 108;
/** Where the frame begins: two bytes past a multiple of four, so that the IP header stands at one. */
export const FRAME_BYTES: i32 = 146;

/** The checksum of UDP or TCP covers the pseudo-header alone (TP_STATUS_CSUMNOTREADY): the frame was made on this machine. */
export const FRAME_FLAG_PARTIAL: i32 = 1;

/** Bytes that any link, IP and UDP header of ours fits: Ethernet, two tags, four labels, IPv6, UDP are 86. */
export const HEADROOM: i32 = 96;

/* The frame in hand: addresses in memory. */
export const WIRE_START: i32 = WIRE;
export const WIRE_END: i32 = WIRE + 4;
/** The IP header, 0 where there is none. */
export const WIRE_IP: i32 = WIRE + 8;
/** 4 or 6. */
export const WIRE_VERSION: i32 = WIRE + 12;
/** The transport header, and the end of what IP carries: the frame may be padded. */
export const WIRE_TRANSPORT: i32 = WIRE + 16;
export const WIRE_STOP: i32 = WIRE + 20;
/** TTL or hop limit, of the label stack where that is less; the traffic class, DSCP and ECN, of a datagram by a socket as well, 0 while nothing is in hand. */
export const WIRE_TTL: i32 = WIRE + 24;
export const WIRE_TRAFFIC: i32 = WIRE + 28;
/** Of a fragment: where its data belongs, in bytes; does more follow; the identification. */
export const WIRE_OFFSET: i32 = WIRE + 32;
export const WIRE_MORE: i32 = WIRE + 36;
export const WIRE_ID: i32 = WIRE + 40;
/** Does the IPv4 header forbid fragments? */
export const WIRE_WHOLE: i32 = WIRE + 44;
/** The UDP checksum that came, and was it left to the network card? */
export const WIRE_CHECKSUM: i32 = WIRE + 48;
export const WIRE_PARTIAL: i32 = WIRE + 52;
/** Address of the payload in hand while a frame may be built around it in place, 0 for none; its length. */
export const WIRE_PAYLOAD: i32 = WIRE + 56;
export const WIRE_PAYLOAD_LEN: i32 = WIRE + 60;
/** Packet header of the frame in hand; 0 while what is sent has no frame behind it. */
export const WIRE_PACKET: i32 = WIRE + 64;
/** Output records before this one are frames already. */
export const WIRE_DONE: i32 = WIRE + 68;
/** PCP of the outer tag and traffic class of the label that it came with. */
export const WIRE_PCP: i32 = WIRE + 72;
export const WIRE_CLASS: i32 = WIRE + 76;
/** Identification of the next IPv4 packet of ours. */
export const WIRE_NEXT_ID: i32 = WIRE + 80;
/** Is a datagram that came in fragments in REASSEMBLY since the outputs were last drained? */
export const WIRE_ASSEMBLED: i32 = WIRE + 84;
/** Index plus one of the datagram whose fragments were put together to the packet in hand, 0 for none. */
export const WIRE_DATAGRAM: i32 = WIRE + 88;
/** Blocks that fragments hold. */
export const WIRE_HELD: i32 = WIRE + 92;
/** Of the packet inside an ICMP error: its addresses, our own first; their ports. */
export const WIRE_INNER_LOCAL: i32 = WIRE + 96;
export const WIRE_INNER_REMOTE: i32 = WIRE + 112;
export const WIRE_INNER_LOCAL_PORT: i32 = WIRE + 128;
export const WIRE_INNER_REMOTE_PORT: i32 = WIRE + 132;
/** Its IP and UDP headers. */
export const WIRE_INNER_IP: i32 = WIRE + 136;
export const WIRE_INNER_UDP: i32 = WIRE + 140;
/** Source of the ICMP error. */
export const WIRE_REPORTER: i32 = WIRE + 144;

/*
 * Adjacency: how a neighbour is reached, learned from a frame that came from there or configured for a realm.
 * ADJACENCY_SIZE. The first in their table is that of the frame in hand, then one for each realm, each terminal, and
 * four for each flow: RTP and RTCP of either side.
 */
/** Index of the interface plus one, 0 where nothing is known. */
export const ADJACENCY_INTERFACE: i32 = 0;
/** Tags from the outside in, TPID << 16 | TCI, 0 for none. */
export const ADJACENCY_TAG: i32 = 4;
export const ADJACENCY_TAG_INNER: i32 = 8;
/** How many labels, and the labels from the top of the stack down. */
export const ADJACENCY_DEPTH: i32 = 12;
export const ADJACENCY_LABELS: i32 = 16;
/** What tells networks apart (SPEC V7), 16 bytes: VPN id, VLAN ids, MPLS label (table/label.ts). */
export const ADJACENCY_NETWORK: i32 = 32;
/** Destination and source address as a frame towards there has them. */
export const ADJACENCY_ADDRESSES: i32 = 48;

export const LABEL_DEPTH_MAX: i32 = 4;
export const ADJACENCY_ARRIVAL: i32 = 0;
export const ADJACENCY_REALMS: i32 = 1;

/* Interface: written by the host. Offsets into an INTERFACE_SIZE record. */
/** Index plus one of the interface where frames that are not ours go on; 0: they are the stack's. */
export const INTERFACE_PEER: i32 = 0;
/** Most bytes of an IP packet; 0 for 1,500. */
export const INTERFACE_MTU: i32 = 4;
/** Our hardware address, six bytes; all zero: any frame may be for us. */
export const INTERFACE_ADDRESS: i32 = 8;
/** VPN id of what comes in by it plus one, 0 for none. */
export const INTERFACE_VPN: i32 = 16;

/*
 * Link: what frames of a realm look like, beside the realm's record and written by the host. Offsets into a LINK_SIZE
 * record. A value plus one; 0 where it is not said: any on the way in, that of the frame in hand on the way out.
 */
/** Not one more: a bit for each interface that it has, 0 for any. */
export const LINK_INTERFACES: i32 = 0;
/** VLAN ids of the inner (or only) and the outer tag; VLAN id 0 is no tag. */
export const LINK_VLAN: i32 = 4;
export const LINK_VLAN_OUTER: i32 = 8;
/** MPLS label at the bottom of the stack, which is the VPN's (RFC 4364 4.3.2), and at the top of one with several. */
export const LINK_MPLS: i32 = 12;
export const LINK_MPLS_OUTER: i32 = 16;
export const LINK_VPN: i32 = 20;
/** Hardware address of the next hop, six bytes; all zero where it is to be learned. */
export const LINK_NEXT_HOP: i32 = 24;
/** What leaves for the realm gets these; each of two words, for signaling and for media. */
export const LINK_DSCP: i32 = 32;
/** Priority of the outer tag (IEEE 802.1Q PCP). */
export const LINK_PCP: i32 = 40;
/** Traffic class of labels (RFC 5462). */
export const LINK_CLASS: i32 = 48;
