/*
 * REGISTER (RFC 3261 10): bindings are committed by the registrar's 2xx, with what it granted; the response lists every
 * contact of the address of record, so what it does not list any more has ended. A terminal that comes from a new
 * address with the same identities keeps its C:c, once the registrar has said yes. With a shorter expiry towards
 * terminals both clocks are kept (CONFORMANCE 34), and refreshes in between are answered here.
 */

import { ld32, ld8, mul, st32 } from "../machine.ts";
import { HEADER_NOW, MESSAGE, REGION_REGISTRATIONS } from "../memory/layout.ts";
import { NAT_ALWAYS, NAT_NEVER, REALM_KEEPALIVE, REALM_NAT, SERVICE_TERMINAL_EXPIRES } from "../memory/config.ts";
import { CONTEXT_ACCESS, CONTEXT_SERVICE, CONTEXT_SERVICE_AT, CONTEXT_TERMINAL } from "../memory/context.ts";
import {
  FORM_NAME,
  MENTION_ADDRESS,
  MENTION_AT,
  MENTION_FORM,
  MENTION_HOST_END,
  MENTION_PORT,
  MENTION_ROLE,
  MENTION_ROLE_MASK,
  MENTION_USER,
  MENTION_USER_LEN,
  MESSAGE_CALL_ID,
  MESSAGE_CALL_ID_LEN,
  MESSAGE_CONTACT_COUNT,
  MESSAGE_CSEQ,
  MESSAGE_EXPIRES,
  MESSAGE_FLAGS,
  MESSAGE_FLAG_CONTACT_STAR,
  MESSAGE_TO_URI,
  MESSAGE_TO_URI_LEN,
  ROLE_CONTACT,
  ROLE_CONTACT_EXPIRES,
} from "../memory/message.ts";
import { EVENT_FULL, EVENT_MOVED, EVENT_REGISTERED, EVENT_UNREGISTERED } from "../memory/output.ts";
import {
  BINDING_ADDRESS,
  BINDING_FORM,
  BINDING_TERMINAL,
  REGISTRATION_ANSWERED,
  REGISTRATION_BINDING,
  REGISTRATION_CSEQ,
  REGISTRATION_EXPIRES_AT,
  REGISTRATION_GRANTED,
  REGISTRATION_STAMP,
  REGISTRATION_TERMINAL_EXPIRES_AT,
  TERMINAL_ADDRESS,
  TERMINAL_PRIMARY,
  TERMINAL_PROBE_AT,
  TERMINAL_REALM,
  TERMINAL_REGISTRATIONS,
  TERMINAL_TRANSPORT,
} from "../memory/tables.ts";
import { addressEqual } from "../bytes/address.ts";
import { randomWord } from "../bytes/random.ts";
import { mentionAt, mentionCount } from "../decode/mention.ts";
import { recordSettle } from "../decode/sip/party.ts";
import { outputEvent } from "../output/queue.ts";
import { SPELLINGS_MAX, bindingAt, bindingMove, bindingOf } from "../table/binding.ts";
import {
  registrationAt,
  registrationElsewhere,
  registrationFind,
  registrationFirst,
  registrationGive,
  registrationHasCallId,
  registrationKeys,
  registrationNext,
  registrationRekey,
  registrationTake,
  registrationUser,
} from "../table/registration.ts";
import { callsMove } from "../table/call.ts";
import { realmAt } from "../table/service.ts";
import { CHAIN_MAX, SLAB_REGISTRATIONS, SLAB_TERMINALS, handleOf, timerOf } from "../table/slab.ts";
import { terminalAt, terminalMove } from "../table/terminal.ts";
import { timerSet, timerStop } from "../table/timer.ts";
import { numberReplace, portOrDefault } from "./address.ts";
import { BINDING_IDLE, bindingHold, bindingLoosen } from "./open.ts";

/** What a registrar grants that says nothing (RFC 3261 10.2.1.1). */
const EXPIRES: i32 = 3600;
/** Longest expiry that is believed, in seconds: a timer difference must stay inside 31 bits of milliseconds. */
const EXPIRES_MAX: i32 = 1000000;

