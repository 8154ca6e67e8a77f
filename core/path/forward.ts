/*
 * What goes on byte-identical: because a rule says so, because it cannot be decoded, or because there is no room for it and its
 * service would rather fail open.
 */

import { ld32 } from "../machine.ts";
import { CONTEXT_PACKET, CONTEXT_TERMINAL } from "../memory/context.ts";
import { OUTPUT_FORWARD } from "../memory/output.ts";
import {
  PACKET_AT,
  PACKET_CONNECTION,
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_LEN,
  PACKET_REALM,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
} from "../memory/packet.ts";
import { VERDICT_DISCARDED, VERDICT_FORWARDED } from "../memory/reason.ts";
import { outputSend } from "../output/queue.ts";
import { isFramed } from "../table/adjacency.ts";
import { leaveUntouched } from "../translate/leave.ts";
import { conclude } from "./outcome.ts";

/** The packet goes on as it is, from and to the addresses it has. */
export function forward(packet: i32, reason: i32): i32 {
  outputSend(
    OUTPUT_FORWARD,
    ld32(packet + PACKET_REALM),
    packet + PACKET_SOURCE,
    ld32(packet + PACKET_SOURCE_PORT),
    packet + PACKET_DESTINATION,
    ld32(packet + PACKET_DESTINATION_PORT),
    ld32(packet + PACKET_AT),
    ld32(packet + PACKET_LEN),
  );
  return conclude(reason, VERDICT_FORWARDED);
}

/** The message in hand goes on as it is, on the stable mapping of its terminal. */
export function pass(reason: i32): i32 {
  const refused: i32 = leaveUntouched();
  return refused !== 0 ? conclude(refused, VERDICT_DISCARDED) : conclude(reason, VERDICT_FORWARDED);
}

/** There is no room for the message in hand: it goes by the mapping of its terminal if that has one, else, a datagram, as it came. */
export function failOpen(reason: i32): i32 {
  const packet: i32 = ld32(CONTEXT_PACKET);
  if (ld32(CONTEXT_TERMINAL) >= 0 && leaveUntouched() === 0) return conclude(reason, VERDICT_FORWARDED);
  const whole: boolean = ld32(packet + PACKET_CONNECTION) === 0 && !isFramed(packet);
  return whole ? forward(packet, reason) : conclude(reason, VERDICT_DISCARDED);
}
