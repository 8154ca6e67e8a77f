/*
 * Records of the tables that outlive a message (SPEC 1). The first two words of every record belong to
 * its slab: the generation (odd while in use) and the link of the free list or hash chain.
 */

export const RECORD_GENERATION: i32 = 0;
export const RECORD_LINK: i32 = 4;
/** The low bits of a handle: the record's index. Its generation stands above. */
export const HANDLE_INDEX: i32 = 0xfffff;
export const HANDLE_SHIFT: i32 = 20;

/* Terminal: A:a at a service, seen through its NAT. TERMINAL_LENGTH. */
export const TERMINAL_HASH: i32 = 8;
export const TERMINAL_REALM: i32 = 12;
/** Two bytes: index of the service, TRANSPORT_*. */
export const TERMINAL_SERVICE: i32 = 16;
export const TERMINAL_TRANSPORT: i32 = 17;
/** Port a as seen on the wire. */
export const TERMINAL_PORT: i32 = 20;
/** Handle of the connection that it was last heard by, 0 for none. */
export const TERMINAL_CONNECTION: i32 = 24;
export const TERMINAL_BINDINGS: i32 = 28;
export const TERMINAL_ADDRESS: i32 = 32;
/** First binding (index + 1), the one that CRLF, probes and undecodable messages use. */
export const TERMINAL_PRIMARY: i32 = 48;
/** Registrations at all its bindings. */
export const TERMINAL_REGISTRATIONS: i32 = 52;
/** When the next keep-alive is due (0: none is), and the sequence of those sent. */
export const TERMINAL_PROBE_AT: i32 = 56;
export const TERMINAL_PROBES: i32 = 60;

/* Binding: A:a ↔ E:e ↔ C:c ↔ D:d for one address that the terminal writes. BINDING_LENGTH. */
export const BINDING_HASH: i32 = 8;
/** Terminal index. */
export const BINDING_TERMINAL: i32 = 12;
/** Pool index and port: C:c. */
export const BINDING_POOL: i32 = 16;
export const BINDING_PORT: i32 = 20;
/** Time at which it ends unless something prolongs it. */
export const BINDING_DEADLINE: i32 = 24;
export const BINDING_REGISTRATIONS: i32 = 28;
export const BINDING_CALLS: i32 = 32;
/** Next binding of the same terminal (index + 1). */
export const BINDING_NEXT: i32 = 36;
/** FORM_*, address and port (-1 absent) of the spelling, when it is an IP literal. */
export const BINDING_FORM: i32 = 40;
export const BINDING_SPELLED_PORT: i32 = 44;
export const BINDING_ADDRESS: i32 = 48;
/** What the terminal writes, as it writes it: "10.0.0.1:5060". */
export const BINDING_SPELLED_LEN: i32 = 64;
/** First connection (index + 1) between C:c and the core. */
export const BINDING_CONNECTIONS: i32 = 68;
/** One byte each: TRANSPORT_* for which its port is open beside UDP, UDP for none; 1 when the machine refused its port and there was no other. */
export const BINDING_TRANSPORT: i32 = 72;
export const BINDING_DEAF: i32 = 73;
export const BINDING_SPELLED: i32 = 76;
export const SPELLED_MAX: i32 = 116;

/* Registration: an address of record at a binding (RFC 3261 10.3). REGISTRATION_SIZE. */
export const REGISTRATION_HASH: i32 = 8;
/** Hashes (64 bits) of the address of record, of the Contact's user part, of the Call-ID. */
export const REGISTRATION_AOR: i32 = 12;
export const REGISTRATION_USER: i32 = 20;
export const REGISTRATION_CALL_ID: i32 = 28;
export const REGISTRATION_BINDING: i32 = 36;
/** When the registrar forgets it, and what the terminal was told. */
export const REGISTRATION_EXPIRES_AT: i32 = 40;
export const REGISTRATION_TERMINAL_EXPIRES_AT: i32 = 44;
export const REGISTRATION_CSEQ: i32 = 48;
/** Stamp of the last REGISTER response that listed it. */
export const REGISTRATION_STAMP: i32 = 52;
/** Seconds the registrar granted. */
export const REGISTRATION_GRANTED: i32 = 56;
/** Was the REGISTER with this CSeq answered here, not by the registrar? */
export const REGISTRATION_ANSWERED: i32 = 72;
/** Index of its service. */
export const REGISTRATION_SERVICE: i32 = 60;
/** Hash chain of the second key (address of record, user, spelling, Call-ID): a terminal that moved is found by it. */
export const REGISTRATION_MOVE_HASH: i32 = 64;
export const REGISTRATION_MOVE_LINK: i32 = 68;