/** Notes the identities of the REGISTER, or of the response to one, in hand. */
function registerBegin(): void {
  recordSettle();
  registrationKeys(ld32(MESSAGE + MESSAGE_TO_URI), ld32(MESSAGE + MESSAGE_TO_URI_LEN), ld32(MESSAGE + MESSAGE_CALL_ID), ld32(MESSAGE + MESSAGE_CALL_ID_LEN));
}

/** Keeps a registration until the transaction that may renew it is over. */
function registrationHold(index: i32): void {
  const r: i32 = registrationAt(index);
  const at: i32 = (ld32(HEADER_NOW) + BINDING_IDLE) | 0;
  if (((ld32(r + REGISTRATION_EXPIRES_AT) - at) | 0) >= 0) return;
  st32(r + REGISTRATION_EXPIRES_AT, at);
  timerSet(timerOf(SLAB_REGISTRATIONS, index), at);
}

/** Binding under which this Contact is registered already, perhaps from another address; -1 for none. */
export function registeredBinding(m: i32): i32 {
  registerBegin();
  registrationUser(ld32(m + MENTION_USER), ld32(m + MENTION_USER_LEN));
  const p: i32 = ld32(m + MENTION_AT);
  const found: i32 = registrationElsewhere(ld32(CONTEXT_SERVICE), p, ld32(m + MENTION_HOST_END) - p);
  if (found < 0) return -1;
  const binding: i32 = ld32(registrationAt(found) + REGISTRATION_BINDING);
  if (ld8(terminalAt(ld32(bindingAt(binding) + BINDING_TERMINAL)) + TERMINAL_TRANSPORT) !== ld32(CONTEXT_ACCESS)) return -1;
  registrationHold(found);
  return binding;
}

/** Seconds granted to the Contact whose mention has this index. */
function grantedRead(index: i32): i32 {
  let granted: i32 = ld32(MESSAGE + MESSAGE_EXPIRES) >= 0 ? ld32(MESSAGE + MESSAGE_EXPIRES) : EXPIRES;
  for (let i: i32 = index + 1; i < mentionCount(); i++) {
    const role: i32 = ld32(mentionAt(i) + MENTION_ROLE) & MENTION_ROLE_MASK;
    if (role === ROLE_CONTACT) break;
    if (role === ROLE_CONTACT_EXPIRES) granted = ld32(mentionAt(i) + MENTION_PORT);
  }
  return granted < 0 || granted > EXPIRES_MAX ? EXPIRES_MAX : granted;
}

function terminalCount(terminal: i32, n: i32): void {
  const t: i32 = terminalAt(terminal);
  st32(t + TERMINAL_REGISTRATIONS, (ld32(t + TERMINAL_REGISTRATIONS) + n) | 0);
}

/** Ends a registration; its binding lives on for what may still be under way. */
export function registrationClose(index: i32): void {
  const handle: i32 = handleOf(SLAB_REGISTRATIONS, index);
  timerStop(timerOf(SLAB_REGISTRATIONS, index));
  const binding: i32 = registrationGive(index);
  terminalCount(ld32(bindingAt(binding) + BINDING_TERMINAL), -1);
  bindingLoosen(binding);
  outputEvent(EVENT_UNREGISTERED, handle, binding);
}

/** Does the NAT in front of this terminal want to be kept open (SPEC V1)? */
function wantsProbes(binding: i32): boolean {
  const b: i32 = bindingAt(binding);
  const t: i32 = terminalAt(ld32(b + BINDING_TERMINAL));
  const realm: i32 = realmAt(ld32(t + TERMINAL_REALM));
  if (ld32(realm + REALM_KEEPALIVE) === 0 || ld32(realm + REALM_NAT) === NAT_NEVER) return false;
  return ld32(realm + REALM_NAT) === NAT_ALWAYS || ld32(b + BINDING_FORM) === FORM_NAME || !addressEqual(b + BINDING_ADDRESS, t + TERMINAL_ADDRESS);
}

function probesBegin(binding: i32): void {
  const terminal: i32 = ld32(bindingAt(binding) + BINDING_TERMINAL);
  const t: i32 = terminalAt(terminal);
  if (ld32(t + TERMINAL_PROBE_AT) !== 0 || !wantsProbes(binding)) return;
  const at: i32 = (ld32(HEADER_NOW) + ld32(realmAt(ld32(t + TERMINAL_REALM)) + REALM_KEEPALIVE)) | 1;
  st32(t + TERMINAL_PROBE_AT, at);
  timerSet(timerOf(SLAB_TERMINALS, terminal), at);
}

