/*
 * Puts what the core sends back into frames. The link header is the one that last led to or came from the
 * receiver, seen in the capture; failing that, the one of the packet that caused it.
 */

import type { Address } from "../address.ts";
import { type Datagram, datagramWrite } from "../capture/datagram.ts";
import { type Link, linkReversed } from "../capture/link.ts";
import type { Sent } from "./feed.ts";

/** TTL of what is sent of our own accord (RFC 1700's recommendation). */
const HOPS = 64;

export class Emitter {
  /** By receiver, for each interface of the capture. */
  readonly #links = new Map<string, Link>();
  #id = 0;

  /** Notes how the parties of a recorded packet are reached on this interface. */
  learn(number: number, recorded: Datagram): void {
    this.#links.set(`${number} ${recorded.source.text}`, linkReversed(recorded.link));
    this.#links.set(`${number} ${recorded.destination.text}`, recorded.link);
  }

  /** Link header towards an address on an interface; undefined when none was ever seen there. */
  link(number: number, remote: Address): Link | undefined {
    return this.#links.get(`${number} ${remote.text}`);
  }

  /**
   * Frame of a packet of ours on an interface, or undefined when IP cannot carry it. `cause` is the packet behind it:
   * as in a router, its hop limit is one less, unless we answer it. Undefined for what a timer sent.
   */
  write(number: number, { local, remote, payload, traffic }: Sent, cause: Datagram | undefined, fallback: Link): Uint8Array | undefined {
    this.#id = (this.#id % 0xffff) + 1;
    const version = remote.address.family;
    const answered = cause?.source.text === remote.address.text;
    const datagram: Datagram = {
      link: this.link(number, remote.address) ?? cause?.link ?? fallback,
      version,
      source: local.address,
      destination: remote.address,
      sourcePort: local.port,
      destinationPort: remote.port,
      hops: cause && !answered ? Math.max(1, cause.hops - 1) : HOPS,
      traffic: traffic ?? cause?.traffic ?? 0,
      checksummed: cause?.checksummed ?? true,
      payload,
    };
    return datagramWrite(datagram, this.#id);
  }
}
