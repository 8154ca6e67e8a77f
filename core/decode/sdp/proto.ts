/*
 * The transport of an m= line (RFC 8866 8.2.2), and what a=setup and a=connection say of one over TCP (RFC 4145).
 */

import { ld8, scan8 } from "../../machine.ts";
import {
  PROTO_MSRP,
  PROTO_OTHER,
  PROTO_RTP,
  PROTO_TCP,
  PROTO_UDP,
  SETUP_ACTIVE,
  SETUP_ACTPASS,
  SETUP_HOLDCONN,
  SETUP_NONE,
  SETUP_PASSIVE,
} from "../../memory/message.ts";
import { fold16, fold32, fold8 } from "../../bytes/word.ts";

/** PROTO_* of the transport in [p, end). */
export function protoRead(p: i32, end: i32): i32 {
  const len: i32 = end - p;
  if (len >= 4 && fold32(p) === 0x2f707472) return PROTO_RTP;
  if (len >= 12 && fold32(p) === 0x2f706475 && fold32(p + 4) === 0x2f736c74 && fold32(p + 8) === 0x2f707472) return PROTO_RTP;
  if (len >= 3 && fold16(p) === 0x6475 && fold8(p + 2) === 0x70) return PROTO_UDP;
  if (len >= 5 && fold32(p) === 0x736c7464 && ld8(p + 4) === 47) return PROTO_UDP;
  if (len === 3 && fold16(p) === 0x6374 && fold8(p + 2) === 0x70) return PROTO_TCP;
  return len > 4 && fold32(p) === 0x2f706374 ? streamRead(p + 4, end) : PROTO_OTHER;
}

/**
 * PROTO_* of what stands behind "TCP/", with TLS or without. RTP may want a second connection for RTCP, DTLS is chosen by ICE, and a
 * WebSocket is reached by a URI: of these c= and m= lines do not tell all.
 */
function streamRead(p: i32, end: i32): i32 {
  const from: i32 = end - p > 4 && fold32(p) === 0x2f736c74 ? p + 4 : p;
  const len: i32 = scan8(from, end, 47) - from;
  if (len === 4 && fold32(from) === 0x7072736d) return PROTO_MSRP;
  if (len === 4 && fold32(from) === 0x736c7464) return PROTO_OTHER;
  if (len === 3 && fold16(from) === 0x7472 && fold8(from + 2) === 0x70) return PROTO_OTHER;
  const web: boolean = len >= 2 && fold16(from) === 0x7377 && (len === 2 || (len === 3 && fold8(from + 2) === 0x73));
  return web ? PROTO_OTHER : PROTO_TCP;
}

/** SETUP_* of the role in [p, end) (RFC 4145 4). */
export function setupRead(p: i32, end: i32): i32 {
  const len: i32 = end - p;
  if (len === 6) return fold32(p) === 0x69746361 && fold16(p + 4) === 0x6576 ? SETUP_ACTIVE : SETUP_NONE;
  if (len === 7 && fold32(p) === 0x73736170 && fold32(p + 3) === 0x65766973) return SETUP_PASSIVE;
  if (len === 7 && fold32(p) === 0x70746361 && fold32(p + 3) === 0x73736170) return SETUP_ACTPASS;
  return len === 8 && fold32(p) === 0x646c6f68 && fold32(p + 4) === 0x6e6e6f63 ? SETUP_HOLDCONN : SETUP_NONE;
}

/** Is the value in [p, end) "existing" (RFC 4145 5)? */
export function isExisting(p: i32, end: i32): boolean {
  return end - p === 8 && fold32(p) === 0x73697865 && fold32(p + 4) === 0x676e6974;
}
