/*
 * One call at one phone (RFC 3261 12 to 15): offer and answer, hold, the end; route set and target as they were learned.
 */

import type { Schedule } from "./schedule.ts";
import { responseOf, type Sip, tagOf, uriOf, userOf, valueOf, valuesOf } from "./sip.ts";
import { descriptionRead, descriptionText, type Stream } from "./stream.ts";
import type { Incoming } from "./transaction.ts";

/** What a call needs of its phone. */
export interface Line {
  readonly user: string;
  readonly contact: string;
  /** The domain that it takes for its own, and its server's. */
  readonly home: string;
  /** What it says about itself, with its address in it. */
  readonly agent: string;
  readonly schedule: Schedule;
  via(): string;
  send(request: Sip, onResponse: (response: Sip, status: number) => void): void;
  acknowledge(ack: Sip): void;
}

export type DialogState = "calling" | "ringing" | "up" | "over";

export class Dialog {
  state: DialogState = "calling";
  /** Since when media should go both ways, undefined while it should not. */
  talkingSince: number | undefined;
  /** Has a NAT cut it off, so that nothing can be said about its media? */
  disturbed = false;
  private remoteTag = "";
  private remoteTarget = "";
  private routes: string[] = [];
  private cseq = 0;
  private version = 1;
  private busy = false;
  private invite: Sip | undefined;
  private cancelled = false;
  private incoming: Incoming | undefined;

  constructor(
    private readonly phone: Line,
    private readonly callId: string,
    private readonly localTag: string,
    readonly peer: string,
    private readonly caller: boolean,
    readonly stream: Stream,
  ) {}

  private get now(): number {
    return this.phone.schedule.now;
  }

  private describe(direction: string): string {
    return descriptionText(this.stream.place, this.version, direction);
  }

  private request(method: string, body = "", cseq = ++this.cseq): Sip {
    const { user, home, agent } = this.phone;
    const [me, peer] = [`<sip:${user}@${home}>`, `<sip:${this.peer}@${home}>`];
    const to = this.remoteTag === "" ? peer : `${peer};tag=${this.remoteTag}`;
    const contact: [string, string][] = ["INVITE", "UPDATE"].includes(method) ? [["Contact", `<${this.phone.contact}>`]] : [];
    const headers: [string, string][] = [
      ["Via", this.phone.via()],
      ...this.routes.map((route): [string, string] => ["Route", route]),
      ["Max-Forwards", "70"],
      ["From", `${me};tag=${this.localTag}`],
      ["To", to],
      ["Call-ID", this.callId],
      ["CSeq", `${cseq} ${method}`],
      ["X-Call", this.stream.callId],
      ["User-Agent", agent],
      ...contact,
      ...(body === "" ? [] : [["Content-Type", "application/sdp"] as [string, string]]),
    ];
    return { start: `${method} ${this.remoteTarget || `sip:${this.peer}@${home}`} SIP/2.0`, headers, body };
  }

  private learn(sip: Sip, routes: string[]): void {
    const contact = valueOf(sip, "Contact");
    if (contact !== "") this.remoteTarget = uriOf(contact);
    if (this.state !== "up") this.routes = routes;
  }

  private hear(body: string, expected = true): void {
    const description = body === "" ? undefined : descriptionRead(body);
    if (!description) return;
    this.stream.aim(description.place);
    this.stream.hush(description.held);
    if (expected) this.talkingSince = description.held ? undefined : this.now;
  }

  /** Calls; `late` leaves the offer to the other side. */
  call(late: boolean): void {
    this.invite = this.request("INVITE", late ? "" : this.describe("sendrecv"));
    this.phone.send(this.invite, (response, status) => this.called(response, status, late));
  }

  private called(response: Sip, status: number, late: boolean): void {
    if (this.state === "over" && status < 300 && status >= 200) return this.acknowledge(response, "");
    if (this.state === "over") return;
    if (status >= 300) return this.finish();
    if (status > 100) {
      this.remoteTag = tagOf(valueOf(response, "To"));
      this.learn(response, valuesOf(response, "Record-Route").reverse());
      if (this.state === "calling") this.state = "ringing";
    }
    if (status < 200) {
      if (this.cancelled) this.cancel();
      return this.hear(late ? "" : response.body, false);
    }
    const first = this.state !== "up";
    this.state = "up";
    this.acknowledge(response, late ? this.describe("sendrecv") : "");
    if (first) this.hear(response.body);
    if (first && this.cancelled) this.hangUp();
  }

  private acknowledge(response: Sip, body: string): void {
    this.phone.acknowledge(this.request("ACK", body, Number(valueOf(response, "CSeq").split(" ")[0])));
  }

