/*
 * Connections and what comes by them (SPEC S2): opened for a service, to C:c of a binding, or to a media port; a stream is cut
 * into messages, each of which goes the way of a datagram; closed. What media brings is the host's to carry.
 */

import { copy, ld32, st32 } from "../machine.ts";
import { FRAME_AT, FRAME_KIND, FRAME_LEN, HEADER_NOW, HEADER_TEXT_TOP, INPUT, INPUT_SIZE, MESSAGE, REASSEMBLY, TEXT } from "../memory/layout.ts";
import { CONTEXT_PACKET, CONTEXT_SERVICE } from "../memory/context.ts";
import { MESSAGE_METHOD, METHOD_ACK } from "../memory/message.ts";
import { EVENT_LATCHED } from "../memory/output.ts";
import {
  PACKET_CONNECTION,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_LEN,
  PACKET_PAYLOAD,
  PACKET_REALM,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TRAFFIC,
  PACKET_TRANSPORT,
  TRANSPORT_TCP,
} from "../memory/packet.ts";
import {
  FAULT_CONNECTION,
  FAULT_LENGTH,
  REASON_CLOSED,
  REASON_IDLE_PORT,
  REASON_MEDIA_STRANGER,
  REASON_OPENED,
  REASON_PARTIAL,
  REASON_PING,
  REASON_STRANGER,
  VERDICT_ABSORBED,
  VERDICT_ANSWERED,
  VERDICT_DISCARDED,
  fault,
  faultReason,
} from "../memory/reason.ts";
import {
  CONNECTION_BINDING,
  CONNECTION_LOCAL,
  CONNECTION_LOCAL_PORT,
  CONNECTION_REALM,
  CONNECTION_REMOTE,
  CONNECTION_REMOTE_PORT,
  CONNECTION_SEEN,
  CONNECTION_SERVICE,
  CONNECTION_TRANSPORT,
  PORT_BINDING,
  PORT_FLOW,
  PORT_FLOW_CORE,
  PORT_FLOW_RTCP,
  PORT_INDEX,
  SIDE_ACCESS,
  SIDE_CORE,
} from "../memory/tables.ts";
import { addressCopy } from "../bytes/address.ts";
import { sipDecode } from "../decode/decode.ts";
import { SCAN_LINE, headEnd, messageLength } from "../input/frame/sip.ts";
import { FRAME_MESSAGE, FRAME_PARTIAL, FRAME_PING, streamNext } from "../input/stream.ts";
import { assemblyRoom, hasBound, messageRoom, outputEvent } from "../output/queue.ts";
import { isAdmitted } from "../relay/tier.ts";
import { connectionAt, connectionFlow } from "../table/connection.ts";
import { flowAt } from "../table/flow.ts";
import { labelsClear, outerLabelsClear } from "../table/label.ts";
import { poolOf, portOwner } from "../table/port.ts";
import { SLAB_CONNECTIONS, SLAB_FLOWS, handleIndex, handleOf } from "../table/slab.ts";
import { terminalHash } from "../table/terminal.ts";
import { STATUS_UNAVAILABLE, lineBreak, refusalBuild } from "../translate/answer.ts";
import { connectionClose, connectionHang, connectionOpen } from "../translate/connect.ts";
import { callIdOpen } from "../translate/hide/callid.ts";
import { isHiding } from "../translate/hide/hiding.ts";
import { leaveAnswer } from "../translate/leave.ts";
import { streamAccept, streamClose } from "../translate/stream.ts";
import { conclude } from "./outcome.ts";
import { policyOf } from "./policy.ts";
import { inboundTake, isCorePeer, outboundSet, outboundTake, payloadSet } from "./side.ts";

function refused(reason: i32): i32 {
  conclude(reason, VERDICT_DISCARDED);
  return fault(reason, 0);
}

/** Takes a connection up into the table, of a binding (-1: of a terminal). Returns its handle or a fault. */
function accept(binding: i32): i32 {
  const realm: i32 = ld32(INPUT + PACKET_REALM);
  const transport: i32 = ld32(INPUT + PACKET_TRANSPORT);
  const index: i32 = connectionOpen(ld32(CONTEXT_SERVICE), realm, binding, transport, INPUT + PACKET_SOURCE, ld32(INPUT + PACKET_SOURCE_PORT));
  return index < 0 ? refused(-index) : opened(index);
}