/* Call: one leg of a session at one terminal. CALL_SIZE. */
export const CALL_HASH: i32 = 8;
export const CALL_TERMINAL: i32 = 12;
/** SIDE_*: who sent the first request. */
export const CALL_INITIATOR: i32 = 16;
/** Hash (64 bits) of Call-ID and the initiator's tag. */
export const CALL_KEY: i32 = 20;
/** CALL_* state below. */
export const CALL_STATE: i32 = 36;
export const CALL_BINDING: i32 = 40;
/** First flow (index + 1) of the list. */
export const CALL_FLOWS: i32 = 44;
export const CALL_DEADLINE: i32 = 48;
/** CSeq + 1 of the last INVITE from each side, and of the last UPDATE or PRACK with a description; 0 for none. */
export const CALL_INVITE_ACCESS: i32 = 52;
export const CALL_INVITE_CORE: i32 = 56;
export const CALL_CHANGE_ACCESS: i32 = 72;
export const CALL_CHANGE_CORE: i32 = 76;
/** EXCHANGE_* bits: how far its offers and answers are. */
export const CALL_EXCHANGE: i32 = 80;
/** Hash of the dialog whose descriptions are in force, 0 for none yet. */
export const CALL_DIALOG: i32 = 84;
/** First description set aside (flow index + 1) of the list. */
export const CALL_ASIDE: i32 = 88;
/** Milliseconds that its session lives without a refresh (RFC 4028), 0 for no limit; and the time of the last one. */
export const CALL_INTERVAL: i32 = 92;
export const CALL_REFRESHED: i32 = 180;
export const CALL_BYE_CSEQ: i32 = 60;
export const CALL_STARTED: i32 = 64;
export const CALL_ANSWERED: i32 = 68;
/** END_* */
export const CALL_END_REASON: i32 = 96;
export const CALL_SERVICE: i32 = 100;
/** CSeq + 1 of the last description from each side: a repeated one opens no latch. */
export const CALL_SDP_ACCESS: i32 = 104;
export const CALL_SDP_CORE: i32 = 108;
/** Hashes of the answering side's tags with which the call is up: one for each fork that answered (RFC 3261 13.2.2.4). */
export const CALL_DIALOGS: i32 = 112;
/** Hashes of the branches of its INVITEs without a final answer: a server may fork to several extensions of one terminal. */
export const CALL_PENDING: i32 = 144;
/** Time of its last message. */
export const CALL_SEEN: i32 = 176;
/** 1 when it rang as the process before ended: it may have been answered since, and nobody here knows. */
export const CALL_UNSURE: i32 = 184;
export const CALL_DIALOG_MAX: i32 = 8;

export const CALL_EARLY: i32 = 1;
export const CALL_CONFIRMED: i32 = 2;
/** Lingers with its ports until retransmissions are over. */
export const CALL_ENDED: i32 = 3;

export const END_BYE: i32 = 1;
export const END_REJECTED: i32 = 2;
export const END_INACTIVE: i32 = 3;
export const END_TIMEOUT: i32 = 4;
/** By us, for want of room: a retransmission tries again. */
export const END_REFUSED: i32 = 5;
/** Its session timer ran out (RFC 4028 8.3). */
export const END_EXPIRED: i32 = 6;

/* EXCHANGE_* bits. The first four are the access side's; the core side's stand one higher. */
/** Its INVITE has no final answer; its INVITE had an offer; its ACK has an answer to bring; its UPDATE or PRACK has no final answer. */
export const EXCHANGE_INVITE: i32 = 1;
export const EXCHANGE_OFFERED: i32 = 4;
export const EXCHANGE_ACK: i32 = 16;
export const EXCHANGE_CHANGE: i32 = 64;
/** An UPDATE or PRACK has gone on where the INVITE in progress began: what its responses still describe is no answer. */
export const EXCHANGE_BEYOND: i32 = 256;
/** ICE was required in this call: it is kept in all its messages. */
export const EXCHANGE_ICE: i32 = 512;

