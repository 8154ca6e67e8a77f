/*
 * Makes a capture that was recorded without Culvert into what it would have been with Culvert in the middle.
 *
 * Principle: whoever wrote a recorded message had seen the originals of the messages before it. So after each
 * translated message it is noted what the receiver would have seen instead (the core's edits: before, after), and
 * what that receiver writes next is changed where it echoes what it saw: Request-URI, Via (with received and
 * rport), Contact, Route, Record-Route, Path, Service-Route, Refer-To, and a body passed on unchanged. Then the
 * packet is addressed to where it would have been sent: to C:c by the server, to E:e by the terminal.
 *
 * Invariant: a message is changed only by what was emitted before it, so a replay gives the same result each time.
 */

import { Buffer } from "node:buffer";
import { type Address, endpointParse, endpointText } from "../address.ts";
import type { Datagram } from "../capture/datagram.ts";
import type { Config, Service } from "../config.ts";
import * as abi from "../core.ts";
import { MediaLines } from "./medialine.ts";
import type { Observation } from "./observation.ts";
import type { Endpoint, Ownership } from "./ownership.ts";
import { type Seen, type SipText, type Substitute, bodyReplace, headerValue, hostOf, isResponse, sipJoin, sipSplit, sipSubstitute } from "./siptext.ts";

export type Mirrored = "signaling" | "media";

/** A packet that the core sent because of a message. */
export interface Emission {
  local: Endpoint;
  remote: Endpoint;
  payload: Uint8Array;
}

/** What one party heard: by dialog, and for as long as it is known. Keys are host[:port] as recorded. */
interface Hearsay {
  byCall: Map<string, Map<string, string>>;
  always: Map<string, string>;
}

/** A terminal that the core has translated for. */
interface Terminal {
  key: string;
  service: Service;
  /** What the server heard of it, and what it heard of the server. */
  toServer: Hearsay;
  toTerminal: Hearsay;
  /** C:c that the last message left by. */
  local: Endpoint;
}

const ECHOED = new Set([
  abi.ROLE_REQUEST_URI,
  abi.ROLE_VIA,
  abi.ROLE_CONTACT,
  abi.ROLE_ROUTE,
  abi.ROLE_RECORD_ROUTE,
  abi.ROLE_PATH,
  abi.ROLE_SERVICE_ROUTE,
  abi.ROLE_REFER_TO,
]);
const SIP_PORT = 5060;
const CALLS_MAX = 100_000;

function hearsay(): Hearsay {
  return { byCall: new Map(), always: new Map() };
}

function keyOf(endpoint: Endpoint): string {
  return endpointText(endpoint.address.text, endpoint.port);
}

/** host[:port] of a URI or sent-by as an endpoint; undefined for a name. */
function hostParse(text: string): Endpoint | undefined {
  const found = endpointParse(text.split(";", 1)[0]!);
  return found && { address: found.address, port: found.port ?? SIP_PORT };
}

export class Mirror {
  readonly #ownership: Ownership;
  readonly #media: MediaLines;
  readonly #terminals = new Map<string, Terminal>();
  /** Terminals by what they call themselves. */
  readonly #spelled = new Map<string, Map<string, Terminal>>();
  /** Bodies of terminals, and what the server saw instead: a proxy passes them on as it got them. */
  readonly #bodies = new Map<string, string>();

  constructor(config: Config, ownership: Ownership) {
    this.#ownership = ownership;
    this.#media = new MediaLines(config);
  }

  /**
   * Notes what a translated message made its receiver see. `fed` is what the core was given; `service` is the one that
   * took a message from a terminal, undefined for one to a terminal.
   */
  learn(fed: Datagram, service: Service | undefined, observation: Observation, emission: Emission): void {
    this.#media.learn(observation.flows);
    const inbound = service !== undefined;
    const own: Endpoint = inbound ? { address: fed.source, port: fed.sourcePort } : emission.remote;
    const known = this.#terminals.get(keyOf(own));
    const terminal = inbound ? (known ?? { key: keyOf(own), service, toServer: hearsay(), toTerminal: hearsay(), local: emission.local }) : known;
    if (!terminal) return;
    if (inbound) {
      terminal.local = emission.local;
      this.#learnBody(fed, observation, emission);
    }
    this.#terminals.set(terminal.key, terminal);
    this.#learnEdits(terminal, inbound ? terminal.toServer : terminal.toTerminal, inbound, observation);
  }

