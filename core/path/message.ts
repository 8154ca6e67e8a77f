/*
 * What a terminal or the core says on a signaling port: decode, absorb or answer what is ours, translate, send. What is
 * not SIP goes on untouched. Here it is decided what a fault means: the message goes on byte-identical or is dropped, as
 * the service says.
 */

import { ld32 } from "../machine.ts";
import { MESSAGE } from "../memory/layout.ts";
import { SERVICE_COUNT_HOPS, SERVICE_DROP_UNDECODABLE, SERVICE_FAIL_OPEN, SERVICE_SILENT_REJECT } from "../memory/config.ts";
import {
  CONTEXT_EXPOSED,
  CONTEXT_LEN,
  CONTEXT_PAYLOAD,
  CONTEXT_REFUSED,
  CONTEXT_TERMINAL,
  CONTEXT_UNRELAYED,
  isInbound,
  serviceHas,
} from "../memory/context.ts";
import { MESSAGE_CSEQ_METHOD, MESSAGE_METHOD, MESSAGE_STATUS, METHOD_ACK, METHOD_OPTIONS, METHOD_REGISTER } from "../memory/message.ts";
import {
  FAULT_CONTENT_SHORT,
  REASON_BODY_SIGNED,
  REASON_EXPOSED,
  REASON_FOREIGN_VIA,
  REASON_FORGED_TOKEN,
  REASON_HOPS,
  REASON_KEEPALIVE,
  REASON_MEDIA_UNRELAYED,
  REASON_NO_CONNECTION,
  REASON_NOT_SIP,
  REASON_OUTPUTS_FULL,
  REASON_PORT_REFUSED,
  REASON_PROBE_ANSWERED,
  REASON_REFRESH_ANSWERED,
  REASON_REJECT_ACK,
  REASON_STUN,
  REASON_TERMINALS_FULL,
  REASON_TRANSLATED,
  REASON_UNREGISTERED,
  VERDICT_ABSORBED,
  VERDICT_ANSWERED,
  VERDICT_DISCARDED,
  VERDICT_TRANSLATED,
  faultReason,
} from "../memory/reason.ts";
import { SNIFF_KEEPALIVE, SNIFF_SIP, SNIFF_STUN, sniff } from "../classify/sniff.ts";
import { sipDecode } from "../decode/decode.ts";
import { isBarred } from "../translate/admission.ts";
import {
  STATUS_AWAY,
  STATUS_BAD,
  STATUS_FORBIDDEN,
  STATUS_HOPS,
  STATUS_UNAVAILABLE,
  isOurTag,
  isOutOfHops,
  refreshBuild,
  refusalBuild,
} from "../translate/answer.ts";
import { leaveAnswer, leaveTranslated } from "../translate/leave.ts";
import { isProbeAnswer } from "../translate/probe.ts";
import { refreshAnswerable } from "../translate/register.ts";
import { isBodySigned, sipTranslate } from "../translate/sip.ts";
import { aheadTake } from "./ahead.ts";
import { failOpen, pass } from "./forward.ts";
import { conclude } from "./outcome.ts";

/** The payload in the context, of the terminal in the context (negative: there is no room for it). Returns a verdict or a fault. */
export function messageTake(): i32 {
  const p: i32 = ld32(CONTEXT_PAYLOAD);
  const end: i32 = p + ld32(CONTEXT_LEN);
  const ahead: i32 = aheadTake(p);
  if (ahead <= 0) return sipTake(ahead);
  const kind: i32 = sniff(p, end);
  if (kind === SNIFF_SIP) return sipTake(sipDecode(p, end));
  return ld32(CONTEXT_TERMINAL) < 0 ? crowdedTake() : otherTake(kind);
}

/** What is not SIP goes on untouched on the stable mapping; what can only be junk goes as undecodable messages do. */
function otherTake(kind: i32): i32 {
  if (kind === SNIFF_KEEPALIVE) return pass(REASON_KEEPALIVE);
  return kind === SNIFF_STUN ? pass(REASON_STUN) : passUndecodable(REASON_NOT_SIP);
}

function passUndecodable(reason: i32): i32 {
  return serviceHas(SERVICE_DROP_UNDECODABLE) ? conclude(reason, VERDICT_DISCARDED) : pass(reason);
}

