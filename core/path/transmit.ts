/*
 * How datagrams leave (SPEC T1, V5): each SEND that an input led to gets its traffic class, and in packet mode the headers of its
 * adjacency, written before the payload where it stands, or in fragments where it is longer than the interface takes. One whose
 * next hop is not known stays a SEND: the machine's own stack knows how to ask for it.
 */

import { ld32, mul, st32 } from "../machine.ts";
import {
  ADJACENCY_ARRIVAL,
  ADJACENCY_INTERFACE,
  HEADROOM,
  INTERFACE_MTU,
  LINK_CLASS,
  LINK_DSCP,
  LINK_PCP,
  WIRE_ASSEMBLED,
  WIRE_CLASS,
  WIRE_DONE,
  WIRE_NEXT_ID,
  WIRE_PACKET,
  WIRE_PAYLOAD,
  WIRE_PCP,
  WIRE_TRAFFIC,
  WIRE_TTL,
  WIRE_WHOLE,
} from "../memory/frame.ts";
import { FRAGMENT_HEADER, IP4_HEADER, IP6_HEADER, UDP_HEADER } from "../memory/header.ts";
import { ASSEMBLY, ASSEMBLY_SIZE, HEADER_OUT_TAIL, OUTPUTS, OUTPUT_SIZE } from "../memory/layout.ts";
import {
  HINT_ARRIVAL,
  HINT_ICMP,
  HINT_INDEX,
  HINT_MEDIA,
  OUTPUT_DETAIL,
  OUTPUT_FRAME,
  OUTPUT_KIND,
  OUTPUT_LEN,
  OUTPUT_LOCAL,
  OUTPUT_LOCAL_PORT,
  OUTPUT_PAYLOAD,
  OUTPUT_REALM,
  OUTPUT_REMOTE,
  OUTPUT_REMOTE_PORT,
  OUTPUT_SEND,
  OUTPUT_VALUE,
} from "../memory/output.ts";
import { PROTOCOL_ICMP, PROTOCOL_ICMP6, PROTOCOL_UDP } from "../memory/packet.ts";
import { randomWord } from "../bytes/random.ts";
import { udpChecksum } from "../encode/packet/checksum.ts";
import { ip4Write, ip6FragmentWrite, ip6Write, isSix, linkShare, linkSize, linkWrite, udpWrite } from "../encode/packet/header.ts";
import { assemblyLeft, outputCopy, outputKeep, outputRoom } from "../output/queue.ts";
import { adjacencyAt, isFraming, realmAdjacency } from "../table/adjacency.ts";
import { interfaceAt, linkAt } from "../table/link.ts";
import { poolOf } from "../table/port.ts";

/** TTL of what is sent of our own accord (RFC 1700's recommendation). */
const TTL: i32 = 64;
const MTU: i32 = 1500;
const DONT_FRAGMENT: i32 = 0x4000;
/** An interface that takes less is taken to take that: what every IPv4 host must receive (RFC 791 3.2). */
const MTU_LEAST: i32 = 576;

/** The adjacency that a SEND leaves by, 0 when none is known. */
function adjacencyOf(record: i32): i32 {
  const hint: i32 = ld32(record + OUTPUT_DETAIL);
  const index: i32 = (hint & HINT_ARRIVAL) !== 0 ? ADJACENCY_ARRIVAL : hint & HINT_INDEX;
  const own: i32 = adjacencyAt(index);
  if ((hint & (HINT_ARRIVAL | HINT_INDEX)) !== 0 && ld32(own + ADJACENCY_INTERFACE) !== 0) return own;
  const realm: i32 = adjacencyAt(realmAdjacency(ld32(record + OUTPUT_REALM)));
  return ld32(realm + ADJACENCY_INTERFACE) !== 0 ? realm : 0;
}

/** Is it known by which way a SEND goes? */
export function isWayKnown(record: i32): boolean {
  return adjacencyOf(record) !== 0;
}

function isAnswer(record: i32): boolean {
  return (ld32(record + OUTPUT_DETAIL) & HINT_ARRIVAL) !== 0;
}

/** Is it the frame in hand that goes on, and no answer of ours to it? */
function isPassing(record: i32): boolean {
  return ld32(WIRE_PACKET) !== 0 && !isAnswer(record);
}

/** What the realm's link says of signaling or media at `field`, or what it came with. */
function marked(record: i32, field: i32, came: i32): i32 {
  const media: boolean = (ld32(record + OUTPUT_DETAIL) & HINT_MEDIA) !== 0;
  const said: i32 = ld32(linkAt(ld32(record + OUTPUT_REALM)) + field + (media ? 4 : 0));
  return said !== 0 ? said - 1 : came;
}

