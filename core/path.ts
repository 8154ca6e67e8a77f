/*
 * The data path, one screen for each kind of input (DESIGN 1): classify, decode, translate, encode, output; or relay.
 * The only file that knows all stages, and the only one that decides what a fault means: the message goes on
 * byte-identical or is dropped, as the service says, and the reason is counted.
 */

import { fill, ld32, mul, st32 } from "./machine.ts";
import {
  ABI_VERSION,
  CONFIG_OTHERWISE,
  CONFIG_SERVICES,
  COUNTERS,
  COUNTER_COUNT,
  HEADER_ABI,
  HEADER_MAGIC,
  HEADER_NOW,
  HEADER_REASON,
  INPUT,
  INPUT_SIZE,
  MAGIC,
  MESSAGE,
  REGION_RULES,
  RULE_SIZE,
  SLOTS,
  SLOT_MAX,
  SLOT_SIZE,
  layoutWrite,
  table,
} from "./memory/layout.ts";
import {
  ACTION_DISCARD,
  ACTION_FORWARD,
  RULE_ACTION,
  RULE_SERVICE,
  SERVICE_DROP_UNDECODABLE,
  SERVICE_FLAGS,
  SERVICE_OPEN_CORE,
  SERVICE_SILENT_REJECT,
} from "./memory/config.ts";
import {
  CONTEXT_BINDING,
  CONTEXT_DIRECTION,
  CONTEXT_PACKET,
  CONTEXT_REFUSED,
  CONTEXT_SERVICE,
  CONTEXT_SERVICE_AT,
  CONTEXT_TERMINAL,
  INBOUND,
  OUTBOUND,
} from "./memory/context.ts";
import { MESSAGE_CSEQ_METHOD, MESSAGE_METHOD, MESSAGE_STATUS, METHOD_ACK, METHOD_OPTIONS, METHOD_REGISTER } from "./memory/message.ts";
import { OUTPUT_FORWARD } from "./memory/output.ts";
import { PACKET_DESTINATION, PACKET_DESTINATION_PORT, PACKET_LEN, PACKET_PAYLOAD, PACKET_REALM, PACKET_SOURCE, PACKET_SOURCE_PORT } from "./memory/packet.ts";
import {
  FAULT_CONFIG,
  FAULT_CONTENT_SHORT,
  FAULT_EDITS,
  FAULT_KIND,
  FAULT_LENGTH,
  FAULT_NOT_BOOTED,
  KIND_BATCH,
  KIND_CONFIG,
  KIND_DATAGRAM,
  KIND_TIMEOUT,
  REASON_BODY_SIGNED,
  REASON_FOREIGN_VIA,
  REASON_IDLE_PORT,
  REASON_KEEPALIVE,
  REASON_NOT_SIP,
  REASON_OTHERWISE_DISCARD,
  REASON_OTHERWISE_FORWARD,
  REASON_OUTPUTS_FULL,
  REASON_PROBE_ANSWERED,
  REASON_REFRESH_ANSWERED,
  REASON_REJECT_ACK,
  REASON_RELAYED,
  REASON_RULE_DISCARD,
  REASON_RULE_FORWARD,
  REASON_STRANGER,
  REASON_STUN,
  REASON_TERMINALS_FULL,
  REASON_TIMER,
  REASON_TRANSLATED,
  VERDICT_ABSORBED,
  VERDICT_ANSWERED,
  VERDICT_DISCARDED,
  VERDICT_FORWARDED,
  VERDICT_RELAYED,
  VERDICT_TRANSLATED,
  fault,
  faultReason,
} from "./memory/reason.ts";
import { BINDING_TERMINAL, PORT_BINDING, PORT_FLOW, PORT_INDEX, TERMINAL_PRIMARY, TERMINAL_SERVICE } from "./memory/tables.ts";
import { cipherInit } from "./bytes/cipher.ts";
import { classesInit } from "./bytes/class.ts";
import { randomSeed } from "./bytes/random.ts";
import { SNIFF_KEEPALIVE, SNIFF_SIP, SNIFF_STUN, sniff } from "./classify/sniff.ts";
import { sipDecode } from "./decode/decode.ts";
import { outputReset, outputRoom, outputSend } from "./output/queue.ts";
import { mediaRelay } from "./relay/media.ts";
import { bindingAt, bindingOf } from "./table/binding.ts";
import { poolOf, poolsCheck, poolsInit, portOwner } from "./table/port.ts";
import { ruleMatch, rulesCompile } from "./table/rule.ts";
import { serverFind, serviceAt, servicesCheck } from "./table/service.ts";
import { slabsInit } from "./table/slab.ts";
import { terminalAt, terminalHash, terminalTouch } from "./table/terminal.ts";
import { timerExpire, timersInit } from "./table/timer.ts";
import { isOurTag, refreshBuild, unavailableBuild } from "./translate/answer.ts";
import { timerFire } from "./translate/expire.ts";
import { leaveAnswer, leaveTranslated, leaveUntouched } from "./translate/leave.ts";
import { terminalOpen, terminalRelease } from "./translate/open.ts";
import { isProbeAnswer } from "./translate/probe.ts";
import { refreshAnswerable } from "./translate/register.ts";
import { isBodySigned, sipTranslate } from "./translate/sip.ts";

