/*
 * A datagram, whole: to a port of ours it belongs to what owns the port; else the rules say whose it is (SPEC P1).
 */

import { ld32, st32 } from "../machine.ts";
import {
  PACKET_AT,
  PACKET_CONNECTION,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_LEN,
  PACKET_PAYLOAD,
  PACKET_POOL,
  PACKET_TRAFFIC,
  PACKET_TRANSPORT,
  TRANSPORT_UDP,
} from "../memory/packet.ts";
import { REASON_IDLE_PORT, REASON_RELAYED, REASON_STRANGER, VERDICT_DISCARDED, VERDICT_RELAYED } from "../memory/reason.ts";
import { PORT_BINDING, PORT_FLOW, PORT_INDEX } from "../memory/tables.ts";
import { mediaRelay } from "../relay/media.ts";
import { outerLabelsClear } from "../table/label.ts";
import { poolOf, portOwner } from "../table/port.ts";
import { terminalHash } from "../table/terminal.ts";
import { forward } from "./forward.ts";
import { conclude } from "./outcome.ts";
import { isForward, policyOf } from "./policy.ts";
import { inboundTake, isCorePeer, outboundSet, outboundTake, payloadSet } from "./side.ts";

/** Says that the packet is a datagram, which no frame brought, and notes the hash of its source unless a port of ours will tell what it belongs to. */
export function datagramNote(packet: i32): void {
  st32(packet + PACKET_CONNECTION, 0);
  st32(packet + PACKET_TRANSPORT, TRANSPORT_UDP);
  outerLabelsClear(packet);
  st32(packet + PACKET_TRAFFIC, ld32(packet + PACKET_TRAFFIC) & 0xff);
  st32(packet + PACKET_AT, packet + PACKET_PAYLOAD);
  const pool: i32 = poolOf(packet + PACKET_DESTINATION, ld32(packet + PACKET_DESTINATION_PORT));
  st32(packet + PACKET_POOL, pool);
  if (pool < 0) terminalHash(packet);
}

/** Takes a datagram to a port of a pool, or, when that is -1, to any other. */
export function datagramTake(packet: i32, pool: i32): i32 {
  const owner: i32 = pool < 0 ? 0 : portOwner(pool, ld32(packet + PACKET_DESTINATION_PORT));
  if ((owner & PORT_FLOW) !== 0) {
    const reason: i32 = mediaRelay(owner, packet);
    return conclude(reason, reason === REASON_RELAYED ? VERDICT_RELAYED : VERDICT_DISCARDED);
  }
  payloadSet(ld32(packet + PACKET_AT), ld32(packet + PACKET_LEN));
  if (pool < 0) return ruleTake(packet);
  if ((owner & PORT_BINDING) === 0) return conclude(REASON_IDLE_PORT, VERDICT_DISCARDED);
  outboundSet(packet, owner & PORT_INDEX);
  return isCorePeer(packet) ? outboundTake(packet, owner & PORT_INDEX) : conclude(REASON_STRANGER, VERDICT_DISCARDED);
}

function ruleTake(packet: i32): i32 {
  const service: i32 = policyOf(packet);
  if (service >= 0) return inboundTake(packet, service);
  return isForward(-service) ? forward(packet, -service) : conclude(-service, VERDICT_DISCARDED);
}
