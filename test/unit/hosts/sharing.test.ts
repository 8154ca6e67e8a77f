/*
 * Ports that two workers share by hosts/linux, on loopback: what comes from a terminal comes to one of them, always the same, and
 * nobody else gets it while that one is not there.
 */

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { shimOpen } from "../../../hosts/node/shim.ts";
import { addressParse } from "../../../hosts/shared/address.ts";
import * as abi from "../../../hosts/shared/core.ts";
import { PORT_SHARED, type Shim } from "../../../hosts/shared/runtime.ts";
import type { Share } from "../../../hosts/shared/workers/share.ts";
import { SHIM, shimRefused } from "../../shim.ts";
import { freePort } from "./register.ts";

const SIGNALING_SHARED = 3;
const SIGNAL_QUEUE = 1;
const HOST = "127.0.0.1";
const TERMINALS = 64;
const addresses = Array.from({ length: TERMINALS }, (_, i) => `127.0.2.${i + 1}`);

const refused = shimRefused();

interface Half {
  shim: Shim;
  words: Int32Array;
}

describe.skipIf(refused !== "")(`shared ports${refused === "" ? "" : ` [skipped: ${refused}]`}`, () => {
  const open: { close(): unknown }[] = [];

  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });

  function half(index: number, by: Share["by"], count = 2): Half {
    const memory = new ArrayBuffer(abi.TABLES);
    const shim = shimOpen(SHIM, memory, { index, count, by }) as Shim;
    shim.exchange.set(new Int32Array(addressParse(HOST)!.bytes.slice().buffer), abi.SLOT_MAX);
    const made = { shim, words: new Int32Array(memory) };
    open.push(shim);
    return made;
  }

  /** Ports that datagrams have come from since it was asked last. */
  function heard({ shim, words }: Half): number[] {
    const ports: number[] = [];
    for (;;) {
      const n = shim.receive(SIGNAL_QUEUE);
      for (let i = 0; i < n; i++) ports.push(words[(abi.SLOTS + i * abi.SLOT_SIZE + abi.PACKET_SOURCE_PORT) >> 2]!);
      if (n === 0) return ports;
    }
  }

  async function terminal(address: string): Promise<Socket> {
    const socket = createSocket("udp4").bind(0, address);
    await once(socket, "listening");
    open.push(socket);
    return socket;
  }

  async function send(sockets: Socket[], port: number): Promise<void> {
    for (const socket of sockets) await new Promise((done) => socket.send("x", port, HOST, done));
  }

  const portsOf = (sockets: Socket[]): number[] => sockets.map((socket) => socket.address().port).sort((a, b) => a - b);
  const sorted = (ports: number[]): number[] => [...ports].sort((a, b) => a - b);

  test.each(["port", "address"] as const)("by the terminal's %s each datagram comes to one of both, the same each time", async (by) => {
    const port = await freePort(HOST);
    const halves = [half(0, by), half(1, by)];
    for (const { shim } of halves) expect(shim.bind(port, SIGNALING_SHARED)).toBe(0);
    const sockets = await Promise.all(addresses.map((address) => terminal(by === "port" ? "127.0.2.1" : address)));
    await send(sockets, port);
    const first = halves.map(heard);
    expect(sorted(first.flat())).toEqual(portsOf(sockets));
    expect(Math.min(...first.map(({ length }) => length))).toBeGreaterThan(TERMINALS / 4);
    await send(sockets, port);
    expect(halves.map(heard)).toEqual(first);
  });

  test("by address all ports of one have one worker", async () => {
    const port = await freePort(HOST);
    const halves = [half(0, "address"), half(1, "address")];
    for (const { shim } of halves) shim.bind(port, SIGNALING_SHARED);
    for (const address of addresses.slice(0, 8)) {
      await send(await Promise.all([address, address, address].map(terminal)), port);
      expect(halves.map((one) => heard(one).length).sort()).toEqual([0, 3]);
    }
  });

  test("while one is not there the other gets no more than before, and what came meanwhile is nobody's; then all is as it was", async () => {
    const port = await freePort(HOST);
    const [stays, goes] = [half(0, "port"), half(1, "port")];
    for (const { shim } of [stays, goes]) shim.bind(port, SIGNALING_SHARED);
    const sockets = await Promise.all(addresses.map(terminal));
    await send(sockets, port);
    const [kept, lost] = [heard(stays), heard(goes)];
    goes.shim.close();
    open.splice(open.indexOf(goes.shim), 1);
    await send(sockets, port);
    expect(heard(stays)).toEqual(kept);
    const comes = half(1, "port");
    expect(comes.shim.bind(port, SIGNALING_SHARED)).toBe(0);
    await send(sockets, port);
    expect([heard(stays), heard(comes)]).toEqual([kept, lost]);
  });

  test("a port that is not shared has one of them alone", async () => {
    const port = await freePort(HOST);
    const [one, other] = [half(0, "port"), half(1, "port")];
    expect(one.shim.bind(port, 1)).toBe(0);
    expect(other.shim.code(other.shim.bind(port, 1))).toBe("EADDRINUSE");
    expect(other.shim.code(other.shim.bind(port, SIGNALING_SHARED))).toBe("EADDRINUSE");
    const sockets = await Promise.all(addresses.map(terminal));
    await send(sockets, port);
    expect(heard(one)).toHaveLength(TERMINALS);
  });

  test("connections from an address come to one worker; while it is not there another takes them", async () => {
    const port = await freePort(HOST);
    const halves = [half(0, "address"), half(1, "address")];
    const taken: string[][] = [[], []];
    const servers = await Promise.all(
      halves.map(async ({ shim }, i) => {
        const server = net.createServer((socket) => {
          taken[i]!.push(socket.remoteAddress!);
          socket.destroy();
        });
        server.listen({ fd: shim.listen(port, PORT_SHARED) });
        await once(server, "listening");
        open.push(server);
        return server;
      }),
    );
    const connectAll = async (): Promise<string[][]> => {
      for (const localAddress of [...addresses, ...addresses]) await once(net.connect({ host: HOST, port, localAddress }), "close");
      await sleep(10);
      return taken.map((list) => list.splice(0));
    };
    const [first, second] = (await connectAll()) as [string[], string[]];
    expect([...first, ...second].sort()).toEqual([...addresses, ...addresses].sort());
    expect(first.filter((address) => second.includes(address))).toEqual([]);
    expect(Math.min(first.length, second.length)).toBeGreaterThan(TERMINALS / 2);
    servers[1]!.close();
    halves[1]!.shim.close();
    open.splice(open.indexOf(halves[1]!.shim), 1);
    expect((await connectAll()).map(({ length }) => length)).toEqual([2 * TERMINALS, 0]);
  });

  test("a listener at a port that somebody else has is refused", async () => {
    const server = net.createServer().listen(0, HOST);
    await once(server, "listening");
    open.push(server);
    const { shim } = half(0, "address");
    expect(shim.code(shim.listen((server.address() as net.AddressInfo).port, PORT_SHARED))).toBe("EADDRINUSE");
  });
});
