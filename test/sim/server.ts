/*
 * The server in the core realm: a registrar that stores Contacts as they are sent, and a proxy that keeps transactions and
 * record-routes (RFC 3261 10, 16). It has never heard of NAT: it sends to what it reads, and answers as RFC 3581 says.
 */

import { CoreFault } from "../fuzz/fault.ts";
import type { Random } from "../unit/core/random.ts";
import type { Datagram, Network, Place } from "./network.ts";
import type { Schedule } from "./schedule.ts";
import { methodOf, placeOf, responseOf, type Sip, uriOf, userOf, valueOf, valuesOf, valuesSet } from "./sip.ts";
import { type Incoming, Transactions } from "./transaction.ts";

interface Stored {
  contact: string;
  until: number;
}

/** A call being set up: what it came as, and what it went on as. */
interface Forwarded {
  upstream: Incoming;
  downstream: Sip;
  to: Place;
}

export class Server {
  private readonly users = new Map<string, Stored>();
  private readonly transactions: Transactions;
  private readonly invites = new Map<string, Forwarded>();
  private readonly route: string;
  private branches = 0;

  constructor(
    private readonly place: Place,
    private readonly network: Network,
    private readonly schedule: Schedule,
    random: Random,
  ) {
    this.route = random.pick([
      `<sip:${place.address};lr>`,
      `<sip:${place.address}:${place.port};lr>`,
      `<sip:${place.address}:${place.port};transport=udp;lr;ftag=x>`,
    ]);
    this.transactions = new Transactions(
      "the server",
      schedule,
      (text, to) => this.transmit(text, to),
      (incoming) => this.take(incoming),
    );
    network.attach(place.address, (datagram) => this.receive(datagram));
  }

  private transmit(text: string, to: Place): void {
    this.network.send({ from: this.place, to, payload: Buffer.from(text, "latin1") });
  }

  /** The topmost Via of a request gets what RFC 3581 4 says, and the answer goes where it says. */
  private receive({ payload, from }: Datagram): void {
    const text = payload.toString("latin1");
    if (text.startsWith("SIP/2.0 ")) return this.transactions.receive(text, from);
    const line = /^Via: (.*)$/m.exec(text);
    if (!line) throw new CoreFault("restored", `the server gets what is no request:\n${text}`);
    const via = line[1]!;
    const rport = /;rport(?![=\d])/.test(via);
    const differs = placeOf(via).address !== from.address;
    const filled = rport ? via.replace(/;rport(?!=)/, `;received=${from.address};rport=${from.port}`) : differs ? `${via};received=${from.address}` : via;
    const back = rport ? from : { address: from.address, port: placeOf(via).port };
    this.transactions.receive(
      text.replace(via, () => filled),
      back,
    );
  }

  private take(incoming: Incoming): void {
    const method = methodOf(incoming.request);
    if (method === "REGISTER") return this.register(incoming);
    if (method === "CANCEL") return this.cancel(incoming);
    const next = this.next(incoming.request);
    if (!next && method !== "ACK") return incoming.reply(responseOf(incoming.request, "404 Not Found", "s"));
    if (next) this.forward(incoming, method, next.request, next.to);
  }

  private register(incoming: Incoming): void {
    const { request } = incoming;
    const user = userOf(uriOf(valueOf(request, "To")));
    const seconds = Number(valueOf(request, "Expires"));
    const contact = uriOf(valueOf(request, "Contact"));
    if (seconds > 0) this.users.set(user, { contact, until: this.schedule.now + 1000 * seconds });
    else this.users.delete(user);
    const listed: [string, string][] = seconds > 0 ? [["Contact", `<${contact}>;expires=${seconds}`]] : [];
    incoming.reply(responseOf(request, "200 OK", "s", listed));
  }

  /** Target and next hop (RFC 3261 16.4 to 16.6), with our own Route taken off. */
  private next(request: Sip): { request: Sip; to: Place } | undefined {
    const routes = valuesOf(request, "Route");
    if (routes.length > 0 && routes[0] !== this.route) throw new CoreFault("restored", `the server record-routed ${this.route}, and gets back ${routes[0]}`);
    const rest = routes.slice(1);
    const target = request.start.split(" ")[1]!;
    const stored = /@example\.com$/.test(target) ? this.users.get(userOf(target)) : undefined;
    if (/@example\.com$/.test(target) && (!stored || stored.until < this.schedule.now)) return undefined;
    const uri = stored?.contact ?? target;
    const routed = routes.length > 0 ? valuesSet(request, "Route", rest) : request;
    return { request: { ...routed, start: request.start.replace(target, () => uri) }, to: placeOf(rest.length > 0 ? uriOf(rest[0]!) : uri) };
  }

  private via(): string {
    return `SIP/2.0/UDP ${this.place.address}:${this.place.port};branch=z9hG4bKs${this.branches++}`;
  }

  private forward(incoming: Incoming, method: string, request: Sip, to: Place): void {
    const began = valueOf(request, "To").includes(";tag=");
    const recorded = method === "INVITE" && !began ? valuesSet(request, "Record-Route", [this.route, ...valuesOf(request, "Record-Route")]) : request;
    const sent = { ...recorded, headers: [["Via", this.via()] as [string, string], ...recorded.headers] };
    if (method === "ACK") return this.transactions.sendAck(sent, to);
    if (method === "INVITE") {
      incoming.reply(responseOf(incoming.request, "100 Trying", ""));
      this.invites.set(this.inviteKey(incoming.request), { upstream: incoming, downstream: sent, to });
    }
    this.transactions.send(sent, to, (response, status) => this.answer(incoming, sent, response, status));
  }

  private inviteKey(request: Sip): string {
    return `${valueOf(request, "Call-ID")} ${valueOf(request, "CSeq").split(" ")[0]} ${/branch=([^;]+)/.exec(valueOf(request, "Via"))?.[1]}`;
  }

  private answer(incoming: Incoming, sent: Sip, response: Sip, status: number): void {
    if (status === 100) return;
    if (response.headers.length === 0) return incoming.reply(responseOf(incoming.request, "408 Request Timeout", "s"));
    const [mine, theirs] = [valuesOf(sent, "Record-Route"), valuesOf(response, "Record-Route")];
    if (theirs.length > 0 && mine.join() !== theirs.join())
      throw new CoreFault("restored", `the server record-routed ${mine.join()}, and the response says ${theirs.join()}`);
    const passed = valuesSet(response, "Via", valuesOf(response, "Via").slice(1));
    if (incoming.answered && status >= 200 && status < 300 && methodOf(sent) === "INVITE") incoming.again();
    else incoming.reply(passed, status >= 300);
  }

  /** CANCEL is answered here, and goes on as one of our own (RFC 3261 9.2, 16.10). */
  private cancel(incoming: Incoming): void {
    const { request } = incoming;
    incoming.reply(responseOf(request, "200 OK", "s"));
    const forwarded = this.invites.get(this.inviteKey(request));
    if (!forwarded || forwarded.upstream.answered) return;
    const { start, headers } = forwarded.downstream;
    const kept = headers.filter(([name], i) => i === 0 || ["Max-Forwards", "From", "To", "Call-ID"].includes(name));
    const cseq = valueOf(forwarded.downstream, "CSeq").replace("INVITE", "CANCEL");
    this.transactions.send({ start: start.replace("INVITE", "CANCEL"), headers: [...kept, ["CSeq", cseq]], body: "" }, forwarded.to, () => undefined);
  }

  /** What it has stored, for a report. */
  show(): string {
    return [...this.users].map(([user, { contact }]) => `${user} ${contact}`).join("\n");
  }
}
