/*
 * ICMP errors about what we sent (RFC 792, RFC 4443, RFC 5508 4.2): one that quotes a packet of a binding or a flow goes to
 * whom that packet came from, as if it were about the packet that he had sent: type and code stay, the quoted addresses
 * and ports are his, and it comes from the address that he sent to. Nothing of a mapping ends by it (RFC 4787 REQ-12):
 * anybody can write one.
 */

import { ld32, ld8, st32 } from "../machine.ts";
import { CONFIG_SERVICES } from "../memory/layout.ts";
import { POOL_ADDRESS, POOL_REALM, SERVER_PORT, SERVICE_ACCESS, SERVICE_ADDRESS, SERVICE_CORE, SERVICE_PORT } from "../memory/config.ts";
import { WIRE_INNER_LOCAL, WIRE_INNER_LOCAL_PORT, WIRE_INNER_REMOTE, WIRE_INNER_REMOTE_PORT, WIRE_REPORTER, WIRE_TTL } from "../memory/frame.ts";
import { HINT_ICMP, OUTPUT_LEN, OUTPUT_SEND } from "../memory/output.ts";
import { PACKET_REALM, PACKET_SOURCE, PACKET_SOURCE_PORT, TRANSPORT_UDP } from "../memory/packet.ts";
import {
  REASON_CHECKSUM,
  REASON_ELSEWHERE,
  REASON_EXPIRED,
  REASON_ICMP,
  REASON_ICMP_STRANGER,
  VERDICT_DISCARDED,
  VERDICT_TRANSLATED,
} from "../memory/reason.ts";
import {
  BINDING_POOL,
  BINDING_PORT,
  BINDING_TERMINAL,
  LATCHED_NOT,
  LATCH_ADDRESS,
  LATCH_PORT,
  LATCH_STATE,
  PORT_BINDING,
  PORT_FLOW,
  PORT_FLOW_CORE,
  PORT_FLOW_RTCP,
  PORT_INDEX,
  SIDE_ACCESS,
  SIDE_CORE,
  SIDE_LATCH_RTCP,
  SIDE_LATCH_RTP,
  SIDE_POOL,
  SIDE_PORT,
  SIDE_REALM,
  SIDE_RTCP_ADDRESS,
  SIDE_RTP_ADDRESS,
  SIDE_RTP_PORT,
  TERMINAL_ADDRESS,
  TERMINAL_PORT,
  TERMINAL_PRIMARY,
  TERMINAL_SERVICE,
  TERMINAL_TRANSPORT,
} from "../memory/tables.ts";
import { addressCopy, addressEqual } from "../bytes/address.ts";
import { icmpKind, icmpWrite } from "../encode/packet/icmp.ts";
import { isSix } from "../encode/packet/header.ts";
import { isIcmpRight, quotedRead } from "../input/packet/icmp.ts";
import { assemblyAt, assemblyTake, outputDrop, outputHint, outputLast, outputSend } from "../output/queue.ts";
import { flowAdjacency, terminalAdjacency } from "../table/adjacency.ts";
import { bindingAt } from "../table/binding.ts";
import { flowAt, rtcpPortOf, sideAt } from "../table/flow.ts";
import { linkTakes } from "../table/link.ts";
import { kindElsewhere, poolAt, poolOf, portOwner } from "../table/port.ts";
import { serverAt, serverFind, serviceAt } from "../table/service.ts";
import { isMine } from "../table/share.ts";
import { terminalAt, terminalFind, terminalHash } from "../table/terminal.ts";
import { conclude } from "./outcome.ts";
import { isWayKnown } from "./transmit.ts";

/** No ICMP error, or about nothing of ours. */
const OTHERS: i32 = -1;

function stranger(): i32 {
  return conclude(REASON_ICMP_STRANGER, VERDICT_DISCARDED);
}

