/*
 * The softswitch as callee: sip:echo@ and sip:tone@ answer, sip:ring@ rings until it is cancelled
 * (RFC 3261 8.2, 13.3, 15). Invariant: a bounded number of calls, each with a bounded life.
 */

import { randomBytes } from "node:crypto";
import { ALLOW, Dialog } from "./dialog.ts";
import { type SipMessage, headerOf, responseTo, sequenceOf } from "./message.ts";
import { readSession } from "./session.ts";
import { type PortRange, Stream, type StreamKind } from "./stream.ts";
import { tagOf } from "./uri.ts";

export interface AgentTransport {
  /** Our address and the URI that reaches us. */
  address: string;
  contact: string;
  respond(response: SipMessage): void;
  /** Adds our Via and sends. */
  request(request: SipMessage): void;
  log(line: string): void;
}

export const SERVICES = ["echo", "tone", "ring"];

const CALL_MAX = 1000;
const CALL_MS = 15 * 60 * 1000;
const ANSWER_MS = 100;
const RING_MS = 30_000;
const T1_MS = 500;
const T2_MS = 4000;
const GIVE_UP_MS = 64 * T1_MS;
/** An ended call still knows its BYE for that long. */
const LINGER_MS = 5000;
const BYE_TRIES = 5;

export class Agent {
  readonly #transport: AgentTransport;
  readonly #ports: PortRange;
  /** By Call-ID and remote tag: the other end of a call is one caller. */
  readonly #dialogs = new Map<string, Dialog>();
  /** Call-IDs of our own BYEs that wait for an answer. */
  readonly #byes = new Map<string, NodeJS.Timeout>();

  constructor(transport: AgentTransport, ports: PortRange) {
    this.#transport = transport;
    this.#ports = ports;
  }

  /** Calls that are up or ringing. */
  get calls(): number {
    return [...this.#dialogs.values()].filter((dialog) => dialog.state !== "ended").length;
  }

  #key(message: SipMessage): string {
    return `${headerOf(message, "call-id")} ${tagOf(headerOf(message, "from") ?? "")}`;
  }

  /** The call that a request belongs to, if it is one of ours. */
  find(request: SipMessage): Dialog | undefined {
    const dialog = this.#dialogs.get(this.#key(request));
    const tag = tagOf(headerOf(request, "to") ?? "");
    return tag === "" || tag === dialog?.localTag ? dialog : undefined;
  }

