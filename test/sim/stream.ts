/*
 * RTP of one party of a call: sends to where the other party's description says, takes note of what it hears, and knows
 * by what stands in the packets whether it was meant for it. RTCP goes along, one port above.
 */

import { CoreFault } from "../fuzz/fault.ts";
import type { Datagram, Exit, Place } from "./network.ts";
import type { Schedule } from "./schedule.ts";

/** Milliseconds between two packets: longer than in life, which changes nothing but the work. */
const PACKET_MS = 400;
const REPORT_EACH = 12;
/** What stands in a packet that bears the address of the victim's own house: it may be heard, but never instead of the call. */
export const FORGED = "forged";

export class Stream {
  sentAt = -1;
  heardAt = -1;
  heard = 0;
  private remote: Place | undefined;
  private sequence = 0;
  private closed = false;
  private silent = false;

  constructor(
    readonly callId: string,
    private readonly mine: string,
    private readonly theirs: string,
    readonly place: Place,
    private readonly exit: Exit,
    private readonly schedule: Schedule,
    private readonly ssrc: number,
  ) {}

  /** Where the other party wants media; starts with the first. */
  aim(remote: Place | undefined): void {
    const first = this.remote === undefined;
    if (remote) this.remote = remote;
    if (first && remote) this.schedule.every(PACKET_MS, () => this.tick());
  }

  hush(silent: boolean): void {
    this.silent = silent;
  }

  close(): void {
    this.closed = true;
  }

  private tick(): boolean {
    if (this.closed) return false;
    if (this.silent || !this.remote || this.remote.address === "0.0.0.0") return true;
    const packet = Buffer.concat([Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(`${this.callId}|${this.mine}`)]);
    packet.writeUInt16BE(this.sequence & 0xffff, 2);
    packet.writeInt32BE(this.ssrc, 8);
    this.exit({ from: this.place, to: this.remote, payload: packet });
    if (this.sequence++ % REPORT_EACH === 3) this.report(this.remote);
    this.sentAt = this.sentAt < 0 ? this.schedule.now : this.sentAt;
    return true;
  }

  private report(remote: Place): void {
    const packet = Buffer.concat([Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 0]), Buffer.from(`${this.callId}|${this.mine}`)]);
    packet.writeInt32BE(this.ssrc, 4);
    this.exit({ from: { ...this.place, port: this.place.port + 1 }, to: { ...remote, port: remote.port + 1 }, payload: packet });
  }

  receive({ payload, to }: Datagram): void {
    const control = to.port === this.place.port + 1;
    // Until RTCP itself is learned it goes to one above RTP (CONFORMANCE 75), which a NAT may have given to another phone.
    if (control) return;
    const text = payload.toString("latin1", 12);
    if (text === FORGED) return;
    if (text !== `${this.callId}|${this.theirs}`) throw new CoreFault("crossed", `${this.mine} in call ${this.callId} hears "${text}"`);
    this.heard++;
    this.heardAt = this.schedule.now;
  }
}

/** A description of one audio stream (RFC 8866), as a phone writes it. */
export function descriptionText({ address, port }: Place, version: number, direction: string): string {
  const lines = [
    "v=0",
    `o=- 7 ${version} IN IP4 ${address}`,
    "s=-",
    `c=IN IP4 ${direction === "blackhole" ? "0.0.0.0" : address}`,
    "t=0 0",
    `m=audio ${port} RTP/AVP 0 8`,
  ];
  return `${[...lines, "a=rtpmap:0 PCMU/8000", `a=${direction === "blackhole" ? "sendonly" : direction}`].join("\r\n")}\r\n`;
}

/** Where a description wants media, and whether it is on hold. */
export function descriptionRead(body: string): { place: Place; held: boolean } | undefined {
  const address = /^c=IN IP4 (\S+)/m.exec(body)?.[1];
  const port = /^m=audio (\d+)/m.exec(body)?.[1];
  if (address === undefined || port === undefined) return undefined;
  return { place: { address, port: Number(port) }, held: address === "0.0.0.0" || /^a=(sendonly|recvonly|inactive)/m.test(body) };
}
