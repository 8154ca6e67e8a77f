/*
 * Sockets on addresses that are not ours, for packets that go on untouched (rule action `forward`). The
 * system lets us have them where `culvert router` has set up the terminals' networks; where not, that is found once and said once.
 * Invariant: at most FOREIGN_MOST are open; the oldest gives way.
 */

import type { OpenEndpoint } from "./endpointtable.ts";

const FOREIGN_MOST = 1024;
/** After a refusal the system is left in peace for so long. */
const RETRY_MS = 1000;

export class ForeignEndpoints {
  readonly #opened: OpenEndpoint[] = [];
  #refusedUntil = -Infinity;

  /** Opens one more, or undefined: the packet cannot be forwarded. */
  open(now: number, open: () => OpenEndpoint | undefined, close: (endpoint: OpenEndpoint) => void): OpenEndpoint | undefined {
    if (now < this.#refusedUntil) return undefined;
    const endpoint = open();
    if (!endpoint) {
      this.#refusedUntil = now + RETRY_MS;
      return undefined;
    }
    if (this.#opened.length >= FOREIGN_MOST) close(this.#opened.shift()!);
    this.#opened.push(endpoint);
    return endpoint;
  }
}