/** Sends the error in hand to `remote`, from the address that he had sent to. */
function errorSend(realm: i32, hint: i32, local: i32, localPort: i32, remote: i32, remotePort: i32): i32 {
  const six: boolean = isSix(remote);
  const kind: i32 = icmpKind(six);
  if (ld32(WIRE_TTL) <= 1) return conclude(REASON_EXPIRED, VERDICT_DISCARDED);
  if (kind < 0 || six !== isSix(local)) return stranger();
  const to: i32 = assemblyAt();
  outputSend(OUTPUT_SEND, realm, local, localPort, remote, remotePort, to, 0);
  outputHint(hint | HINT_ICMP);
  const record: i32 = outputLast();
  if (!isWayKnown(record)) {
    outputDrop();
    return stranger();
  }
  const len: i32 = icmpWrite(to, record, six, kind);
  st32(record + OUTPUT_LEN, len);
  assemblyTake(len);
  return conclude(REASON_ICMP, VERDICT_TRANSLATED);
}

/** About what we sent from C:c: the terminal hears it from E:e. */
function bindingError(binding: i32): i32 {
  const terminal: i32 = ld32(bindingAt(binding) + BINDING_TERMINAL);
  const t: i32 = terminalAt(terminal);
  const service: i32 = serviceAt(ld8(t + TERMINAL_SERVICE));
  if (ld8(t + TERMINAL_TRANSPORT) !== TRANSPORT_UDP || serverFind(service, WIRE_INNER_REMOTE, ld32(WIRE_INNER_REMOTE_PORT)) < 0) return stranger();
  const port: i32 = ld32(t + TERMINAL_PORT);
  return errorSend(
    ld32(service + SERVICE_ACCESS),
    terminalAdjacency(terminal),
    service + SERVICE_ADDRESS,
    ld32(service + SERVICE_PORT),
    t + TERMINAL_ADDRESS,
    port,
  );
}

/** Is the quoted packet one that we send to this end: to where it was learned or signalled? */
function isSentTo(block: i32, rtcp: boolean): boolean {
  const latch: i32 = block + (rtcp ? SIDE_LATCH_RTCP : SIDE_LATCH_RTP);
  const port: i32 = ld32(WIRE_INNER_REMOTE_PORT);
  if (ld32(latch + LATCH_STATE) !== LATCHED_NOT && ld32(latch + LATCH_PORT) === port && addressEqual(latch + LATCH_ADDRESS, WIRE_INNER_REMOTE)) return true;
  const signalled: i32 = rtcp ? rtcpPortOf(block) : ld32(block + SIDE_RTP_PORT);
  return signalled === port && addressEqual(block + (rtcp ? SIDE_RTCP_ADDRESS : SIDE_RTP_ADDRESS), WIRE_INNER_REMOTE);
}

/** About media: whom it came from hears it from the port of ours that he sends to. */
function flowError(owner: i32): i32 {
  const index: i32 = owner & PORT_INDEX;
  const side: i32 = (owner & PORT_FLOW_CORE) !== 0 ? SIDE_CORE : SIDE_ACCESS;
  const rtcp: boolean = (owner & PORT_FLOW_RTCP) !== 0;
  const other: i32 = sideAt(flowAt(index), SIDE_ACCESS + SIDE_CORE - side);
  const latch: i32 = other + (rtcp ? SIDE_LATCH_RTCP : SIDE_LATCH_RTP);
  if (!isSentTo(sideAt(flowAt(index), side), rtcp) || ld32(latch + LATCH_STATE) === LATCHED_NOT) return stranger();
  const local: i32 = poolAt(ld32(other + SIDE_POOL)) + POOL_ADDRESS;
  const port: i32 = (ld32(other + SIDE_PORT) + (rtcp ? 1 : 0)) | 0;
  return errorSend(ld32(other + SIDE_REALM), flowAdjacency(index, side === SIDE_ACCESS, rtcp), local, port, latch + LATCH_ADDRESS, ld32(latch + LATCH_PORT));
}

