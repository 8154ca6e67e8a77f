/*
 * TCP and TLS listeners and connections on real sockets: names (SNI), client certificates, renewal, and what a peer that
 * misbehaves leads to. Deno runs it too (deno.test.ts).
 */

import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { describe, expect, test } from "vitest";
import { dial, listenStream } from "../../../../hosts/connection/stream.ts";
import { certificateCheck } from "../../../../hosts/connection/tls.ts";
import type { CertifiedKey, ServerTls, Stream, StreamReceiver } from "../../../../hosts/shared/runtime.ts";
import { freePort } from "../register.ts";
import { certified, folderMake, HOST, material, openssl, shown, Tested } from "./peer.ts";

const folder = folderMake("stream");
const tested = new Tested(listenStream, ["tcp", "tls"]);

/** Sends everything back. */
function echo(stream: Stream): StreamReceiver {
  return { onData: (data) => void stream.send(data), onClose: () => undefined };
}

function listen(material?: ServerTls, onStream: (stream: Stream) => StreamReceiver | undefined = echo): Promise<Error[]> {
  return tested.listen(onStream, material);
}

/** What comes back for a text; "" when the connection ends before. */
function ask(socket: net.Socket, text: string): Promise<string> {
  return new Promise((resolve) => {
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString());
    });
    socket.on("error", () => resolve(""));
    socket.on("close", () => resolve(""));
    socket.write(text);
  });
}

test("TCP: what is sent comes back; whom nobody takes is cut off", async () => {
  await listen();
  expect(await ask(net.connect(tested.port, HOST), "hello")).toBe("hello");
  tested.listener!.close();
  await listen(undefined, () => undefined);
  expect(await ask(net.connect(tested.port, HOST), "hello")).toBe("");
});

test("a port in use is heard of", async () => {
  const failures = await listen();
  const second: Error[] = [];
  const taken = listenStream({
    address: HOST,
    port: tested.port,
    transport: "tcp",
    media: false,
    tls: undefined,
    onStream: echo,
    onFailure: (error) => void second.push(error),
  });
  await expect.poll(() => second.map(({ message }) => message)).toEqual([expect.stringContaining("EADDRINUSE")]);
  taken.close();
  expect(failures).toEqual([]);
});

test("dialling: what is sent before the connection is up arrives; one that fails is heard of once", async () => {
  await listen();
  const heard: string[] = [];
  let openPort = 0;
  const closed: (Error | undefined)[] = [];
  const receiver = (): StreamReceiver => ({ onData: (data) => void heard.push(data.toString()), onClose: (error) => void closed.push(error) });
  const stream = dial({
    localAddress: HOST,
    address: HOST,
    port: tested.port,
    transport: "tcp",
    media: false,
    tls: undefined,
    onOpen: (at) => (openPort = at),
    receiver: receiver(),
  });
  stream.send(Buffer.from("early"));
  await expect.poll(() => heard).toEqual(["early"]);
  expect(openPort).toBeGreaterThan(0);
  stream.close();
  tested.listener!.close();
  const idle = await freePort(HOST);
  dial({ localAddress: HOST, address: HOST, port: idle, transport: "tcp", media: false, tls: undefined, onOpen: () => undefined, receiver: receiver() });
  await expect.poll(() => closed.filter((error) => error !== undefined).length).toBe(1);
});

test("a peer that does not read has what is sent to it counted, and hears the rest before the end", async () => {
  let waiting = 0;
  const send = (stream: Stream): StreamReceiver => {
    for (let i = 0; i < 400; i++) waiting = stream.send(new Uint8Array(60_000));
    stream.close();
    return { onData: () => undefined, onClose: () => undefined };
  };
  await listen(undefined, send);
  const socket = net.connect(tested.port, HOST).pause();
  await expect.poll(() => waiting).toBeGreaterThan(1 << 20);
  let heard = 0;
  socket.on("data", (data) => void (heard += data.length)).resume();
  await once(socket, "close");
  expect(heard).toBe(400 * 60_000);
});