/** Timers served by one input: the rest are due at once. */
const TIMERS_MAX: i32 = 64;
/** Output records that one datagram or timer may need. */
const OUTPUTS_EACH: i32 = 300;

/** Empties the tables and takes the configuration over. Returns 0 or a fault. */
export function pathBoot(now: i32): i32 {
  layoutWrite();
  st32(HEADER_MAGIC, 0);
  st32(HEADER_ABI, ABI_VERSION);
  st32(HEADER_NOW, now);
  fill(COUNTERS, 0, COUNTER_COUNT << 2);
  randomSeed();
  classesInit();
  cipherInit();
  slabsInit();
  timersInit(now);
  outputReset();
  const pool: i32 = poolsInit();
  if (pool > 0) return fault(FAULT_CONFIG, pool);
  const result: i32 = configTake();
  if (result < 0) return result;
  st32(HEADER_MAGIC, MAGIC);
  return 0;
}

/** A configuration in place of the one in force: realms, services and rules may differ, pools may not. */
function configChange(): i32 {
  const pool: i32 = poolsCheck();
  return pool > 0 ? fault(FAULT_CONFIG, pool) : configTake();
}

function configTake(): i32 {
  const service: i32 = servicesCheck();
  const result: i32 = service > 0 ? fault(FAULT_CONFIG, service) : rulesCompile();
  return result < 0 ? result : 0;
}

/** Notes the outcome. Returns the verdict. */
function conclude(reason: i32, verdict: i32): i32 {
  st32(HEADER_REASON, reason);
  st32(COUNTERS + (reason << 2), (ld32(COUNTERS + (reason << 2)) + 1) | 0);
  return verdict;
}

/** One input, after which the outputs are drained. Returns a verdict, the number of slots taken, or a fault. */
export function pathInput(kind: i32, len: i32, now: i32): i32 {
  outputReset();
  if (ld32(HEADER_MAGIC) !== MAGIC) return fault(FAULT_NOT_BOOTED, 0);
  if (((now - ld32(HEADER_NOW)) | 0) > 0) st32(HEADER_NOW, now);
  if (kind === KIND_DATAGRAM) {
    if (len < 0 || len > INPUT_SIZE - PACKET_PAYLOAD) return fault(FAULT_LENGTH, 0);
    st32(INPUT + PACKET_LEN, len);
    sourceHash(INPUT);
    return packetTake(INPUT);
  }
  if (kind === KIND_BATCH) return batchTake(len);
  if (kind === KIND_TIMEOUT) return timersServe();
  return kind === KIND_CONFIG ? configChange() : fault(FAULT_KIND, kind);
}

function timersServe(): i32 {
  for (let i: i32 = 0; i < TIMERS_MAX && outputRoom(OUTPUTS_EACH); i++) {
    const id: i32 = timerExpire(ld32(HEADER_NOW));
    if (id < 0) break;
    timerFire(id);
  }
  return conclude(REASON_TIMER, VERDICT_ABSORBED);
}