/** Index of the service whose E:e the quoted packet came from, -1 for none. */
function serviceQuoted(): i32 {
  for (let i: i32 = 0; i < ld32(CONFIG_SERVICES); i++) {
    const service: i32 = serviceAt(i);
    if (ld32(service + SERVICE_PORT) === ld32(WIRE_INNER_LOCAL_PORT) && addressEqual(service + SERVICE_ADDRESS, WIRE_INNER_LOCAL)) return i;
  }
  return -1;
}

/** Index of the terminal that the quoted packet was for, as seen from where the error comes from; -1 when it is not known. */
function terminalQuoted(packet: i32, service: i32): i32 {
  addressCopy(WIRE_REPORTER, packet + PACKET_SOURCE);
  addressCopy(packet + PACKET_SOURCE, WIRE_INNER_REMOTE);
  st32(packet + PACKET_SOURCE_PORT, ld32(WIRE_INNER_REMOTE_PORT));
  if (ld32(packet + PACKET_REALM) < 0) st32(packet + PACKET_REALM, ld32(serviceAt(service) + SERVICE_ACCESS));
  terminalHash(packet);
  const terminal: i32 = terminalFind(packet, service);
  addressCopy(packet + PACKET_SOURCE, WIRE_REPORTER);
  st32(packet + PACKET_SOURCE_PORT, -1);
  return terminal;
}

/** About what we sent from E:e: the server hears it from C:c. */
function serviceError(packet: i32, index: i32): i32 {
  const realm: i32 = ld32(packet + PACKET_REALM);
  const terminal: i32 = terminalQuoted(packet, index);
  st32(packet + PACKET_REALM, realm);
  const binding: i32 = terminal < 0 ? -1 : (ld32(terminalAt(terminal) + TERMINAL_PRIMARY) - 1) | 0;
  if (binding < 0) return OTHERS;
  const service: i32 = serviceAt(index);
  const server: i32 = serverAt(service, 0);
  const b: i32 = bindingAt(binding);
  return errorSend(ld32(service + SERVICE_CORE), 0, poolAt(ld32(b + BINDING_POOL)) + POOL_ADDRESS, ld32(b + BINDING_PORT), server, ld32(server + SERVER_PORT));
}

/** Is the quoted packet another worker's, that comes from no port of ours and from this service, or -1? */
function isOthers(pool: i32, service: i32): boolean {
  if (service >= 0) return !isMine(WIRE_INNER_REMOTE, ld32(WIRE_INNER_REMOTE_PORT));
  return pool < 0 && kindElsewhere(WIRE_INNER_LOCAL, ld32(WIRE_INNER_LOCAL_PORT)) !== 0;
}

/** Takes an ICMP error about something of ours. Returns a verdict, or -1 when it is none. */
export function icmpTake(packet: i32): i32 {
  if (!quotedRead(packet)) return OTHERS;
  const pool: i32 = poolOf(WIRE_INNER_LOCAL, ld32(WIRE_INNER_LOCAL_PORT));
  const service: i32 = pool < 0 ? serviceQuoted() : -1;
  if (isOthers(pool, service)) return conclude(REASON_ELSEWHERE, VERDICT_DISCARDED);
  if (pool < 0 && service < 0) return OTHERS;
  if (!isIcmpRight(packet)) return conclude(REASON_CHECKSUM, VERDICT_DISCARDED);
  if (pool < 0) return serviceError(packet, service);
  const owner: i32 = portOwner(pool, ld32(WIRE_INNER_LOCAL_PORT));
  if (!linkTakes(ld32(poolAt(pool) + POOL_REALM), packet)) return stranger();
  if ((owner & PORT_FLOW) !== 0) return flowError(owner);
  return (owner & PORT_BINDING) !== 0 ? bindingError(owner & PORT_INDEX) : stranger();
}
