/*
 * What the host writes before boot: realms, port pools, services and rules (SPEC 1, P1).
 * Addresses are 16 bytes everywhere, IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2); ports are i32, -1 or 0 as stated.
 */

/* Realm: one network the proxy touches. Offsets into a REALM_SIZE record. */
/** REALM_ACCESS or REALM_CORE. */
export const REALM_KIND: i32 = 0;
/** Media latch policy of the realm: LATCH_* below. */
export const REALM_LATCH: i32 = 4;
/** Keep-alive interval towards terminals of this realm in milliseconds, 0 for none. */
export const REALM_KEEPALIVE: i32 = 8;
/** Milliseconds without media after which a call that is not held ends, 0 for never. */
export const REALM_INACTIVITY: i32 = 12;
/** Milliseconds for which an ended call keeps its ports (RFC 3261 17.1.2.2, timer F and J: 64*T1 = 32 s). */
export const REALM_LINGER: i32 = 16;
/** Milliseconds, from the moment that media may come, in which a source other than the signalled one may latch. */
export const REALM_LATCH_WINDOW: i32 = 20;
/** NAT_NEVER, NAT_AUTO or NAT_ALWAYS: are terminals of this realm taken to be behind NAT? */
export const REALM_NAT: i32 = 24;
/** Our address in SDP of this realm. */
export const REALM_MEDIA: i32 = 32;

export const REALM_ACCESS: i32 = 1;
export const REALM_CORE: i32 = 2;

/** Only the signalled address latches. */
export const LATCH_STRICT: i32 = 0;
/** The signalled address, then any port of the signaling source's address (the default). */
export const LATCH_SOURCE: i32 = 1;
/** Any address inside the window. */
export const LATCH_ANY: i32 = 2;

export const NAT_AUTO: i32 = 0;
export const NAT_NEVER: i32 = 1;
export const NAT_ALWAYS: i32 = 2;

/* Pool: one address of ours with a range of ports. Offsets into a POOL_SIZE record. */
export const POOL_REALM: i32 = 0;
/** POOL_SIGNAL (one port a binding) or POOL_MEDIA (even/odd pairs). */
export const POOL_KIND: i32 = 4;
export const POOL_FIRST: i32 = 8;
export const POOL_LAST: i32 = 12;
/** First port, and from bit 16 on the last, of the range of which other cores have the rest; 0 where there are none. */
export const POOL_WHOLE: i32 = 28;
export const POOL_ADDRESS: i32 = 32;
/* The core's own, in POOL_STATES: index of the pool's first entry in the ports table; ports in use; the address as text (not for IPv6). */
export const POOL_BASE: i32 = 16;
export const POOL_USED: i32 = 20;
export const POOL_TEXT_LEN: i32 = 24;
export const POOL_TEXT: i32 = 48;

export const POOL_SIGNAL: i32 = 1;
export const POOL_MEDIA: i32 = 2;

/* Service: E:e and the servers behind it. Offsets into a SERVICE_SIZE record. */
export const SERVICE_ACCESS: i32 = 0;
export const SERVICE_CORE: i32 = 4;
/** Port e. */
export const SERVICE_PORT: i32 = 8;
/** SERVICE_* flag bits below. */
export const SERVICE_FLAGS: i32 = 12;
/** Expiry in seconds towards terminals, shorter than the registrar's; 0 to leave it as granted. */
export const SERVICE_TERMINAL_EXPIRES: i32 = 16;
export const SERVICE_SERVER_COUNT: i32 = 20;
/** ICE_STRIP, ICE_RELAY or ICE_PASS. */
export const SERVICE_ICE: i32 = 24;
/** TRANSPORT_* towards the servers, plus one; 0: UDP for what came by UDP, TCP for every stream. */
export const SERVICE_TRANSPORT: i32 = 28;
/** Address E. */
export const SERVICE_ADDRESS: i32 = 32;
/** Ports of E for TLS, WebSocket and secure WebSocket, 0 for none; UDP and TCP have SERVICE_PORT. */
export const SERVICE_TLS_PORT: i32 = 48;
export const SERVICE_WS_PORT: i32 = 52;
export const SERVICE_WSS_PORT: i32 = 56;
/** Up to SERVER_MAX servers: address (16), port (i32), 12 spare. */
export const SERVICE_SERVERS: i32 = 64;
export const SERVER_MAX: i32 = 6;
export const SERVER_SIZE: i32 = 32;
export const SERVER_PORT: i32 = 16;

/** Undecodable messages of this service are dropped instead of passed byte-identical. */
export const SERVICE_DROP_UNDECODABLE: i32 = 1;
/** The o= address of SDP is mapped too (default: left, CONFORMANCE 50). */
export const SERVICE_HIDE_ORIGIN: i32 = 2;
/** Anybody in the core realm may send to C:c, not just the servers and our own addresses. */
export const SERVICE_OPEN_CORE: i32 = 4;
/** A full table drops new work silently instead of answering 503. */
export const SERVICE_SILENT_REJECT: i32 = 8;
/** A request whose Max-Forwards is 0 is answered 483 instead of passed (CONFORMANCE 32: Culvert is no hop). */
export const SERVICE_COUNT_HOPS: i32 = 16;
/** Neither side learns of what stands behind the other (CONFORMANCE 28): translate/hide/topology.ts. */
export const SERVICE_HIDE: i32 = 32;
/** What a terminal begins is refused (403) unless something is registered at it: translate/admission.ts. */
export const SERVICE_REGISTERED_ONLY: i32 = 64;
/** What finds a table full goes on byte-identical instead of being refused (CONFORMANCE 107): path/forward.ts. */
export const SERVICE_FAIL_OPEN: i32 = 128;

export const ICE_STRIP: i32 = 0;
export const ICE_RELAY: i32 = 1;
export const ICE_PASS: i32 = 2;

/* Rule: offsets into a RULE_SIZE record. The lower index wins. A label of -1 matches anything. */
/** ACTION_* below. */
export const RULE_ACTION: i32 = 0;
/** Service index for ACTION_PROXY. */
export const RULE_SERVICE: i32 = 4;
/** Ingress realm index, or -1. */
export const RULE_REALM: i32 = 8;
export const RULE_VPN: i32 = 12;
export const RULE_VLAN: i32 = 16;
export const RULE_MPLS: i32 = 20;
/** IP protocol number, or -1. */
export const RULE_PROTOCOL: i32 = 24;
/** Source prefix length over the 128-bit form (an IPv4 /24 is 120), 0 for any. */
export const RULE_SOURCE_PREFIX: i32 = 28;
export const RULE_DESTINATION_PREFIX: i32 = 32;
/** Port ranges, inclusive; 0 to 65535 is any. */
export const RULE_SOURCE_PORT_FIRST: i32 = 36;
export const RULE_SOURCE_PORT_LAST: i32 = 40;
export const RULE_DESTINATION_PORT_FIRST: i32 = 44;
export const RULE_DESTINATION_PORT_LAST: i32 = 48;
export const RULE_HITS: i32 = 52;
/** Outer VLAN id of two tags, top label of an MPLS stack of several. */
export const RULE_VLAN_OUTER: i32 = 56;
export const RULE_MPLS_OUTER: i32 = 60;
export const RULE_SOURCE: i32 = 64;
export const RULE_DESTINATION: i32 = 80;

export const ACTION_FORWARD: i32 = 0;
export const ACTION_DISCARD: i32 = 1;
export const ACTION_PROXY: i32 = 2;
