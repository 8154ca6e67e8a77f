/*
 * A datagram: to a port of ours it belongs to what owns the port; else the rules say whose it is (SPEC P1).
 */

import { ld32, mul, st32 } from "../machine.ts";
import { CONFIG_OTHERWISE, CONFIG_SERVICES, REGION_RULES, RULE_SIZE, table } from "../memory/layout.ts";
import { ACTION_DISCARD, ACTION_FORWARD, RULE_ACTION, RULE_SERVICE } from "../memory/config.ts";
import { OUTPUT_FORWARD } from "../memory/output.ts";
import {
  PACKET_CONNECTION,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_LEN,
  PACKET_PAYLOAD,
  PACKET_REALM,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_TRANSPORT,
  TRANSPORT_UDP,
} from "../memory/packet.ts";
import {
  FAULT_CONFIG,
  REASON_IDLE_PORT,
  REASON_OTHERWISE_DISCARD,
  REASON_OTHERWISE_FORWARD,
  REASON_RELAYED,
  REASON_RULE_DISCARD,
  REASON_RULE_FORWARD,
  REASON_STRANGER,
  VERDICT_DISCARDED,
  VERDICT_FORWARDED,
  VERDICT_RELAYED,
} from "../memory/reason.ts";
import { PORT_BINDING, PORT_FLOW, PORT_INDEX } from "../memory/tables.ts";
import { outputSend } from "../output/queue.ts";
import { mediaRelay } from "../relay/media.ts";
import { poolOf, portOwner } from "../table/port.ts";
import { ruleMatch } from "../table/rule.ts";
import { terminalHash } from "../table/terminal.ts";
import { conclude } from "./outcome.ts";
import { inboundTake, isCorePeer, outboundSet, outboundTake, payloadSet } from "./side.ts";

/** Says that the packet is a datagram, and notes the hash of its source unless a port of ours will tell what it belongs to. */
export function datagramNote(packet: i32): void {
  st32(packet + PACKET_CONNECTION, 0);
  st32(packet + PACKET_TRANSPORT, TRANSPORT_UDP);
  if (poolOf(packet + PACKET_DESTINATION, ld32(packet + PACKET_DESTINATION_PORT)) < 0) terminalHash(packet);
}

export function datagramTake(packet: i32): i32 {
  const port: i32 = ld32(packet + PACKET_DESTINATION_PORT);
  const pool: i32 = poolOf(packet + PACKET_DESTINATION, port);
  const owner: i32 = pool < 0 ? 0 : portOwner(pool, port);
  if ((owner & PORT_FLOW) !== 0) {
    const reason: i32 = mediaRelay(owner, packet);
    return conclude(reason, reason === REASON_RELAYED ? VERDICT_RELAYED : VERDICT_DISCARDED);
  }
  payloadSet(packet + PACKET_PAYLOAD, ld32(packet + PACKET_LEN));
  if (pool < 0) return ruleTake(packet);
  if ((owner & PORT_BINDING) === 0) return conclude(REASON_IDLE_PORT, VERDICT_DISCARDED);
  outboundSet(packet, owner & PORT_INDEX);
  return isCorePeer(packet) ? outboundTake(packet, owner & PORT_INDEX) : conclude(REASON_STRANGER, VERDICT_DISCARDED);
}

function ruleTake(packet: i32): i32 {
  const rule: i32 = ruleMatch(packet);
  if (rule < 0) {
    if (ld32(CONFIG_OTHERWISE) === ACTION_DISCARD) return conclude(REASON_OTHERWISE_DISCARD, VERDICT_DISCARDED);
    return forward(packet, REASON_OTHERWISE_FORWARD);
  }
  const record: i32 = table(REGION_RULES) + mul(rule, RULE_SIZE);
  const action: i32 = ld32(record + RULE_ACTION);
  if (action === ACTION_DISCARD) return conclude(REASON_RULE_DISCARD, VERDICT_DISCARDED);
  if (action === ACTION_FORWARD) return forward(packet, REASON_RULE_FORWARD);
  const service: i32 = ld32(record + RULE_SERVICE);
  return service >= 0 && service < ld32(CONFIG_SERVICES) ? inboundTake(packet, service) : conclude(FAULT_CONFIG, VERDICT_DISCARDED);
}

/** The packet goes on as it is, from and to the addresses it has. */
function forward(packet: i32, reason: i32): i32 {
  outputSend(
    OUTPUT_FORWARD,
    ld32(packet + PACKET_REALM),
    packet + PACKET_SOURCE,
    ld32(packet + PACKET_SOURCE_PORT),
    packet + PACKET_DESTINATION,
    ld32(packet + PACKET_DESTINATION_PORT),
    packet + PACKET_PAYLOAD,
    ld32(packet + PACKET_LEN),
  );
  return conclude(reason, VERDICT_FORWARDED);
}