/* Flow: the media of one m= line, a side block for each side. FLOW_SIZE. */
export const FLOW_CALL: i32 = 8;
/** Next flow (index + 1) of the call. */
export const FLOW_NEXT: i32 = 12;
/** Index of its m= line. */
export const FLOW_LINE: i32 = 16;
export const FLOW_PROTO: i32 = 20;
/** FLOW_FLAG_* */
export const FLOW_FLAGS: i32 = 24;
export const FLOW_SEEN: i32 = 28;
/** Opened for sources other than the signalled one until then. */
export const FLOW_WINDOW: i32 = 32;
/** FLOW_FLAGS and FLOW_PROTO to go back to when a re-INVITE fails. */
export const FLOW_FLAGS_BEFORE: i32 = 36;
export const FLOW_PROTO_BEFORE: i32 = 40;
/** Of a description set aside: whose it is (table/description.ts). */
export const FLOW_KEY: i32 = 44;
/** 1 while RTCP's ports are closed, since rtcp-mux was agreed, 2 while all are, since its media is over TCP; the pairs stay the flow's. */
export const FLOW_MUXED: i32 = 48;
/** Over TCP: are connections taken at the even ports? And the handle of the connection on each side, 0 or an old one for none. */
export const FLOW_LISTENS: i32 = 60;
export const FLOW_STREAM_ACCESS: i32 = 52;
export const FLOW_STREAM_CORE: i32 = 56;
export const FLOW_ACCESS: i32 = 64;
export const FLOW_CORE: i32 = 288;

export const FLOW_FLAG_MUX: i32 = 1;
/** The last description of that side holds it. */
export const FLOW_FLAG_HELD_ACCESS: i32 = 2;
export const FLOW_FLAG_HELD_CORE: i32 = 16;
/** Given up by the last offer or answer, or added by one that failed: freed when an exchange is complete (RFC 3264 8.2). */
export const FLOW_FLAG_REJECTED: i32 = 4;
/** It was there before the offer in progress. */
export const FLOW_FLAG_STANDING: i32 = 8;

/** Over TCP: the last description lets another connection take the place of the one that there is (RFC 4145 5). */
export const FLOW_FLAG_RENEWED: i32 = 32;
/** SETUP_* of each side, as the other one was told, from these bits on. */
export const FLOW_SETUP_ACCESS: i32 = 8;
export const FLOW_SETUP_CORE: i32 = 12;

/* Offsets into a side block. */
/** Realm, pool and our even RTP port there; RTCP is the odd one above it. */
export const SIDE_REALM: i32 = 0;
export const SIDE_POOL: i32 = 4;
export const SIDE_PORT: i32 = 8;
/** What the peer signalled: RTP and RTCP address and port, port 0 for none; RTCP without a port is one above RTP. */
export const SIDE_RTP_PORT: i32 = 12;
export const SIDE_RTCP_PORT: i32 = 16;
export const SIDE_RTP_ADDRESS: i32 = 32;
export const SIDE_RTCP_ADDRESS: i32 = 48;
/** The same before the offer in progress, to go back to. */
export const SIDE_BEFORE_RTP_PORT: i32 = 20;
export const SIDE_BEFORE_RTCP_PORT: i32 = 24;
export const SIDE_BEFORE_RTP_ADDRESS: i32 = 64;
export const SIDE_BEFORE_RTCP_ADDRESS: i32 = 80;
/** May we send to the signalled address before anything came from there (SPEC R2)? */
export const SIDE_OPEN: i32 = 28;
export const OPEN_RTP: i32 = 1;
export const OPEN_RTCP: i32 = 2;
/** Latch blocks of RTP and RTCP. */
export const SIDE_LATCH_RTP: i32 = 96;
export const SIDE_LATCH_RTCP: i32 = 160;

/* Latch block, 64 bytes. */
/** LATCHED_* state. */
export const LATCH_STATE: i32 = 0;
export const LATCH_PORT: i32 = 4;
/** Packets in a row from the candidate, its SSRC and sequence number. */
export const LATCH_RUN: i32 = 8;
export const LATCH_SSRC: i32 = 12;
export const LATCH_SEQUENCE: i32 = 20;
export const LATCH_ADDRESS: i32 = 32;
/** Packets and octets received, octets as low and high word. */
export const LATCH_PACKETS: i32 = 48;
export const LATCH_OCTETS: i32 = 52;
export const LATCH_OCTETS_HIGH: i32 = 56;
/** Tier that its holder came by. */
export const LATCH_TIER: i32 = 24;
/** Another source that sends while the latch is not locked: hash of address, port and SSRC; packets in a row << 16 | sequence number. */
export const LATCH_RIVAL: i32 = 16;
export const LATCH_RIVAL_RUN: i32 = 28;
/** When its holder was last heard. */
export const LATCH_HEARD: i32 = 60;

export const LATCHED_NOT: i32 = 0;
/** Something that proves nothing opened the path, or an offer or answer opened the latch again: we send there until another takes it. */
export const LATCHED_PINHOLE: i32 = 1;
export const LATCHED_PROBATION: i32 = 2;
export const LATCHED_LOCKED: i32 = 3;

export const SIDE_ACCESS: i32 = 1;
export const SIDE_CORE: i32 = 2;