/** DSCP as the realm says (RFC 2474), ECN as it came (RFC 3168 5); what is our own has neither of anybody else. */
function trafficOf(record: i32): i32 {
  const came: i32 = isAnswer(record) ? 0 : ld32(WIRE_TRAFFIC);
  return (marked(record, LINK_DSCP, came >>> 2) << 2) | (came & 3);
}

function ttlOf(record: i32): i32 {
  return isPassing(record) ? ld32(WIRE_TTL) - 1 : TTL;
}

/** The longest IP packet that leaves by an adjacency. */
function mtuOf(a: i32): i32 {
  const said: i32 = ld32(interfaceAt(ld32(a + ADJACENCY_INTERFACE) - 1) + INTERFACE_MTU);
  return ((said === 0 ? MTU : said < MTU_LEAST ? MTU_LEAST : said) - linkShare(a)) | 0;
}

/** Makes a record say that the frame [p, p+len) goes out towards `a`. */
function framed(record: i32, a: i32, p: i32, len: i32): void {
  st32(record + OUTPUT_KIND, OUTPUT_FRAME);
  st32(record + OUTPUT_PAYLOAD, p);
  st32(record + OUTPUT_LEN, len);
  st32(record + OUTPUT_VALUE, ld32(a + ADJACENCY_INTERFACE) - 1);
}

function linkPut(record: i32, p: i32, a: i32, six: boolean): void {
  const passing: boolean = isPassing(record);
  const priority: i32 = marked(record, LINK_PCP, passing ? ld32(WIRE_PCP) : 0);
  linkWrite(p, a, priority, marked(record, LINK_CLASS, passing ? ld32(WIRE_CLASS) : 0), ttlOf(record), six);
}

function nextId(): i32 {
  const id: i32 = ld32(WIRE_NEXT_ID) & 0xffff;
  st32(WIRE_NEXT_ID, id + 1);
  return id;
}

/** Is there room for headers before the payload: in ASSEMBLY it is left, and the frame in hand has its own there, once? */
function hasHeadroom(payload: i32): boolean {
  if (payload >= ASSEMBLY && payload < ASSEMBLY + ASSEMBLY_SIZE) return true;
  return ld32(WIRE_PACKET) !== 0 && payload === ld32(WIRE_PAYLOAD);
}

/** Writes IP and link header before the `len` bytes at `p`: the record is the frame. */
function packetSend(record: i32, a: i32, six: boolean, p: i32, len: i32, protocol: i32, place: i32): void {
  const local: i32 = record + OUTPUT_LOCAL;
  const remote: i32 = record + OUTPUT_REMOTE;
  const ip: i32 = p - (six ? IP6_HEADER : IP4_HEADER);
  if (six) ip6Write(ip, len, trafficOf(record), ttlOf(record), protocol, local, remote);
  else ip4Write(ip, len, nextId(), place, trafficOf(record), ttlOf(record), protocol, local, remote);
  const start: i32 = ip - linkSize(a);
  linkPut(record, start, a, six);
  framed(record, a, start, (p + len - start) | 0);
}

/** One frame around the payload. */
function wholeSend(record: i32, a: i32, six: boolean, checksum: i32): void {
  const len: i32 = ld32(record + OUTPUT_LEN);
  let payload: i32 = ld32(record + OUTPUT_PAYLOAD);
  const whole: i32 = isPassing(record) && payload === ld32(WIRE_PAYLOAD) ? ld32(WIRE_WHOLE) : 0;
  if (!hasHeadroom(payload)) payload = outputKeep(payload, len);
  if (payload === 0) return;
  if (payload === ld32(WIRE_PAYLOAD)) st32(WIRE_PAYLOAD, 0);
  udpWrite(payload - UDP_HEADER, ld32(record + OUTPUT_LOCAL_PORT), ld32(record + OUTPUT_REMOTE_PORT), len, checksum);
  packetSend(record, a, six, payload - UDP_HEADER, UDP_HEADER + len, PROTOCOL_UDP, whole !== 0 ? DONT_FRAGMENT : 0);
}

/**
 * Fragments of [p, end) of a UDP datagram whose first eight bytes, its header, stand at `p`: each up to `room` bytes, a
 * multiple of eight (RFC 791 3.2, RFC 8200 4.5). The first takes the record's place, the others follow at the end.
 */
