/*
 * Datagrams that wait for a reader, and readers that wait for a datagram. Invariant: never both, and never
 * more datagrams than the limit: the newest are dropped, as a kernel's full socket buffer drops them.
 */

import type { NetAddr } from "./address.ts";

export type Received = [Uint8Array, NetAddr];

interface Reader {
  buffer: Uint8Array | undefined;
  resolve: (received: Received) => void;
  reject: (reason: Error) => void;
}

/** Deno's `receive(p)`: the bytes stand in `p`, cut to its length. */
function place(received: Received, buffer: Uint8Array | undefined): Received {
  if (!buffer) return received;
  const data = received[0].length > buffer.length ? received[0].subarray(0, buffer.length) : received[0];
  buffer.set(data);
  return [buffer.subarray(0, data.length), received[1]];
}

export class ReceiveQueue {
  dropped = 0;
  readonly #limit: number;
  #waiting: Received[] = [];
  #readers: Reader[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(data: Uint8Array, address: NetAddr): void {
    const reader = this.#readers.shift();
    if (reader) reader.resolve(place([data, address], reader.buffer));
    else if (this.#waiting.length < this.#limit) this.#waiting.push([data, address]);
    else this.dropped++;
  }

  take(buffer?: Uint8Array): Promise<Received> {
    const received = this.#waiting.shift();
    if (received) return Promise.resolve(place(received, buffer));
    return new Promise((resolve, reject) => this.#readers.push({ buffer, resolve, reject }));
  }

  /** Ends every wait with a reason; it is only made when somebody waits, since errors are costly. */
  end(reason: () => Error): void {
    for (const reader of this.#readers.splice(0)) reader.reject(reason());
    this.#waiting = [];
  }
}
