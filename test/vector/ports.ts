/*
 * Which of our ports are open, as BIND and UNBIND say: what a restart must announce again.
 */

import * as abi from "#abi";
import { type Output, transportName } from "./output.ts";

export class Ports {
  #open = new Set<string>();
  /** Those that the machine did not open; their owners may have kept them. */
  readonly #refused = new Set<string>();

  note(outputs: Output[]): void {
    for (const { kind, local, localPort, value, refused } of outputs) {
      const port = `${local}:${localPort} ${transportName(value)}`;
      if (kind === abi.OUTPUT_UNBIND) for (const set of [this.#open, this.#refused]) set.delete(port);
      else if (kind === abi.OUTPUT_BIND) (refused === true ? this.#refused : this.#open).add(port);
    }
  }

  /** Hands over what is open: nothing is from now on. */
  take(): Set<string> {
    const open = this.#open;
    this.#open = new Set();
    return open;
  }

  /** What was open `before` and is not now, and the reverse. */
  compare(before: Set<string>): { missing: string[]; odd: string[] } {
    return {
      missing: [...before].filter((port) => !this.#open.has(port) && !this.#refused.has(port)),
      odd: [...this.#open].filter((port) => !before.has(port) && !this.#refused.has(port)),
    };
  }
}