  #learnEdits(terminal: Terminal, heard: Hearsay, inbound: boolean, observation: Observation): void {
    const call = heard.byCall.get(observation.callId) ?? new Map<string, string>();
    for (const mention of observation.mentions) {
      const edit = ECHOED.has(mention.role) ? observation.edits.find((each) => each.at === mention.at && each.end === mention.hostEnd) : undefined;
      if (!edit) continue;
      call.set(edit.before, edit.after);
      const sealed = edit.after.includes(";") && mention.role !== abi.ROLE_SERVICE_ROUTE;
      if (sealed) continue;
      heard.always.set(edit.before, edit.after);
      if (inbound) this.#learnSpelling(terminal, edit.before);
    }
    if (call.size === 0) return;
    heard.byCall.delete(observation.callId);
    heard.byCall.set(observation.callId, call);
    if (heard.byCall.size > CALLS_MAX) heard.byCall.delete(heard.byCall.keys().next().value!);
  }

  #learnSpelling(terminal: Terminal, text: string): void {
    const known = this.#spelled.get(text) ?? new Map<string, Terminal>();
    known.set(terminal.key, terminal);
    this.#spelled.set(text, known);
  }

  #learnBody(fed: Datagram, observation: Observation, emission: Emission): void {
    const before = Buffer.from(fed.payload.subarray(observation.body, observation.end)).toString("latin1");
    const after = sipSplit(emission.payload)?.body ?? "";
    if (before !== "" && after !== "" && before !== after) this.#bodies.set(before, after);
  }

  /** The packet as it would have been, or undefined when it needs no change. A packet has one IP version: what would have two is left. */
  apply(recorded: Datagram): { datagram: Datagram; kind: Mirrored } | undefined {
    const found = this.#find(recorded);
    return found && found.datagram.source.family === found.datagram.destination.family ? found : undefined;
  }

  #find(recorded: Datagram): { datagram: Datagram; kind: Mirrored } | undefined {
    const source = { address: recorded.source, port: recorded.sourcePort };
    const destination = { address: recorded.destination, port: recorded.destinationPort };
    if (this.#ownership.poolRealm(destination) >= 0 || this.#ownership.poolRealm(source) >= 0) return undefined;
    const message = sipSplit(recorded.payload);
    const receiver = this.#ownership.isServing(recorded.source) ? this.#receiver(destination, recorded.source) : undefined;
    if (message && receiver) return { datagram: this.#fromServer(recorded, message, receiver), kind: "signaling" };
    const changed = message ? this.#fromTerminal(recorded, message, source, destination) : undefined;
    if (message) return changed && { datagram: changed, kind: "signaling" };
    const redirected = this.#media.redirect(source, destination);
    if (redirected) return { datagram: addressed(recorded, redirected), kind: "media" };
    const idle = receiver && this.#isSignaling(source, receiver.service);
    return idle ? { datagram: this.#asServer(addressed(recorded, receiver.local), receiver), kind: "signaling" } : undefined;
  }

  /** The terminal at this address, or that calls itself so, if it belongs to a service with a server at `source`. */
  #receiver(destination: Endpoint, source: Address): Terminal | undefined {
    const found =
      this.#terminals.get(keyOf(destination)) ??
      this.#named(keyOf(destination)) ??
      (destination.port === SIP_PORT ? this.#named(destination.address.text) : undefined);
    return found && serves(found.service, source) ? found : undefined;
  }

  /** The only terminal that writes this of itself. */
  #named(spelled: string): Terminal | undefined {
    const known = this.#spelled.get(spelled);
    return known?.size === 1 ? known.values().next().value : undefined;
  }

  #isSignaling(source: Endpoint, service: Service): boolean {
    return [service, ...service.servers].some((each) => each.address.text === source.address.text && each.port === source.port);
  }

  /** Recorded as E, the server is D. */
  #asServer(datagram: Datagram, terminal: Terminal): Datagram {
    const { service } = terminal;
    if (service.servers.some((server) => server.address.text === datagram.source.text)) return datagram;
    const server = service.servers[0]!;
    return { ...datagram, source: server.address, sourcePort: datagram.sourcePort === service.port ? server.port : datagram.sourcePort };
  }

  #fromServer(recorded: Datagram, message: SipText, terminal: Terminal): Datagram {
    const call = terminal.toServer.byCall.get(headerValue(message, "call-id"));
    const substitute: Substitute = (host) =>
      call?.get(host) ?? terminal.toServer.always.get(host) ?? this.#named(host)?.toServer.always.get(host) ?? serverFor(terminal.service, host);
    const seen = (after: string): Seen => {
      const { address, port } = hostParse(after) ?? terminal.local;
      return { host: address.text, port };
    };
    const rewritten = this.#passedOn(sipSubstitute(message, substitute, seen));
    const datagram = { ...recorded, payload: sipJoin(rewritten) };
    return this.#asServer(addressed(datagram, this.#target(rewritten) ?? terminal.local), terminal);
  }

  /** C:c that a message of the server's is for: what its topmost Via, Route or Request-URI names. */
  #target(message: SipText): Endpoint | undefined {
    const places = isResponse(message) ? (["via"] as const) : (["route", "request-uri"] as const);
    for (const place of places) {
      const target = hostParse(hostOf(message, place) ?? "");
      if (target && this.#ownership.poolRealm(target) >= 0) return target;
    }
    return undefined;
  }

  #fromTerminal(recorded: Datagram, message: SipText, source: Endpoint, destination: Endpoint): Datagram | undefined {
    const terminal = this.#terminals.get(keyOf(source));
    if (!terminal) return undefined;
    const { service, toTerminal } = terminal;
    const call = toTerminal.byCall.get(headerValue(message, "call-id"));
    const substitute: Substitute = (host) => call?.get(host) ?? toTerminal.always.get(host);
    const seen = (): Seen => ({ host: service.address.text, port: service.port });
    const rewritten = sipSubstitute(message, substitute, seen);
    const payload = sipJoin(rewritten);
    const toServer = serves(service, recorded.destination);
    const changed = payload.length !== recorded.payload.length || !Buffer.from(payload).equals(recorded.payload);
    const elsewhere = destination.port !== service.port || destination.address.text !== service.address.text;
    if (!changed && !(elsewhere && toServer)) return undefined;
    return changed || toServer ? addressed({ ...recorded, payload }, service) : undefined;
  }

  #passedOn(message: SipText): SipText {
    const body = this.#bodies.get(message.body);
    return body === undefined ? message : bodyReplace(message, body);
  }
}

/** Is this a server of the service, or its E, which servers are recorded as? */
function serves(service: Service, address: Address): boolean {
  return [service, ...service.servers].some((each) => each.address.text === address.text);
}

function addressed(datagram: Datagram, destination: Endpoint): Datagram {
  return { ...datagram, destination: destination.address, destinationPort: destination.port, version: destination.address.family };
}

/** D:d where the recorded server wrote E:e of itself. */
function serverFor(service: Service, host: string): string | undefined {
  const server = service.servers[0]!;
  const same = server.address.text === service.address.text && server.port === service.port;
  const written = same ? undefined : endpointParse(host);
  if (!written || written.address.text !== service.address.text || (written.port ?? SIP_PORT) !== service.port) return undefined;
  const absent = written.port === undefined && server.port === SIP_PORT;
  const bracketed = server.address.family === 6 ? `[${server.address.text}]` : server.address.text;
  return absent ? bracketed : `${bracketed}:${server.port}`;
}
