/*
 * How a message leaves: translated by its edits, as it came, or as an answer of ours. The context says by which binding
 * and to whom (SPEC S1: to the server from C:c, to the terminal from E:e).
 */

import { ld32, st32 } from "../machine.ts";
import { ASSEMBLY, ASSEMBLY_SIZE, ASSEMBLY_TOP, MESSAGE, TEXT } from "../memory/layout.ts";
import { POOL_ADDRESS, SERVICE_ACCESS, SERVICE_ADDRESS, SERVICE_CORE, SERVICE_PORT } from "../memory/config.ts";
import { CONTEXT_BINDING, CONTEXT_DIRECTION, CONTEXT_PACKET, CONTEXT_REMOTE, CONTEXT_REMOTE_PORT, CONTEXT_SERVICE_AT, INBOUND } from "../memory/context.ts";
import { MESSAGE_END, MESSAGE_START } from "../memory/message.ts";
import { OUTPUT_SEND } from "../memory/output.ts";
import { PACKET_LEN, PACKET_PAYLOAD, PACKET_SOURCE, PACKET_SOURCE_PORT } from "../memory/packet.ts";
import { BINDING_POOL, BINDING_PORT } from "../memory/tables.ts";
import { editsFit, editsReset } from "../encode/edit.ts";
import { splice } from "../encode/splice.ts";
import { outputKeep, outputSend } from "../output/queue.ts";
import { bindingAt } from "../table/binding.ts";
import { poolAt } from "../table/port.ts";
import { bindingAny } from "./open.ts";
import { serverRemote, terminalRemote } from "./sip.ts";

/** Sends `len` bytes at `payload` the way the context says. */
function leave(payload: i32, len: i32): void {
  const service: i32 = ld32(CONTEXT_SERVICE_AT);
  const port: i32 = ld32(CONTEXT_REMOTE_PORT);
  if (ld32(CONTEXT_DIRECTION) === INBOUND) {
    const b: i32 = bindingAt(ld32(CONTEXT_BINDING));
    outputSend(
      OUTPUT_SEND,
      ld32(service + SERVICE_CORE),
      poolAt(ld32(b + BINDING_POOL)) + POOL_ADDRESS,
      ld32(b + BINDING_PORT),
      CONTEXT_REMOTE,
      port,
      payload,
      len,
    );
  } else {
    outputSend(OUTPUT_SEND, ld32(service + SERVICE_ACCESS), service + SERVICE_ADDRESS, ld32(service + SERVICE_PORT), CONTEXT_REMOTE, port, payload, len);
  }
}

/** Splices the message in hand and sends it. Returns false when it has grown too long or has too many edits. */
export function leaveTranslated(): boolean {
  const to: i32 = ld32(ASSEMBLY_TOP);
  if (!editsFit()) return false;
  const len: i32 = splice(ld32(MESSAGE + MESSAGE_START), ld32(MESSAGE + MESSAGE_END), to, ASSEMBLY + ASSEMBLY_SIZE);
  if (len < 0 || len > 65507) return false;
  st32(ASSEMBLY_TOP, (to + len + 3) & -4);
  leave(to, len);
  return true;
}

/** Sends the payload on byte-identical. Returns 0, or the reason why it cannot go. */
export function leaveUntouched(): i32 {
  const packet: i32 = ld32(CONTEXT_PACKET);
  if (ld32(CONTEXT_DIRECTION) === INBOUND) {
    editsReset();
    const binding: i32 = bindingAny();
    if (binding < 0) return -binding;
    st32(CONTEXT_BINDING, binding);
    serverRemote();
  } else {
    terminalRemote(ld32(CONTEXT_BINDING), false);
  }
  leave(packet + PACKET_PAYLOAD, ld32(packet + PACKET_LEN));
  return 0;
}

/** Sends an answer of ours, `len` bytes at TEXT, back to where the packet came from. */
export function leaveAnswer(realm: i32, local: i32, localPort: i32, len: i32): void {
  const packet: i32 = ld32(CONTEXT_PACKET);
  const text: i32 = outputKeep(TEXT, len);
  if (text !== 0) outputSend(OUTPUT_SEND, realm, local, localPort, packet + PACKET_SOURCE, ld32(packet + PACKET_SOURCE_PORT), text, len);
}
