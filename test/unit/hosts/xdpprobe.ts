/*
 * Run by ring.test.ts in a network namespace with two interfaces, each the other's end, of which `far` has the address 10.99.0.2:
 * what `receive: xdp` diverts, and what it leaves to the packet socket and the stack, is printed as JSON.
 */

import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import * as abi from "../../../hosts/shared/core.ts";
import { PORT_SIGNALING } from "../../../hosts/shared/runtime.ts";
import { datagramOf, End, RING, stackReceived } from "./ringend.ts";

const DIVERTED = 2;
const MEDIA = 0;
const PORT = 7000;
const FLOOD = 6000;
const LOST = 512;

function fragmentOf(frame: Buffer): Buffer {
  const fragment = Buffer.from(frame);
  fragment.writeUInt16BE(0x2000, 20);
  // The header's checksum counts the bit (RFC 791 3.1).
  fragment.writeUInt16BE(fragment.readUInt16BE(24) - 0x2000, 24);
  return fragment;
}

function taggedOf(frame: Buffer): Buffer {
  return Buffer.concat([frame.subarray(0, 12), Buffer.from("81000007", "hex"), frame.subarray(12)]);
}

/** UDP over IPv6 for the port, with four bytes and no checksum: nobody looks at it here. */
function sixOf(mac: string): Buffer {
  const ip = Buffer.from("600000000" + "00c1140" + "20010db8009900000000000000000001" + "20010db8009900000000000000000002", "hex");
  return Buffer.concat([Buffer.from(`${mac}020000000a0186dd`, "hex"), ip, Buffer.from("1388" + PORT.toString(16) + "000c0000" + "61626364", "hex")]);
}

/** For a service's address, which no interface has: rules may leave it to the stack, which sends it on. */
function elsewhereOf(frame: Buffer): Buffer {
  const other = Buffer.from(frame);
  other[33] = 9;
  return other;
}

/** Frames by their way: what AF_XDP takes, neither another packet socket (`tap`) nor the stack sees. */
async function ways(near: End, far: End, tap: End, mac: string): Promise<object> {
  const ours = datagramOf(mac, PORT);
  const sent = [ours, fragmentOf(ours), sixOf(mac), taggedOf(ours), datagramOf(mac, PORT + 1), elsewhereOf(ours)];
  const before = stackReceived();
  const failed = near.send(abi.OUTPUT_FRAME, sent);
  await sleep(100);
  const [seen, tapped] = [far.rest(), tap.rest()];
  const numbersOf = (frames: typeof seen): number[] =>
    frames.map(({ bytes, tag }) => sent.findIndex((frame) => frame.equals(tag === 0 ? bytes : taggedOf(bytes)))).sort();
  return { failed, seen: numbersOf(seen), tapped: numbersOf(tapped), stack: stackReceived() - before, socket: far.shim.receive(MEDIA) };
}

/** A datagram of the stack's own, whose checksum is left to the network card, to an address that no interface has. */
async function partial(near: End): Promise<object> {
  const bound = near.bind("10.99.0.1", PORT);
  execFileSync("ip", ["neigh", "replace", "10.99.0.1", "lladdr", "02:00:00:00:00:0a", "dev", "far"]);
  const socket = createSocket("udp4");
  socket.send("hello", PORT, "10.99.0.1");
  await once(socket, "listening");
  await sleep(100);
  socket.close();
  const [frame] = near.rest().filter(({ bytes }) => bytes.readUInt16BE(12) === 0x0800);
  near.shim.unbind(PORT);
  return { bound, flags: frame?.flags, text: frame?.bytes.subarray(42, 47).toString() };
}

/** More than find room, then one. */
function flood(near: End, far: End, mac: string): object {
  near.send(abi.OUTPUT_FRAME, Array<Buffer>(FLOOD).fill(datagramOf(mac, PORT)));
  let [got, lost] = [0, 0];
  for (let n = far.shim.receive(RING); n > 0; n = far.shim.receive(RING)) {
    got += n & 255;
    if ((n & LOST) !== 0) lost += far.shim.lost();
  }
  near.send(abi.OUTPUT_FRAME, [datagramOf(mac, PORT)]);
  return { got, lost, after: far.rest().length };
}

/** What is diverted calls the host, as what is not; nothing is diverted any more when the port is closed. */
async function watching(near: End, far: End, mac: string): Promise<object> {
  const heard: number[] = [];
  far.shim.watch(() => heard.push(...far.rest().map(({ bytes }) => bytes.readUInt16BE(36))));
  near.send(abi.OUTPUT_FRAME, [datagramOf(mac, PORT), datagramOf(mac, PORT + 2)]);
  await sleep(100);
  const open = heard.splice(0).sort();
  far.bind("10.99.0.2", PORT);
  far.shim.unbind(PORT);
  const before = stackReceived();
  near.send(abi.OUTPUT_FRAME, [datagramOf(mac, PORT)]);
  await sleep(100);
  near.shim.watch(() => undefined);
  for (const end of [near, far]) end.shim.close();
  return { open, closed: heard, stack: stackReceived() - before };
}

const [near, far, tap] = [new End(), new End(), new End()];
const hidden = far.ring("far", DIVERTED);
for (const name of ["near", "far"]) execFileSync("ethtool", ["-K", name, "rxvlan", "off"]);
const opened = {
  hidden,
  far: far.ring("far", DIVERTED),
  bits: far.device.bits,
  near: near.ring("near", DIVERTED),
  taken: tap.ring("far", DIVERTED),
  tap: tap.ring("far"),
};
const { mac } = tap.device;
const bound = [far.bind("10.99.0.2", PORT), far.bind("2001:db8:99::2", PORT), far.bind("10.99.0.9", PORT, PORT_SIGNALING)];
const seen = { opened, bound, ways: await ways(near, far, tap, mac), partial: await partial(near), flood: flood(near, far, mac) };
tap.shim.watch(() => undefined);
tap.shim.close();
console.log(JSON.stringify({ ...seen, watching: await watching(near, far, mac) }));
