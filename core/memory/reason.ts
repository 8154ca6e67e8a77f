/*
 * Kinds of input, verdicts, faults and the reasons behind them. Every input ends in exactly one reason,
 * which is counted at COUNTERS. Names are what people read in `culvert status` and `explain`:
 * the host derives them from the constants' names.
 */

/* Kinds of input. */
export const KIND_TIMEOUT: i32 = 0;
export const KIND_DATAGRAM: i32 = 1;
/** `len` slots at SLOTS. Returns how many were taken; the rest did not fit the output queue. */
export const KIND_BATCH: i32 = 2;
/** The configuration was rewritten: rules are compiled again. */
export const KIND_CONFIG: i32 = 3;
/** A connection was accepted, or one that was dialled is up. Returns its handle, or a fault: then it is to be closed. */
export const KIND_OPEN: i32 = 4;
/** `len` bytes of a connection at INPUT. Returns how many were taken: the rest did not fit the output queue, or is behind a message that opens ports. */
export const KIND_STREAM: i32 = 5;
/** A connection is gone, or could not be opened: then the `len` bytes at INPUT are what was to be sent on it. */
export const KIND_CLOSE: i32 = 6;
/**
 * The machine does not open the port of the BIND that was drained last, at `len` (an address in OUTPUTS). The one input that
 * comes while outputs are drained, and draining goes on after it: with another port, and with the message that was to tell of
 * it put together again. INPUT, or the slots, must be as they were.
 */
export const KIND_REFUSED: i32 = 7;
/**
 * The memory is that of a process that ended, with capacities and configuration written since. `len` 0 looks it over and takes
 * the configuration over, in place of a boot: FAULT_IMAGE when the tables are not what this build has for these capacities,
 * FAULT_CONFIG when other pools are configured; then only a boot helps. What the tables own is announced by BIND once more,
 * from the `len`th place on, and connections, which ended with that process, by HANG. Returns where to go on, as the `len` of
 * the next one, or 0 when that was all.
 */
export const KIND_RESTORE: i32 = 8;
/** The frame at INPUT, `len` bytes (memory/frame.ts). */
export const KIND_FRAME: i32 = 16;
/** `len` slots at SLOTS with a frame each. Returns how many were taken, as for KIND_BATCH. */
export const KIND_FRAMES: i32 = 17;

/* Verdicts. */
export const VERDICT_FORWARDED: i32 = 0;
export const VERDICT_TRANSLATED: i32 = 1;
export const VERDICT_RELAYED: i32 = 2;
export const VERDICT_ANSWERED: i32 = 3;
export const VERDICT_ABSORBED: i32 = 4;
export const VERDICT_DISCARDED: i32 = 5;
/** Given to the machine's own stack. */
export const VERDICT_HANDED: i32 = 8;