  /** Gives up before the answer: waits for a provisional response (RFC 3261 9.1). */
  cancel(): void {
    this.cancelled = true;
    if (this.state === "up") return this.hangUp();
    if (this.state !== "ringing" || !this.invite) return;
    const { start, headers } = this.invite;
    const kept = headers
      .filter(([name]) => !["Contact", "Content-Type"].includes(name))
      .map(([name, value]): [string, string] => [name, name === "CSeq" ? value.replace("INVITE", "CANCEL") : value]);
    this.phone.send({ start: start.replace("INVITE", "CANCEL"), headers: kept, body: "" }, () => undefined);
    this.state = "calling";
    this.cancelled = false;
  }

  /** A call has come: rings, perhaps with early media, and answers after `ms`, or refuses. */
  ring(incoming: Incoming, ms: number, refuse: boolean, early: boolean): void {
    const { request } = incoming;
    this.incoming = incoming;
    this.state = "ringing";
    this.remoteTag = tagOf(valueOf(request, "From"));
    this.learn(request, valuesOf(request, "Record-Route"));
    const late = request.body === "";
    this.hear(request.body, false);
    if (early && !late) incoming.reply(this.responseTo(request, "183 Session Progress", this.describe("sendrecv")));
    else incoming.reply(this.responseTo(request, "180 Ringing", ""));
    this.phone.schedule.after(ms, () => {
      if (this.state !== "ringing") return;
      if (refuse) {
        incoming.reply(responseOf(request, "486 Busy Here", this.localTag));
        return this.finish();
      }
      incoming.reply(this.responseTo(request, "200 OK", this.describe("sendrecv")));
      this.state = "up";
      if (!late) this.talkingSince = this.now;
    });
  }

  private responseTo(request: Sip, status: string, body: string): Sip {
    const type: [string, string][] = body === "" ? [] : [["Content-Type", "application/sdp"]];
    return responseOf(request, status, this.localTag, [["Contact", `<${this.phone.contact}>`], ...type], body);
  }

  /** A request inside the call. */
  take(incoming: Incoming, method: string): void {
    const { request } = incoming;
    if (method === "ACK") return this.acked(request);
    if (method === "CANCEL") return this.cancelTake(incoming);
    if (method === "BYE") {
      incoming.reply(responseOf(request, "200 OK", this.localTag));
      return this.finish();
    }
    if (method !== "INVITE" || this.state !== "up")
      return incoming.reply(responseOf(request, this.state === "over" ? "481 Gone" : "491 Request Pending", this.localTag));
    if (this.busy) return incoming.reply(responseOf(request, "491 Request Pending", this.localTag));
    this.incoming = incoming;
    this.learn(request, []);
    const held = descriptionRead(request.body)?.held === true;
    this.version++;
    this.hear(request.body);
    incoming.reply(this.responseTo(request, "200 OK", this.describe(held ? "recvonly" : "sendrecv")));
  }

  private acked(request: Sip): void {
    this.incoming?.acknowledged();
    if (request.body !== "" && this.talkingSince === undefined) this.hear(request.body);
  }

  private cancelTake(incoming: Incoming): void {
    incoming.reply(responseOf(incoming.request, "200 OK", this.localTag));
    if (this.state !== "ringing" || this.caller || !this.incoming) return;
    this.incoming.reply(responseOf(this.incoming.request, "487 Request Terminated", this.localTag));
    this.finish();
  }

  /** Puts the call on hold, in one of the two styles, or takes it back. */
  hold(direction: "sendonly" | "blackhole" | "sendrecv"): void {
    if (this.state !== "up" || this.busy) return;
    this.busy = true;
    this.version++;
    if (direction !== "sendrecv") this.talkingSince = undefined;
    this.phone.send(this.request("INVITE", this.describe(direction)), (response, status) => {
      if (status < 200) return;
      this.busy = false;
      if (status >= 300) return this.refused(status);
      this.acknowledge(response, "");
      if (this.state !== "up") return;
      this.stream.hush(direction !== "sendrecv");
      this.hear(response.body);
      if (direction !== "sendrecv") this.talkingSince = undefined;
    });
  }

  private refused(status: number): void {
    this.talkingSince = undefined;
    if (status === 408 || status === 481) this.hangUp();
  }

  hangUp(): void {
    if (this.state === "over") return;
    if (this.state !== "up") return this.caller ? this.cancel() : undefined;
    const bye = this.request("BYE");
    this.finish();
    this.phone.send(bye, () => undefined);
  }

  private finish(): void {
    this.state = "over";
    this.talkingSince = undefined;
    this.stream.close();
  }
}

/** The user that an INVITE comes from. */
export function callerOf(request: Sip): string {
  return userOf(uriOf(valueOf(request, "From")));
}
