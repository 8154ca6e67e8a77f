/*
 * Opens and closes what outlives a message, with the sockets that go with it: terminals, bindings, flows.
 * Invariant: a record that owns a port was announced by BIND, and UNBIND follows when it goes or has another; what cannot be
 * opened leaves nothing behind.
 */

import { ld8, ld32, st8, st32 } from "../machine.ts";
import { HEADER_NOW, HEADER_REFUSED, POOL_MAX, REGION_BINDINGS, REGION_FLOWS, REGION_PORTS, REGION_TERMINALS } from "../memory/layout.ts";
import { POOL_ADDRESS, POOL_REALM, POOL_SIGNAL, POOL_MEDIA, SERVICE_ACCESS, SERVICE_CORE } from "../memory/config.ts";
import { CONTEXT_CORE, CONTEXT_PACKET, CONTEXT_SERVICE_AT, CONTEXT_TERMINAL } from "../memory/context.ts";
import { FORM_IP4, FORM_IP6 } from "../memory/message.ts";
import { EVENT_FULL, OUTPUT_BIND, OUTPUT_UNBIND } from "../memory/output.ts";
import { PACKET_SOURCE, PACKET_SOURCE_PORT, TRANSPORT_TCP, TRANSPORT_UDP } from "../memory/packet.ts";
import {
  REASON_BINDINGS_FULL,
  REASON_FLOWS_FULL,
  REASON_MEDIA_PORTS_FULL,
  REASON_OUTPUTS_FULL,
  REASON_PORT_REFUSED,
  REASON_SIGNAL_PORTS_FULL,
  REASON_SPELLINGS_FULL,
  REASON_TERMINALS_FULL,
} from "../memory/reason.ts";
import {
  BINDING_ADDRESS,
  BINDING_DEADLINE,
  BINDING_DEAF,
  BINDING_FORM,
  BINDING_POOL,
  BINDING_PORT,
  BINDING_REGISTRATIONS,
  BINDING_SPELLED_PORT,
  BINDING_TRANSPORT,
  CALL_FLOWS,
  FLOW_CALL,
  FLOW_LINE,
  FLOW_LISTENS,
  FLOW_MUXED,
  FLOW_NEXT,
  FLOW_SEEN,
  PORT_BINDING,
  PORT_FLOW_CORE,
  PORT_INDEX,
  SIDE_ACCESS,
  SIDE_CORE,
  SIDE_POOL,
  SIDE_PORT,
  SIDE_REALM,
  SPELLED_MAX,
  TERMINAL_BINDINGS,
  TERMINAL_PRIMARY,
} from "../memory/tables.ts";
import { addressCopy, isMapped } from "../bytes/address.ts";
import { textDrop, textHost, textMark } from "../encode/edit.ts";
import { outputEvent, outputRoom, outputSocket } from "../output/queue.ts";
import { adjacencyLearn, terminalAdjacency } from "../table/adjacency.ts";
import { SPELLINGS_MAX, bindingAt, bindingGive, bindingTake } from "../table/binding.ts";
import { callAt, callFlow } from "../table/call.ts";
import { flowAt, flowGive, flowTake, isOverTcp, pairsAt, sideAt, sideRenumber } from "../table/flow.ts";
import { poolAt, poolFind, portGive, portTake } from "../table/port.ts";
import { SLAB_BINDINGS, SLAB_FLOWS, SLAB_TERMINALS, listRemove, recordsFree, timerOf } from "../table/slab.ts";
import { terminalAt, terminalFind, terminalGive, terminalTake } from "../table/terminal.ts";
import { timerSet, timerStop } from "../table/timer.ts";
import { connectionsHang } from "./connect.ts";
import { streamsHang } from "./stream.ts";

/** How long a binding lives that nothing holds: 64*T1, so that every transaction ends inside (RFC 3261 17.1.1.2). */
export const BINDING_IDLE: i32 = 32000;

/** Ports that the machine may refuse an input: more, and it is not for the ports. */
const REFUSED_MOST: i32 = 8;

/** Announces that a table is full. Returns the reason, negative. */
function full(reason: i32, region: i32): i32 {
  outputEvent(EVENT_FULL, 0, region);
  return -reason;
}

/** Index of the terminal that the packet comes from, made when it is new; negative reason when it cannot be. */
export function terminalOpen(packet: i32, service: i32): i32 {
  const found: i32 = terminalFind(packet, service);
  if (found >= 0) {
    adjacencyLearn(terminalAdjacency(found), packet);
    return found;
  }
  const index: i32 = terminalTake(packet, service);
  return index < 0 ? full(REASON_TERMINALS_FULL, REGION_TERMINALS) : index;
}

