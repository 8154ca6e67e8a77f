/*
 * Media over TCP through a running proxy, on real sockets: MSRP with CEMA (RFC 6714) from a terminal behind a NAT. Deno runs it
 * too (deno.test.ts).
 */

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import net from "node:net";
import { afterEach, expect, test } from "vitest";
import { nodeHost } from "../../../../hosts/node/host.ts";
import { configRead } from "../../../../hosts/shared/config.ts";
import { countersRead } from "../../../../hosts/shared/names.ts";
import { type Proxy, proxyStart } from "../../../../hosts/shared/proxy.ts";
import type { Host } from "../../../../hosts/shared/runtime.ts";
import { fakeLog } from "../fakelog.ts";
import { freePort, type Peer, peer } from "../register.ts";

const host: Host = { ...nodeHost, coreBinary: () => readFile("dist/core.wasm") };
const TERMINAL = "127.0.0.4";
const SERVER = "127.0.0.3";

let terminal: Peer;
let server: Peer;
let proxy: Proxy;
let port = 0;
let listener: net.Server | undefined;
const sockets: net.Socket[] = [];

afterEach(() => {
  proxy.stop();
  listener?.close();
  listener = undefined;
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A message about one call, with a description of one line when its lines are given. */
function message(start: string, via: string, cseq: string, lines: string[] = []): string {
  const address = lines.length > 0 ? /IN IP4 (\S+)/.exec(lines[0]!)![1]! : "";
  const body = lines.length > 0 ? ["v=0", `o=- 1 1 IN IP4 ${address}`, "s=-", lines[0], "t=0 0", ...lines.slice(1), ""].join("\r\n") : "";
  const tag = start.startsWith("INVITE") ? "" : ";tag=b";
  const head = [start, via, "Max-Forwards: 70", "From: <sip:a@example.com>;tag=a", `To: <sip:b@example.com>${tag}`, "Call-ID: c@example.com", `CSeq: ${cseq}`];
  const contact = start.startsWith("SIP") ? `<sip:b@${SERVER}>` : "<sip:a@192.168.1.2:5060>";
  const type = body === "" ? [] : ["Content-Type: application/sdp"];
  return [...head, `Contact: ${contact}`, ...type, `Content-Length: ${body.length}`, "", body].join("\r\n");
}

const viaOf = (text: string): string => /^Via: [^\r]*/m.exec(text)![0];
const mediaPort = (text: string): number => Number(/^m=\w+ (\d+)/m.exec(text)![1]);

async function start(): Promise<void> {
  [terminal] = await peer(TERMINAL);
  let serverPort = 0;
  [server, serverPort] = await peer(SERVER);
  port = await freePort("127.0.0.1");
  const text = `
realms:
  access: { address: 127.0.0.1, ports: { media: 20000-20999 }, linger: 300ms }
  core: { address: 127.0.0.2, ports: { media: 21000-21999 }, linger: 300ms }
services: { voice: { address: "127.0.0.1:${port}", servers: ["${SERVER}:${serverPort}"] } }
secret: 000102030405060708090a0b0c0d0e0f
io: portable
`;
  proxy = await proxyStart({ config: configRead(text, "culvert.yaml").config!, directory: "", kind: "wasm", host, log: fakeLog() });
}

/** Sets a call up; the server is passive at the port. Returns the descriptions as each side sees the other's. */
async function call(passivePort: number): Promise<{ offer: string; answer: string }> {
  const path = "a=path:msrp://192.168.1.2:7654/s1;tcp";
  const offered = ["c=IN IP4 192.168.1.2", "m=message 7654 TCP/MSRP *", "a=accept-types:*", "a=msrp-cema", "a=setup:actpass", path];
  terminal.send(message("INVITE sip:b@example.com SIP/2.0", "Via: SIP/2.0/UDP 192.168.1.2:5060;branch=z9hG4bK1", "1 INVITE", offered), "127.0.0.1", port);
  const invite = await server.receive();
  const answered = [
    `c=IN IP4 ${SERVER}`,
    `m=message ${passivePort} TCP/MSRP *`,
    "a=msrp-cema",
    "a=setup:passive",
    `a=path:msrp://${SERVER}:${passivePort}/s2;tcp`,
  ];
  server.send(message("SIP/2.0 200 OK", viaOf(invite.text), "1 INVITE", answered), invite.address, invite.port);
  const { text: answer } = await terminal.receive();
  terminal.send(message("ACK sip:b@example.com SIP/2.0", "Via: SIP/2.0/UDP 192.168.1.2:5060;branch=z9hG4bK2", "1 ACK"), "127.0.0.1", port);
  await server.receive();
  return { offer: invite.text, answer };
}

/** A passive peer at the server's address: its port, and the connection that it takes. */
async function passive(halfOpen = false): Promise<{ at: number; taken: Promise<net.Socket> }> {
  listener = net.createServer({ allowHalfOpen: halfOpen });
  listener.listen(0, SERVER);
  await once(listener, "listening");
  const taken = once(listener, "connection").then(([socket]: net.Socket[]) => {
    sockets.push(socket!);
    return socket!.on("error", () => undefined);
  });
  return { at: (listener.address() as net.AddressInfo).port, taken };
}

function connect(to: string, at: number, from: string, halfOpen = false): net.Socket {
  const socket = net.connect({ host: to, port: at, localAddress: from, allowHalfOpen: halfOpen });
  sockets.push(socket);
  return socket.on("error", () => undefined);
}

async function heard(socket: net.Socket): Promise<string> {
  return String((await once(socket, "data"))[0]);
}

/** Is a connection to there taken? */
async function isTaken(to: string, at: number, from: string): Promise<boolean> {
  const socket = connect(to, at, from);
  return new Promise((resolve) => {
    socket.once("close", () => resolve(false));
    socket.once("connect", () => setTimeout(() => resolve(!socket.destroyed && !socket.readableEnded), 200));
  });
}

test("bytes flow both ways between a terminal behind a NAT and a server; the ports are closed after the call", async () => {
  await start();
  const { at, taken } = await passive();
  const { offer, answer } = await call(at);
  expect(offer).toContain("c=IN IP4 127.0.0.2");
  expect(offer).toContain("a=setup:active\r\n");
  expect(offer).toContain("a=path:msrp://192.168.1.2:7654/s1;tcp");
  expect(answer).toContain("c=IN IP4 127.0.0.1");
  expect(answer).toContain(`a=path:msrp://${SERVER}:${at}/s2;tcp`);

  const client = connect("127.0.0.1", mediaPort(answer), TERMINAL);
  client.write("MSRP early SEND");
  const peer = await taken;
  expect(peer.remoteAddress).toBe("127.0.0.2");
  expect(await heard(peer)).toBe("MSRP early SEND");
  peer.write("MSRP early 200 OK");
  expect(await heard(client)).toBe("MSRP early 200 OK");

  const bye = message("BYE sip:b@example.com SIP/2.0", "Via: SIP/2.0/UDP 192.168.1.2:5060;branch=z9hG4bK3", "2 BYE");
  terminal.send(bye, "127.0.0.1", port);
  const request = await server.receive();
  server.send(message("SIP/2.0 200 OK", viaOf(request.text), "2 BYE"), request.address, request.port);
  const ended = [once(client, "close"), once(peer, "close")];
  await terminal.receive();
  await Promise.all(ended);
  expect(await isTaken("127.0.0.1", mediaPort(answer), TERMINAL)).toBe(false);
  expect(proxy.pump.streams.size).toBe(0);
});

test("each way ends by itself, and who does not read holds the other up", async () => {
  await start();
  const { at, taken } = await passive(true);
  const { answer } = await call(at);
  const client = connect("127.0.0.1", mediaPort(answer), TERMINAL, true);
  const peer = await taken;
  peer.pause();
  const size = 64 << 20;
  let written = 0;
  const chunk = Buffer.alloc(1 << 20, 7);
  const fill = (): void => {
    while (written < size) {
      written += chunk.length;
      if (!client.write(chunk)) return;
    }
    client.end();
  };
  client.on("drain", fill);
  fill();
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(written).toBeLessThan(size);
  let got = 0;
  peer.on("data", (data: Buffer) => void (got += data.length)).resume();
  await once(peer, "end");
  expect(got).toBe(size);
  peer.end("the other way still goes");
  expect(await heard(client)).toBe("the other way still goes");
  await once(client, "close");
  await expect.poll(() => proxy.pump.streams.size).toBe(0);
});

test("a stranger is refused, and so is a second connection", async () => {
  await start();
  const { at, taken } = await passive();
  const { offer, answer } = await call(at);
  expect(await isTaken("127.0.0.1", mediaPort(answer), "127.0.0.9")).toBe(false);
  expect(await isTaken("127.0.0.2", mediaPort(offer), SERVER)).toBe(false);
  const client = connect("127.0.0.1", mediaPort(answer), TERMINAL);
  await taken;
  expect(await isTaken("127.0.0.1", mediaPort(answer), TERMINAL)).toBe(false);
  client.write("still here");
  expect(await heard(await taken)).toBe("still here");
  expect(countersRead(proxy.core.memory)).toMatchObject({ "media-stranger": 1, "media-no-remote": 1, "media-taken": 1 });
});

test("a peer that takes no connection: who connected is told by its end, and may try again", async () => {
  await start();
  const { at, taken } = await passive();
  listener!.close();
  const { answer } = await call(at);
  const client = connect("127.0.0.1", mediaPort(answer), TERMINAL);
  client.resume();
  await once(client, "close");
  void taken.catch(() => undefined);
  const late = net.createServer((socket) => void sockets.push(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => void late.listen(at, SERVER, resolve));
  listener = late;
  const accepted = once(late, "connection");
  connect("127.0.0.1", mediaPort(answer), TERMINAL).write("again");
  expect(await heard(((await accepted) as net.Socket[])[0]!)).toBe("again");
});
