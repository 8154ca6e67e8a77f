/*
 * One call between a terminal and somebody behind the server, on a virtual clock and a perfect network, that can be brought
 * to a moment, kept, and gone back to: what an attack is tried on. The ports of ours are read from what the core sends.
 */

import * as abi from "#abi";
import { CoreFault } from "../fuzz/fault.ts";
import { Lockstep, type Maker } from "../fuzz/lockstep.ts";
import { isSend } from "../fuzz/output.ts";
import { imageOf } from "../vector/image.ts";
import { type Place, placeText, type Realm } from "./network.ts";

export type Policy = "strict" | "source" | "any";
/** `nat` of the access realm; "open": auto, with a terminal that has no NAT in front of it. */
export type Kind = "auto" | "open" | "always" | "never";

export interface Setting {
  policy: Policy;
  kind: Kind;
  mux: boolean;
}

const SERVICE = { address: "203.0.113.20", port: 5060 };
const SERVER = { address: "10.9.0.10", port: 5060 };
export const OURS = { access: "203.0.113.21", core: "10.9.0.3" };
const SIGNAL = "10.9.0.2";
export const NAT = "198.51.100.11";
export const HOME = { address: "192.168.1.2", port: 4000 };
export const FAR = { address: "10.9.0.20", port: 6000 };
const START = 1_000_000;
const PACKET_MS = 20;

/** What a datagram led to: where it went on to, "" when it did not. */
type Passed = string;

export class Scene {
  private now = START;
  private cseq = 1;
  private sequences = { access: 0, core: 0 };
  private binding: Place = { address: SIGNAL, port: 0 };
  /** Our RTP ports; RTCP is one above. */
  private readonly ports = { access: 0, core: 0 };
  private kept: { memories: Buffer[]; now: number; sequences: { access: number; core: number } } | undefined;

  private constructor(
    private readonly lockstep: Lockstep,
    readonly setting: Setting,
  ) {}

  static async open(makers: Maker[], setting: Setting): Promise<Scene> {
    const { policy, kind } = setting;
    const yaml = `
realms:
  access: { media: ${OURS.access}, latch: ${policy}, nat: ${kind === "open" ? "auto" : kind}, keepalive: off, ports: { media: 20000-20063 } }
  core: { address: ${SIGNAL}, media: ${OURS.core}, latch: ${policy}, ports: { signal: 10000-10015, media: 20000-20063 } }
services:
  voice: { address: ${SERVICE.address}, servers: [${SERVER.address}] }
rules:
  - { to: ${SERVICE.address}, proxy: voice }
capacity: { terminals: 4, bindings: 4, registrations: 4, calls: 4, flows: 4 }
`;
    const { memory } = await imageOf(yaml, "an attack");
    const lockstep = await Lockstep.open(makers, memory, START);
    lockstep.compareEach = 5000;
    const scene = new Scene(lockstep, setting);
    scene.exchange(true);
    return scene;
  }

  private get isBehindNat(): boolean {
    return this.setting.kind === "auto" || this.setting.kind === "always";
  }

  /** Where the terminal says that it is. */
  get signalled(): Place {
    return this.isBehindNat ? HOME : { address: NAT, port: HOME.port };
  }

  /** Where its media comes from. */
  get source(): Place {
    return { address: NAT, port: this.isBehindNat ? 31_000 : HOME.port };
  }

  /** Lets one datagram in. */
  send(realm: Realm, from: Place, to: Place, payload: Buffer): Passed {
    const packet = {
      realm: realm === "access" ? 0 : 1,
      source: from.address,
      sourcePort: from.port,
      destination: to.address,
      destinationPort: to.port,
      payload,
    };
    const sent = this.lockstep.datagram(packet, this.now).outputs.find(isSend);
    return sent === undefined ? "" : `${sent.remote}:${sent.remotePort}`;
  }

  /** To our media port in a realm. */
  media(realm: Realm, from: Place, payload: Buffer, control: boolean): Passed {
    return this.send(realm, from, { address: OURS[realm], port: this.ports[realm] + (control ? 1 : 0) }, payload);
  }

  /** The next packet of the terminal's own stream, or of the far party's. */
  stream(realm: Realm): Passed {
    const to = this.media(realm, realm === "access" ? this.source : FAR, this.rtp(realm, 0), false);
    this.sequences[realm]++;
    return to;
  }