/* Reasons: what happened, one counter each. */
export const REASON_TRANSLATED: i32 = 1;
export const REASON_RELAYED: i32 = 2;
export const REASON_TIMER: i32 = 3;
export const REASON_RULE_FORWARD: i32 = 4;
export const REASON_RULE_DISCARD: i32 = 5;
export const REASON_OTHERWISE_FORWARD: i32 = 6;
export const REASON_OTHERWISE_DISCARD: i32 = 7;
/** CRLF, zero bytes or an empty datagram: a keep-alive, absorbed after it refreshed the mapping (RFC 5626 4.4.1). */
export const REASON_KEEPALIVE: i32 = 8;
/** STUN on the signaling port, passed on the stable mapping. */
export const REASON_STUN: i32 = 9;
/** Not SIP (SigComp, TLS, anything), passed or dropped as the service says. */
export const REASON_NOT_SIP: i32 = 10;
export const REASON_PROBE_ANSWERED: i32 = 11;
export const REASON_REFRESH_ANSWERED: i32 = 12;
export const REASON_REJECT_ACK: i32 = 13;
/** A forged, foreign or damaged token. */
export const REASON_FORGED_TOKEN: i32 = 14;
/** A message that already carries one of our live mappings on the wrong side. */
export const REASON_LOOP: i32 = 15;
/** A core-side sender that is neither a server nor one of our own addresses. */
export const REASON_STRANGER: i32 = 16;
/** A response whose top Via is not ours. */
export const REASON_FOREIGN_VIA: i32 = 17;
/** Translated but for its body, which a digest with qop=auth-int covers (CONFORMANCE 29). */
export const REASON_BODY_SIGNED: i32 = 19;
/** Max-Forwards was 0, and the service wants that answered. */
export const REASON_HOPS: i32 = 29;
/** Nothing is registered at the terminal, and the service wants that. */
export const REASON_UNREGISTERED: i32 = 30;
/** What a restart found in the tables is announced again. */
export const REASON_RESTORED: i32 = 31;
/** A port of ours that nothing uses. */
export const REASON_IDLE_PORT: i32 = 18;
export const REASON_TERMINALS_FULL: i32 = 20;
export const REASON_BINDINGS_FULL: i32 = 21;
export const REASON_CONNECTIONS_FULL: i32 = 22;
export const REASON_CALLS_FULL: i32 = 23;
export const REASON_FLOWS_FULL: i32 = 24;
export const REASON_SIGNAL_PORTS_FULL: i32 = 25;
export const REASON_MEDIA_PORTS_FULL: i32 = 26;
/** A terminal that writes more different addresses than a terminal may. */
export const REASON_SPELLINGS_FULL: i32 = 27;
export const REASON_OUTPUTS_FULL: i32 = 28;
/** The machine does not open a port of ours: it is left alone for some minutes. */
export const REASON_PORT_REFUSED: i32 = 47;
/* Relay. */
export const REASON_MEDIA_STRANGER: i32 = 32;
export const REASON_MEDIA_GARBAGE: i32 = 33;
/** The other side's address is not known yet: nothing is sent to a terminal that has not sent. */
export const REASON_MEDIA_NO_REMOTE: i32 = 34;
export const REASON_MEDIA_PINHOLE: i32 = 35;
/** Translated, but a media line passed with the address that it has: of a transport that is not known, at a name or a group, or over TCP where nobody can connect. */
export const REASON_MEDIA_UNRELAYED: i32 = 36;
/** A connection for media that has one already. */
export const REASON_MEDIA_TAKEN: i32 = 37;
/* Streams. */
export const REASON_OPENED: i32 = 40;
export const REASON_CLOSED: i32 = 41;
/** The message is not complete yet. */
export const REASON_PARTIAL: i32 = 42;
/** A double CRLF, answered by one (RFC 5626 4.4.1). */
export const REASON_PING: i32 = 43;
/** The terminal's connection is gone, and nothing else leads there. */
export const REASON_NO_CONNECTION: i32 = 44;
/** No room for a part of a message: its connection is closed. */
export const REASON_BLOCKS_FULL: i32 = 45;
/** Translated, but something that its service hides was too long to be, or could not be read. */
export const REASON_EXPOSED: i32 = 46;
/* Decoding faults: the message is passed or dropped as the service says. */
export const FAULT_START_LINE: i32 = 48;
export const FAULT_HEADER: i32 = 49;
export const FAULT_NO_VIA: i32 = 50;
export const FAULT_VIA: i32 = 51;
export const FAULT_CSEQ: i32 = 52;
export const FAULT_CONTENT_LENGTH: i32 = 53;
export const FAULT_CONTENT_SHORT: i32 = 54;
export const FAULT_MISSING_HEADER: i32 = 56;
export const FAULT_MENTIONS: i32 = 57;
export const FAULT_MEDIA: i32 = 58;
export const FAULT_SDP: i32 = 59;
export const FAULT_LENGTH: i32 = 60;
export const FAULT_EDITS: i32 = 61;
/* Refused at the door. */
export const FAULT_KIND: i32 = 70;
export const FAULT_NOT_BOOTED: i32 = 71;
export const FAULT_CONFIG: i32 = 73;
/** No connection has this handle, or it has one already. */
export const FAULT_CONNECTION: i32 = 74;
/** Tables of another build, for other capacities, or damaged in what tells where they stand and how full they are. */
export const FAULT_IMAGE: i32 = 75;
/* Frames. */
/** No IP, or none that is read: passed as it is. */
export const REASON_NOT_IP: i32 = 80;
/** For a stream that a rule or a port of ours takes, or for one of our own addresses: the stack's. */
export const REASON_STACK: i32 = 81;
/** Sent to the hardware address of another station. */
export const REASON_NOT_OURS: i32 = 82;
/** A port of ours, but not by the interface and labels of its realm. */
export const REASON_WRONG_LINK: i32 = 83;
/** The time to live has run out. */
export const REASON_EXPIRED: i32 = 84;
/** A checksum is wrong. */
export const REASON_CHECKSUM: i32 = 85;
/** More tags or labels than an answer could bring back. */
export const REASON_LABELS_DEEP: i32 = 86;
/** A fragment, kept until its datagram is complete. */
export const REASON_FRAGMENT: i32 = 87;
/** Fragments that overlap, are too small or too many: their datagram is dropped (RFC 5722 4, RFC 1858 3). */
export const REASON_FRAGMENT_BAD: i32 = 88;
/** No room for a fragment. */
export const REASON_FRAGMENTS_FULL: i32 = 89;
/** A datagram of which not all fragments came in time. */
export const REASON_FRAGMENTS_LATE: i32 = 90;
/** An ICMP error about a packet of ours, translated for whom it concerns. */
export const REASON_ICMP: i32 = 91;
/** An ICMP error about nothing that we sent. */
export const REASON_ICMP_STRANGER: i32 = 92;
/** A frame that another worker takes. */
export const REASON_ELSEWHERE: i32 = 93;
/** Lengths that do not fit together in the headers of a frame. */
export const FAULT_FRAME: i32 = 96;

/** A fault as one negative i32: the reason in bits 24 to 30, the position in the message below. */
export function fault(reason: i32, position: i32): i32 {
  return (1 << 31) | (reason << 24) | (position & 0xffffff);
}

export function faultReason(v: i32): i32 {
  return (v >> 24) & 0x7f;
}

export function faultPosition(v: i32): i32 {
  return v & 0xffffff;
}