/** What is no message of a terminal for which there is no room. */
function crowdedTake(): i32 {
  return serviceHas(SERVICE_FAIL_OPEN) ? failOpen(REASON_TERMINALS_FULL) : conclude(REASON_TERMINALS_FULL, VERDICT_DISCARDED);
}

/** A SIP message, either way, which decoding gave 0 or that fault. Returns a verdict or a fault. */
function sipTake(decoded: i32): i32 {
  const terminal: i32 = ld32(CONTEXT_TERMINAL);
  if (decoded < 0) {
    if (terminal < 0) crowdedTake();
    else if (faultReason(decoded) === FAULT_CONTENT_SHORT) reject(FAULT_CONTENT_SHORT);
    else passUndecodable(faultReason(decoded));
    return decoded;
  }
  if (terminal < 0) return reject(REASON_TERMINALS_FULL);
  const verdict: i32 = ownTake(terminal);
  if (verdict >= 0) return verdict;
  sipTranslate();
  let refused: i32 = ld32(CONTEXT_REFUSED);
  if (refused === REASON_FOREIGN_VIA) return passUndecodable(refused);
  if (refused === 0) refused = leaveTranslated();
  if (refused !== 0) return reject(refused);
  return conclude(translatedReason(), VERDICT_TRANSLATED);
}

function translatedReason(): i32 {
  if (ld32(CONTEXT_EXPOSED) !== 0) return REASON_EXPOSED;
  if (isBodySigned()) return REASON_BODY_SIGNED;
  return ld32(CONTEXT_UNRELAYED) !== 0 ? REASON_MEDIA_UNRELAYED : REASON_TRANSLATED;
}

/** What is for us and not for the other side: an answer to a probe, the ACK of a refusal, a refresh, a request that has no hop left or that the terminal may not send. -1 when it is none. */
function ownTake(terminal: i32): i32 {
  const method: i32 = ld32(MESSAGE + MESSAGE_METHOD);
  if (method === METHOD_ACK && isOurTag()) return conclude(REASON_REJECT_ACK, VERDICT_ABSORBED);
  if (method !== 0 && serviceHas(SERVICE_COUNT_HOPS) && isOutOfHops()) return reject(REASON_HOPS);
  if (!isInbound()) return -1;
  if (method === 0) {
    const probe: boolean = ld32(MESSAGE + MESSAGE_CSEQ_METHOD) === METHOD_OPTIONS && isProbeAnswer(terminal);
    return probe ? conclude(REASON_PROBE_ANSWERED, VERDICT_ABSORBED) : -1;
  }
  if (isBarred(terminal)) return reject(REASON_UNREGISTERED);
  if (method !== METHOD_REGISTER) return -1;
  const contact: i32 = refreshAnswerable();
  if (contact === 0) return -1;
  leaveAnswer(refreshBuild(contact));
  return conclude(REASON_REFRESH_ANSWERED, VERDICT_ANSWERED);
}

/** Is it for a table that has no room, or for a port that is not to be had? */
function isFull(reason: i32): boolean {
  return (reason >= REASON_TERMINALS_FULL && reason <= REASON_OUTPUTS_FULL) || reason === REASON_PORT_REFUSED;
}

/** What the sender of a request is told, 0 for nothing: new work that finds a table full is told so, and so is who may not; what loops is dropped. */
function statusOf(reason: i32): i32 {
  if (reason === FAULT_CONTENT_SHORT) return STATUS_BAD;
  if (reason === REASON_NO_CONNECTION) return STATUS_AWAY;
  if (reason === REASON_HOPS) return STATUS_HOPS;
  if (reason === REASON_FORGED_TOKEN || reason === REASON_UNREGISTERED) return STATUS_FORBIDDEN;
  return isFull(reason) ? STATUS_UNAVAILABLE : 0;
}

/** The message cannot go on. */
function reject(reason: i32): i32 {
  if (isFull(reason) && serviceHas(SERVICE_FAIL_OPEN)) return failOpen(reason);
  const request: boolean = ld32(MESSAGE + MESSAGE_STATUS) === 0 && ld32(MESSAGE + MESSAGE_METHOD) !== METHOD_ACK;
  const status: i32 = serviceHas(SERVICE_SILENT_REJECT) || !request ? 0 : statusOf(reason);
  if (status === 0) return conclude(reason, VERDICT_DISCARDED);
  leaveAnswer(refusalBuild(status));
  return conclude(reason, VERDICT_ANSWERED);
}