/** Keeps a binding at least until `at`. */
export function bindingHold(index: i32, at: i32): void {
  const b: i32 = bindingAt(index);
  if (((at - ld32(b + BINDING_DEADLINE)) | 0) <= 0) return;
  st32(b + BINDING_DEADLINE, at);
}

/** Lets a binding that no registration holds any more end when what is under way has ended. */
export function bindingLoosen(index: i32): void {
  const b: i32 = bindingAt(index);
  if (ld32(b + BINDING_REGISTRATIONS) > 0) return;
  const at: i32 = (ld32(HEADER_NOW) + BINDING_IDLE) | 0;
  st32(b + BINDING_DEADLINE, at);
  timerSet(timerOf(SLAB_BINDINGS, index), at);
}

/**
 * Sends BIND or UNBIND for a binding's port: for datagrams always, since a URI without transport parameter means UDP, and
 * for connections where the core's side uses them.
 */
function bindingAnnounce(kind: i32, index: i32): void {
  const b: i32 = bindingAt(index);
  const pool: i32 = poolAt(ld32(b + BINDING_POOL));
  const transport: i32 = ld8(b + BINDING_TRANSPORT);
  outputSocket(kind, ld32(pool + POOL_REALM), pool + POOL_ADDRESS, ld32(b + BINDING_PORT), TRANSPORT_UDP, POOL_SIGNAL);
  if (transport !== TRANSPORT_UDP) outputSocket(kind, ld32(pool + POOL_REALM), pool + POOL_ADDRESS, ld32(b + BINDING_PORT), transport, POOL_SIGNAL);
}

/**
 * Index of a new binding of the terminal in hand for the spelling [p, p+len), whose form, address and port stand in the
 * mention's last words; negative reason when it cannot be.
 */
export function bindingOpen(p: i32, len: i32, form: i32, address: i32, port: i32): i32 {
  const terminal: i32 = ld32(CONTEXT_TERMINAL);
  if (len > SPELLED_MAX || ld32(terminalAt(terminal) + TERMINAL_BINDINGS) >= SPELLINGS_MAX) return -REASON_SPELLINGS_FULL;
  if (!outputRoom(4)) return -REASON_OUTPUTS_FULL;
  const realm: i32 = ld32(ld32(CONTEXT_SERVICE_AT) + SERVICE_CORE);
  let index: i32 = -2;
  for (let nth: i32 = 0; nth < POOL_MAX && index === -2; nth++) {
    const pool: i32 = poolFind(realm, POOL_SIGNAL, nth);
    if (pool < 0) return full(REASON_SIGNAL_PORTS_FULL, REGION_PORTS);
    index = bindingTake(terminal, p, len, pool);
  }
  if (index < 0) return full(REASON_BINDINGS_FULL, REGION_BINDINGS);
  const b: i32 = bindingAt(index);
  st32(b + BINDING_FORM, form);
  st8(b + BINDING_TRANSPORT, ld32(CONTEXT_CORE));
  st32(b + BINDING_SPELLED_PORT, port);
  addressCopy(b + BINDING_ADDRESS, address);
  const now: i32 = ld32(HEADER_NOW);
  st32(b + BINDING_DEADLINE, (now + BINDING_IDLE) | 0);
  timerSet(timerOf(SLAB_BINDINGS, index), (now + BINDING_IDLE) | 0);
  bindingAnnounce(OUTPUT_BIND, index);
  return index;
}

/** Binding for what has no spelling of its own: the primary one, or one for the address the packet came from; negative reason when it cannot be. */
export function bindingAny(): i32 {
  const primary: i32 = ld32(terminalAt(ld32(CONTEXT_TERMINAL)) + TERMINAL_PRIMARY);
  if (primary > 0) return bindingHear(primary - 1);
  const packet: i32 = ld32(CONTEXT_PACKET);
  const port: i32 = ld32(packet + PACKET_SOURCE_PORT);
  const mark: i32 = textMark();
  textHost(packet + PACKET_SOURCE, port);
  const len: i32 = textMark() - mark;
  textDrop(mark);
  return bindingOpen(mark, len, isMapped(packet + PACKET_SOURCE) ? FORM_IP4 : FORM_IP6, packet + PACKET_SOURCE, port);
}

/** Closes a binding, and its terminal with the last one. */
export function bindingClose(index: i32): void {
  connectionsHang(index);
  bindingAnnounce(OUTPUT_UNBIND, index);
  timerStop(timerOf(SLAB_BINDINGS, index));
  terminalRelease(bindingGive(index));
}

/** Closes a terminal that nothing hangs on any more. */
export function terminalRelease(index: i32): void {
  if (ld32(terminalAt(index) + TERMINAL_BINDINGS) > 0) return;
  timerStop(timerOf(SLAB_TERMINALS, index));
  terminalGive(index);
}

