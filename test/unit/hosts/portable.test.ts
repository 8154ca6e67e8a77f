/*
 * A port of media on Node's own sockets: the second, connected one that a stream gets takes nothing away from the first.
 */

import { afterEach, expect, test } from "vitest";
import { nodeRuntime } from "../../../hosts/node/runtime.ts";
import type { Socket } from "../../../hosts/shared/runtime.ts";
import { freePort, Peer, peer } from "./register.ts";

const HOST = "127.0.0.1";
/** More than make a stream. */
const MANY = 40;

const open: { close(): void }[] = [];
let heard: string[];
let failures: string[];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function listen(port: number, signal: boolean): Socket {
  [heard, failures] = [[], []];
  const socket = nodeRuntime.listen({
    address: HOST,
    port,
    signal,
    onPacket: (data, _, from) => void heard.push(`${Buffer.from(data).toString()} ${from}`),
    onFailure: (error, times = 1) => {
      for (let i = 0; i < times; i++) failures.push(error.message);
    },
  });
  open.push(socket);
  return socket;
}

async function until(n: number): Promise<void> {
  for (let waited = 0; waited < 2000 && heard.length < n; waited++) await new Promise((resolve) => setTimeout(resolve, 1));
}

test.each([false, true])("whoever sends is heard while a stream goes to one of them; signaling: %s", async (signal) => {
  const port = await freePort(HOST);
  const socket = listen(port, signal);
  const [far, farPort] = await peer(HOST);
  const [stranger, strangerPort] = await peer(HOST);
  for (let i = 0; i < MANY; i++) {
    socket.send(Buffer.from(`to ${i}`), HOST, farPort);
    expect(await far.receive()).toEqual({ text: `to ${i}`, port, address: HOST });
  }
  far.send("from the far end", HOST, port);
  stranger.send("from a stranger", HOST, port);
  await until(2);
  expect(heard.sort()).toEqual([`from a stranger ${strangerPort}`, `from the far end ${farPort}`]);
  socket.send(Buffer.from("elsewhere"), HOST, strangerPort);
  expect((await stranger.receive()).port).toBe(port);
  far.send("still", HOST, port);
  await until(3);
  expect(heard[2]).toBe(`still ${farPort}`);
  expect(failures).toEqual([]);
});

test("that nobody listens at the far end for a while is no failure", async () => {
  const port = await freePort(HOST);
  const socket = listen(port, false);
  const far = new Peer(HOST);
  const farPort = await far.open();
  for (let i = 0; i < MANY; i++) socket.send(Buffer.from("on"), HOST, farPort);
  far.close();
  for (let i = 0; i < MANY; i++) {
    socket.send(Buffer.from("off"), HOST, farPort);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(failures).toEqual([]);
});

test.each(["255.255.255.255", "203.0.113.9"])("a stream to where the system has no way, %s, fails packet by packet and ends nothing", async (nowhere) => {
  const port = await freePort(HOST);
  const socket = listen(port, false);
  for (let i = 0; i < MANY; i++) socket.send(Buffer.from("on"), nowhere, 9);
  const [far, farPort] = await peer(HOST);
  socket.send(Buffer.from("here"), HOST, farPort);
  expect((await far.receive()).text).toBe("here");
  far.send("there", HOST, port);
  await until(1);
  expect(heard).toEqual([`there ${farPort}`]);
  expect(failures).toHaveLength(MANY);
});

test("what of a stream cannot be sent is counted by samples", async () => {
  const port = await freePort(HOST);
  const socket = listen(port, false);
  const [far, farPort] = await peer(HOST);
  for (let i = 0; i < 2 * MANY; i++) {
    socket.send(Buffer.from(`to ${i}`), HOST, farPort);
    await far.receive();
  }
  // More than a datagram holds.
  for (let i = 0; i < 160; i++) socket.send(Buffer.alloc(65_535), HOST, farPort);
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(failures).toHaveLength(160);
  socket.send(Buffer.from("after"), HOST, farPort);
  expect((await far.receive()).text).toBe("after");
});

test("a port that somebody has is found, one of media too, with a stream and without", async () => {
  const port = await freePort(HOST);
  const socket = listen(port, false);
  const [far, farPort] = await peer(HOST);
  const opened =
    (signal: boolean): (() => void) =>
    () =>
      listen(port, signal);
  expect(opened(false)).toThrow(/EADDRINUSE/);
  expect(opened(true)).toThrow(/EADDRINUSE/);
  for (let i = 0; i < MANY; i++) {
    socket.send(Buffer.from(`to ${i}`), HOST, farPort);
    await far.receive();
  }
  expect(opened(false)).toThrow(/EADDRINUSE/);
  expect(opened(true)).toThrow(/EADDRINUSE/);
});