/* Connection: TCP, TLS or WebSocket, with a terminal or with the core; for media TCP. CONNECTION_SIZE. */
export const CONNECTION_HASH: i32 = 8;
/** TRANSPORT_* */
export const CONNECTION_TRANSPORT: i32 = 12;
export const CONNECTION_REALM: i32 = 16;
export const CONNECTION_SERVICE: i32 = 20;
/** Index of the binding on whose C:c it is, -1 on the access side. */
export const CONNECTION_BINDING: i32 = 24;
/** Next connection (index + 1) of the binding. */
export const CONNECTION_NEXT: i32 = 28;
/** Flow (index + 1) whose media it carries, 0 for signaling. */
export const CONNECTION_FLOW: i32 = 32;
/** Handle of the terminal that was last heard by it, 0 for none. */
export const CONNECTION_TERMINAL: i32 = 36;
export const CONNECTION_REMOTE_PORT: i32 = 40;
export const CONNECTION_LOCAL_PORT: i32 = 44;
/** Addresses: of the other end, and ours. */
export const CONNECTION_REMOTE: i32 = 48;
export const CONNECTION_LOCAL: i32 = 64;
/* What has come of a message: first and last block (index + 1), bytes in the last one, bytes in all, how long the message is (0: its head is not complete). */
export const CONNECTION_FIRST: i32 = 80;
export const CONNECTION_LAST: i32 = 84;
export const CONNECTION_FILL: i32 = 88;
export const CONNECTION_HELD: i32 = 92;
export const CONNECTION_NEED: i32 = 96;
/** Between messages: line ends seen. Inside a head: how it ended so far, see input/frame/sip.ts. */
export const CONNECTION_SCAN: i32 = 100;
/** Time of the last byte, and of the first byte of the message that is not complete. */
export const CONNECTION_SEEN: i32 = 104;
export const CONNECTION_SINCE: i32 = 108;

/** Bytes of a block begin here; before them the words of its slab, in as many bytes as are cleared at once. */
export const BLOCK_BYTES: i32 = 32;

/* Entry of the ports table, one i32 a port: 0 free, else what owns it, or that the machine refused it and when (bits 16 to 31 of the clock). */
export const PORT_BINDING: i32 = 0x10000000;
/** Flow index in the low bits; PORT_FLOW_CORE and PORT_FLOW_RTCP tell side and component. */
export const PORT_FLOW: i32 = 0x20000000;
export const PORT_FLOW_CORE: i32 = 0x01000000;
export const PORT_FLOW_RTCP: i32 = 0x02000000;
export const PORT_REFUSED: i32 = 0x40000000;
export const PORT_INDEX: i32 = 0x00ffffff;

/* Timer entry: doubly linked (id + 1) in its wheel slot. TIMER_SIZE. */
export const TIMER_NEXT: i32 = 0;
export const TIMER_PREVIOUS: i32 = 4;
/** Wheel slot + 1, 0 when not armed. */
export const TIMER_SLOT: i32 = 8;
export const TIMER_AT: i32 = 12;

/* Datagram of which fragments have come. DATAGRAM_SIZE. */
export const DATAGRAM_HASH: i32 = 8;
export const DATAGRAM_ID: i32 = 12;
/** Protocol of IPv4, -1 in IPv6. */
export const DATAGRAM_KEY: i32 = 16;
/** First block (index + 1) of the chain, the latest fragment first; how many there are. */
export const DATAGRAM_FIRST: i32 = 20;
export const DATAGRAM_COUNT: i32 = 24;
/** Bytes of it that are there, and how many it has, 0 while the last fragment has not come. */
export const DATAGRAM_HELD: i32 = 28;
export const DATAGRAM_TOTAL: i32 = 32;
/** Did fragments overlap? */
export const DATAGRAM_SPOILED: i32 = 36;
/** The least TTL of the fragments; the traffic class of the first, with CE where any has it. */
export const DATAGRAM_TTL: i32 = 40;
export const DATAGRAM_TRAFFIC: i32 = 44;
export const DATAGRAM_SOURCE: i32 = 48;
export const DATAGRAM_DESTINATION: i32 = 64;
/** VPN id, VLAN ids, MPLS label. */
export const DATAGRAM_LABELS: i32 = 80;

/* A block that holds a fragment: where its data belongs and how long it is, where that stands in the frame, and how long the frame is. */
export const BLOCK_OFFSET: i32 = 8;
export const BLOCK_LEN: i32 = 12;
export const BLOCK_SKIP: i32 = 16;
export const BLOCK_FRAME_LEN: i32 = 20;
