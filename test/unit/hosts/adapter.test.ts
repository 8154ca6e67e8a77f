import { afterEach, describe, expect, test } from "vitest";
import { type DatagramSocket, listenDatagram } from "../../../hosts/node-dgram-adapter/index.ts";

const open: DatagramSocket[] = [];

function listen(hostname: string, more: { port?: number; queueLimit?: number } = {}): DatagramSocket {
  const socket = listenDatagram({ transport: "udp", hostname, port: 0, ...more });
  open.push(socket);
  return socket;
}

afterEach(() => {
  for (const socket of open.splice(0)) {
    try {
      socket.close();
    } catch {
      // The test closed it.
    }
  }
});

const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const bytes = (data: string): Uint8Array => new TextEncoder().encode(data);

describe.each(["127.0.0.1", "::1"])("over %s", (host) => {
  test("the socket is bound when listenDatagram returns", () => {
    const { addr } = listen(host);
    expect(addr).toMatchObject({ transport: "udp", hostname: host });
    expect(addr.port).toBeGreaterThan(0);
  });

  test("sends and receives with Deno's shape", async () => {
    const a = listen(host);
    const b = listen(host);
    expect(await a.send(bytes("hello"), b.addr)).toBe(5);
    const [data, from] = await b.receive();
    expect(text(data)).toBe("hello");
    expect(from).toEqual(a.addr);
  });

  test("post and onmessage do the same without promises", async () => {
    const a = listen(host);
    const b = listen(host);
    const heard = new Promise((resolve) => {
      b.onmessage = (data, hostname, port) => resolve([text(data), hostname, port]);
    });
    a.post(bytes("quick"), host, b.addr.port);
    expect(await heard).toEqual(["quick", host, a.addr.port]);
  });
});

test("a port in use is thrown at once, under Deno's name and Node's code", () => {
  const { addr } = listen("127.0.0.1");
  expect(() => listen("127.0.0.1", { port: addr.port })).toThrow(expect.objectContaining({ name: "AddrInUse", code: "EADDRINUSE" }));
});

test("an address that is not ours is thrown at once", () => {
  expect(() => listen("192.0.2.77")).toThrow(expect.objectContaining({ name: "AddrNotAvailable", code: "EADDRNOTAVAIL" }));
});

test("a name is refused with what to do", () => {
  expect(() => listen("example.org")).toThrow(/"example.org" is not an IP address/);
});

test("receive(p) cuts to p, receive() takes all", async () => {
  const a = listen("127.0.0.1");
  const b = listen("127.0.0.1");
  await a.send(new Uint8Array(2000).fill(7), b.addr);
  await a.send(new Uint8Array(2000).fill(8), b.addr);
  const [cut] = await b.receive(new Uint8Array(10));
  expect(cut).toEqual(new Uint8Array(10).fill(7));
  const [whole] = await b.receive();
  expect(whole.length).toBe(2000);
});

test("the receive queue is bounded: the newest are dropped and counted", async () => {
  const a = listen("127.0.0.1");
  const b = listen("127.0.0.1", { queueLimit: 2 });
  for (const word of ["1", "2", "3", "4"]) await a.send(bytes(word), b.addr);
  await expect.poll(() => b.dropped).toBe(2);
  expect(text((await b.receive())[0])).toBe("1");
  expect(text((await b.receive())[0])).toBe("2");
});

test("failed posts go to onerror, failed sends reject", async () => {
  const a = listen("127.0.0.1");
  const tooLong = new Uint8Array(70_000);
  const failure = new Promise<string | undefined>((resolve) => {
    a.onerror = (error) => resolve(error.code);
  });
  a.post(tooLong, "127.0.0.1", 9);
  expect(await failure).toBe("EMSGSIZE");
  await expect(a.send(tooLong, { transport: "udp", hostname: "127.0.0.1", port: 9 })).rejects.toMatchObject({ code: "EMSGSIZE" });
});

test("close ends what waits with BadResource, and the iterator quietly", async () => {
  const a = listen("127.0.0.1");
  const waiting = a.receive();
  const b = listen("127.0.0.1");
  const seen: string[] = [];
  const iterating = (async () => {
    for await (const [data] of b) seen.push(text(data));
  })();
  await a.send(bytes("one"), b.addr);
  await expect.poll(() => seen).toEqual(["one"]);
  a.close();
  b.close();
  await expect(waiting).rejects.toMatchObject({ name: "BadResource" });
  await iterating;
  await expect(a.send(bytes("late"), b.addr)).rejects.toMatchObject({ name: "BadResource" });
  expect(() => a.close()).toThrow(/closed/);
});
