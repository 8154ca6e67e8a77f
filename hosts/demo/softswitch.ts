/*
 * A small SIP softswitch for trying Culvert out and for its tests: registrar, echo, tone, and calls
 * between its users, over UDP on one IPv4 address. It knows nothing of NAT, on purpose, and asks nobody
 * for a password: it is not for use on a network.
 */

import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { Agent, SERVICES } from "./agent.ts";
import { Forwarder } from "./forwarder.ts";
import { type SipMessage, headerOf, headerPrepend, isComplete, readMessage, responseTo, writeMessage } from "./message.ts";
import { Registrar } from "./registrar.ts";
import type { PortRange } from "./stream.ts";
import { readNameAddress, readUri, tagOf } from "./uri.ts";
import { type Endpoint, endpointOf, viaReceive, viaTarget } from "./via.ts";

export interface SoftswitchOptions {
  address: string;
  /** 0 for any free port. */
  port: number;
  media: PortRange;
  log(line: string): void;
}

function bind(address: string, port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

export class Softswitch {
  readonly address: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #registrar: Registrar;
  readonly #forwarder: Forwarder;
  readonly #agent: Agent;

  private constructor(socket: Socket, options: SoftswitchOptions) {
    this.#socket = socket;
    this.address = options.address;
    this.port = socket.address().port;
    this.#registrar = new Registrar(options.log);
    this.#forwarder = new Forwarder(this);
    const transport = {
      address: this.address,
      contact: `sip:${this.address}:${this.port}`,
      respond: (response: SipMessage): void => this.#respond(response),
      request: (request: SipMessage): void => this.#request(request),
      log: options.log,
    };
    this.#agent = new Agent(transport, options.media);
    socket.on("error", (error) => options.log(`softswitch: ${error.message}`));
    socket.on("message", (data, source) => this.#receive(data, source));
  }

  /** Opens the port and serves. */
  static async start(options: SoftswitchOptions): Promise<Softswitch> {
    return new Softswitch(await bind(options.address, options.port), options);
  }

  /** Calls that its own services have up. */
  get calls(): number {
    return this.#agent.calls;
  }

  /** Hangs up and closes the port once what is queued has left. */
  close(): Promise<void> {
    this.#agent.close();
    return new Promise((resolve) => setTimeout(() => this.#socket.close(() => resolve()), 50));
  }

  #send(message: SipMessage, to: Endpoint | undefined): void {
    if (to !== undefined) this.#socket.send(writeMessage(message), to.port, to.address, () => undefined);
  }

  #respond(response: SipMessage): void {
    this.#send(response, viaTarget(headerOf(response, "via") ?? ""));
  }

  #refuse(request: SipMessage, status: number, reason: string): void {
    if (request.method !== "ACK") this.#respond(responseTo(request, status, reason, "demo"));
  }

  #request(request: SipMessage): void {
    const next = readUri(readNameAddress(headerOf(request, "route") ?? `<${request.uri}>`).uri);
    headerPrepend(request, "Via", `SIP/2.0/UDP ${this.address}:${this.port};branch=z9hG4bK${randomBytes(8).toString("hex")};rport`);
    this.#send(request, next && endpointOf(next.host, next.port));
  }

  #receive(data: Uint8Array, source: Endpoint): void {
    const message = readMessage(data);
    if (message === undefined || !isComplete(message)) return;
    if (message.method === "") this.#receiveResponse(message);
    else if (viaReceive(message, source)) this.#receiveRequest(message);
  }

  #receiveResponse(response: SipMessage): void {
    if (!this.#forwarder.isOwnVia(response)) return;
    const target = this.#forwarder.forwardResponse(response);
    if (target !== undefined) this.#send(response, target);
    else this.#agent.receiveResponse(response);
  }

  #receiveRequest(request: SipMessage): void {
    const routed = this.#forwarder.routeTake(request);
    const inside = tagOf(headerOf(request, "to") ?? "") !== "";
    const dialog = this.#agent.find(request);
    const uri = readUri(request.uri);
    if (uri === undefined) this.#refuse(request, 416, "Unsupported URI Scheme");
    else if (dialog !== undefined && (inside || request.method === "CANCEL" || request.method === "ACK")) this.#agent.receiveInside(request, dialog);
    else if (inside && routed) this.#forward(request);
    else if (inside) this.#forwardToUser(request, uri.user, 481);
    else if (request.method === "REGISTER") this.#respond(this.#registrar.register(request, "demo"));
    else if (SERVICES.includes(uri.user) || (request.method === "OPTIONS" && uri.user === "")) this.#agent.receive(request, uri.user);
    else if (request.method === "SUBSCRIBE" || request.method === "PUBLISH") this.#refuse(request, 489, "Bad Event");
    else this.#forwardToUser(request, uri.user, 404);
  }

  /** A request for a registered user: its newest Contact becomes the Request-URI (16.5, 16.6). A caller that ignores Record-Route is served too. */
  #forwardToUser(request: SipMessage, user: string, unknown: 404 | 481): void {
    const [contact] = this.#registrar.contactsOf(user);
    if (contact === undefined) return this.#refuse(request, unknown, unknown === 404 ? "Not Found" : "Call Does Not Exist");
    request.uri = contact;
    this.#forward(request);
  }

  #forward(request: SipMessage): void {
    const hop = this.#forwarder.forward(request);
    if ("status" in hop) this.#refuse(request, hop.status, hop.reason);
    else this.#send(request, hop);
  }
}
