/*
 * What probes of packet rings have in common: a core's memory with a shim, frames, and what the machine's own stack has seen.
 */

import { readFileSync } from "node:fs";
import { shimOpen } from "../../../hosts/node/shim.ts";
import { addressParse } from "../../../hosts/shared/address.ts";
import * as abi from "../../../hosts/shared/core.ts";
import type { Shim } from "../../../hosts/shared/runtime.ts";
import type { Share } from "../../../hosts/shared/workers/share.ts";
import { SHIM } from "../../shim.ts";

export const RING = 2;
export const LONG = 256;

/** A core's memory with a shim. */
export class End {
  readonly bytes = new Uint8Array(abi.TABLES);
  readonly words = new Int32Array(this.bytes.buffer);
  readonly shim: Shim;

  /** Of several workers one, or the only one. */
  constructor(share?: Share) {
    const shim = shimOpen(SHIM, this.bytes.buffer, share);
    if (typeof shim === "string") throw new Error(shim);
    this.shim = shim;
  }

  /** Opens a ring; `wanted` as the shim has it. Returns its index, or the name of the error. */
  ring(name: string, wanted = 0): number | string {
    const text = new Uint8Array(this.shim.exchange.buffer, abi.SLOT_MAX * 4, 16).fill(0);
    text.set(new TextEncoder().encode(name));
    const index = this.shim.ring(wanted);
    return index < 0 ? this.shim.code(index) : index;
  }

  /** Hardware address, MTU and bits (up, AF_XDP), of the ring that was opened last. */
  get device(): { mac: string; mtu: number; bits: number } {
    const words = this.shim.exchange.subarray(abi.SLOT_MAX);
    return { mac: Buffer.from(words.buffer, words.byteOffset, 6).toString("hex"), mtu: words[2]!, bits: words[3]! };
  }

  /** Says that other workers have these ports. */
  others(address: string, first: number, last: number): number {
    this.shim.exchange.set(new Int32Array(addressParse(address)!.bytes.slice().buffer), abi.SLOT_MAX);
    return this.shim.others(first, last);
  }

  /** Opens a port for `uses`, PORT_* bits. Returns 0, or the name of the error. */
  bind(address: string, port: number, uses = 0): number | string {
    this.shim.exchange.set(new Int32Array(addressParse(address)!.bytes.slice().buffer), abi.SLOT_MAX);
    const result = this.shim.bind(port, uses);
    return result < 0 ? this.shim.code(result) : result;
  }

  /** Sends frames. Returns how many were not. */
  send(kind: number, frames: Uint8Array[], at = abi.ASSEMBLY): number {
    let failed = 0;
    for (let i = 0; i < frames.length; i += abi.SLOT_MAX) {
      const batch = frames.slice(i, i + abi.SLOT_MAX);
      batch.forEach((frame, n) => {
        const record = abi.OUTPUTS + n * abi.OUTPUT_SIZE;
        const payload = at + n * abi.SLOT_SIZE;
        this.bytes.set(frame, payload);
        this.words.set([kind, 0], record >> 2);
        this.words.set([payload, frame.length, 0], (record + abi.OUTPUT_PAYLOAD) >> 2);
        this.shim.exchange[n] = record;
      });
      failed += this.shim.send(batch.length);
    }
    return failed;
  }

  /** The frame in a slot, or at INPUT. */
  frame(slot: number): { bytes: Buffer; interface: number; tag: number; flags: number } {
    const [len, ring, tag, flags] = [abi.PACKET_LEN, abi.FRAME_INTERFACE, abi.FRAME_TAG, abi.FRAME_FLAGS].map((field) => this.words[(slot + field) >> 2]!);
    return { bytes: Buffer.from(this.bytes.slice(slot + abi.FRAME_BYTES, slot + abi.FRAME_BYTES + len!)), interface: ring!, tag: tag!, flags: flags! };
  }

  /** All frames that wait, at most a slot each. */
  rest(): ReturnType<End["frame"]>[] {
    const frames: ReturnType<End["frame"]>[] = [];
    for (let n = this.shim.receive(RING); n > 0; n = this.shim.receive(RING))
      for (let i = 0; i < (n & (LONG - 1)); i++) frames.push(this.frame(abi.SLOTS + i * abi.SLOT_SIZE));
    return frames;
  }

  first(): ReturnType<End["frame"]> {
    return this.frame(abi.SLOTS);
  }
}

/** An Ethernet frame with a number in it. */
export function frameOf(number: number, len = 60, type = 0x88b5): Buffer {
  const frame = Buffer.alloc(len, number & 0xff);
  frame.write("020000000b02020000000a01", 0, "hex");
  frame.writeUInt16BE(type, 12);
  frame.writeUInt32BE(number, 14);
  return frame;
}

/** A datagram to a port of the far interface's address. */
export function datagramOf(mac: string, port: number): Buffer {
  const ip = Buffer.from("450000200001000040110000" + "0a630001" + "0a630002", "hex");
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += ip.readUInt16BE(i);
  ip.writeUInt16BE(0xffff & ~((sum & 0xffff) + (sum >>> 16)), 10);
  const udp = Buffer.from("1388" + port.toString(16).padStart(4, "0") + "000c0000" + "61626364", "hex");
  return Buffer.concat([Buffer.from(`${mac}020000000a010800`, "hex"), ip, udp]);
}

/** IPv4 packets that the machine's own stack has got. */
export function stackReceived(): number {
  const [names, values] = readFileSync("/proc/self/net/snmp", "utf8").match(/^Ip: .*$/gm)!;
  return Number(values!.split(" ")[names!.split(" ").indexOf("InReceives")]);
}