/** BIND or UNBIND for a port of one side of a flow: RTP's for 0, RTCP's for 1. */
function portAnnounce(kind: i32, flow: i32, side: i32, control: i32, transport: i32): void {
  const block: i32 = sideAt(flow, side);
  const pool: i32 = poolAt(ld32(block + SIDE_POOL));
  outputSocket(kind, ld32(pool + POOL_REALM), pool + POOL_ADDRESS, ld32(block + SIDE_PORT) + control, transport, POOL_MEDIA);
}

/** The same on both sides, first that of the access side. */
function portsAnnounce(kind: i32, flow: i32, control: i32, transport: i32): void {
  portAnnounce(kind, flow, SIDE_ACCESS, control, transport);
  portAnnounce(kind, flow, SIDE_CORE, control, transport);
}

/** The same for all ports of a side that are open. */
function sideAnnounce(kind: i32, flow: i32, side: i32): void {
  const muxed: i32 = ld32(flow + FLOW_MUXED);
  if (muxed < PORTS_NONE) portAnnounce(kind, flow, side, 0, TRANSPORT_UDP);
  if (muxed === 0) portAnnounce(kind, flow, side, 1, TRANSPORT_UDP);
  if (ld32(flow + FLOW_LISTENS) !== 0) portAnnounce(kind, flow, side, 0, TRANSPORT_TCP);
}

/** The same on both sides, first that of the access side. */
function flowAnnounce(kind: i32, flow: i32): void {
  sideAnnounce(kind, flow, SIDE_ACCESS);
  sideAnnounce(kind, flow, SIDE_CORE);
}

/** FLOW_MUXED of media over TCP. */
export const PORTS_NONE: i32 = 2;

/**
 * Closes RTCP's ports of a flow (`muxed` 1), those of RTP as well (PORTS_NONE), or opens them again (0). They stay its own
 * meanwhile: pairs are given out whole (RFC 3550 11), and what an earlier description named is to be no other stream's.
 */
export function flowMux(flow: i32, muxed: i32): void {
  const before: i32 = ld32(flow + FLOW_MUXED);
  if (before === muxed || !outputRoom(4)) return;
  st32(flow + FLOW_MUXED, muxed);
  if ((before === PORTS_NONE) !== (muxed === PORTS_NONE)) portsAnnounce(muxed === PORTS_NONE ? OUTPUT_UNBIND : OUTPUT_BIND, flow, 0, TRANSPORT_UDP);
  if ((before === 0) !== (muxed === 0)) portsAnnounce(muxed !== 0 ? OUTPUT_UNBIND : OUTPUT_BIND, flow, 1, TRANSPORT_UDP);
}

/** Takes connections at the even ports of a flow (`listens` 1), or no more. */
export function flowListen(flow: i32, listens: i32): void {
  if (ld32(flow + FLOW_LISTENS) === listens || !outputRoom(4)) return;
  st32(flow + FLOW_LISTENS, listens);
  if (listens === 0) streamsHang(flow);
  portsAnnounce(listens !== 0 ? OUTPUT_BIND : OUTPUT_UNBIND, flow, 0, TRANSPORT_TCP);
}

/** RTP sessions of one m= line that are relayed; a line with more passes untouched. */
export const SESSIONS_MAX: i32 = 8;
/** Where FLOW_LINE has the session. */
const SESSION_BITS: i32 = 0xf00;

/** FLOW_LINE of session `k` of an m= line that has several (RFC 8866 5.14). */
export function flowLine(line: i32, k: i32): i32 {
  return line | (k << 8);
}

/**
 * Opens the flows of an m= line with `n` RTP sessions, whose ports stand in a row on each side. Returns the index of the
 * first, or a negative reason, and then none is open.
 */
export function flowsOpen(call: i32, line: i32, proto: i32, n: i32): i32 {
  const service: i32 = ld32(CONTEXT_SERVICE_AT);
  if (!outputRoom(n << 3)) return -REASON_OUTPUTS_FULL;
  if (isHopeless()) return -REASON_PORT_REFUSED;
  const access: i32 = ld32(service + SERVICE_ACCESS);
  const core: i32 = ld32(service + SERVICE_CORE);
  const accessPair: i32 = pairsAt(access, n);
  const corePair: i32 = pairsAt(core, n);
  if (accessPair === 0 || corePair === 0) return full(REASON_MEDIA_PORTS_FULL, REGION_PORTS);
  if (recordsFree(SLAB_FLOWS) < n) return full(REASON_FLOWS_FULL, REGION_FLOWS);
  let first: i32 = -1;
  for (let k: i32 = n - 1; k >= 0; k--) {
    first = flowTake(call, flowLine(line, k), proto, access, accessPair + (k << 1), core, corePair + (k << 1));
    st32(flowAt(first) + FLOW_SEEN, ld32(HEADER_NOW));
    st32(flowAt(first) + FLOW_LISTENS, isOverTcp(proto) ? 1 : 0);
    st32(flowAt(first) + FLOW_MUXED, isOverTcp(proto) ? PORTS_NONE : 0);
    flowAnnounce(OUTPUT_BIND, flowAt(first));
  }
  return first;
}

