/*
 * One call that the softswitch itself answers: its dialog as callee (RFC 3261 12.1.1), the offer and
 * answer in it (RFC 3264), and the final response that is repeated until ACK (13.3.1.4).
 */

import { randomInt } from "node:crypto";
import { type SipMessage, headerOf, headersOf, responseTo } from "./message.ts";
import { readSession, writeAnswer, writeOffer } from "./session.ts";
import type { Stream } from "./stream.ts";
import { readNameAddress, tagOf } from "./uri.ts";

export type DialogState = "ringing" | "answered" | "confirmed" | "ended";

export const ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REGISTER";

export class Dialog {
  readonly invite: SipMessage;
  readonly service: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly contact: string;
  state: DialogState = "ringing";
  stream: Stream | undefined;
  /** Last response to an INVITE, and that INVITE's CSeq: what a retransmission gets again. */
  response: SipMessage | undefined;
  responseSequence: number;
  /** We made the offer; the answer comes in ACK. */
  offered = false;
  timer: NodeJS.Timeout | undefined;
  deadline: NodeJS.Timeout | undefined;
  #target: string;
  #version = 0;
  #sequence = 0;
  readonly #id = randomInt(1, 0x7fffffff);

  constructor(invite: SipMessage, service: string, localTag: string, contact: string, sequence: number) {
    this.invite = invite;
    this.service = service;
    this.callId = headerOf(invite, "call-id") ?? "";
    this.localTag = localTag;
    this.remoteTag = tagOf(headerOf(invite, "from") ?? "");
    this.contact = contact;
    this.responseSequence = sequence;
    this.#target = this.#targetOf(invite) ?? "";
  }

  #targetOf(message: SipMessage): string | undefined {
    const contact = headerOf(message, "contact");
    return contact === undefined ? undefined : readNameAddress(contact).uri;
  }

  /** A response inside the dialog: our tag and Contact, the route set copied (12.1.1). */
  respond(request: SipMessage, status: number, reason: string): SipMessage {
    const response = responseTo(request, status, reason, this.localTag);
    if (status < 300) {
      for (const value of headersOf(request, "record-route")) response.headers.push({ key: "record-route", name: "Record-Route", value });
      response.headers.push({ key: "contact", name: "Contact", value: `<${this.contact}>` });
      response.headers.push({ key: "allow", name: "Allow", value: ALLOW });
    }
    return response;
  }

  /** 200 to an INVITE or UPDATE: answers the offer in it, or makes one when there is none. */
  accept(request: SipMessage, address: string): SipMessage {
    const response = this.respond(request, 200, "OK");
    const port = this.stream?.port ?? 0;
    const remote = readSession(request.body);
    this.#target = this.#targetOf(request) ?? this.#target;
    if (request.method === "UPDATE" && request.body === "") return response;
    this.#version++;
    this.offered = request.body === "";
    response.body = this.offered ? writeOffer(address, port, this.#id, this.#version) : writeAnswer(request.body, address, port, this.#id, this.#version);
    response.headers.push({ key: "content-type", name: "Content-Type", value: "application/sdp" });
    if (remote !== undefined) this.stream?.direct(remote);
    return response;
  }

  /** Takes the answer that an ACK brings to our offer. */
  acknowledge(ack: SipMessage): void {
    const remote = this.offered ? readSession(ack.body) : undefined;
    this.offered = false;
    if (remote !== undefined) this.stream?.direct(remote);
  }

  /** Our own BYE, without a Via: the sender adds it. */
  bye(): SipMessage {
    const headers = headersOf(this.invite, "record-route").map((value) => ({ key: "route", name: "Route", value }));
    const add = (name: string, value: string): void => void headers.push({ key: name.toLowerCase(), name, value });
    add("Max-Forwards", "70");
    add("From", `${headerOf(this.invite, "to")};tag=${this.localTag}`);
    add("To", headerOf(this.invite, "from") ?? "");
    add("Call-ID", this.callId);
    add("CSeq", `${++this.#sequence} BYE`);
    return { method: "BYE", uri: this.#target, status: 0, reason: "", headers, body: "" };
  }

  /** Stops everything that the call holds. */
  end(): void {
    this.state = "ended";
    clearTimeout(this.timer);
    clearTimeout(this.deadline);
    this.stream?.close();
    this.stream = undefined;
  }
}
