/*
 * How a message leaves: translated by its edits, as it came, or as an answer of ours. The context says by which binding,
 * by what transport and to whom (SPEC S1: to the server from C:c, to the terminal from E:e).
 */

import { ld32, st32 } from "../machine.ts";
import { ASSEMBLY, ASSEMBLY_SIZE, MESSAGE, TEXT } from "../memory/layout.ts";
import { POOL_ADDRESS, SERVICE_ACCESS, SERVICE_ADDRESS, SERVICE_CORE } from "../memory/config.ts";
import {
  CONTEXT_BINDING,
  CONTEXT_LEN,
  CONTEXT_PACKET,
  CONTEXT_PAYLOAD,
  CONTEXT_PORT,
  CONTEXT_REMOTE,
  CONTEXT_REMOTE_PORT,
  CONTEXT_SERVICE_AT,
  CONTEXT_TERMINAL,
  CONTEXT_TRANSPORT,
  isInbound,
} from "../memory/context.ts";
import { MESSAGE_END, MESSAGE_START } from "../memory/message.ts";
import { HINT_ARRIVAL, OUTPUT_SEND } from "../memory/output.ts";
import {
  PACKET_CONNECTION,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_REALM,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  TRANSPORT_UDP,
} from "../memory/packet.ts";
import { FAULT_EDITS } from "../memory/reason.ts";
import { BINDING_POOL, BINDING_PORT } from "../memory/tables.ts";
import { editsFit, editsReset } from "../encode/edit.ts";
import { splice } from "../encode/splice.ts";
import { assemblyAt, assemblyTake, outputHint, outputKeep, outputSend, outputStream } from "../output/queue.ts";
import { terminalAdjacency } from "../table/adjacency.ts";
import { bindingAt } from "../table/binding.ts";
import { poolAt } from "../table/port.ts";
import { SLAB_CONNECTIONS, handleIndex } from "../table/slab.ts";
import { coreConnection, terminalConnection } from "./connect.ts";
import { bindingAny } from "./open.ts";
import { isReachable, serverRemote, terminalRemote } from "./sip.ts";

/** Bytes that a UDP datagram over IPv4 has room for: by IPv6 no more are sent either, and what is translated is never longer. */
const DATAGRAM_MAX: i32 = 65507;

/** Sends `len` bytes at `payload` the way the context says. Returns 0, or the reason why they cannot go. */
function leave(payload: i32, len: i32): i32 {
  if (ld32(CONTEXT_TRANSPORT) === TRANSPORT_UDP) return leaveDatagram(payload, len);
  const binding: i32 = ld32(CONTEXT_BINDING);
  const inbound: boolean = isInbound();
  const connection: i32 = inbound ? coreConnection(binding, ld32(CONTEXT_TRANSPORT)) : terminalConnection(isReachable(binding));
  if (connection < 0) return -connection;
  outputStream(connection, payload, len);
  return 0;
}

function leaveDatagram(payload: i32, len: i32): i32 {
  if (len > DATAGRAM_MAX) return FAULT_EDITS;
  const service: i32 = ld32(CONTEXT_SERVICE_AT);
  const port: i32 = ld32(CONTEXT_REMOTE_PORT);
  if (isInbound()) {
    const b: i32 = bindingAt(ld32(CONTEXT_BINDING));
    const local: i32 = poolAt(ld32(b + BINDING_POOL)) + POOL_ADDRESS;
    outputSend(OUTPUT_SEND, ld32(service + SERVICE_CORE), local, ld32(b + BINDING_PORT), CONTEXT_REMOTE, port, payload, len);
  } else {
    outputSend(OUTPUT_SEND, ld32(service + SERVICE_ACCESS), service + SERVICE_ADDRESS, ld32(CONTEXT_PORT), CONTEXT_REMOTE, port, payload, len);
    outputHint(terminalAdjacency(ld32(CONTEXT_TERMINAL)));
  }
  return 0;
}

/** Splices the message in hand and sends it. Returns 0, or the reason why it cannot go: it has grown too long, say. */
export function leaveTranslated(): i32 {
  const to: i32 = assemblyAt();
  if (!editsFit()) return FAULT_EDITS;
  const len: i32 = splice(ld32(MESSAGE + MESSAGE_START), ld32(MESSAGE + MESSAGE_END), to, ASSEMBLY + ASSEMBLY_SIZE);
  if (len < 0 || len > DATAGRAM_MAX) return FAULT_EDITS;
  assemblyTake(len);
  return leave(to, len);
}

/** Sends the payload on byte-identical. Returns 0, or the reason why it cannot go. */
export function leaveUntouched(): i32 {
  if (isInbound()) {
    editsReset();
    const binding: i32 = bindingAny();
    if (binding < 0) return -binding;
    st32(CONTEXT_BINDING, binding);
    serverRemote();
  } else {
    terminalRemote(ld32(CONTEXT_BINDING), false);
  }
  return leave(ld32(CONTEXT_PAYLOAD), ld32(CONTEXT_LEN));
}

/** Sends an answer of ours, `len` bytes at TEXT, back to where the packet came from: by its connection, or from where it was sent to. */
export function leaveAnswer(len: i32): void {
  const packet: i32 = ld32(CONTEXT_PACKET);
  const text: i32 = outputKeep(TEXT, len);
  const connection: i32 = handleIndex(SLAB_CONNECTIONS, ld32(packet + PACKET_CONNECTION));
  if (text === 0) return;
  if (connection >= 0) {
    outputStream(connection, text, len);
    return;
  }
  const local: i32 = packet + PACKET_DESTINATION;
  const port: i32 = ld32(packet + PACKET_SOURCE_PORT);
  outputSend(OUTPUT_SEND, ld32(packet + PACKET_REALM), local, ld32(packet + PACKET_DESTINATION_PORT), packet + PACKET_SOURCE, port, text, len);
  outputHint(HINT_ARRIVAL);
}
