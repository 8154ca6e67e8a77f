/*
 * A bound UDP socket in the shape of `Deno.DatagramConn`, with a faster path beside it: `onmessage` takes
 * datagrams without a promise each, `post` sends without one.
 * Invariant: after `close()` nothing is delivered, and every wait ends with BadResource.
 */

import type { RemoteInfo, Socket } from "node:dgram";
import type { NetAddr } from "./address.ts";
import { joinV4, joinV6, type MulticastV4Membership, type MulticastV6Membership } from "./multicast.ts";
import { ReceiveQueue, type Received } from "./queue.ts";

/** What of `Deno.DatagramConn` is about UDP. */
export interface DatagramConn extends AsyncIterable<[Uint8Array, NetAddr]> {
  readonly addr: NetAddr;
  receive(buffer?: Uint8Array): Promise<[Uint8Array, NetAddr]>;
  send(data: Uint8Array, to: NetAddr): Promise<number>;
  joinMulticastV4(address: string, networkInterface: string): Promise<MulticastV4Membership>;
  joinMulticastV6(address: string, networkInterface: number): Promise<MulticastV6Membership>;
  close(): void;
}

export type MessageHandler = (data: Uint8Array, hostname: string, port: number) => void;

function badResource(): Error {
  const error = new Error("the socket is closed");
  error.name = "BadResource";
  return error;
}

export class DatagramSocket implements DatagramConn {
  /** Takes every datagram while set; `receive()` then sees none. The data is the handler's to keep. */
  onmessage: MessageHandler | null = null;
  /** Hears of sends by `post` that failed, and of socket errors. */
  onerror: ((error: NodeJS.ErrnoException) => void) | null = null;
  readonly #socket: Socket;
  readonly #queue: ReceiveQueue;
  #addr: NetAddr | undefined;
  #closed = false;
  /** One function for all posts: a closure each would be garbage each. */
  readonly #posted = (error: Error | null): void => {
    if (error) this.onerror?.(error);
  };

  /** The socket must be bound already. */
  constructor(socket: Socket, queueLimit: number) {
    this.#socket = socket;
    this.#queue = new ReceiveQueue(queueLimit);
    socket.on("message", (data, from) => this.#deliver(data, from));
    socket.on("error", this.#posted);
  }

  #deliver(data: Uint8Array, from: RemoteInfo): void {
    if (this.#closed) return;
    if (this.onmessage) this.onmessage(data, from.address, from.port);
    else this.#queue.push(data, { transport: "udp", hostname: from.address, port: from.port });
  }

  /** Asked of the system when wanted: a proxy opens sockets by the thousand and knows where. */
  get addr(): NetAddr {
    if (!this.#addr) {
      const { address, port } = this.#socket.address();
      this.#addr = { transport: "udp", hostname: address, port };
    }
    return this.#addr;
  }

  /** Datagrams that found the receive queue full. */
  get dropped(): number {
    return this.#queue.dropped;
  }

  receive(buffer?: Uint8Array): Promise<Received> {
    return this.#closed ? Promise.reject(badResource()) : this.#queue.take(buffer);
  }

  /** Resolves to the bytes sent. The data must stay as it is until then. */
  send(data: Uint8Array, to: NetAddr): Promise<number> {
    if (this.#closed) return Promise.reject(badResource());
    return new Promise((resolve, reject) => {
      this.#socket.send(data, to.port, to.hostname, (error, bytes) => (error ? reject(error) : resolve(bytes)));
    });
  }

  /**
   * Sends and forgets; failures go to `onerror`. The socket keeps the data: while the kernel's buffer is full
   * libuv queues a reference, so bytes that change later have to be copied by the caller.
   */
  post(data: Uint8Array, hostname: string, port: number): void {
    if (!this.#closed) this.#socket.send(data, port, hostname, this.#posted);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Takes datagrams from there alone from now on, and sends there by `postConnected`. At once, as `bind` is. Returns false when
   * the system has no way there: then nothing has changed, and `onerror` hears why in a later turn.
   */
  connect(hostname: string, port: number): boolean {
    if (this.#closed) return false;
    this.#socket.connect(port, hostname);
    try {
      this.#socket.remoteAddress();
      return true;
    } catch {
      return false;
    }
  }

  /** As `post`, to where the socket is connected. Unless it is `heard`, how it went stays unknown, which costs less. */
  postConnected(data: Uint8Array, heard = true): void {
    if (this.#closed) return;
    if (heard) this.#socket.send(data, this.#posted);
    else this.#socket.send(data);
  }

  async joinMulticastV4(address: string, networkInterface: string): Promise<MulticastV4Membership> {
    return joinV4(this.#socket, address, networkInterface);
  }

  async joinMulticastV6(address: string, networkInterface: number): Promise<MulticastV6Membership> {
    return joinV6(this.#socket, address, networkInterface);
  }

  close(): void {
    if (this.#closed) throw badResource();
    this.#closed = true;
    this.onmessage = null;
    this.#socket.close();
    this.#queue.end(badResource);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Received> {
    while (!this.#closed) {
      try {
        yield await this.receive();
      } catch (error) {
        if (this.#closed) return;
        throw error;
      }
    }
  }
}
