/*
 * WebSocket listeners on real sockets: the subprotocol, secure ones with names, client certificates and renewal, and peers
 * that send too much or read too little.
 */

import { once } from "node:events";
import { get } from "node:http";
import { describe, expect, test } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { listenWebSocket } from "../../../../hosts/connection/websocket.ts";
import type { ServerTls, Stream, StreamReceiver } from "../../../../hosts/shared/runtime.ts";
import { certified, folderMake, HOST, material, openssl, shown, Tested } from "./peer.ts";

const folder = folderMake("websocket");
const tested = new Tested(listenWebSocket, ["ws", "wss"]);
let closed = 0;

function echo(stream: Stream): StreamReceiver {
  return { onData: (data) => void stream.send(data), onClose: () => void closed++ };
}

function listen(tls?: ServerTls, onStream: (stream: Stream) => StreamReceiver | undefined = echo): Promise<Error[]> {
  closed = 0;
  return tested.listen(onStream, tls);
}

interface Answer {
  text: string;
  binary: boolean;
}

/** What comes back for a message, or why nothing does. */
function ask(message: string | Uint8Array, options: ClientOptions = {}, protocols = ["sip"]): Promise<Answer | string> {
  const socket = new WebSocket(`${options.rejectUnauthorized === undefined ? "ws" : "wss"}://${HOST}:${tested.port}`, protocols, options);
  return new Promise((resolve) => {
    socket.on("open", () => socket.send(message));
    socket.on("message", (data: Buffer, binary) => {
      resolve({ text: data.toString("latin1"), binary });
      socket.close();
    });
    socket.on("close", (code) => resolve(`closed ${code}`));
    socket.on("error", () => resolve("refused"));
  });
}

test("text comes back as text, other bytes as bytes; that it ends is heard of once", async () => {
  await listen();
  expect(await ask("hello")).toEqual({ text: "hello", binary: false });
  expect(await ask(Uint8Array.of(0xff, 0xfe))).toEqual({ text: "\xff\xfe", binary: true });
  await expect.poll(() => closed).toBe(2);
});

test("who offers no SIP, sends too much or is not taken is cut off", async () => {
  await listen();
  expect(await ask("hello", {}, ["xmpp"])).toBe("refused");
  expect(await ask("hello", {}, [])).toBe("closed 1002");
  expect(await ask(new Uint8Array(65_536))).toBe("closed 1009");
  tested.listener!.close();
  await listen(undefined, () => undefined);
  expect(await ask("hello")).toMatch(/closed 1006|refused/);
});

test("who comes without an upgrade is told so", async () => {
  await listen();
  const [response] = await once(get({ host: HOST, port: tested.port }), "response");
  expect(response.statusCode).toBe(426);
});

test("a peer that does not read has what is sent to it counted", async () => {
  let most = 0;
  const receiver = (stream: Stream): StreamReceiver => ({
    onData: () => {
      for (let i = 0; i < 400; i++) most = stream.send(new Uint8Array(60_000).fill(0x55));
      stream.abort();
    },
    onClose: () => void closed++,
  });
  await listen(undefined, receiver);
  const socket = new WebSocket(`ws://${HOST}:${tested.port}`, ["sip"]);
  await once(socket, "open");
  socket.pause();
  socket.send("hello");
  await expect.poll(() => most).toBeGreaterThan(1 << 20);
  await expect.poll(() => closed).toBe(1);
  socket.terminate();
});

describe.skipIf(!openssl)("secure [skipped without openssl]", () => {
  test("names, and new certificates without a restart", async () => {
    await listen(material(folder, "one.example.com", { names: { "two.example.com": certified(folder, "two.example.com") } }));
    expect(await ask("hello", { rejectUnauthorized: false })).toEqual({ text: "hello", binary: false });
    expect(await shown(tested.port, "two.example.com")).toBe("two.example.com");
    tested.listener!.renew(material(folder, "three.example.com", { names: { "two.example.com": certified(folder, "four.example.com") } }));
    expect(await shown(tested.port, "one.example.com")).toBe("three.example.com");
    expect(await shown(tested.port, "two.example.com")).toBe("four.example.com");
  });

  test("a client without the right certificate is refused when one is asked for", async () => {
    const client = certified(folder, "client.example.com");
    const stranger = certified(folder, "stranger.example.com");
    await listen(material(folder, "server.example.com", { clients: client.certificate }));
    const options = (own: typeof client): ClientOptions => ({ rejectUnauthorized: false, cert: own.certificate, key: own.key });
    expect(await ask("hello", options(client))).toMatchObject({ text: "hello" });
    expect(await ask("hello", options(stranger))).toBe("refused");
    expect(await ask("hello", { rejectUnauthorized: false })).toBe("refused");
  });
});