/** Notes where an accepted connection came in. Returns its handle. */
function opened(index: i32): i32 {
  const c: i32 = connectionAt(index);
  addressCopy(c + CONNECTION_LOCAL, INPUT + PACKET_DESTINATION);
  st32(c + CONNECTION_LOCAL_PORT, ld32(INPUT + PACKET_DESTINATION_PORT));
  conclude(REASON_OPENED, VERDICT_ABSORBED);
  return handleOf(SLAB_CONNECTIONS, index);
}

/** A connection of a terminal: the rules say for which service. */
function accessOpen(): i32 {
  const service: i32 = policyOf(INPUT);
  if (service < 0) return refused(-service);
  st32(CONTEXT_SERVICE, service);
  return accept(-1);
}

/** A connection to a port of a flow. */
function mediaOpen(owner: i32): i32 {
  const side: i32 = (owner & PORT_FLOW_CORE) !== 0 ? SIDE_CORE : SIDE_ACCESS;
  if ((owner & PORT_FLOW_RTCP) !== 0 || ld32(INPUT + PACKET_TRANSPORT) !== TRANSPORT_TCP) return refused(REASON_IDLE_PORT);
  const flow: i32 = owner & PORT_INDEX;
  if (!isAdmitted(flowAt(flow), side, INPUT + PACKET_SOURCE)) return refused(REASON_MEDIA_STRANGER);
  const index: i32 = streamAccept(flow, side, INPUT + PACKET_SOURCE, ld32(INPUT + PACKET_SOURCE_PORT));
  if (index < 0) return refused(-index);
  outputEvent(EVENT_LATCHED, handleOf(SLAB_FLOWS, flow), side);
  return opened(index);
}

/** One that was dialled is up: it has a port of its own. */
function dialledOpen(handle: i32): i32 {
  const index: i32 = handleIndex(SLAB_CONNECTIONS, handle);
  if (index < 0) return refused(FAULT_CONNECTION);
  st32(connectionAt(index) + CONNECTION_LOCAL_PORT, ld32(INPUT + PACKET_DESTINATION_PORT));
  conclude(REASON_OPENED, VERDICT_ABSORBED);
  return handle;
}

/** A connection is up. Returns its handle, or a fault: it is to be closed. */
export function openTake(): i32 {
  const handle: i32 = ld32(INPUT + PACKET_CONNECTION);
  outerLabelsClear(INPUT);
  if (handle !== 0) return dialledOpen(handle);
  const port: i32 = ld32(INPUT + PACKET_DESTINATION_PORT);
  const pool: i32 = poolOf(INPUT + PACKET_DESTINATION, port);
  if (pool < 0) return accessOpen();
  const owner: i32 = portOwner(pool, port);
  if ((owner & PORT_FLOW) !== 0) return mediaOpen(owner);
  if ((owner & PORT_BINDING) === 0) return refused(REASON_IDLE_PORT);
  outboundSet(INPUT, owner & PORT_INDEX);
  return isCorePeer(INPUT) ? accept(owner & PORT_INDEX) : refused(REASON_STRANGER);
}

/** A connection is gone, or could not be opened: then `len` bytes are what was to be sent on it. */
export function closeTake(len: i32): i32 {
  const index: i32 = handleIndex(SLAB_CONNECTIONS, ld32(INPUT + PACKET_CONNECTION));
  if (index < 0) return refused(FAULT_CONNECTION);
  if (len < 0 || len > INPUT_SIZE - PACKET_PAYLOAD) return fault(FAULT_LENGTH, 0);
  if (connectionFlow(index) >= 0) {
    streamClose(index);
    return conclude(REASON_CLOSED, VERDICT_ABSORBED);
  }
  if (ld32(connectionAt(index) + CONNECTION_BINDING) >= 0) unsentTake(index, INPUT + PACKET_PAYLOAD, INPUT + PACKET_PAYLOAD + len);
  connectionClose(index);
  return conclude(REASON_CLOSED, VERDICT_ABSORBED);
}

