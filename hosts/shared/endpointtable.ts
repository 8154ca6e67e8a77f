/*
 * The open sockets by local address and port. One slot a port, since thousands of ports share a handful of
 * addresses: a look-up is an array access and a compare of four words.
 */

import type { Socket } from "./runtime.ts";

export interface OpenEndpoint {
  /** Absent where batched sockets have the port. */
  socket: Socket | undefined;
  readonly realm: number;
  /** Canonical text of the address, for people. */
  readonly address: string;
  readonly port: number;
  /** The address in the order of memory. */
  readonly words: Int32Array;
  /** Next endpoint on the same port. */
  next: OpenEndpoint | undefined;
}

function same(endpoint: OpenEndpoint, words: Int32Array, at: number): boolean {
  const own = endpoint.words;
  return own[3] === words[at + 3] && own[2] === words[at + 2] && own[1] === words[at + 1] && own[0] === words[at];
}

export class EndpointTable {
  readonly #ports: (OpenEndpoint | undefined)[] = new Array<OpenEndpoint | undefined>(65536).fill(undefined);
  size = 0;

  /** The endpoint at the address at `words[at]`. */
  find(words: Int32Array, at: number, port: number): OpenEndpoint | undefined {
    let endpoint = this.#ports[port];
    while (endpoint && !same(endpoint, words, at)) endpoint = endpoint.next;
    return endpoint;
  }

  add(endpoint: OpenEndpoint): void {
    endpoint.next = this.#ports[endpoint.port];
    this.#ports[endpoint.port] = endpoint;
    this.size++;
  }

  remove(endpoint: OpenEndpoint): void {
    let before: OpenEndpoint | undefined;
    let at = this.#ports[endpoint.port];
    while (at && at !== endpoint) {
      before = at;
      at = at.next;
    }
    if (!at) return;
    if (before) before.next = at.next;
    else this.#ports[endpoint.port] = at.next;
    this.size--;
  }

  *[Symbol.iterator](): Iterator<OpenEndpoint> {
    for (const head of this.#ports) {
      // A caller may remove what it was given.
      for (let endpoint = head; endpoint; ) {
        const next: OpenEndpoint | undefined = endpoint.next;
        yield endpoint;
        endpoint = next;
      }
    }
  }
}