/**
 * The registrar accepted the registration from where the terminal in hand is: that is where the terminal which had it
 * has gone, with its calls. It takes over the address, and what the one in hand had opened meanwhile.
 */
function registrationMove(index: i32, binding: i32): void {
  const from: i32 = ld32(CONTEXT_TERMINAL);
  const terminal: i32 = ld32(bindingAt(binding) + BINDING_TERMINAL);
  for (let i: i32 = 0; i < SPELLINGS_MAX && ld32(terminalAt(from) + TERMINAL_PRIMARY) !== 0; i++)
    bindingMove(ld32(terminalAt(from) + TERMINAL_PRIMARY) - 1, terminal);
  terminalCount(terminal, ld32(terminalAt(from) + TERMINAL_REGISTRATIONS));
  callsMove(from, terminal);
  timerStop(timerOf(SLAB_TERMINALS, from));
  terminalMove(terminal, from);
  st32(CONTEXT_TERMINAL, terminal);
  outputEvent(EVENT_MOVED, handleOf(SLAB_REGISTRATIONS, index), binding);
}

function registrationOpen(binding: i32): i32 {
  const index: i32 = registrationTake(ld32(CONTEXT_SERVICE), binding);
  if (index < 0) {
    outputEvent(EVENT_FULL, 0, REGION_REGISTRATIONS);
    return -1;
  }
  terminalCount(ld32(bindingAt(binding) + BINDING_TERMINAL), 1);
  outputEvent(EVENT_REGISTERED, handleOf(SLAB_REGISTRATIONS, index), binding);
  return index;
}

/** Keeps or renews the registration of one Contact that the registrar listed, until `granted` seconds from now. */
function contactCommit(binding: i32, found: i32, granted: i32, stamp: i32): void {
  const index: i32 = found >= 0 ? found : registrationOpen(binding);
  if (index < 0) return;
  const r: i32 = registrationAt(index);
  const now: i32 = ld32(HEADER_NOW);
  const at: i32 = (now + mul(granted, 1000)) | 0;
  const shorter: i32 = ld32(ld32(CONTEXT_SERVICE_AT) + SERVICE_TERMINAL_EXPIRES);
  registrationRekey(index);
  st32(r + REGISTRATION_STAMP, stamp);
  st32(r + REGISTRATION_GRANTED, granted);
  st32(r + REGISTRATION_CSEQ, ld32(MESSAGE + MESSAGE_CSEQ));
  st32(r + REGISTRATION_ANSWERED, 0);
  st32(r + REGISTRATION_EXPIRES_AT, at);
  st32(r + REGISTRATION_TERMINAL_EXPIRES_AT, shorter > 0 && shorter < granted ? (now + mul(shorter, 1000)) | 0 : at);
  timerSet(timerOf(SLAB_REGISTRATIONS, index), at);
  bindingHold(binding, (at + BINDING_IDLE) | 0);
  probesBegin(binding);
}

/**
 * Does the response in hand answer an earlier REGISTER of the same Call-ID than the one that was last committed, overtaken on
 * its way (RFC 3261 10.3, step 7)? After that way's time a lower CSeq is that of a terminal which counts from the beginning.
 */
function isOvertaken(index: i32): boolean {
  const r: i32 = registrationAt(index);
  if (!registrationHasCallId(index) || ld32(r + REGISTRATION_ANSWERED) !== 0 || ld32(MESSAGE + MESSAGE_CSEQ) >= ld32(r + REGISTRATION_CSEQ)) return false;
  const committed: i32 = (ld32(r + REGISTRATION_EXPIRES_AT) - mul(ld32(r + REGISTRATION_GRANTED), 1000)) | 0;
  return ((ld32(HEADER_NOW) - committed) | 0) < BINDING_IDLE;
}

function contactSettle(index: i32, stamp: i32): void {
  const m: i32 = mentionAt(index);
  const binding: i32 = ld32(m + MENTION_FORM) === FORM_NAME ? -1 : bindingOf(m + MENTION_ADDRESS, portOrDefault(m));
  if (binding < 0) return;
  registrationUser(ld32(m + MENTION_USER), ld32(m + MENTION_USER_LEN));
  const found: i32 = registrationFind(ld32(CONTEXT_SERVICE), binding);
  if (found >= 0 && isOvertaken(found)) return;
  if (ld32(bindingAt(binding) + BINDING_TERMINAL) !== ld32(CONTEXT_TERMINAL)) {
    if (found < 0 || !registrationHasCallId(found)) return;
    registrationMove(found, binding);
  }
  const granted: i32 = grantedRead(index);
  if (granted > 0) contactCommit(binding, found, granted, stamp);
}

