/*
 * Frames that are not ours (SPEC P3): they go on byte-identical by the other interface of a pair, or are the stack's; what
 * the kernel left to a network card that is none is completed first.
 */

import { ld32 } from "../machine.ts";
import { FRAME_INTERFACE, INTERFACE_PEER, WIRE_DATAGRAM, WIRE_END, WIRE_IP, WIRE_PARTIAL, WIRE_START, WIRE_STOP, WIRE_TRANSPORT } from "../memory/frame.ts";
import { OUTPUT_MAX } from "../memory/layout.ts";
import { OUTPUT_BRIDGE, OUTPUT_STACK } from "../memory/output.ts";
import { PACKET_PROTOCOL, PACKET_REALM, PROTOCOL_TCP, PROTOCOL_UDP } from "../memory/packet.ts";
import { REASON_ELSEWHERE, VERDICT_DISCARDED, VERDICT_FORWARDED, VERDICT_HANDED } from "../memory/reason.ts";
import { BLOCK_BYTES, BLOCK_FRAME_LEN } from "../memory/tables.ts";
import { partialFill } from "../encode/packet/checksum.ts";
import { outputFrame, outputKeep } from "../output/queue.ts";
import { fragmentNext } from "../table/datagram.ts";
import { interfaceAt, isGroup, isOurStation } from "../table/link.ts";
import { isFirst } from "../table/share.ts";
import { conclude } from "./outcome.ts";

/** Completes a checksum that was left to the network card (RFC 768, RFC 9293 3.1: its place in either header). */
function complete(packet: i32): void {
  const at: i32 = ld32(WIRE_TRANSPORT);
  const len: i32 = ld32(WIRE_STOP) - at;
  const protocol: i32 = ld32(packet + PACKET_PROTOCOL);
  if (protocol === PROTOCOL_UDP && len >= 8) partialFill(at, len, at + 6, protocol, packet);
  else if (protocol === PROTOCOL_TCP && len >= 20) partialFill(at, len, at + 16, protocol, packet);
}

/** Its fragments, each as it came: the chain has the latest first, and any order will do. */
function fragmentsOut(kind: i32, realm: i32, egress: i32): void {
  let block: i32 = fragmentNext(ld32(WIRE_DATAGRAM) - 1, 0);
  for (let i: i32 = 0; i < OUTPUT_MAX && block !== 0; i++) {
    const len: i32 = ld32(block + BLOCK_FRAME_LEN);
    const frame: i32 = outputKeep(block + BLOCK_BYTES, len);
    if (frame !== 0) outputFrame(kind, realm, egress, frame, len);
    block = fragmentNext(ld32(WIRE_DATAGRAM) - 1, block);
  }
}

function frameOut(kind: i32, packet: i32, egress: i32): void {
  const start: i32 = ld32(WIRE_START);
  if (ld32(WIRE_DATAGRAM) !== 0) {
    fragmentsOut(kind, ld32(packet + PACKET_REALM), egress);
    return;
  }
  outputFrame(kind, ld32(packet + PACKET_REALM), egress, start, (ld32(WIRE_END) - start) | 0);
}

/** The frame is for the stack. */
export function frameHand(packet: i32, reason: i32): i32 {
  if (!isFirst()) return conclude(REASON_ELSEWHERE, VERDICT_DISCARDED);
  frameOut(OUTPUT_STACK, packet, ld32(packet + FRAME_INTERFACE));
  return conclude(reason, VERDICT_HANDED);
}

/** The frame in hand goes on as it is; to our own hardware address it is the stack's (which routes it), to a group also. */
export function framePass(packet: i32, reason: i32): i32 {
  if (!isFirst()) return conclude(REASON_ELSEWHERE, VERDICT_DISCARDED);
  const ingress: i32 = ld32(packet + FRAME_INTERFACE);
  const peer: i32 = ld32(interfaceAt(ingress) + INTERFACE_PEER);
  if (peer === 0 || isOurStation(ingress, ld32(WIRE_START))) return frameHand(packet, reason);
  if (isGroup(ld32(WIRE_START))) frameOut(OUTPUT_STACK, packet, ingress);
  if (ld32(WIRE_IP) !== 0 && ld32(WIRE_PARTIAL) !== 0 && ld32(WIRE_DATAGRAM) === 0) complete(packet);
  frameOut(OUTPUT_BRIDGE, packet, peer - 1);
  return conclude(reason, VERDICT_FORWARDED);
}
