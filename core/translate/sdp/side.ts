/*
 * Which side the message in hand comes from, and what is ours on the side that it goes to (SPEC R1).
 */

import { ld32 } from "../../machine.ts";
import { MESSAGE } from "../../memory/layout.ts";
import { REALM_MEDIA, SERVICE_ACCESS, SERVICE_CORE } from "../../memory/config.ts";
import { CONTEXT_SERVICE_AT, isInbound } from "../../memory/context.ts";
import { MESSAGE_STATUS } from "../../memory/message.ts";
import { SIDE_ACCESS, SIDE_CORE } from "../../memory/tables.ts";
import { flowAt, sideAt } from "../../table/flow.ts";
import { realmAt } from "../../table/service.ts";

/** SIDE_* that the request in hand, or the request that the response in hand answers, came from. */
export function requestSide(): i32 {
  const inbound: boolean = isInbound();
  const request: boolean = ld32(MESSAGE + MESSAGE_STATUS) === 0;
  return inbound === request ? SIDE_ACCESS : SIDE_CORE;
}

/** SIDE_* that the message in hand came from. */
export function senderSide(): i32 {
  return isInbound() ? SIDE_ACCESS : SIDE_CORE;
}

/** Our block of a flow on the side that the message goes to. */
export function otherSide(flow: i32): i32 {
  return sideAt(flowAt(flow), SIDE_ACCESS + SIDE_CORE - senderSide());
}

/** Our media address in the realm of a side of the service in hand. */
export function mediaAddress(side: i32): i32 {
  return realmAt(ld32(ld32(CONTEXT_SERVICE_AT) + (side === SIDE_ACCESS ? SERVICE_ACCESS : SERVICE_CORE))) + REALM_MEDIA;
}

/** That where the message goes. */
export function mediaAddressThere(): i32 {
  return mediaAddress(SIDE_ACCESS + SIDE_CORE - senderSide());
}
