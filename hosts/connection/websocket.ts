/*
 * SIP over WebSocket (RFC 7118) by the package ws: each message of the one is a message of the other.
 */

import http from "node:http";
import https from "node:https";
import { clearInterval, setInterval, setTimeout } from "node:timers";
import { type WebSocket, WebSocketServer } from "ws";
import type { Stream, StreamListener, StreamListenRequest } from "../shared/runtime.ts";
import { placeOf } from "./stream.ts";
import { type Secured, securedServer } from "./tls.ts";

const SUBPROTOCOL = "sip";
/** The core takes no longer message. */
const MESSAGE_MOST = 65_535;
/** Keeps NATs and HTTP proxies in between awake, and finds peers that are gone (RFC 6455 5.5.2). */
const PING_MS = 30_000;
const LINGER_MS = 5000;
const PROTOCOL_ERROR = 1002;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Text where it is text, since browsers hand binary messages on as something else. */
function payloadOf(payload: Uint8Array): string | Buffer {
  try {
    return decoder.decode(payload);
  } catch {
    return Buffer.from(payload);
  }
}

class WebSocketStream implements Stream {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  send(payload: Uint8Array): number {
    const socket = this.#socket;
    if (socket.readyState === socket.OPEN) socket.send(payloadOf(payload));
    return socket.bufferedAmount;
  }

  close(): void {
    const socket = this.#socket;
    setTimeout(() => socket.terminate(), LINGER_MS).unref();
    socket.close();
  }

  abort(): void {
    this.#socket.terminate();
  }

  join(): never {
    throw new Error("media does not come by WebSocket");
  }
}

/** Pings the peer, and ends the connection when it does not answer until the next time. */
function pingsStart(socket: WebSocket): void {
  let heard = true;
  socket.on("pong", () => {
    heard = true;
  });
  const timer = setInterval(() => {
    if (!heard) socket.terminate();
    heard = false;
    if (socket.readyState === socket.OPEN) socket.ping();
  }, PING_MS);
  socket.on("close", () => clearInterval(timer));
}

function take(socket: WebSocket, from: http.IncomingMessage, request: StreamListenRequest): void {
  // What goes wrong from here on ends the connection, which is all that is to be known of it.
  socket.on("error", () => socket.terminate());
  if (socket.protocol !== SUBPROTOCOL) {
    socket.close(PROTOCOL_ERROR, "the subprotocol must be sip");
    return;
  }
  const { remoteAddress, remotePort } = from.socket;
  const known = remoteAddress !== undefined && remotePort !== undefined;
  const receiver = known ? request.onStream(new WebSocketStream(socket), remoteAddress, remotePort) : undefined;
  if (!receiver) {
    socket.terminate();
    return;
  }
  socket.on("message", (data: Buffer) => receiver.onData?.(data));
  socket.on("close", () => receiver.onClose());
  pingsStart(socket);
}

function serverOf(request: StreamListenRequest): Secured<http.Server | https.Server> {
  if (!request.tls) return { server: http.createServer(), renew: () => undefined };
  return securedServer(request.tls, (options) => https.createServer(options), request.onFailure);
}

export function listenWebSocket(request: StreamListenRequest): StreamListener {
  const { server, renew } = serverOf(request);
  server.on("request", (_, response: http.ServerResponse) => response.writeHead(426, { Upgrade: "websocket", Connection: "close" }).end());
  server.on("error", request.onFailure);
  const sockets = new WebSocketServer({
    server,
    maxPayload: MESSAGE_MOST,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  sockets.on("connection", (socket, from) => take(socket, from, request));
  sockets.on("error", request.onFailure);
  server.listen(placeOf(request));
  return {
    renew,
    close() {
      sockets.close();
      server.close();
    },
  };
}