  #reply(request: SipMessage, status: number, reason: string): void {
    this.#transport.respond(responseTo(request, status, reason, randomBytes(4).toString("hex")));
  }

  /** A request without To tag for one of our services. */
  receive(request: SipMessage, service: string): void {
    const dialog = this.find(request);
    if (request.method === "INVITE") {
      if (dialog !== undefined) this.#repeat(dialog);
      else void this.#ring(request, service);
    } else if (request.method === "CANCEL") {
      this.#cancel(request, dialog);
    } else if (request.method === "OPTIONS") {
      const response = responseTo(request, 200, "OK", randomBytes(4).toString("hex"));
      response.headers.push({ key: "allow", name: "Allow", value: ALLOW }, { key: "accept", name: "Accept", value: "application/sdp" });
      this.#transport.respond(response);
    } else if (request.method !== "ACK") this.#reply(request, 405, "Method Not Allowed");
  }

  /** A request inside one of our calls. */
  receiveInside(request: SipMessage, dialog: Dialog): void {
    if (request.method === "ACK") this.#acknowledge(request, dialog);
    else if (request.method === "BYE") {
      this.#transport.respond(dialog.respond(request, 200, "OK"));
      this.#finish(dialog, "caller hung up");
    } else if (dialog.state === "ended") this.#reply(request, 481, "Call Does Not Exist");
    else if (request.method === "INVITE") this.#reinvite(request, dialog);
    else if (request.method === "UPDATE") this.#transport.respond(dialog.accept(request, this.#transport.address));
    else if (request.method === "CANCEL") this.#cancel(request, dialog);
    else if (request.method === "INFO" || request.method === "OPTIONS") this.#transport.respond(dialog.respond(request, 200, "OK"));
    else this.#reply(request, 405, "Method Not Allowed");
  }

  /** A response to a request of ours. */
  receiveResponse(response: SipMessage): void {
    if (response.status < 200) return;
    const callId = headerOf(response, "call-id") ?? "";
    clearTimeout(this.#byes.get(callId));
    this.#byes.delete(callId);
  }

  /** Hangs up every call. */
  close(): void {
    for (const dialog of this.#dialogs.values()) {
      if (dialog.state === "answered" || dialog.state === "confirmed") this.#transport.request(dialog.bye());
      dialog.end();
      clearTimeout(dialog.deadline);
    }
    for (const timer of this.#byes.values()) clearTimeout(timer);
    this.#dialogs.clear();
  }

  #repeat(dialog: Dialog): void {
    if (dialog.response !== undefined && dialog.state !== "ended") this.#transport.respond(dialog.response);
  }

  async #ring(request: SipMessage, service: string): Promise<void> {
    if (this.#dialogs.size >= CALL_MAX) return this.#reply(request, 503, "Service Unavailable");
    if (request.body !== "" && readSession(request.body) === undefined) return this.#reply(request, 488, "Not Acceptable Here");
    const contact = this.#transport.contact.replace("sip:", `sip:${service}@`);
    const dialog = new Dialog(request, service, randomBytes(6).toString("hex"), contact, sequenceOf(request).number);
    this.#dialogs.set(this.#key(request), dialog);
    this.#answer(dialog, request, dialog.respond(request, 180, "Ringing"));
    if (service === "ring") {
      dialog.timer = setTimeout(() => this.#refuse(dialog, 480, "Temporarily Unavailable"), RING_MS);
      return;
    }
    try {
      dialog.stream = await Stream.open(service as StreamKind, this.#transport.address, this.#ports);
    } catch (error) {
      this.#transport.log((error as Error).message);
      return this.#refuse(dialog, 503, "Service Unavailable");
    }
    if (dialog.state === "ringing") dialog.timer = setTimeout(() => this.#pickUp(dialog), ANSWER_MS);
    else dialog.end();
  }

  #pickUp(dialog: Dialog): void {
    dialog.state = "answered";
    dialog.deadline = setTimeout(() => this.#hangUp(dialog, "the longest a demo call may last"), CALL_MS);
    this.#transport.log(`call to ${dialog.service} answered`);
    this.#answerFinal(dialog, dialog.invite, dialog.accept(dialog.invite, this.#transport.address));
  }

  #reinvite(request: SipMessage, dialog: Dialog): void {
    const sequence = sequenceOf(request).number;
    if (sequence === dialog.responseSequence) return this.#repeat(dialog);
    if (sequence < dialog.responseSequence) return this.#reply(request, 500, "Out Of Order");
    if (dialog.state !== "confirmed") return this.#reply(request, 491, "Request Pending");
    if (request.body !== "" && readSession(request.body) === undefined) return this.#reply(request, 488, "Not Acceptable Here");
    dialog.state = "answered";
    this.#answerFinal(dialog, request, dialog.accept(request, this.#transport.address));
  }

  #answer(dialog: Dialog, request: SipMessage, response: SipMessage): void {
    dialog.response = response;
    dialog.responseSequence = sequenceOf(request).number;
    this.#transport.respond(response);
  }

  /** Sends a final response and repeats it until ACK comes (13.3.1.4). */
  #answerFinal(dialog: Dialog, request: SipMessage, response: SipMessage): void {
    this.#answer(dialog, request, response);
    const startedAt = Date.now();
    const again = (waitMs: number): void => {
      dialog.timer = setTimeout(() => {
        if (Date.now() - startedAt >= GIVE_UP_MS) return this.#hangUp(dialog, "no ACK");
        this.#transport.respond(response);
        again(Math.min(waitMs * 2, T2_MS));
      }, waitMs);
    };
    again(T1_MS);
  }

  #acknowledge(ack: SipMessage, dialog: Dialog): void {
    if (sequenceOf(ack).number !== dialog.responseSequence) return;
    clearTimeout(dialog.timer);
    if (dialog.state !== "answered") return;
    dialog.state = "confirmed";
    dialog.acknowledge(ack);
  }

  #cancel(request: SipMessage, dialog: Dialog | undefined): void {
    if (dialog === undefined) return this.#reply(request, 481, "Call Does Not Exist");
    this.#transport.respond(responseTo(request, 200, "OK", dialog.localTag));
    if (dialog.state === "ringing") this.#refuse(dialog, 487, "Request Terminated");
  }

  /** Ends a ringing call with a final response, repeated until ACK. */
  #refuse(dialog: Dialog, status: number, reason: string): void {
    this.#finish(dialog, reason);
    this.#answerFinal(dialog, dialog.invite, dialog.respond(dialog.invite, status, reason));
  }

  #hangUp(dialog: Dialog, why: string): void {
    if (dialog.state === "ended") return;
    const request = dialog.bye();
    const again = (tries: number): void => {
      this.#transport.request(structuredClone(request));
      if (tries < BYE_TRIES)
        this.#byes.set(
          dialog.callId,
          setTimeout(() => again(tries + 1), T1_MS << tries),
        );
      else this.#byes.delete(dialog.callId);
    };
    again(0);
    this.#finish(dialog, why);
  }

  #finish(dialog: Dialog, why: string): void {
    if (dialog.state === "ended") return;
    this.#transport.log(`call to ${dialog.service} ended: ${why}`);
    dialog.end();
    dialog.deadline = setTimeout(() => {
      clearTimeout(dialog.timer);
      this.#dialogs.delete(this.#key(dialog.invite));
    }, LINGER_MS);
  }
}