/** Requests that did not reach a server are answered as if it had said 503 (RFC 3261 16.9); our tag is one for the Call-ID that their ACKs will have. */
function unsentTake(index: i32, p: i32, end: i32): void {
  const c: i32 = connectionAt(index);
  let at: i32 = p;
  while (at < end && messageRoom()) {
    const head: i32 = headEnd(at, end, SCAN_LINE);
    const len: i32 = head === 0 ? -1 : messageLength(at, head);
    if (len < 0 || len > end - at) return;
    if (sipDecode(at, at + len) >= 0 && ld32(MESSAGE + MESSAGE_METHOD) !== 0 && ld32(MESSAGE + MESSAGE_METHOD) !== METHOD_ACK) {
      headerSet(REASSEMBLY, index);
      addressCopy(REASSEMBLY + PACKET_SOURCE, c + CONNECTION_LOCAL);
      st32(REASSEMBLY + PACKET_SOURCE_PORT, ld32(c + CONNECTION_LOCAL_PORT));
      outboundSet(REASSEMBLY, ld32(c + CONNECTION_BINDING));
      if (isHiding()) callIdOpen();
      const built: i32 = refusalBuild(STATUS_UNAVAILABLE);
      copy(REASSEMBLY + PACKET_PAYLOAD, TEXT, built);
      payloadSet(REASSEMBLY + PACKET_PAYLOAD, built);
      outboundTake(REASSEMBLY, ld32(c + CONNECTION_BINDING));
    }
    at = at + len;
  }
}

/** Makes the header of a packet what the connection says. */
function headerSet(packet: i32, index: i32): void {
  const c: i32 = connectionAt(index);
  st32(packet + PACKET_REALM, ld32(c + CONNECTION_REALM));
  st32(packet + PACKET_CONNECTION, handleOf(SLAB_CONNECTIONS, index));
  st32(packet + PACKET_TRANSPORT, ld32(c + CONNECTION_TRANSPORT));
  st32(packet + PACKET_SOURCE_PORT, ld32(c + CONNECTION_REMOTE_PORT));
  st32(packet + PACKET_DESTINATION_PORT, ld32(c + CONNECTION_LOCAL_PORT));
  addressCopy(packet + PACKET_SOURCE, c + CONNECTION_REMOTE);
  addressCopy(packet + PACKET_DESTINATION, c + CONNECTION_LOCAL);
  st32(packet + PACKET_TRAFFIC, 0);
  labelsClear(packet);
  terminalHash(packet);
}

/** One message of a connection. */
function frameTake(index: i32): void {
  const c: i32 = connectionAt(index);
  const binding: i32 = ld32(c + CONNECTION_BINDING);
  headerSet(REASSEMBLY, index);
  payloadSet(ld32(FRAME_AT), ld32(FRAME_LEN));
  if (binding >= 0) outboundTake(REASSEMBLY, binding);
  else inboundTake(REASSEMBLY, ld32(c + CONNECTION_SERVICE));
}

/** Answers a double CRLF with one. */
function pingTake(index: i32): void {
  headerSet(REASSEMBLY, index);
  st32(CONTEXT_PACKET, REASSEMBLY);
  st32(HEADER_TEXT_TOP, TEXT);
  lineBreak();
  leaveAnswer(2);
  conclude(REASON_PING, VERDICT_ANSWERED);
}

/** What follows on the connection cannot be told apart: it is hung up. */
function streamFail(index: i32, result: i32): i32 {
  conclude(faultReason(result), VERDICT_DISCARDED);
  connectionHang(index);
  return result;
}

/** Takes `len` bytes of a connection at INPUT, at most up to a message that opens ports. Returns how many were taken, or a fault: the connection is hung up. */
export function streamTake(len: i32): i32 {
  if (len < 0 || len > INPUT_SIZE - PACKET_PAYLOAD) return fault(FAULT_LENGTH, 0);
  const handle: i32 = ld32(INPUT + PACKET_CONNECTION);
  const index: i32 = handleIndex(SLAB_CONNECTIONS, handle);
  if (index < 0 || connectionFlow(index) >= 0) return refused(FAULT_CONNECTION);
  const p: i32 = INPUT + PACKET_PAYLOAD;
  const end: i32 = p + len;
  let at: i32 = p;
  st32(INPUT + PACKET_LEN, len);
  st32(connectionAt(index) + CONNECTION_SEEN, ld32(HEADER_NOW));
  while (at < end && messageRoom() && assemblyRoom()) {
    at = streamNext(connectionAt(index), at, end);
    if (at < 0) return streamFail(index, at);
    const kind: i32 = ld32(FRAME_KIND);
    if (kind === FRAME_MESSAGE) frameTake(index);
    else if (kind === FRAME_PING) pingTake(index);
    else if (kind === FRAME_PARTIAL) conclude(REASON_PARTIAL, VERDICT_ABSORBED);
    if (handleIndex(SLAB_CONNECTIONS, handle) < 0 || hasBound()) return at - p;
  }
  return at - p;
}
