/*
 * What happens when a timer fires: keep-alives go out, what nobody holds any more is freed (SPEC V1, T3).
 * A timer may fire before its owner's deadline, which then arms it again.
 */

import { ld32, ld8, st32 } from "../machine.ts";
import { HEADER_NOW, HEADER_TEXT_TOP, TEXT } from "../memory/layout.ts";
import { REALM_INACTIVITY, REALM_KEEPALIVE, SERVICE_ACCESS, SERVICE_ADDRESS, SERVICE_PORT } from "../memory/config.ts";
import { OUTPUT_SEND } from "../memory/output.ts";
import { TRANSPORT_UDP, TRANSPORT_WS } from "../memory/packet.ts";
import {
  BINDING_CALLS,
  BINDING_DEADLINE,
  BINDING_REGISTRATIONS,
  CALL_ANSWERED,
  CALL_ASIDE,
  CALL_BINDING,
  CALL_BYE_CSEQ,
  CALL_CONFIRMED,
  CALL_DEADLINE,
  CALL_EARLY,
  CALL_ENDED,
  CALL_FLOWS,
  CALL_INTERVAL,
  CALL_REFRESHED,
  CALL_SEEN,
  CALL_SERVICE,
  CALL_STATE,
  CONNECTION_BINDING,
  CONNECTION_HELD,
  CONNECTION_SEEN,
  CONNECTION_SINCE,
  CONNECTION_TERMINAL,
  END_BYE,
  END_EXPIRED,
  END_INACTIVE,
  END_TIMEOUT,
  FLOW_FLAGS,
  FLOW_FLAG_HELD_ACCESS,
  FLOW_FLAG_HELD_CORE,
  FLOW_NEXT,
  REGISTRATION_EXPIRES_AT,
  TERMINAL_ADDRESS,
  TERMINAL_BINDINGS,
  TERMINAL_CONNECTION,
  TERMINAL_PORT,
  TERMINAL_PROBE_AT,
  TERMINAL_REALM,
  TERMINAL_REGISTRATIONS,
  TERMINAL_SERVICE,
  TERMINAL_TRANSPORT,
} from "../memory/tables.ts";
import { outputHint, outputKeep, outputSend, outputStream } from "../output/queue.ts";
import { terminalAdjacency } from "../table/adjacency.ts";
import { bindingAt } from "../table/binding.ts";
import { callAt, callGive } from "../table/call.ts";
import { connectionAt, connectionFlow } from "../table/connection.ts";
import { datagramExpire } from "../table/datagram.ts";
import { descriptionsDrop } from "../table/description.ts";
import { flowAt } from "../table/flow.ts";
import { registrationAt } from "../table/registration.ts";
import { realmAt, serviceAt } from "../table/service.ts";
import {
  SLAB_BINDINGS,
  SLAB_CALLS,
  SLAB_CONNECTIONS,
  SLAB_DATAGRAMS,
  SLAB_FLOWS,
  SLAB_REGISTRATIONS,
  SLAB_TERMINALS,
  handleIndex,
  slabCapacity,
  timerOf,
  timersBegin,
} from "../table/slab.ts";
import { terminalAt } from "../table/terminal.ts";
import { timerSet } from "../table/timer.ts";
import { lineBreak, textLength } from "./answer.ts";
import { callDeadline, callEnd } from "./call.ts";
import { CONNECTION_IDLE, connectionHang } from "./connect.ts";
import { forksForget } from "./dialog.ts";
import { bindingClose, flowClose } from "./open.ts";
import { probeBuild } from "./probe.ts";
import { registrationClose } from "./register.ts";
import { flowSeen, isJoined, streamsHang } from "./stream.ts";

/** How often an answered call is looked at. */
const CHECK: i32 = 5000;
/** An answered call without any flow of ours, or on hold, ends after twelve hours without a sign (a lost BYE). */
const FORGOTTEN: i32 = 43200000;
/** After an answer no other fork is waited for, and after a session's end no refresh: 64*T1 (RFC 3261 13.2.2.4, RFC 4028 10). */
const WAIT: i32 = 32000;

function isDue(at: i32): boolean {
  return ((at - ld32(HEADER_NOW)) | 0) <= 0;
}

