/*
 * A port that the machine does not open, because something else has it or by some limit: its owner gets another one, and the
 * message that opened it is put together again, as if it had come twice, so nobody is told of a port that is deaf.
 * Invariant: of a message whose BINDs are being drained nothing has been sent. Of a connection no other message is taken after
 * it; of a batch others may be, and then it goes out as it is, and only the count tells. After a restart there is no message.
 */

import { ld32, st32 } from "../machine.ts";
import { HEADER_KIND } from "../memory/layout.ts";
import { CONTEXT_BINDING, CONTEXT_PACKET, CONTEXT_SERVICE, isInbound } from "../memory/context.ts";
import { WIRE_TRAFFIC } from "../memory/frame.ts";
import { OUTPUT_LOCAL, OUTPUT_LOCAL_PORT } from "../memory/output.ts";
import { PACKET_TRAFFIC } from "../memory/packet.ts";
import {
  FAULT_KIND,
  KIND_BATCH,
  KIND_DATAGRAM,
  KIND_REFUSED,
  KIND_RESTORE,
  KIND_STREAM,
  REASON_PORT_REFUSED,
  VERDICT_ABSORBED,
  fault,
} from "../memory/reason.ts";
import { assemblyRoom, hasBegun, messageRoom, outputIsBound, outputUnsend } from "../output/queue.ts";
import { poolOf, portOwner, portRefuse } from "../table/port.ts";
import { ownerDeafen, ownerReopen } from "../translate/open.ts";
import { conclude } from "./outcome.ts";
import { inboundTake, outboundTake } from "./side.ts";
import { transmitReset } from "./transmit.ts";

/** Can the message in hand be put together once more? */
function isRepeatable(): boolean {
  const kind: i32 = ld32(HEADER_KIND);
  if (kind !== KIND_DATAGRAM && kind !== KIND_BATCH && kind !== KIND_STREAM) return false;
  return hasBegun() && messageRoom() && assemblyRoom();
}

/** Takes the message in hand once more, in place of what it was to send. Returns its verdict. */
function messageRepeat(): i32 {
  outputUnsend();
  transmitReset();
  const packet: i32 = ld32(CONTEXT_PACKET);
  st32(WIRE_TRAFFIC, ld32(packet + PACKET_TRAFFIC));
  return isInbound() ? inboundTake(packet, ld32(CONTEXT_SERVICE)) : outboundTake(packet, ld32(CONTEXT_BINDING));
}

/** The port of the BIND record at `at` is refused. Returns the verdict of the message that is put together again, if one is, or a fault. */
export function refusalTake(at: i32): i32 {
  if (!outputIsBound(at)) return fault(FAULT_KIND, KIND_REFUSED);
  const port: i32 = ld32(at + OUTPUT_LOCAL_PORT);
  const pool: i32 = poolOf(at + OUTPUT_LOCAL, port);
  if (pool < 0) return fault(FAULT_KIND, KIND_REFUSED);
  const owner: i32 = portOwner(pool, port);
  const owned: boolean = owner !== 0 && isRepeatable();
  if (owned) ownerReopen(owner);
  else if (ld32(HEADER_KIND) === KIND_RESTORE) ownerDeafen(owner);
  if (portOwner(pool, port) === 0) portRefuse(pool, port);
  conclude(REASON_PORT_REFUSED, VERDICT_ABSORBED);
  return owned ? messageRepeat() : VERDICT_ABSORBED;
}
