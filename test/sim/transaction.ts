/*
 * Transactions over UDP (RFC 3261 17): retransmission with T1 and T2, absorption, and a look at every response whether what
 * its request said about its sender has come back byte for byte (RFC 3261 8.2.6, RFC 3581 4).
 */

import { CoreFault } from "../fuzz/fault.ts";
import type { Place } from "./network.ts";
import type { Appointment, Schedule } from "./schedule.ts";
import { branchOf, methodOf, type Sip, sipRead, sipText, statusOf, tagOf, valueOf, valuesOf } from "./sip.ts";

const [T1, T2, TIMEOUT] = [500, 4000, 32_000];

interface Client {
  request: Sip;
  to: Place;
  invite: boolean;
  state: "calling" | "proceeding" | "done";
  timer: Appointment | undefined;
  onResponse: (response: Sip, status: number) => void;
}

/** A request that came in, and the way to answer it. */
export class Incoming {
  private last: string | undefined;
  private timer: Appointment | undefined;
  private final = false;

  constructor(
    readonly request: Sip,
    readonly from: Place,
    private readonly schedule: Schedule,
    private readonly transmit: (text: string, to: Place) => void,
  ) {}

  /** `own` when the answer is ours to repeat until the ACK comes; a proxy does not repeat a 2xx (RFC 3261 16.7, 17.2.1). */
  reply(response: Sip, own = true): void {
    if (this.final) return;
    this.last = sipText(response);
    this.final = statusOf(response) >= 200;
    this.again();
    if (own && this.final && methodOf(this.request) === "INVITE") this.repeat(T1, this.schedule.now + TIMEOUT);
  }

  get answered(): boolean {
    return this.final;
  }

  /** A retransmission of the request gets the last response again. */
  again(): void {
    if (this.last !== undefined) this.transmit(this.last, this.from);
  }

  /** The ACK has come. */
  acknowledged(): void {
    this.timer?.cancel();
  }

  private repeat(ms: number, end: number): void {
    this.timer = this.schedule.after(ms, () => {
      if (this.schedule.now >= end) return;
      this.again();
      this.repeat(Math.min(2 * ms, T2), end);
    });
  }
}

/** The Via without what a server adds to it (RFC 3581 4). */
function viaBare(via: string): string {
  return via.replace(/;received=[^;]*/, "").replace(/;rport=\d+/, ";rport");
}

export class Transactions {
  private readonly clients = new Map<string, Client>();
  private readonly servers = new Map<string, Incoming>();

  constructor(
    private readonly name: string,
    private readonly schedule: Schedule,
    private readonly transmit: (text: string, to: Place) => void,
    private readonly onRequest: (incoming: Incoming) => void,
  ) {}

  send(request: Sip, to: Place, onResponse: (response: Sip, status: number) => void): void {
    const invite = methodOf(request) === "INVITE";
    const client: Client = { request, to, invite, state: "calling", timer: undefined, onResponse };
    this.clients.set(`${branchOf(valueOf(request, "Via"))} ${methodOf(request)}`, client);
    this.attempt(client, T1, this.schedule.now + TIMEOUT);
  }

  /** An ACK to a 2xx has no transaction of its own. */
  sendAck(ack: Sip, to: Place): void {
    this.transmit(sipText(ack), to);
  }

  private attempt(client: Client, ms: number, end: number): void {
    this.transmit(sipText(client.request), client.to);
    client.timer = this.schedule.after(ms, () => {
      if (client.state === "done" || (client.invite && client.state === "proceeding")) return;
      if (this.schedule.now >= end) {
        client.state = "done";
        client.onResponse({ start: "SIP/2.0 408 Request Timeout", headers: [], body: "" }, 408);
      } else this.attempt(client, client.invite ? 2 * ms : Math.min(2 * ms, T2), end);
    });
  }

  receive(text: string, from: Place): void {
    const sip = sipRead(text);
    if (statusOf(sip) > 0) this.response(sip);
    else this.request(sip, from);
  }

  private response(response: Sip): void {
    const client = this.clients.get(`${branchOf(valueOf(response, "Via"))} ${methodOf(response)}`);
    if (!client) throw new CoreFault("restored", `${this.name} gets a response to nothing it sent:\n${sipText(response)}`);
    this.check(client.request, response);
    const status = statusOf(response);
    if (client.invite && status >= 300) this.transmit(sipText(this.ackOf(client.request, response)), client.to);
    if (client.state === "done") {
      if (client.invite && status >= 200 && status < 300) client.onResponse(response, status);
      return;
    }
    client.state = status < 200 ? "proceeding" : "done";
    if (client.state === "done") client.timer?.cancel();
    client.onResponse(response, status);
  }

  /** What a response must say as its request did. */
  private check(request: Sip, response: Sip): void {
    const vias = (sip: Sip): string =>
      valuesOf(sip, "Via")
        .map((via, i) => (i === 0 ? viaBare(via) : via))
        .join("\n");
    const same = (name: string, left: string, right: string): void => {
      if (left !== right) throw new CoreFault("restored", `${this.name} sent ${name}\n${left}\nand gets back\n${right}`);
    };
    same("Via", vias(request), vias(response));
    for (const name of ["From", "Call-ID", "CSeq"]) same(name, valueOf(request, name), valueOf(response, name));
    const to = valueOf(request, "To");
    same("To", to, tagOf(to) === "" ? valueOf(response, "To").replace(/;tag=.*/, "") : valueOf(response, "To"));
  }

  /** ACK to a final error: part of the transaction (RFC 3261 17.1.1.3). */
  private ackOf(request: Sip, response: Sip): Sip {
    const kept = request.headers.filter(([name]) => ["From", "Call-ID", "Route", "Max-Forwards"].includes(name));
    const target = request.start.split(" ")[1];
    const headers: [string, string][] = [
      ["Via", valueOf(request, "Via")],
      ...kept,
      ["To", valueOf(response, "To")],
      ["CSeq", valueOf(request, "CSeq").replace("INVITE", "ACK")],
    ];
    return { start: `ACK ${target} SIP/2.0`, headers, body: "" };
  }

  private request(request: Sip, from: Place): void {
    const [branch, method] = [branchOf(valueOf(request, "Via")), methodOf(request)];
    const known = this.servers.get(`${branch} ${method === "ACK" ? "INVITE" : method}`);
    if (known && method === "ACK") return known.acknowledged();
    if (known) return known.again();
    const incoming = new Incoming(request, from, this.schedule, this.transmit);
    if (method !== "ACK") this.servers.set(`${branch} ${method}`, incoming);
    this.onRequest(incoming);
  }
}