  /** A report of one of them: where it would be sent, so that RTCP is looked at too. */
  report(realm: Realm): Passed {
    const place = realm === "access" ? this.source : FAR;
    const own = this.setting.mux ? place : { ...place, port: place.port + 1 };
    const payload = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, realm === "access" ? 1 : 2]);
    return this.media(realm, own, payload, !this.setting.mux);
  }

  /** A packet as the stream of a realm would go on, `ahead` packets from now. */
  rtp(realm: Realm, ahead: number, ssrc = realm === "access" ? 1 : 2): Buffer {
    const packet = Buffer.alloc(172, 0x2a);
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt16BE((this.sequences[realm] + ahead) & 0xffff, 2);
    packet.writeUInt32BE(ssrc, 8);
    return packet;
  }

  wait(ms = PACKET_MS): void {
    this.now += ms;
  }

  /** Both talk for so many packets, and report. */
  talk(packets: number): void {
    for (let i = 0; i < packets; i++) {
      this.wait();
      for (const realm of ["access", "core"] as const) {
        this.stream(realm);
        this.report(realm);
      }
    }
  }

  /** An INVITE of the terminal and its 200: the first of the call, or again. */
  exchange(first = false, direction = "sendrecv"): void {
    const to = first ? "" : ";tag=b";
    const head = ["From: <sip:a@example.com>;tag=a", `Call-ID: c@${HOME.address}`, `CSeq: ${this.cseq++} INVITE`];
    const offer = this.describe(this.signalled, direction);
    const { address } = this.signalled;
    const request = [`INVITE sip:b@${SERVICE.address} SIP/2.0`, `Via: SIP/2.0/UDP ${address}:5060;branch=z9hG4bK${this.cseq}`, ...head];
    const own = [`To: <sip:b@example.com>${to}`, `Contact: <sip:a@${address}:5060>`];
    const out = this.sip("access", { address: NAT, port: 5060 }, SERVICE, [...request, ...own], offer);
    this.binding.port = out.from.port;
    this.ports.core = Number(/m=audio (\d+)/.exec(out.text)?.[1]);
    const via = /^Via: .*$/m.exec(out.text)![0].trim();
    const answer = ["SIP/2.0 200 OK", via, ...head, "To: <sip:b@example.com>;tag=b", `Contact: <sip:b@${SERVER.address}>`];
    const back = this.sip("core", SERVER, this.binding, answer, this.describe(FAR, direction === "sendonly" ? "recvonly" : direction));
    this.ports.access = Number(/m=audio (\d+)/.exec(back.text)?.[1]);
  }

  end(): void {
    const head = ["From: <sip:a@example.com>;tag=a", "To: <sip:b@example.com>;tag=b", `Call-ID: c@${HOME.address}`, `CSeq: ${this.cseq++} BYE`];
    const request = [`BYE sip:b@${SERVICE.address} SIP/2.0`, `Via: SIP/2.0/UDP ${this.signalled.address}:5060;branch=z9hG4bK${this.cseq}`];
    const out = this.sip("access", { address: NAT, port: 5060 }, SERVICE, [...request, ...head], "");
    this.sip("core", SERVER, this.binding, ["SIP/2.0 200 OK", /^Via: .*$/m.exec(out.text)![0].trim(), ...head], "");
  }

  private describe({ address, port }: Place, direction: string): string {
    const mux = this.setting.mux ? "a=rtcp-mux\r\n" : "";
    return `v=0\r\no=- 1 1 IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\na=${direction}\r\n${mux}`;
  }

  private sip(realm: Realm, from: Place, to: Place, lines: string[], body: string): { from: Place; text: string } {
    const type = body === "" ? [] : ["Content-Type: application/sdp"];
    const text = `${[...lines, ...type, `Content-Length: ${body.length}`].join("\r\n")}\r\n\r\n${body}`;
    const packet = { realm: realm === "access" ? 0 : 1, source: from.address, sourcePort: from.port, destination: to.address, destinationPort: to.port };
    const outcome = this.lockstep.datagram({ ...packet, payload: Buffer.from(text) }, this.now);
    const sent = outcome.outputs.find(isSend);
    if (!sent || outcome.result !== abi.VERDICT_TRANSLATED) throw new CoreFault("scene", `${placeText(to)} does not take\n${text}`);
    return { from: { address: sent.local, port: sent.localPort }, text: sent.payload };
  }

  /** Keeps this moment. */
  keep(): void {
    const memories = this.lockstep.machines.map(({ bytes }) => Buffer.from(bytes));
    this.kept = { memories, now: this.now, sequences: { ...this.sequences } };
  }

  /** Goes back to the moment that was kept. */
  back(): void {
    const { memories, now, sequences } = this.kept!;
    for (const [i, { bytes }] of this.lockstep.machines.entries()) memories[i]!.copy(bytes);
    this.now = now;
    this.sequences = { ...sequences };
  }

  /** The builds must have come to the same. */
  compare(): void {
    this.lockstep.compare();
  }
}