/** Ends what the terminal in hand had registered and the registrar does not list any more. */
function registrationsSweep(stamp: i32): void {
  const service: i32 = ld32(CONTEXT_SERVICE);
  let next: i32 = registrationFirst(service);
  for (let i: i32 = 0; i < CHAIN_MAX && next !== 0; i++) {
    const index: i32 = next - 1;
    const r: i32 = registrationAt(index);
    next = registrationNext(index, service);
    const here: boolean = ld32(bindingAt(ld32(r + REGISTRATION_BINDING)) + BINDING_TERMINAL) === ld32(CONTEXT_TERMINAL);
    if (here && ld32(r + REGISTRATION_STAMP) !== stamp && !isOvertaken(index)) registrationClose(index);
  }
}

/** A 2xx to REGISTER: commits what it lists. Comes before the Contacts are mapped back. */
export function registerCommit(): void {
  registerBegin();
  const stamp: i32 = randomWord();
  for (let i: i32 = 0; i < mentionCount(); i++) {
    if ((ld32(mentionAt(i) + MENTION_ROLE) & MENTION_ROLE_MASK) === ROLE_CONTACT) contactSettle(i, stamp);
  }
  registrationsSweep(stamp);
}

/** Writes the shorter expiry over a longer one. */
export function expiresShorten(m: i32): void {
  const shorter: i32 = ld32(ld32(CONTEXT_SERVICE_AT) + SERVICE_TERMINAL_EXPIRES);
  if (shorter !== 0 && ld32(m + MENTION_PORT) > shorter) numberReplace(m, shorter);
}

/** Index of the mention of the only Contact of the message, -1 when there is not exactly one. */
function onlyContact(): i32 {
  if (ld32(MESSAGE + MESSAGE_CONTACT_COUNT) !== 1 || (ld32(MESSAGE + MESSAGE_FLAGS) & MESSAGE_FLAG_CONTACT_STAR) !== 0) return -1;
  for (let i: i32 = 0; i < mentionCount(); i++) if ((ld32(mentionAt(i) + MENTION_ROLE) & MENTION_ROLE_MASK) === ROLE_CONTACT) return i;
  return -1;
}

/**
 * Mention of the Contact when this REGISTER only refreshes what the registrar still holds long enough, so that it is
 * answered here; 0 when it must go on. Such an answer prolongs an existing flow and never moves one.
 */
export function refreshAnswerable(): i32 {
  const shorter: i32 = ld32(ld32(CONTEXT_SERVICE_AT) + SERVICE_TERMINAL_EXPIRES);
  const index: i32 = shorter === 0 ? -1 : onlyContact();
  if (index < 0 || grantedRead(index) === 0) return 0;
  const m: i32 = mentionAt(index);
  const binding: i32 = registeredBinding(m);
  if (binding < 0 || ld32(bindingAt(binding) + BINDING_TERMINAL) !== ld32(CONTEXT_TERMINAL)) return 0;
  const found: i32 = registrationFind(ld32(CONTEXT_SERVICE), binding);
  if (found < 0 || !registrationHasCallId(found)) return 0;
  const r: i32 = registrationAt(found);
  const now: i32 = ld32(HEADER_NOW);
  const cseq: i32 = ld32(MESSAGE + MESSAGE_CSEQ);
  const repeated: boolean = cseq === ld32(r + REGISTRATION_CSEQ) && ld32(r + REGISTRATION_ANSWERED) !== 0;
  if ((cseq <= ld32(r + REGISTRATION_CSEQ) && !repeated) || ((ld32(r + REGISTRATION_EXPIRES_AT) - now) | 0) < mul(shorter, 2000)) return 0;
  st32(r + REGISTRATION_CSEQ, cseq);
  st32(r + REGISTRATION_ANSWERED, 1);
  st32(r + REGISTRATION_TERMINAL_EXPIRES_AT, (now + mul(shorter, 1000)) | 0);
  return m;
}
