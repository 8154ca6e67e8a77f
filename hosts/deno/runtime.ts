/*
 * The primitives of Deno: Deno.listenDatagram (stable as of now only with --unstable-net, which deno.json
 * beside package.json sets), and connections in hosts/connection, by the modules of Node that Deno has too. Runs on Node
 * itself over @deno/shim-deno and node-dgram-adapter (SPEC H3).
 */

import { connections } from "../connection/index.ts";
import type { ListenRequest, Runtime, Socket } from "../shared/runtime.ts";
import { shimOpen } from "./shim.ts";

/** Longest UDP payload, so that nothing is cut: Deno's own buffer would end at 1024 bytes. */
const DATAGRAM_MOST = 65_535;

/** So many failed receives in a row mean a socket that will not recover; asking on would spin for ever. */
const FAILURES_MOST = 64;

/**
 * Sends in flight at most for one socket; more are dropped, as a full socket buffer drops them. Each holds a
 * copy of its payload.
 */
const IN_FLIGHT_MOST = 4096;

class DenoSocket implements Socket {
  readonly #connection: Deno.DatagramConn;
  readonly #request: ListenRequest;
  #inFlight = 0;
  #closed = false;

  constructor(connection: Deno.DatagramConn, request: ListenRequest) {
    this.#connection = connection;
    this.#request = request;
  }

  /** Hands datagrams on until the socket is closed. An error of one receive does not end the rest. */
  async receive(): Promise<void> {
    const buffer = new Uint8Array(DATAGRAM_MOST);
    let failures = 0;
    while (!this.#closed && failures < FAILURES_MOST) {
      try {
        const [data, from] = await this.#connection.receive(buffer);
        const { hostname, port } = from as Deno.NetAddr;
        failures = 0;
        if (!this.#closed) this.#request.onPacket(data, hostname, port);
      } catch (error) {
        failures++;
        this.#failed(error as Error);
      }
    }
  }

  #failed(error: Error): void {
    if (!this.#closed) this.#request.onFailure(error);
  }

  send(payload: Uint8Array, address: string, port: number): void {
    if (this.#closed) return;
    if (this.#inFlight >= IN_FLIGHT_MOST) {
      this.#request.onFailure(Object.assign(new Error("too many sends wait for the system"), { code: "ENOBUFS" }));
      return;
    }
    this.#inFlight++;
    this.#connection.send(payload.slice(), { transport: "udp", hostname: address, port }).then(this.#sent, this.#unsent);
  }

  readonly #sent = (): void => {
    this.#inFlight--;
  };

  readonly #unsent = (error: Error): void => {
    this.#inFlight--;
    this.#failed(error);
  };

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }
}

function listen(request: ListenRequest): Socket {
  if (typeof Deno.listenDatagram !== "function") throw new Error("this Deno hides Deno.listenDatagram; run it with --unstable-net");
  const connection = Deno.listenDatagram({ transport: "udp", hostname: request.address, port: request.port });
  const socket = new DenoSocket(connection, request);
  void socket.receive();
  return socket;
}

export const denoRuntime: Runtime = {
  name: "deno",
  /** Beside the bundle: dist/deno.js and, for one, dist/linux-x64/shim.so; the folder has Node's name of the processor. */
  shim: (memory) => shimOpen(new URL(`${Deno.build.os}-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}/shim.so`, import.meta.url), memory),
  listen,
  ...connections,
  now: () => performance.now(),
  setTimer: (delayMs, callback) => setTimeout(callback, delayMs),
  clearTimer: (timer) => clearTimeout(timer as number),
  randomFill: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
};