function probeSend(index: i32): void {
  const t: i32 = terminalAt(index);
  const service: i32 = serviceAt(ld8(t + TERMINAL_SERVICE));
  const len: i32 = probeBuild(index, service);
  const text: i32 = outputKeep(TEXT, len);
  const local: i32 = service + SERVICE_ADDRESS;
  if (text === 0) return;
  outputSend(OUTPUT_SEND, ld32(t + TERMINAL_REALM), local, ld32(service + SERVICE_PORT), t + TERMINAL_ADDRESS, ld32(t + TERMINAL_PORT), text, len);
  outputHint(terminalAdjacency(index));
}

/** Line ends, which every receiver of a stream skips (RFC 3261 7.5): enough to keep a NAT's mapping. A WebSocket has pings of its own. */
function pingSend(t: i32): void {
  const connection: i32 = handleIndex(SLAB_CONNECTIONS, ld32(t + TERMINAL_CONNECTION));
  if (connection < 0) return;
  st32(HEADER_TEXT_TOP, TEXT);
  lineBreak();
  lineBreak();
  const text: i32 = outputKeep(TEXT, textLength());
  if (text !== 0) outputStream(connection, text, textLength());
}

/** Is it a terminal's connection by which a living one was last heard? */
function isHeld(c: i32): boolean {
  const terminal: i32 = handleIndex(SLAB_TERMINALS, ld32(c + CONNECTION_TERMINAL));
  return terminal >= 0 && ld32(terminalAt(terminal) + TERMINAL_BINDINGS) > 0;
}

/** One for media waits no longer than that for the other to be dialled; then it is held as long as its call. */
function streamFire(index: i32): void {
  const flow: i32 = flowAt(connectionFlow(index));
  if (isJoined(flow)) timerSet(timerOf(SLAB_CONNECTIONS, index), (ld32(HEADER_NOW) + CONNECTION_IDLE) | 0);
  else streamsHang(flow);
}

/** A connection that nobody holds and that is silent, or whose message does not come to its end, is hung up; a binding hangs its own up. */
function connectionFire(index: i32): void {
  const c: i32 = connectionAt(index);
  if (connectionFlow(index) >= 0) {
    streamFire(index);
    return;
  }
  const limit: i32 = (ld32(HEADER_NOW) - CONNECTION_IDLE) | 0;
  const stuck: boolean = ld32(c + CONNECTION_HELD) > 0 && ((ld32(c + CONNECTION_SINCE) - limit) | 0) <= 0;
  const idle: boolean = ld32(c + CONNECTION_BINDING) < 0 && !isHeld(c) && ((ld32(c + CONNECTION_SEEN) - limit) | 0) <= 0;
  if (stuck || idle) connectionHang(index);
  else timerSet(timerOf(SLAB_CONNECTIONS, index), (ld32(HEADER_NOW) + CONNECTION_IDLE) | 0);
}

function terminalFire(index: i32): void {
  const t: i32 = terminalAt(index);
  if (ld32(t + TERMINAL_REGISTRATIONS) === 0) {
    st32(t + TERMINAL_PROBE_AT, 0);
    return;
  }
  if (isDue(ld32(t + TERMINAL_PROBE_AT))) {
    if (ld8(t + TERMINAL_TRANSPORT) === TRANSPORT_UDP) probeSend(index);
    else if (ld8(t + TERMINAL_TRANSPORT) < TRANSPORT_WS) pingSend(t);
    st32(t + TERMINAL_PROBE_AT, (ld32(HEADER_NOW) + ld32(realmAt(ld32(t + TERMINAL_REALM)) + REALM_KEEPALIVE)) | 1);
  }
  timerSet(timerOf(SLAB_TERMINALS, index), ld32(t + TERMINAL_PROBE_AT));
}

function bindingFire(index: i32): void {
  const b: i32 = bindingAt(index);
  const held: boolean = ld32(b + BINDING_CALLS) > 0 || ld32(b + BINDING_REGISTRATIONS) > 0;
  if (held) timerSet(timerOf(SLAB_BINDINGS, index), (ld32(HEADER_NOW) + CHECK) | 0);
  else if (isDue(ld32(b + BINDING_DEADLINE))) bindingClose(index);
  else timerSet(timerOf(SLAB_BINDINGS, index), ld32(b + BINDING_DEADLINE));
}

function registrationFire(index: i32): void {
  const at: i32 = ld32(registrationAt(index) + REGISTRATION_EXPIRES_AT);
  if (isDue(at)) registrationClose(index);
  else timerSet(timerOf(SLAB_REGISTRATIONS, index), at);
}

