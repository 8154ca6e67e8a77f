/*
 * Run by ring.test.ts in a network namespace with two interfaces, each the other's end: hosts/linux opens a ring on both, and what was seen
 * is printed as JSON. Interface far has the address 10.99.0.2, and 10.99.0.1 is expected behind it.
 */

import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as abi from "../../../hosts/shared/core.ts";
import { datagramOf, End, frameOf, LONG, RING, stackReceived } from "./ringend.ts";

const MEDIA = 0;
const PORT = 7000;
const BURST = 200;
const FLOOD = 6000;
/** Frames one after another: more than have a place in the memory that AF_XDP shares. */
const TURNS = 3000;

/** Sockets of AF_XDP in this namespace. */
function xdpSockets(): number {
  return Number(/^XDP +\d+ +(\d+)/m.exec(readFileSync("/proc/net/protocols", "utf8"))![1]);
}

/** A frame that is yet to be cut into segments goes on as it is, with what is said of it (virtio_net_hdr: flags, TCP over IPv4, sizes, checksum). */
function segments(a: End, b: End): object {
  const said = Buffer.from("0101" + "3600" + "e803" + "2200" + "1000", "hex");
  const frame = frameOf(0, 20_000, 0x0800);
  frame.fill(0, 14, 54).write("45004e120001000040060000" + "0a630001" + "0a630002", 14, "hex");
  frame.writeUInt8(0x50, 46);
  a.bytes.set(said, abi.INPUT + abi.FRAME_OFFLOAD);
  const failed = a.send(abi.OUTPUT_BRIDGE, [frame], abi.INPUT + abi.FRAME_BYTES);
  const got = b.shim.receive(RING);
  const heard = b.frame(abi.INPUT);
  const kept = Buffer.from(b.bytes.slice(abi.INPUT + abi.FRAME_OFFLOAD, abi.INPUT + abi.FRAME_OFFLOAD + said.length)).equals(said);
  const made = a.send(abi.OUTPUT_FRAME, [frame], abi.INPUT + abi.FRAME_BYTES);
  return { failed, got, kept, flags: heard.flags, same: heard.bytes.equals(frame), made };
}

async function exchange(a: End, b: End, mac: string): Promise<object> {
  const tagged = Buffer.concat([frameOf(2).subarray(0, 12), Buffer.from("8100a064", "hex"), frameOf(2).subarray(12)]);
  const sent = [frameOf(1), tagged];
  const failed = a.send(abi.OUTPUT_FRAME, sent);
  const n = b.shim.receive(RING);
  const [plain, aside] = [b.first(), b.frame(abi.SLOTS + abi.SLOT_SIZE)];
  const passing = {
    failed,
    n,
    same: plain.bytes.equals(sent[0]!) && aside.bytes.equals(frameOf(2)),
    tags: [plain.tag, aside.tag],
    own: a.shim.receive(RING),
    unknown: a.send(abi.OUTPUT_FRAME, [frameOf(1, 20_000)]) + a.shim.failure(),
  };

  const numbers: number[] = [];
  const counts: number[] = [];
  a.send(
    abi.OUTPUT_FRAME,
    Array.from({ length: BURST }, (_, i) => frameOf(i)),
  );
  for (let got = b.shim.receive(RING); got > 0; got = b.shim.receive(RING)) {
    counts.push(got);
    for (let i = 0; i < got; i++) numbers.push(b.frame(abi.SLOTS + i * abi.SLOT_SIZE).bytes.readUInt32BE(14));
  }

  a.send(abi.OUTPUT_FRAME, [frameOf(7), frameOf(8, 1910), frameOf(9)], abi.SLOTS);
  const longest = frameOf(10, 9014);
  a.send(abi.OUTPUT_FRAME, [longest]);
  const results = Array.from({ length: 5 }, () => {
    const got = b.shim.receive(RING);
    return [got, got === LONG ? b.frame(abi.INPUT).bytes.length : b.first().bytes.length];
  });
  const long = { results, same: b.frame(abi.INPUT).bytes.equals(longest) };

  const socket = createSocket("udp4");
  socket.send("hello", PORT, "10.99.0.1");
  await once(socket, "listening");
  await sleep(100);
  socket.close();
  a.shim.receive(RING);
  const partial = { flags: a.first().flags, text: a.first().bytes.subarray(42, 47).toString() };

  const bound = b.bind("10.99.0.2", PORT);
  const before = stackReceived();
  a.send(abi.OUTPUT_FRAME, [datagramOf(mac, PORT), datagramOf(mac, PORT + 1)]);
  await sleep(100);
  const deaf = { bound, ring: b.shim.receive(RING), socket: b.shim.receive(MEDIA), stack: stackReceived() - before };

  a.send(
    abi.OUTPUT_FRAME,
    Array.from({ length: FLOOD }, (_, i) => frameOf(i)),
  );
  let got = 0;
  for (let n = b.shim.receive(RING); n > 0; n = b.shim.receive(RING)) got += n;
  a.send(abi.OUTPUT_FRAME, [frameOf(11)]);
  const after = b.shim.receive(RING);
  const flood = { got, after, lost: b.shim.lost(), asked: b.shim.lost() };
  return { passing, burst: { counts, inOrder: numbers.every((number, i) => number === i) }, long, partial, segments: segments(a, b), deaf, flood };
}

/** Frames are told of after the interface was down as well. */
async function watching(a: End, b: End): Promise<object> {
  const heard: number[] = [];
  b.shim.watch((queue) => {
    for (let n = b.shim.receive(queue); n > 0; n = b.shim.receive(queue))
      for (let i = 0; i < n; i++) heard.push(b.frame(abi.SLOTS + i * abi.SLOT_SIZE).bytes.readUInt32BE(14));
  });
  const say = async (number: number): Promise<void> => {
    a.send(abi.OUTPUT_FRAME, [frameOf(number)]);
    await sleep(50);
  };
  await say(1);
  execFileSync("ip", ["link", "set", "far", "down"]);
  await sleep(50);
  const down = a.send(abi.OUTPUT_FRAME, [frameOf(2)]);
  await sleep(50);
  execFileSync("ip", ["link", "set", "far", "up"]);
  await sleep(50);
  await say(3);
  execFileSync("ip", ["link", "set", "near", "down"]);
  const away = a.send(abi.OUTPUT_FRAME, [frameOf(4), frameOf(5)]);
  execFileSync("ip", ["link", "set", "near", "up"]);
  await sleep(50);
  for (let number = 6; number < 6 + TURNS; number++) a.send(abi.OUTPUT_FRAME, [frameOf(number)]);
  await sleep(50);
  a.shim.watch(() => undefined);
  a.shim.close();
  b.shim.close();
  return { heard: heard.slice(0, 4), last: heard.length - 2, down, away };
}

const [a, b] = [new End(), new End()];
const opened = {
  a: a.ring("near"),
  b: b.ring("far"),
  device: b.device,
  none: a.ring("nowhere"),
  lo: a.ring("lo"),
  again: a.ring("near"),
  taken: a.device.bits,
  xdp: xdpSockets(),
};
console.log(JSON.stringify({ opened, ...(await exchange(a, b, opened.device.mac)), watching: await watching(a, b) }));
