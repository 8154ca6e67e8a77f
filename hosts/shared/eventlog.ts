/*
 * Events of the core as log lines that a person can use: who and how long beside what, read from the
 * record that the event is about. Invariant: reading only; a record freed in the meantime gives an old
 * answer, never a failure.
 */

import { addressFrom, endpointText } from "./address.ts";
import * as abi from "./core.ts";
import type { Core } from "./core.ts";
import type { Log } from "./log.ts";
import { endName, eventName, regionName } from "./names.ts";

/** A handle is generation << 20 | index. */
const HANDLE_INDEX = 0xfffff;

const sideName = (side: number): string => (side === abi.SIDE_ACCESS ? "access" : "core");

export class EventLog {
  readonly #core: Core;
  readonly #log: Log;

  constructor(core: Core, log: Log) {
    this.#core = core;
    this.#log = log;
  }

  #word(at: number): number {
    return this.#core.memory.words[at >> 2]!;
  }

  #record(region: number, size: number, index: number): number {
    return this.#core.region(region) + (index & HANDLE_INDEX) * size;
  }

  /** A:a of a terminal. */
  #terminal(index: number): string {
    const at = this.#record(abi.REGION_TERMINALS, abi.TERMINAL_SIZE, index);
    return endpointText(addressFrom(this.#core.memory.bytes, at + abi.TERMINAL_ADDRESS).text, this.#word(at + abi.TERMINAL_PORT));
  }

  #registration(binding: number): object {
    const at = this.#record(abi.REGION_BINDINGS, abi.BINDING_SIZE, binding);
    return { terminal: this.#terminal(this.#word(at + abi.BINDING_TERMINAL)), mappedPort: this.#word(at + abi.BINDING_PORT) };
  }

  #call(handle: number): { terminal: string; answeredMs: number | undefined } {
    const at = this.#record(abi.REGION_CALLS, abi.CALL_SIZE, handle);
    const answered = this.#word(at + abi.CALL_ANSWERED);
    const answeredMs = answered === 0 ? undefined : (this.#word(abi.HEADER_NOW) - answered) | 0;
    return { terminal: this.#terminal(this.#word(at + abi.CALL_TERMINAL)), answeredMs };
  }

  /** Logs the event record at address `at`. */
  write(at: number): void {
    const event = this.#word(at + abi.OUTPUT_REALM);
    const handle = this.#word(at + abi.OUTPUT_VALUE);
    const detail = this.#word(at + abi.OUTPUT_DETAIL);
    const name = eventName(event);
    switch (event) {
      case abi.EVENT_REGISTERED:
      case abi.EVENT_MOVED:
      case abi.EVENT_UNREGISTERED:
        return this.#log.info({ event: name, registration: handle, ...this.#registration(detail) }, name);
      case abi.EVENT_CALL_STARTED:
        return this.#log.info({ event: name, call: handle, terminal: this.#call(handle).terminal, initiator: sideName(detail) }, name);
      case abi.EVENT_CALL_ANSWERED:
        return this.#log.info({ event: name, call: handle, terminal: this.#call(handle).terminal }, name);
      case abi.EVENT_CALL_ENDED:
        return this.#log.info({ event: name, call: handle, ...this.#call(handle), reason: endName(detail) }, name);
      case abi.EVENT_LATCHED:
        return this.#log.debug({ event: name, flow: handle, side: sideName(detail) }, name);
      case abi.EVENT_FULL:
        return this.#log.warn(
          { event: name, table: regionName(detail) },
          `the table of ${regionName(detail)} is full: new work is refused; raise \`capacity:\``,
        );
      default:
        return this.#log.info({ event: name, handle, detail }, name);
    }
  }
}