/** Frees a call, its flows and its hold on the binding. */
function callClose(index: i32): void {
  const c: i32 = callAt(index);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && ld32(c + CALL_FLOWS) !== 0; i++) flowClose(ld32(c + CALL_FLOWS) - 1, index);
  descriptionsDrop(index, 0);
  const binding: i32 = ld32(c + CALL_BINDING);
  const b: i32 = bindingAt(binding);
  st32(b + BINDING_CALLS, (ld32(b + BINDING_CALLS) - 1) | 0);
  callGive(index);
  bindingFire(binding);
}

/** When the last media came, or the call was answered. */
function mediaSeen(index: i32): i32 {
  const c: i32 = callAt(index);
  let seen: i32 = ld32(c + CALL_ANSWERED);
  let next: i32 = ld32(c + CALL_FLOWS);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    const f: i32 = flowAt(next - 1);
    const here: i32 = flowSeen(f);
    if (((here - seen) | 0) > 0) seen = here;
    next = ld32(f + FLOW_NEXT);
  }
  return seen;
}

/** Is one of its streams on hold, which may be silent for long? */
function isOnHold(index: i32): boolean {
  let next: i32 = ld32(callAt(index) + CALL_FLOWS);
  for (let i: i32 = 0; i < slabCapacity(SLAB_FLOWS) && next !== 0; i++) {
    if ((ld32(flowAt(next - 1) + FLOW_FLAGS) & (FLOW_FLAG_HELD_ACCESS | FLOW_FLAG_HELD_CORE)) !== 0) return true;
    next = ld32(flowAt(next - 1) + FLOW_NEXT);
  }
  return false;
}

/** Was the session of a call not refreshed in time (RFC 4028 8.3)? */
function isExpired(c: i32): boolean {
  const interval: i32 = ld32(c + CALL_INTERVAL);
  return interval !== 0 && ((ld32(HEADER_NOW) - ld32(c + CALL_REFRESHED)) | 0) >= interval + WAIT;
}

/** An answered call: silent for too long, not refreshed, or forgotten. */
function callCheck(index: i32): void {
  const c: i32 = callAt(index);
  const inactivity: i32 = ld32(realmAt(ld32(serviceAt(ld32(c + CALL_SERVICE)) + SERVICE_ACCESS)) + REALM_INACTIVITY);
  const patient: boolean = ld32(c + CALL_FLOWS) === 0 || inactivity === 0 || isOnHold(index);
  const silent: i32 = (ld32(HEADER_NOW) - mediaSeen(index)) | 0;
  const mute: i32 = (ld32(HEADER_NOW) - ld32(c + CALL_SEEN)) | 0;
  if (ld32(c + CALL_ASIDE) !== 0 && ((ld32(HEADER_NOW) - ld32(c + CALL_ANSWERED)) | 0) >= WAIT) forksForget(index);
  if (isExpired(c)) callEnd(index, END_EXPIRED);
  else if (!patient && silent >= inactivity) callEnd(index, END_INACTIVE);
  else if (silent >= FORGOTTEN && mute >= FORGOTTEN) callEnd(index, END_TIMEOUT);
  else callDeadline(index, CHECK);
}

function callFire(index: i32): void {
  const c: i32 = callAt(index);
  if (!isDue(ld32(c + CALL_DEADLINE))) {
    timerSet(timerOf(SLAB_CALLS, index), ld32(c + CALL_DEADLINE));
    return;
  }
  const state: i32 = ld32(c + CALL_STATE);
  if (state === CALL_ENDED) callClose(index);
  else if (ld32(c + CALL_BYE_CSEQ) !== 0) callEnd(index, END_BYE);
  else if (state === CALL_EARLY) callEnd(index, END_TIMEOUT);
  else if (state === CALL_CONFIRMED) callCheck(index);
}

/** The timer `id` fired. */
export function timerFire(id: i32): void {
  if (id >= timersBegin(SLAB_DATAGRAMS)) datagramExpire(id - timersBegin(SLAB_DATAGRAMS));
  else if (id >= timersBegin(SLAB_CONNECTIONS)) connectionFire(id - timersBegin(SLAB_CONNECTIONS));
  else if (id >= timersBegin(SLAB_CALLS)) callFire(id - timersBegin(SLAB_CALLS));
  else if (id >= timersBegin(SLAB_REGISTRATIONS)) registrationFire(id - timersBegin(SLAB_REGISTRATIONS));
  else if (id >= timersBegin(SLAB_BINDINGS)) bindingFire(id - timersBegin(SLAB_BINDINGS));
  else terminalFire(id);
}
