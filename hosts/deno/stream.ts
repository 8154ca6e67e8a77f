/*
 * TCP by Deno.listen and Deno.connect.
 */

import type { DialRequest, Stream, StreamListener, StreamListenRequest, StreamReceiver } from "../shared/runtime.ts";

const CHUNK_BYTES = 16_384;

class DenoStream implements Stream {
  readonly #opened: Promise<Deno.Conn>;
  #connection: Deno.Conn | undefined;
  #receiver: StreamReceiver | undefined;
  /** Sends in their order, and the bytes of those that are not done. */
  #sending: Promise<void>;
  #waiting = 0;
  #closed = false;

  constructor(opened: Promise<Deno.Conn>) {
    this.#opened = opened;
    this.#sending = opened.then(
      (connection) => void (this.#connection = connection),
      () => undefined,
    );
  }

  /** Hands on what comes until the connection ends. */
  async receive(receiver: StreamReceiver): Promise<void> {
    this.#receiver = receiver;
    try {
      const connection = await this.#opened;
      const buffer = new Uint8Array(CHUNK_BYTES);
      for (;;) {
        const n = await connection.read(buffer);
        if (n === null || this.#closed) break;
        receiver.onData(buffer.subarray(0, n));
      }
      this.#end();
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #end(error?: Error): void {
    this.#shut();
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.onClose(error);
  }

  #shut(): void {
    if (this.#closed) return;
    this.#closed = true;
    // One that is not up yet is closed when it is; one that is closed already says so.
    void this.#opened.then((connection) => connection.close()).catch(() => undefined);
  }

  send(payload: Uint8Array): number {
    const copy = payload.slice();
    this.#waiting += copy.length;
    this.#sending = this.#sending.then(() => this.#write(copy)).catch(() => this.abort());
    return this.#waiting;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#closed; ) at += await this.#connection!.write(bytes.subarray(at));
    this.#waiting -= bytes.length;
  }

  close(): void {
    this.#receiver = undefined;
    void this.#sending.finally(() => this.#shut());
  }

  /** The receiver hears of it later: by the read that fails. */
  abort(): void {
    this.#shut();
  }
}

async function accept(listener: Deno.Listener, request: StreamListenRequest): Promise<void> {
  for await (const connection of listener) {
    const { hostname, port } = connection.remoteAddr as Deno.NetAddr;
    const stream = new DenoStream(Promise.resolve(connection));
    const receiver = request.onStream(stream, hostname, port);
    if (receiver) void stream.receive(receiver);
    else stream.abort();
  }
}

export function listenStream(request: StreamListenRequest): StreamListener {
  let listener: Deno.Listener | undefined;
  try {
    listener = Deno.listen({ hostname: request.address, port: request.port, transport: "tcp" });
    accept(listener, request).catch((error: Error) => request.onFailure(error));
  } catch (error) {
    queueMicrotask(() => request.onFailure(error as Error));
  }
  return { renew: () => undefined, close: () => listener?.close() };
}

/** Deno chooses the local address. */
export function dial(request: DialRequest): Stream {
  const opened = Deno.connect({ hostname: request.address, port: request.port, transport: "tcp" });
  const stream = new DenoStream(opened);
  opened.then(
    (connection) => request.onOpen((connection.localAddr as Deno.NetAddr).port),
    () => undefined,
  );
  void stream.receive(request.receiver);
  return stream;
}
