/*
 * The primitives of Node: node:dgram through node-dgram-adapter's path without promises, connections in hosts/connection.
 */

import { getRandomValues } from "node:crypto";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { type DatagramSocket, listenDatagram } from "node-dgram-adapter";
import { connections } from "../connection/index.ts";
import type { ListenRequest, Runtime, Socket, SystemError } from "../shared/runtime.ts";
import { shimOpen } from "./shim.ts";

/** For bursts of signaling; the kernel may grant less. */
const SIGNAL_BUFFER_BYTES = 1 << 20;

/** So many sends in a row to one place are a stream of media, worth a connected socket. */
const STREAM_SENDS = 32;

/** Of a stream one send in so many is asked after, and stands for all: a callback for each costs a twentieth of the way. A power of two. */
const STREAM_HEARD = 16;

/**
 * Copies what it sends: libuv sends at once as long as the kernel takes it, but queues a reference when it
 * does not, and the core's memory changes with the next packet. The copy (Buffer pool) is lost in the noise
 * of a send: 5.6 us with and without, measured on loopback with 172-byte payloads.
 *
 * A port of media has a second socket while all that it sends goes to one place, connected to there: sends by it take no look-up
 * of a route, and what comes from there comes to it; everything else comes to the first. Two sockets have a port only if both share
 * it, with any program that shares it too. So until there is a stream the port is ours alone, and one that another program has
 * is found when it is opened.
 */
class NodeSocket implements Socket {
  readonly #request: ListenRequest;
  #socket: DatagramSocket;
  #shared = false;
  #connected: DatagramSocket | undefined;
  /** Where the last one was sent, and how many in a row. */
  #address = "";
  #port = 0;
  #sends = 0;

  constructor(request: ListenRequest) {
    this.#request = request;
    this.#socket = this.#open();
  }

  #open(): DatagramSocket {
    const { address, port, signal, onPacket, onFailure } = this.#request;
    const options = signal ? { receiveBufferBytes: SIGNAL_BUFFER_BYTES } : { reuseAddress: this.#shared };
    const socket = listenDatagram({ transport: "udp", hostname: address, port, ...options });
    socket.onmessage = onPacket;
    socket.onerror = onFailure;
    return socket;
  }

  send(payload: Uint8Array, address: string, port: number): void {
    const copy = Buffer.allocUnsafe(payload.length);
    copy.set(payload);
    if (port !== this.#port || address !== this.#address) this.#turn(address, port);
    else if (++this.#sends === STREAM_SENDS && !this.#request.signal) this.#connect();
    if (this.#connected) this.#connected.postConnected(copy, (this.#sends & (STREAM_HEARD - 1)) === 0);
    else this.#socket.post(copy, address, port);
  }

  #turn(address: string, port: number): void {
    this.#disconnect();
    this.#address = address;
    this.#port = port;
    this.#sends = 0;
  }

  #connect(): void {
    try {
      this.#share();
      const connected = this.#open();
      connected.onerror = null;
      if (!connected.connect(this.#address, this.#port)) {
        connected.close();
        return;
      }
      connected.onerror = (error) => {
        // Nobody there at the moment: a socket that is not connected would not hear of that.
        if (error.code !== "ECONNREFUSED") this.#request.onFailure(error, STREAM_HEARD);
      };
      this.#connected = connected;
    } catch (error) {
      // The first socket goes on alone: there may be too many open files.
      if (this.#socket.closed) this.#request.onFailure(error as SystemError);
    }
  }

  /** Opens the first socket anew, so that a second may have its port. What arrives in these microseconds is lost. */
  #share(): void {
    if (this.#shared) return;
    this.#socket.close();
    this.#shared = true;
    this.#socket = this.#open();
  }

  #disconnect(): void {
    this.#connected?.close();
    this.#connected = undefined;
  }

  close(): void {
    this.#disconnect();
    if (!this.#socket.closed) this.#socket.close();
  }
}

export const nodeRuntime: Runtime = {
  name: "node",
  /** Beside the bundle: dist/node.js and, for one, dist/linux-x64/shim.node. */
  shim: (memory, share) => shimOpen(fileURLToPath(new URL(`${process.platform}-${process.arch}/shim.node`, import.meta.url)), memory, share),
  listen: (request) => new NodeSocket(request),
  ...connections,
  now: () => performance.now(),
  setTimer: (delayMs, callback) => setTimeout(callback, delayMs),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
  afterTurn: (callback) => void setImmediate(callback),
  randomFill: (bytes) => getRandomValues(bytes),
};