/** Announces the port of a binding once more, unless it is none that is open. */
export function bindingResume(index: i32): void {
  if (!isDeaf(index)) bindingAnnounce(OUTPUT_BIND, index);
}

/** The same for the ports of a flow, of which a description set aside has none. What nobody was there to hear is no silence. */
export function flowResume(index: i32): void {
  const flow: i32 = flowAt(index);
  if (ld32(sideAt(flow, SIDE_ACCESS) + SIDE_PORT) === 0) return;
  flowAnnounce(OUTPUT_BIND, flow);
  st32(flow + FLOW_SEEN, ld32(HEADER_NOW));
}

/** Closes a flow and takes it off its call. */
export function flowClose(index: i32, call: i32): void {
  streamsHang(flowAt(index));
  flowAnnounce(OUTPUT_UNBIND, flowAt(index));
  listRemove(SLAB_FLOWS, callAt(call) + CALL_FLOWS, FLOW_NEXT, index);
  flowGive(index);
}

/** Have so many ports been refused that there is no sense in another? */
function isHopeless(): boolean {
  return ld32(HEADER_REFUSED) > REFUSED_MOST;
}

/** Gives the streams of the m= line of a flow other ports on a side, in a row as before. Where there are none they are closed. */
function lineReopen(flow: i32, side: i32): void {
  const call: i32 = ld32(flowAt(flow) + FLOW_CALL);
  const line: i32 = ld32(flowAt(flow) + FLOW_LINE) & ~SESSION_BITS;
  let n: i32 = 0;
  while (n < SESSIONS_MAX && callFlow(call, flowLine(line, n)) >= 0) n++;
  const pair: i32 = isHopeless() ? 0 : pairsAt(ld32(sideAt(flowAt(flow), side) + SIDE_REALM), n);
  for (let k: i32 = 0; k < n; k++) {
    const index: i32 = callFlow(call, flowLine(line, k));
    if (pair === 0) {
      flowClose(index, call);
      continue;
    }
    sideAnnounce(OUTPUT_UNBIND, flowAt(index), side);
    sideRenumber(index, side, pair + (k << 1));
    sideAnnounce(OUTPUT_BIND, flowAt(index), side);
  }
}

/** Gives a binding another port. Where there is none it keeps its own, which nobody hears. */
function bindingReopen(index: i32): void {
  const b: i32 = bindingAt(index);
  const old: i32 = ld32(b + BINDING_POOL);
  let pool: i32 = -1;
  let port: i32 = 0;
  for (let nth: i32 = 0; nth < POOL_MAX && port === 0 && !isHopeless(); nth++) {
    pool = poolFind(ld32(poolAt(old) + POOL_REALM), POOL_SIGNAL, nth);
    if (pool < 0) break;
    port = portTake(pool, PORT_BINDING | index);
  }
  st8(b + BINDING_DEAF, port === 0 ? 1 : 0);
  if (port === 0) return;
  bindingAnnounce(OUTPUT_UNBIND, index);
  portGive(old, ld32(b + BINDING_PORT));
  st32(b + BINDING_POOL, pool);
  st32(b + BINDING_PORT, port);
  bindingAnnounce(OUTPUT_BIND, index);
}

/** The machine does not open a port: what owns it gets another. */
export function ownerReopen(owner: i32): void {
  st32(HEADER_REFUSED, ld32(HEADER_REFUSED) + 1);
  if ((owner & PORT_BINDING) !== 0) bindingReopen(owner & PORT_INDEX);
  else lineReopen(owner & PORT_INDEX, (owner & PORT_FLOW_CORE) !== 0 ? SIDE_CORE : SIDE_ACCESS);
}

/** The machine does not open the port of a binding, and there is no message to tell of another one: the next gets it. */
export function ownerDeafen(owner: i32): void {
  if ((owner & PORT_BINDING) !== 0) st8(bindingAt(owner & PORT_INDEX) + BINDING_DEAF, 1);
}

function isDeaf(index: i32): boolean {
  return ld8(bindingAt(index) + BINDING_DEAF) !== 0;
}

/** The binding with a port that is open, as far as is known; negative reason when there is none to be had. */
export function bindingHear(index: i32): i32 {
  if (!isDeaf(index)) return index;
  bindingReopen(index);
  return isDeaf(index) ? -REASON_PORT_REFUSED : index;
}