/** Takes up to `n` slots, as many as the output queue has room for. */
function batchTake(n: i32): i32 {
  if (n < 0 || n > SLOT_MAX) return fault(FAULT_LENGTH, n);
  for (let i: i32 = 0; i < n; i++) sourceHash(SLOTS + mul(i, SLOT_SIZE));
  for (let i: i32 = 0; i < n; i++) terminalTouch(SLOTS + mul(i, SLOT_SIZE));
  for (let i: i32 = 0; i < n; i++) {
    const packet: i32 = SLOTS + mul(i, SLOT_SIZE);
    if (!outputRoom(OUTPUTS_EACH)) return i;
    const len: i32 = ld32(packet + PACKET_LEN);
    if (len >= 0 && len <= SLOT_SIZE - PACKET_PAYLOAD) packetTake(packet);
    else conclude(FAULT_LENGTH, VERDICT_DISCARDED);
  }
  return n;
}

/** Notes the hash of the packet's source unless a port of ours will tell what it belongs to. */
function sourceHash(packet: i32): void {
  if (poolOf(packet + PACKET_DESTINATION, ld32(packet + PACKET_DESTINATION_PORT)) < 0) terminalHash(packet);
}

/** A packet: to a port of ours it belongs to what owns the port; else the rules say whose it is. */
function packetTake(packet: i32): i32 {
  const port: i32 = ld32(packet + PACKET_DESTINATION_PORT);
  const pool: i32 = poolOf(packet + PACKET_DESTINATION, port);
  if (pool < 0) return ruleTake(packet);
  const owner: i32 = portOwner(pool, port);
  if ((owner & PORT_FLOW) !== 0) {
    const reason: i32 = mediaRelay(owner, packet);
    return conclude(reason, reason === REASON_RELAYED ? VERDICT_RELAYED : VERDICT_DISCARDED);
  }
  return (owner & PORT_BINDING) !== 0 ? outboundTake(packet, owner & PORT_INDEX) : conclude(REASON_IDLE_PORT, VERDICT_DISCARDED);
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

function contextSet(packet: i32, direction: i32, service: i32, terminal: i32): void {
  st32(CONTEXT_PACKET, packet);
  st32(CONTEXT_DIRECTION, direction);
  st32(CONTEXT_SERVICE, service);
  st32(CONTEXT_SERVICE_AT, serviceAt(service));
  st32(CONTEXT_TERMINAL, terminal);
}

/** From a terminal to E:e. A terminal that this leaves without a binding is nobody's. */
function inboundTake(packet: i32, service: i32): i32 {
  const terminal: i32 = terminalOpen(packet, service);
  contextSet(packet, INBOUND, service, terminal);
  st32(CONTEXT_BINDING, terminal < 0 ? -1 : (ld32(terminalAt(terminal) + TERMINAL_PRIMARY) - 1) | 0);
  const kind: i32 = sniff(packet + PACKET_PAYLOAD, packet + PACKET_PAYLOAD + ld32(packet + PACKET_LEN));
  if (terminal < 0) return kind === SNIFF_SIP ? sipTake(packet, terminal) : conclude(REASON_TERMINALS_FULL, VERDICT_DISCARDED);
  const verdict: i32 = kind === SNIFF_SIP ? sipTake(packet, terminal) : otherTake(kind);
  terminalRelease(terminal);
  return verdict;
}

/** From the core to C:c. */
function outboundTake(packet: i32, binding: i32): i32 {
  const terminal: i32 = ld32(bindingAt(binding) + BINDING_TERMINAL);
  const service: i32 = ld32(terminalAt(terminal) + TERMINAL_SERVICE);
  contextSet(packet, OUTBOUND, service, terminal);
  st32(CONTEXT_BINDING, binding);
  if (!isCorePeer(packet)) return conclude(REASON_STRANGER, VERDICT_DISCARDED);
  const kind: i32 = sniff(packet + PACKET_PAYLOAD, packet + PACKET_PAYLOAD + ld32(packet + PACKET_LEN));
  return kind === SNIFF_SIP ? sipTake(packet, terminal) : otherTake(kind);
}

/** May this core-side sender reach terminals: a server, one of our own mappings, or anybody where the service is open? */
function isCorePeer(packet: i32): boolean {
  const service: i32 = ld32(CONTEXT_SERVICE_AT);
  if ((ld32(service + SERVICE_FLAGS) & SERVICE_OPEN_CORE) !== 0 || serverFind(service, packet + PACKET_SOURCE, -1) >= 0) return true;
  return bindingOf(packet + PACKET_SOURCE, ld32(packet + PACKET_SOURCE_PORT)) >= 0;
}

/** What is not SIP goes on untouched on the stable mapping; what can only be junk goes as undecodable messages do. */
function otherTake(kind: i32): i32 {
  if (kind === SNIFF_KEEPALIVE) return pass(REASON_KEEPALIVE);
  return kind === SNIFF_STUN ? pass(REASON_STUN) : passUndecodable(REASON_NOT_SIP);
}

function pass(reason: i32): i32 {
  const refused: i32 = leaveUntouched();
  return refused !== 0 ? conclude(refused, VERDICT_DISCARDED) : conclude(reason, VERDICT_FORWARDED);
}

function passUndecodable(reason: i32): i32 {
  const drop: boolean = (ld32(ld32(CONTEXT_SERVICE_AT) + SERVICE_FLAGS) & SERVICE_DROP_UNDECODABLE) !== 0;
  return drop ? conclude(reason, VERDICT_DISCARDED) : pass(reason);
}

/** A SIP message, either way: decode, absorb or answer what is ours, translate, send. Returns a verdict or a fault. */
function sipTake(packet: i32, terminal: i32): i32 {
  const p: i32 = packet + PACKET_PAYLOAD;
  const result: i32 = sipDecode(p, p + ld32(packet + PACKET_LEN));
  if (result < 0) {
    if (terminal < 0) conclude(REASON_TERMINALS_FULL, VERDICT_DISCARDED);
    else if (faultReason(result) === FAULT_CONTENT_SHORT) conclude(FAULT_CONTENT_SHORT, VERDICT_DISCARDED);
    else passUndecodable(faultReason(result));
    return result;
  }
  if (terminal < 0) return reject(REASON_TERMINALS_FULL);
  if (ld32(CONTEXT_DIRECTION) === INBOUND) {
    const verdict: i32 = ownTake(terminal);
    if (verdict >= 0) return verdict;
  }
  sipTranslate();
  const refused: i32 = ld32(CONTEXT_REFUSED);
  if (refused === REASON_FOREIGN_VIA) return passUndecodable(refused);
  if (refused !== 0) return reject(refused);
  if (leaveTranslated()) return conclude(isBodySigned() ? REASON_BODY_SIGNED : REASON_TRANSLATED, VERDICT_TRANSLATED);
  return conclude(FAULT_EDITS, VERDICT_DISCARDED);
}

/** What is for us and not for the server: an answer to a probe, the ACK of our 503, a refresh. -1 when it is none. */
function ownTake(terminal: i32): i32 {
  const method: i32 = ld32(MESSAGE + MESSAGE_METHOD);
  if (method === 0) {
    const probe: boolean = ld32(MESSAGE + MESSAGE_CSEQ_METHOD) === METHOD_OPTIONS && isProbeAnswer(terminal);
    return probe ? conclude(REASON_PROBE_ANSWERED, VERDICT_ABSORBED) : -1;
  }
  if (method === METHOD_ACK && isOurTag()) return conclude(REASON_REJECT_ACK, VERDICT_ABSORBED);
  if (method !== METHOD_REGISTER) return -1;
  const contact: i32 = refreshAnswerable();
  if (contact === 0) return -1;
  answer(refreshBuild(contact));
  return conclude(REASON_REFRESH_ANSWERED, VERDICT_ANSWERED);
}

/** Sends an answer back from the address that the packet was sent to. */
function answer(len: i32): void {
  const packet: i32 = ld32(CONTEXT_PACKET);
  leaveAnswer(ld32(packet + PACKET_REALM), packet + PACKET_DESTINATION, ld32(packet + PACKET_DESTINATION_PORT), len);
}

/** Does a full table stand behind this reason, which 503 tells the sender? */
function isFull(reason: i32): boolean {
  return reason >= REASON_TERMINALS_FULL && reason <= REASON_OUTPUTS_FULL;
}

/** The message cannot go on. New work that finds a table full is told so; what is forged or loops is dropped. */
function reject(reason: i32): i32 {
  const silent: boolean = (ld32(ld32(CONTEXT_SERVICE_AT) + SERVICE_FLAGS) & SERVICE_SILENT_REJECT) !== 0;
  const request: boolean = ld32(MESSAGE + MESSAGE_STATUS) === 0 && ld32(MESSAGE + MESSAGE_METHOD) !== METHOD_ACK;
  if (silent || !request || !isFull(reason)) return conclude(reason, VERDICT_DISCARDED);
  answer(unavailableBuild());
  return conclude(reason, VERDICT_ANSWERED);
}
