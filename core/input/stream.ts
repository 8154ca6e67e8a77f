/*
 * Messages out of a stream (RFC 3261 18.3, CONFORMANCE 5): one may come in many pieces, many may come in one; line ends
 * between them are skipped, and two of them are a keep-alive that wants an answer (RFC 5626 3.5.1, 4.4.1).
 * Invariant: a message that is complete where it stands is not copied; of all others the bytes stand in blocks until the
 * last one has come.
 */

import { ld32, ld8, st32 } from "../machine.ts";
import { FRAME_AT, FRAME_KIND, FRAME_LEN, FRAME_SCAN, HEADER_NOW, INPUT_SIZE, REASSEMBLY } from "../memory/layout.ts";
import { PACKET_PAYLOAD, TRANSPORT_WS } from "../memory/packet.ts";
import { FAULT_LENGTH, REASON_BLOCKS_FULL, REASON_NOT_SIP, fault } from "../memory/reason.ts";
import { CONNECTION_HELD, CONNECTION_NEED, CONNECTION_SCAN, CONNECTION_SINCE, CONNECTION_TRANSPORT } from "../memory/tables.ts";
import { isToken } from "../bytes/word.ts";
import { blocksAppend, blocksCopy, blocksGive } from "../table/block.ts";
import { SCAN_LINE, headEnd, messageLength } from "./frame/sip.ts";

/** FRAME_KIND: all bytes were taken, and the message is not complete. */
export const FRAME_PARTIAL: i32 = 0;
/** A message of FRAME_LEN bytes stands at FRAME_AT. */
export const FRAME_MESSAGE: i32 = 1;
/** A keep-alive. */
export const FRAME_PING: i32 = 2;

/** Longest message: what a datagram can have, since it may have to leave as one. */
const MESSAGE_MAX: i32 = INPUT_SIZE - PACKET_PAYLOAD;
/** Where a message is put together. */
const WHOLE: i32 = REASSEMBLY + PACKET_PAYLOAD;

function messageNote(at: i32, len: i32): void {
  st32(FRAME_KIND, FRAME_MESSAGE);
  st32(FRAME_AT, at);
  st32(FRAME_LEN, len);
}

/** Skips line ends between messages. Returns the position after them, or after a keep-alive, which is noted. */
function blankSkip(connection: i32, p: i32, end: i32): i32 {
  let at: i32 = p;
  while (at < end && (ld8(at) === 13 || ld8(at) === 10)) {
    const feeds: i32 = ld32(connection + CONNECTION_SCAN) + (ld8(at) === 10 ? 1 : 0);
    at++;
    st32(connection + CONNECTION_SCAN, feeds & 1);
    if (feeds === 2) {
      st32(FRAME_KIND, FRAME_PING);
      return at;
    }
  }
  return at;
}

/** Keeps [p, end) until more comes. Returns `end`, or a fault. */
function keep(connection: i32, p: i32, end: i32): i32 {
  return blocksAppend(connection, p, end - p) ? end : fault(REASON_BLOCKS_FULL, 0);
}

/** The message that begins at `p`: where it stands if it is all there. */
function messageBegin(connection: i32, p: i32, end: i32): i32 {
  if (!isToken(ld8(p))) return fault(REASON_NOT_SIP, p);
  const head: i32 = headEnd(p, end, SCAN_LINE);
  const len: i32 = head === 0 ? 0 : messageLength(p, head);
  if (len < 0) return len;
  if (len > MESSAGE_MAX || (len === 0 && end - p > MESSAGE_MAX)) return fault(FAULT_LENGTH, p);
  if (len > 0 && len <= end - p) {
    st32(connection + CONNECTION_SCAN, 0);
    messageNote(p, len);
    return p + len;
  }
  st32(connection + CONNECTION_NEED, len);
  st32(connection + CONNECTION_SCAN, ld32(FRAME_SCAN));
  st32(connection + CONNECTION_SINCE, ld32(HEADER_NOW));
  return keep(connection, p, end);
}

/** More of a head: up to its end, whose message's length is then known. Returns the position after what was kept, or a fault. */
function headContinue(connection: i32, p: i32, end: i32): i32 {
  const head: i32 = headEnd(p, end, ld32(connection + CONNECTION_SCAN));
  const stop: i32 = head === 0 ? end : head;
  st32(connection + CONNECTION_SCAN, ld32(FRAME_SCAN));
  if (ld32(connection + CONNECTION_HELD) + stop - p > MESSAGE_MAX) return fault(FAULT_LENGTH, p);
  const kept: i32 = keep(connection, p, stop);
  if (kept < 0 || head === 0) return kept;
  blocksCopy(connection, WHOLE);
  const len: i32 = messageLength(WHOLE, WHOLE + ld32(connection + CONNECTION_HELD));
  if (len > MESSAGE_MAX) return fault(FAULT_LENGTH, p);
  st32(connection + CONNECTION_NEED, len < 0 ? 0 : len);
  return len < 0 ? len : stop;
}

/** More of a message of which a part is kept. */
function messageContinue(connection: i32, p: i32, end: i32): i32 {
  let at: i32 = p;
  if (ld32(connection + CONNECTION_NEED) === 0) at = headContinue(connection, p, end);
  const need: i32 = ld32(connection + CONNECTION_NEED);
  if (at < 0 || need === 0) return at;
  const missing: i32 = (need - ld32(connection + CONNECTION_HELD)) | 0;
  const stop: i32 = missing < end - at ? at + missing : end;
  at = keep(connection, at, stop);
  if (at < 0 || ld32(connection + CONNECTION_HELD) < need) return at;
  blocksCopy(connection, WHOLE);
  blocksGive(connection);
  st32(connection + CONNECTION_NEED, 0);
  st32(connection + CONNECTION_SCAN, 0);
  messageNote(WHOLE, need);
  return at;
}

/** A WebSocket message holds one SIP message, or a keep-alive (RFC 7118 5). */
function webSocketNext(p: i32, end: i32): i32 {
  let at: i32 = p;
  while (at < end && (ld8(at) === 13 || ld8(at) === 10)) at++;
  if (at === end) st32(FRAME_KIND, FRAME_PING);
  else messageNote(p, end - p);
  return end;
}

/**
 * Takes bytes of [p, end), which came on a connection (its record), up to the end of a message. FRAME_KIND says what was
 * found. Returns the position after what was taken, or a fault: what follows on the connection cannot be told apart.
 */
export function streamNext(connection: i32, p: i32, end: i32): i32 {
  st32(FRAME_KIND, FRAME_PARTIAL);
  if (ld32(connection + CONNECTION_TRANSPORT) >= TRANSPORT_WS) return webSocketNext(p, end);
  if (ld32(connection + CONNECTION_HELD) > 0) return messageContinue(connection, p, end);
  const at: i32 = blankSkip(connection, p, end);
  return at === end || ld32(FRAME_KIND) === FRAME_PING ? at : messageBegin(connection, at, end);
}