describe.skipIf(!openssl)("TLS [skipped without openssl]", () => {
  test("names, and new certificates without a restart", async () => {
    await listen(material(folder, "one.example.com", { names: { "two.example.com": certified(folder, "two.example.com") } }));
    expect(await shown(tested.port, "one.example.com")).toBe("one.example.com");
    expect(await shown(tested.port, "two.example.com")).toBe("two.example.com");
    expect(await shown(tested.port, "other.example.com")).toBe("one.example.com");
    tested.listener!.renew(material(folder, "three.example.com", { names: { "two.example.com": certified(folder, "four.example.com") } }));
    expect(await shown(tested.port, "one.example.com")).toBe("three.example.com");
    expect(await shown(tested.port, "two.example.com")).toBe("four.example.com");
  });

  test("a client without the right certificate is refused when one is asked for", async () => {
    const client = certified(folder, "client.example.com");
    const stranger = certified(folder, "stranger.example.com");
    const failures = await listen(material(folder, "server.example.com", { clients: client.certificate }));
    const connect = (own?: CertifiedKey): tls.TLSSocket =>
      tls.connect({ host: HOST, port: tested.port, rejectUnauthorized: false, ...(own ? { cert: own.certificate, key: own.key } : {}) });
    expect(await ask(connect(client), "hello")).toBe("hello");
    expect(await ask(connect(stranger), "hello")).toBe("");
    expect(await ask(connect(), "hello")).toBe("");
    await expect.poll(() => failures.length).toBe(2);
    for (const { message } of failures) expect(message).toMatch(/certificate/);
  });

  test("for each name the same authorities vouch for clients", async () => {
    const client = certified(folder, "client.example.com");
    await listen(material(folder, "one.example.com", { names: { "*.two.example.com": certified(folder, "two.example.com") }, clients: client.certificate }));
    const connect = (more: object): tls.TLSSocket =>
      tls.connect({ host: HOST, port: tested.port, rejectUnauthorized: false, servername: "A.two.example.com", ...more });
    expect(await shown(tested.port, "A.two.example.com")).toBe("two.example.com");
    expect(await ask(connect({ cert: client.certificate, key: client.key }), "hello")).toBe("hello");
    expect(await ask(connect({}), "hello")).toBe("");
  });

  test("a certificate that does not fit is found before it is used", () => {
    const [one, two] = [certified(folder, "one.example.com"), certified(folder, "two.example.com")];
    certificateCheck(one.certificate + two.certificate, one.key);
    certificateCheck(one.certificate);
    expect(() => certificateCheck(one.certificate, two.key)).toThrow("the key belongs to another certificate");
    expect(() => certificateCheck("junk", one.key)).toThrow("there is no certificate in it");
    expect(() => certificateCheck(one.key)).toThrow("there is no certificate in it");
    expect(() => certificateCheck(one.certificate, "junk")).toThrow();
  });

  test("a server's certificate is checked against its address, or the name that is configured", async () => {
    const server = material(folder, "server.example.com");
    await listen(server);
    const reach = (authorities: string | undefined, name: string | undefined): Promise<string> =>
      new Promise((resolve) => {
        const stream: Stream = dial({
          localAddress: HOST,
          address: HOST,
          port: tested.port,
          transport: "tls",
          media: false,
          tls: { authorities, name, certified: undefined },
          onOpen: () => undefined,
          receiver: { onData: (data) => resolve(data.toString()), onClose: (error) => resolve(error?.message ?? "closed") },
        });
        stream.send(Buffer.from("hello"));
      });
    expect(await reach(server.certificate, undefined)).toBe("hello");
    expect(await reach(server.certificate, "server.example.com")).toBe("hello");
    expect(await reach(server.certificate, "other.example.com")).toMatch(/does not match certificate/);
    expect(await reach(certified(folder, "nobody.example.com").certificate, undefined)).toMatch(/self-signed certificate/);
  });

  test("who speaks no TLS is heard of, and others are still served", async () => {
    const failures = await listen(material(folder, "server.example.com"));
    expect(await ask(net.connect(tested.port, HOST), "OPTIONS sip:x SIP/2.0\r\n\r\n")).toMatch(/^(?!OPTIONS)/);
    await expect.poll(() => failures.length).toBe(1);
    expect(await shown(tested.port, "server.example.com")).toBe("server.example.com");
  });
});
