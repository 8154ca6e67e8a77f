/*
 * TCP and TLS by node:net and node:tls.
 */

import net from "node:net";
import { setTimeout } from "node:timers";
import tls from "node:tls";
import type { DialRequest, Stream, StreamListener, StreamListenRequest, StreamReceiver } from "../shared/runtime.ts";
import { contextOptions, type Secured, securedServer } from "./tls.ts";

/** A peer that is gone without a word is noticed after some such intervals. */
const KEEPALIVE_MS = 60_000;
/** For what waits to be sent when a connection is closed. */
const LINGER_MS = 5000;

class NodeStream implements Stream {
  readonly #socket: net.Socket;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
  }

  /** Copies what it sends: the system may take it later, and the core's memory changes with the next packet. */
  send(payload: Uint8Array): number {
    if (this.#socket.writable) this.#socket.write(Buffer.from(payload));
    return this.#socket.writableLength;
  }

  close(): void {
    const socket = this.#socket;
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
    socket.destroySoon();
  }

  abort(): void {
    this.#socket.destroy();
  }

  /** A pipe waits for the slower end with no more than its buffer (`highWaterMark`), and hands the end of its source on. */
  join(other: Stream): void {
    const socket = (other as NodeStream).#socket;
    this.#socket.pipe(socket);
    socket.pipe(this.#socket);
  }
}

function receive(socket: net.Socket, receiver: StreamReceiver): void {
  let failure: Error | undefined;
  if (receiver.onData) socket.on("data", (data: Buffer) => receiver.onData?.(data));
  socket.on("error", (error) => {
    failure = error;
  });
  socket.on("close", () => receiver.onClose(failure));
}

function take(socket: net.Socket, request: StreamListenRequest): void {
  // What goes wrong from here on ends the connection, which is all that is to be known of it.
  socket.on("error", () => socket.destroy());
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) {
    socket.destroy();
    return;
  }
  const receiver = request.onStream(new NodeStream(socket), remoteAddress, remotePort);
  if (receiver) receive(socket, receiver);
  else socket.destroy();
}

/** A connection for media is read once it is joined, and stays open one way when the other way has ended. */
function optionsOf({ media }: { media: boolean }): { allowHalfOpen: boolean; pauseOnConnect: boolean } {
  return { allowHalfOpen: media, pauseOnConnect: media };
}

function serverOf(request: StreamListenRequest): Secured<net.Server> {
  const onConnection = (socket: net.Socket): void => take(socket, request);
  if (!request.tls) return { server: net.createServer(optionsOf(request), onConnection), renew: () => undefined };
  return securedServer(request.tls, (options) => tls.createServer(options, onConnection), request.onFailure);
}

/** Where a server listens: where it is to, or what listens there already. */
export function placeOf({ address, port, descriptor }: StreamListenRequest): net.ListenOptions & { fd?: number } {
  return descriptor === undefined ? { host: address, port } : { fd: descriptor };
}

export function listenStream(request: StreamListenRequest): StreamListener {
  const { server, renew } = serverOf(request);
  server.on("error", request.onFailure);
  server.listen(placeOf(request));
  return { renew, close: () => void server.close() };
}

/** A certificate for an address is checked against it; names are not looked up. */
function tlsDial({ address, port, localAddress, tls: material }: DialRequest): tls.TLSSocket {
  const { authorities, name, certified } = material ?? {};
  const socket = net.connect({ host: address, port, localAddress });
  return tls.connect({
    socket,
    host: address,
    ...(name === undefined ? {} : { servername: name }),
    ...contextOptions(certified, authorities),
  });
}

export function dial(request: DialRequest): Stream {
  const { address: host, port, localAddress, transport, media, onOpen, receiver } = request;
  const socket = transport === "tls" ? tlsDial(request) : net.connect({ host, port, localAddress, allowHalfOpen: media });
  socket.once(transport === "tls" ? "secureConnect" : "connect", () => onOpen(socket.localPort ?? 0));
  receive(socket, receiver);
  return new NodeStream(socket);
}
