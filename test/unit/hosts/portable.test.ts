/*
 * A port of media on Node's own sockets: the second, connected one that a stream gets takes nothing away from the first.
 */

import { afterEach, expect, test } from "vitest";
import { nodeRuntime } from "../../../hosts/node/runtime.ts";
import type { Socket } from "../../../hosts/shared/runtime.ts";
import { freePort, Peer } from "./register.ts";

const HOST = "127.0.0.1";
/** More than make a stream. */
const MANY = 40;

const open: { close(): void }[] = [];
let heard: string[];
let failures: string[];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function peer(): Promise<[Peer, number]> {
  const made = new Peer();
  open.push(made);
  return [made, await made.open(HOST)];
}

function listen(port: number, signal: boolean): Socket {
  [heard, failures] = [[], []];
  const socket = nodeRuntime.listen({
    address: HOST,
    port,
    signal,
    onPacket: (data, _, from) => void heard.push(`${Buffer.from(data).toString()} ${from}`),
    onFailure: (error) => void failures.push(error.message),
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
  const [far, farPort] = await peer();
  const [stranger, strangerPort] = await peer();
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
  const far = new Peer();
  const farPort = await far.open(HOST);
  for (let i = 0; i < MANY; i++) socket.send(Buffer.from("on"), HOST, farPort);
  far.close();
  for (let i = 0; i < MANY; i++) {
    socket.send(Buffer.from("off"), HOST, farPort);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(failures).toEqual([]);
});

test("a port of media is ours alone as long as the other program does not share its ports", async () => {
  const port = await freePort(HOST);
  listen(port, false);
  expect(() => listen(port, true)).toThrow(/EADDRINUSE/);
});