function piecesSend(record: i32, a: i32, six: boolean, p: i32, end: i32, room: i32): void {
  const id: i32 = six ? randomWord() : nextId();
  const local: i32 = record + OUTPUT_LOCAL;
  const remote: i32 = record + OUTPUT_REMOTE;
  const header: i32 = six ? IP6_HEADER + FRAGMENT_HEADER : IP4_HEADER;
  for (let at: i32 = p; at < end; at += room) {
    const len: i32 = end - at < room ? end - at : room;
    const more: boolean = at + len < end;
    const piece: i32 = outputKeep(at, len);
    const ip: i32 = piece - header;
    const offset: i32 = at - p;
    if (six) ip6FragmentWrite(ip, len, id, offset | (more ? 1 : 0), trafficOf(record), ttlOf(record), PROTOCOL_UDP, local, remote);
    else ip4Write(ip, len, id, (offset >> 3) | (more ? 0x2000 : 0), trafficOf(record), ttlOf(record), PROTOCOL_UDP, local, remote);
    const start: i32 = ip - linkSize(a);
    linkPut(record, start, a, six);
    framed(at === p ? record : outputCopy(record), a, start, (piece + len - start) | 0);
  }
}

/** Is there room for `len` bytes in pieces of `room`, and for a copy of the whole? */
function piecesFit(len: i32, room: i32): boolean {
  let n: i32 = 1;
  for (let at: i32 = room; at < len + UDP_HEADER; at += room) n++;
  return outputRoom(n) && assemblyLeft() >= (len << 1) + mul(n + 1, HEADROOM + 4);
}

/** Turns a SEND into frames, if a way is known and there is room. What is for a port of ours never leaves the machine. */
function recordSend(record: i32): void {
  const a: i32 = adjacencyOf(record);
  const six: boolean = isSix(record + OUTPUT_REMOTE);
  if (a === 0 || six !== isSix(record + OUTPUT_LOCAL) || poolOf(record + OUTPUT_REMOTE, ld32(record + OUTPUT_REMOTE_PORT)) >= 0) return;
  const len: i32 = ld32(record + OUTPUT_LEN);
  const mtu: i32 = mtuOf(a);
  if ((ld32(record + OUTPUT_DETAIL) & HINT_ICMP) !== 0) {
    packetSend(record, a, six, ld32(record + OUTPUT_PAYLOAD), len, six ? PROTOCOL_ICMP6 : PROTOCOL_ICMP, 0);
    return;
  }
  const checksum: i32 = udpChecksum(record, ld32(WIRE_PACKET));
  if ((six ? IP6_HEADER : IP4_HEADER) + UDP_HEADER + len <= mtu) wholeSend(record, a, six, checksum);
  else cutSend(record, a, six, checksum, (mtu - (six ? IP6_HEADER + FRAGMENT_HEADER : IP4_HEADER)) & -8);
}

/** In pieces of `room` bytes. */
function cutSend(record: i32, a: i32, six: boolean, checksum: i32, room: i32): void {
  const len: i32 = ld32(record + OUTPUT_LEN);
  let payload: i32 = ld32(record + OUTPUT_PAYLOAD);
  if (!piecesFit(len, room)) return;
  if (!hasHeadroom(payload)) payload = outputKeep(payload, len);
  if (payload === ld32(WIRE_PAYLOAD)) st32(WIRE_PAYLOAD, 0);
  udpWrite(payload - UDP_HEADER, ld32(record + OUTPUT_LOCAL_PORT), ld32(record + OUTPUT_REMOTE_PORT), len, checksum);
  piecesSend(record, a, six, payload - UDP_HEADER, payload + len, room);
}

/** Settles how a datagram leaves: as frames, or as the SEND that it is. */
function settle(record: i32, framing: boolean): void {
  const traffic: i32 = trafficOf(record);
  if (framing) recordSend(record);
  if (ld32(record + OUTPUT_KIND) === OUTPUT_SEND) st32(record + OUTPUT_DETAIL, traffic);
}

/** Settles the datagrams among the outputs that are not done yet; `packet` is the header of the frame behind them, 0 for none. */
export function transmit(packet: i32): void {
  const tail: i32 = ld32(HEADER_OUT_TAIL);
  const framing: boolean = isFraming();
  st32(WIRE_PACKET, packet);
  for (let i: i32 = ld32(WIRE_DONE); i < tail; i++) {
    const record: i32 = OUTPUTS + mul(i, OUTPUT_SIZE);
    if (ld32(record + OUTPUT_KIND) === OUTPUT_SEND && ld32(record + OUTPUT_VALUE) === 0) settle(record, framing);
  }
  st32(WIRE_PACKET, 0);
  st32(WIRE_DONE, ld32(HEADER_OUT_TAIL));
}

/** At the door of every input: nothing is sent yet, and no frame is in hand. */
export function transmitReset(): void {
  st32(WIRE_TRAFFIC, 0);
  st32(WIRE_DONE, 0);
  st32(WIRE_ASSEMBLED, 0);
  st32(WIRE_PACKET, 0);
}
