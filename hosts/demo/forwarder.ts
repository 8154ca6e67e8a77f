/*
 * The softswitch between two users: a stateless proxy (RFC 3261 16.11) that stays in the dialog with
 * Record-Route. Requests go to the Contact as it was registered, responses the way of the Vias.
 */

import { createHash } from "node:crypto";
import { type SipMessage, headerOf, headerPrepend, headerRemove, headerSet, sequenceOf } from "./message.ts";
import { readNameAddress, readUri, tagOf } from "./uri.ts";
import { type Endpoint, endpointOf, readVia, viaTarget } from "./via.ts";

/** What a request comes to: where it goes, or the refusal. */
export type Hop = Endpoint | { status: number; reason: string };

export class Forwarder {
  readonly #self: Endpoint;

  constructor(self: Endpoint) {
    this.#self = self;
  }

  /** Does this URI name the softswitch itself? */
  isSelf(uri: string): boolean {
    const read = readUri(uri);
    return read !== undefined && read.host === this.#self.address && read.port === this.#self.port;
  }

  /** Takes our own entry off the Route set (16.4). Returns whether there was one. */
  routeTake(request: SipMessage): boolean {
    const route = headerOf(request, "route");
    if (route === undefined || !this.isSelf(readNameAddress(route).uri)) return false;
    headerRemove(request, "route");
    return true;
  }

  /** Prepares a request for its next hop: Max-Forwards, Record-Route, Via. */
  forward(request: SipMessage): Hop {
    const hops = Number(headerOf(request, "max-forwards") ?? 70);
    if (!(hops > 0)) return { status: 483, reason: "Too Many Hops" };
    const next = readUri(readNameAddress(headerOf(request, "route") ?? `<${request.uri}>`).uri);
    const hop = next && endpointOf(next.params.get("maddr") ?? next.host, next.port);
    if (hop === undefined) return { status: 404, reason: "Not Found (the demo asks no DNS)" };
    const branch = this.#branch(request);
    headerSet(request, "Max-Forwards", String(hops - 1));
    if (request.method === "INVITE" && tagOf(headerOf(request, "to") ?? "") === "") {
      headerPrepend(request, "Record-Route", `<sip:${this.#self.address}:${this.#self.port};lr>`);
    }
    headerPrepend(request, "Via", `SIP/2.0/UDP ${this.#self.address}:${this.#self.port};branch=${branch}`);
    return hop;
  }

  /** Same branch for a retransmission, its CANCEL and its ACK: a hash of what they share (16.11). */
  #branch(request: SipMessage): string {
    const via = headerOf(request, "via") ?? "";
    const read = readVia(via);
    const shared = [
      read?.params.get("branch"),
      read?.host,
      read?.port,
      headerOf(request, "call-id"),
      tagOf(headerOf(request, "from") ?? ""),
      sequenceOf(request).number,
    ];
    return `z9hG4bK${createHash("sha256").update(shared.join(" ")).digest("hex").slice(0, 16)}`;
  }

  /** Is the top Via ours? */
  isOwnVia(response: SipMessage): boolean {
    const via = readVia(headerOf(response, "via") ?? "");
    return via !== undefined && via.host === this.#self.address && (via.port || 5060) === this.#self.port;
  }

  /** Takes our Via off a response. Returns where it goes next; undefined when it was for us. */
  forwardResponse(response: SipMessage): Endpoint | undefined {
    headerRemove(response, "via");
    const via = headerOf(response, "via");
    return via === undefined ? undefined : viaTarget(via);
  }
}
