/*
 * A telephone: registers and refreshes, calls and is called, answers what keeps its NAT open. It knows nothing of NATs or
 * proxies, and writes its own address everywhere (which is what all of this is about).
 */

import { CoreFault } from "../fuzz/fault.ts";
import type { Random } from "../unit/core/random.ts";
import { callerOf, Dialog, type Line } from "./dialog.ts";
import type { Datagram, Exit, Place } from "./network.ts";
import type { Schedule } from "./schedule.ts";
import { methodOf, responseOf, type Sip, sipText, uriOf, valueOf, valuesOf } from "./sip.ts";
import { Stream } from "./stream.ts";
import { type Incoming, Transactions } from "./transaction.ts";

const RTP_FIRST = 4000;
const LIVES_MS = [60_000, 90_000, 120_000];
const RETRY_SECONDS = 10;

export class Phone implements Line {
  /** By what the caller calls the call, which X-Call says: the Call-ID of each side may be its own. */
  readonly dialogs = new Map<string, Dialog>();
  private readonly byCallId = new Map<string, Dialog>();
  readonly contact: string;
  registered = false;
  private readonly transactions: Transactions;
  private readonly exit: Exit;
  private readonly streams = new Map<number, Stream>();
  private readonly rport: string;
  private rtpPort = RTP_FIRST;
  private registrations = 0;
  private branches = 0;
  private leaving = false;

  constructor(
    readonly user: string,
    private readonly place: Place,
    /** Where it sends everything: E, which it takes for its server. */
    private readonly proxy: Place,
    readonly home: string,
    readonly schedule: Schedule,
    private readonly random: Random,
    attach: (receive: (datagram: Datagram) => void) => Exit,
  ) {
    this.exit = attach((datagram) => this.receive(datagram));
    this.contact = `sip:${user}@${this.spelled}${random.chance(0.3) ? ";transport=udp" : ""}`;
    this.rport = random.chance(0.8) ? ";rport" : "";
    this.transactions = new Transactions(
      user,
      schedule,
      (text, to) => this.transmit(text, to),
      (incoming) => this.take(incoming),
    );
  }

  get agent(): string {
    return `phone/1 (${this.place.address})`;
  }

  private get spelled(): string {
    return `${this.place.address}:${this.place.port}`;
  }

  via(): string {
    return `SIP/2.0/UDP ${this.spelled};branch=z9hG4bK${this.user}${this.branches++}${this.rport}`;
  }

  private transmit(text: string, to: Place): void {
    this.exit({ from: this.place, to, payload: Buffer.from(text, "latin1") });
  }

  send(request: Sip, onResponse: (response: Sip, status: number) => void): void {
    this.transactions.send(request, this.proxy, onResponse);
  }

  acknowledge(ack: Sip): void {
    this.transactions.sendAck(ack, this.proxy);
  }

  /** Registers, and again when half of what was granted is over. */
  register(): void {
    if (this.leaving) return;
    this.registerOnce(this.random.pick(LIVES_MS) / 1000, (granted) => this.schedule.after(granted * 500, () => this.register()));
  }

  unregister(): void {
    this.leaving = true;
    this.registerOnce(0, () => undefined);
  }

  private registerOnce(seconds: number, onEnd: (granted: number) => void): void {
    const me = `<sip:${this.user}@${this.home}>`;
    const headers: [string, string][] = [
      ["Via", this.via()],
      ["Max-Forwards", "70"],
      ["From", `${me};tag=${this.user}`],
      ["To", me],
      ["Call-ID", `r-${this.user}@${this.place.address}`],
      ["CSeq", `${++this.registrations} REGISTER`],
      ["Contact", `<${this.contact}>`],
      ["User-Agent", this.agent],
      ["Expires", String(seconds)],
    ];
    this.send({ start: `REGISTER sip:${this.home} SIP/2.0`, headers, body: "" }, (response, status) => {
      this.registered = status === 200 && seconds > 0;
      onEnd(this.registered ? this.granted(response) : RETRY_SECONDS);
    });
  }

  /** Seconds that the response grants to its Contact, which it must list as it was sent. */
  private granted(response: Sip): number {
    const listed = valuesOf(response, "Contact");
    const mine = listed.find((contact) => uriOf(contact) === this.contact);
    if (mine === undefined) throw new CoreFault("restored", `${this.user} registers ${this.contact}, and the response lists ${listed.join(" ")}`);
    return Number(/;expires=(\d+)/.exec(mine)?.[1] ?? RETRY_SECONDS);
  }

  private dialogOf(call: string, callId: string, peer: string, caller: boolean): Dialog {
    const port = this.rtpPort;
    this.rtpPort += 2;
    const stream = new Stream(call, this.user, peer, { address: this.place.address, port }, this.exit, this.schedule, this.random.word());
    this.streams.set(port, stream);
    const dialog = new Dialog(this, callId, `${this.user}${port}`, peer, caller, stream);
    this.dialogs.set(call, dialog);
    this.byCallId.set(callId, dialog);
    return dialog;
  }

  /** Calls another user. */
  call(peer: string, call: string, late: boolean): Dialog {
    const dialog = this.dialogOf(call, `${call}@${this.place.address}`, peer, true);
    dialog.call(late);
    return dialog;
  }

  private receive(datagram: Datagram): void {
    if (datagram.to.port === this.place.port) return this.transactions.receive(datagram.payload.toString("latin1"), datagram.from);
    this.streams.get(datagram.to.port & -2)?.receive(datagram);
  }

  /** A request to it must name it as it names itself. */
  private check(request: Sip, method: string): void {
    const target = request.start.split(" ")[1];
    if (target === this.contact || method === "OPTIONS") return;
    throw new CoreFault("restored", `${this.user} is asked for as ${target}, and calls itself ${this.contact}:\n${sipText(request)}`);
  }

  private take(incoming: Incoming): void {
    const { request } = incoming;
    const method = methodOf(request);
    this.check(request, method);
    const dialog = this.byCallId.get(valueOf(request, "Call-ID"));
    if (dialog) return dialog.take(incoming, method);
    if (method === "INVITE") return this.ring(incoming);
    if (method !== "ACK") incoming.reply(responseOf(request, method === "OPTIONS" ? "200 OK" : "481 Gone", this.user));
  }

  private ring(incoming: Incoming): void {
    const { random } = this;
    const { request } = incoming;
    if (this.leaving) return incoming.reply(responseOf(request, "480 Gone", this.user));
    const dialog = this.dialogOf(valueOf(request, "X-Call"), valueOf(request, "Call-ID"), callerOf(request), false);
    dialog.ring(incoming, random.between(500, 6000), random.chance(0.1), random.chance(0.4));
  }
}
