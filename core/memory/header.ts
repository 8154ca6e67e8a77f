/*
 * Headers of packets on the wire, as frames are read and written: lengths in bytes, and what tells that another follows.
 */

/** Ethernet without tags (IEEE 802.3 3.1.1). */
export const ETHERNET_HEADER: i32 = 14;
/** Without options (RFC 791 3.1). */
export const IP4_HEADER: i32 = 20;
/** RFC 8200 3 and 4.5. */
export const IP6_HEADER: i32 = 40;
export const FRAGMENT_HEADER: i32 = 8;
/** RFC 768, RFC 792, RFC 4443 2.1. */
export const UDP_HEADER: i32 = 8;
/** Without options (RFC 9293 3.1). */
export const TCP_HEADER: i32 = 20;
export const ICMP_HEADER: i32 = 8;

/* EtherTypes; those of tags are inner and outer (IEEE 802.1Q 9.6). */
export const TYPE_VLAN: i32 = 0x8100;
export const TYPE_SERVICE_VLAN: i32 = 0x88a8;
export const TYPE_IP4: i32 = 0x0800;
export const TYPE_IP6: i32 = 0x86dd;
export const TYPE_MPLS: i32 = 0x8847;

/** Next header of IPv6: a fragment header (RFC 8200 4.5). */
export const NEXT_FRAGMENT: i32 = 44;
