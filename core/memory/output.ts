/*
 * What the core wants done. After each input the host drains `output()` until it gives a record of
 * kind OUTPUT_TIMEOUT, which is always the last. Offsets into an OUTPUT_SIZE record.
 */

export const OUTPUT_KIND: i32 = 0;
/** Realm index that the local address belongs to; for OUTPUT_EVENT the event code. */
export const OUTPUT_REALM: i32 = 4;
export const OUTPUT_LOCAL_PORT: i32 = 8;
export const OUTPUT_REMOTE_PORT: i32 = 12;
/**
 * Address in memory and number of bytes of what is sent. For OUTPUT_DIAL the index of the service, and the handle of the accepted
 * connection that the dialled one is to be joined with, 0 for signaling.
 */
export const OUTPUT_PAYLOAD: i32 = 16;
export const OUTPUT_LEN: i32 = 20;
/**
 * For OUTPUT_TIMEOUT: milliseconds until the next input(Kind.Timeout) is due, -1 for never. For OUTPUT_EVENT: its subject.
 * For OUTPUT_SEND, DIAL and HANG: handle of the connection, 0 for a datagram. For OUTPUT_BIND and UNBIND: TRANSPORT_*.
 */
export const OUTPUT_VALUE: i32 = 24;
/**
 * POOL_SIGNAL or POOL_MEDIA for OUTPUT_BIND and OUTPUT_UNBIND. For OUTPUT_DIAL: TRANSPORT_*. For OUTPUT_EVENT: a detail. For a
 * datagram of OUTPUT_SEND: the traffic class to send it with, DSCP and ECN, where the host can; until the input is at its end, index of the
 * adjacency (memory/frame.ts), 0 for the realm's, and HINT_* bits.
 */
export const OUTPUT_DETAIL: i32 = 28;
export const OUTPUT_LOCAL: i32 = 32;
export const OUTPUT_REMOTE: i32 = 48;

/** Nothing more to do until the given time. */
export const OUTPUT_TIMEOUT: i32 = 0;
/** Send the payload from the local to the remote address. */
export const OUTPUT_SEND: i32 = 1;
/** As SEND, but the local address is not ours: the packet goes on untouched (rule action `forward`). */
export const OUTPUT_FORWARD: i32 = 2;
/** Open the local address: packets to it are wanted. */
export const OUTPUT_BIND: i32 = 3;
/** Close the local address. */
export const OUTPUT_UNBIND: i32 = 4;
/** Something a person or a log wants to know; the code stands in OUTPUT_REALM. */
export const OUTPUT_EVENT: i32 = 5;
/**
 * Open a connection from the local address (its port is only a wish) to the remote one. What is sent on it meanwhile is
 * the host's to keep; input(Kind.Open) says that it is up, input(Kind.Close) that it is not. Of media (OUTPUT_LEN) nothing is
 * handed in or sent: what comes on one of the two goes out on the other, and so does its end.
 */
export const OUTPUT_DIAL: i32 = 6;
/** Close a connection, after what was sent on it: its handle is not known any more. */
export const OUTPUT_HANG: i32 = 7;

/* Packet mode. */
/** Put the frame at OUTPUT_PAYLOAD on the wire at the interface OUTPUT_VALUE, as it stands. Addresses and ports are those of SEND. */
export const OUTPUT_FRAME: i32 = 16;
/** As FRAME, but it is one that came in and goes on as it is. */
export const OUTPUT_BRIDGE: i32 = 17;
/** The frame is for the machine's own stack, as if it had come in by the interface OUTPUT_VALUE. */
export const OUTPUT_STACK: i32 = 18;

/** In OUTPUT_DETAIL of a SEND that is not marked yet: media, not signaling; an answer to the frame in hand; an ICMP message in place of a datagram's payload. */
export const HINT_MEDIA: i32 = 0x40000000;
export const HINT_ICMP: i32 = 0x10000000;
export const HINT_ARRIVAL: i32 = 0x20000000;
export const HINT_INDEX: i32 = 0x00ffffff;

/* Events. OUTPUT_VALUE is the handle of the record that it is about. */
export const EVENT_REGISTERED: i32 = 1;
export const EVENT_UNREGISTERED: i32 = 2;
export const EVENT_MOVED: i32 = 3;
export const EVENT_CALL_STARTED: i32 = 4;
export const EVENT_CALL_ANSWERED: i32 = 5;
export const EVENT_CALL_ENDED: i32 = 6;
/** A media source was learned; OUTPUT_DETAIL is the side. Seen more than once for a flow it is a re-latch. */
export const EVENT_LATCHED: i32 = 7;
/** A table is full; OUTPUT_DETAIL is the region id of the table. */
export const EVENT_FULL: i32 = 8;
