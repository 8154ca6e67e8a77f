/*
 * Run by artefact.test.ts with --expose-gc: how many bytes each kind of input leaves on the JavaScript heap.
 * Between two looks at the heap nothing but the core may allocate, so packets are prepared and patched in place.
 * The mode "planted" allocates one object an input, to show that this would be seen.
 */

import * as abi from "#abi";
import { addressFrom, addressParse } from "../../hosts/shared/address.ts";
import type { Exports } from "../parity/engine.ts";
import { imageOf } from "../vector/image.ts";

const CONFIG = `
realms:
  access: { media: 203.0.113.20 }
  core: { address: 10.9.0.2, media: 10.9.0.3 }
services:
  voice: { address: 203.0.113.20, servers: [10.9.0.10] }
rules:
  - { to: 203.0.113.20/32, proxy: voice }
`;
const ACCESS = 0;
const CORE = 1;
const WARM_UP = 5_000;
const WARM_UPS = 4;
const WINDOW = 2_500;
const ROUNDS = 7;
const TERMINAL = { address: "198.51.100.11", port: 5060 };
const SERVICE = { address: "203.0.113.20", port: 5060 };
const SERVER = { address: "10.9.0.10", port: 5060 };

interface Place {
  address: string;
  port: number;
}

interface Prepared {
  bytes: Uint8Array;
  /** Where a number of six digits counts up, 0 for none. */
  counter: number;
}

const SDP = (address: string, port: number): string =>
  `v=0\r\no=- 1 1 IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`;

const head = (first: string, via: string, method: string, contact: string): string =>
  `${first}\r\nVia: SIP/2.0/UDP ${via};branch=z9hG4bK000001\r\nFrom: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>${first.startsWith("SIP") ? ";tag=b" : ""}\r\nCall-ID: heap\r\nCSeq: 000001 ${method}\r\nContact: ${contact}\r\n`;

function message(start: string, body: string): string {
  return `${start}${body ? "Content-Type: application/sdp\r\n" : ""}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function prepare(realm: number, from: Place, to: Place, payload: string): Prepared {
  const bytes = Buffer.alloc(abi.PACKET_PAYLOAD + payload.length);
  bytes.writeInt32LE(payload.length, abi.PACKET_LEN);
  bytes.writeInt32LE(realm, abi.PACKET_REALM);
  bytes.writeInt32LE(from.port, abi.PACKET_SOURCE_PORT);
  bytes.writeInt32LE(to.port, abi.PACKET_DESTINATION_PORT);
  bytes.writeInt32LE(abi.PROTOCOL_UDP, abi.PACKET_PROTOCOL);
  for (const label of [abi.PACKET_VPN, abi.PACKET_VLAN, abi.PACKET_MPLS]) bytes.writeInt32LE(-1, label);
  bytes.set(addressParse(from.address)!.bytes, abi.PACKET_SOURCE);
  bytes.set(addressParse(to.address)!.bytes, abi.PACKET_DESTINATION);
  bytes.write(payload, abi.PACKET_PAYLOAD, "latin1");
  const counter = payload.search(/CSeq: 000001/);
  return { bytes, counter: counter < 0 ? 0 : abi.PACKET_PAYLOAD + counter + "CSeq: ".length };
}

class Bench {
  now = 1000;
  kept: object[] = [];

  constructor(
    private readonly core: Exports,
    private readonly bytes: Uint8Array,
    private readonly words: Int32Array,
    private readonly planting: boolean,
  ) {}

  private count(at: number): void {
    for (let digit = at + 5; digit >= at; digit--) {
      if (this.bytes[digit]! < 57) {
        this.bytes[digit] = this.bytes[digit]! + 1;
        return;
      }
      this.bytes[digit] = 48;
    }
  }

  private drain(): void {
    for (let i = 0; i < abi.OUTPUT_MAX; i++) if (this.words[(this.core.output() + abi.OUTPUT_KIND) >> 2] === abi.OUTPUT_TIMEOUT) return;
  }

  feed(packet: Prepared, n: number): void {
    this.bytes.set(packet.bytes, abi.INPUT);
    const len = packet.bytes.length - abi.PACKET_PAYLOAD;
    for (let i = 0; i < n; i++) {
      this.now = (this.now + 1) | 0;
      if (packet.counter > 0) this.count(abi.INPUT + packet.counter);
      this.core.input(abi.KIND_DATAGRAM, len, this.now);
      this.drain();
      if (this.planting) this.kept.push({ i });
      if ((i & 63) === 0) {
        this.core.input(abi.KIND_TIMEOUT, 0, this.now);
        this.drain();
      }
    }
  }

  /** Feeds one packet and returns what was sent last: its own address and its payload. */
  send(packet: Prepared): { from: Place; payload: string } {
    this.bytes.set(packet.bytes, abi.INPUT);
    this.core.input(abi.KIND_DATAGRAM, packet.bytes.length - abi.PACKET_PAYLOAD, this.now);
    let sent = { from: SERVICE, payload: "" };
    for (let i = 0; i < abi.OUTPUT_MAX; i++) {
      const at = this.core.output();
      const word = (offset: number): number => this.words[(at + offset) >> 2]!;
      if (word(abi.OUTPUT_KIND) === abi.OUTPUT_TIMEOUT) break;
      if (word(abi.OUTPUT_KIND) !== abi.OUTPUT_SEND) continue;
      const payload = Buffer.from(this.bytes.subarray(word(abi.OUTPUT_PAYLOAD), word(abi.OUTPUT_PAYLOAD) + word(abi.OUTPUT_LEN))).toString("latin1");
      sent = { from: { address: addressFrom(this.bytes, at + abi.OUTPUT_LOCAL).text, port: word(abi.OUTPUT_LOCAL_PORT) }, payload };
    }
    return sent;
  }

  private look(packet: Prepared, n: number): number {
    this.kept = [];
    globalThis.gc!();
    const before = process.memoryUsage().heapUsed;
    this.feed(packet, n);
    return process.memoryUsage().heapUsed - before;
  }

  /** Bytes that each input leaves: the least and the middle of some rounds, since hot code is compiled on the same heap. */
  growth(packet: Prepared): { least: number; middle: number } {
    const rounds: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const short = this.look(packet, WINDOW);
      rounds.push(Math.abs(this.look(packet, 4 * WINDOW) - short) / (3 * WINDOW));
    }
    rounds.sort((a, b) => a - b);
    return { least: rounds[0]!, middle: rounds[ROUNDS >> 1]! };
  }
}

function portIn(sdp: string): number {
  return Number(/m=audio (\d+)/.exec(sdp)?.[1] ?? 0);
}

/** A registered terminal with a call up; then one packet of each kind. */
function packets(bench: Bench): Record<string, Prepared> {
  const contact = "<sip:alice@192.168.1.2:5060>";
  const register = prepare(ACCESS, TERMINAL, SERVICE, message(head("REGISTER sip:example.com SIP/2.0", "192.168.1.2", "REGISTER", contact), ""));
  const invite = prepare(
    ACCESS,
    TERMINAL,
    SERVICE,
    message(head("INVITE sip:bob@example.com SIP/2.0", "192.168.1.2", "INVITE", contact), SDP("192.168.1.2", 4000)),
  );
  const ours = bench.send(invite);
  const offered = portIn(ours.payload);
  const via = /^Via: .*$/m.exec(ours.payload)?.[0] ?? "";
  const answer = message(head("SIP/2.0 200 OK", "0.0.0.0", "INVITE", "<sip:bob@10.9.0.10>").replace(/^Via: .*$/m, via), SDP("10.9.0.20", 6000));
  const response = prepare(CORE, SERVER, ours.from, answer);
  const answered = portIn(bench.send(response).payload);
  if (offered === 0 || answered === 0) throw new Error(`no call: ${offered} ${answered} ${ours.payload}`);
  const rtp = `\x80\x00\x00\x01\x00\x00\x00\xa0\x00\x00\x00\x07${"\xd5".repeat(160)}`;
  return {
    register,
    invite,
    response,
    rtpInbound: prepare(ACCESS, { ...TERMINAL, port: 4000 }, { address: "203.0.113.20", port: answered }, rtp),
    rtpOutbound: prepare(CORE, { address: "10.9.0.20", port: 6000 }, { address: "10.9.0.3", port: offered }, rtp),
    malformed: prepare(ACCESS, TERMINAL, SERVICE, "INVITE sip:bob@example.com SIP/2.0\r\nVia: nonsense\r\n\r\n"),
    keepalive: prepare(ACCESS, TERMINAL, SERVICE, "\r\n\r\n"),
    stranger: prepare(ACCESS, TERMINAL, { address: "203.0.113.99", port: 99 }, "x"),
  };
}

const { memory } = await imageOf(CONFIG, "heap");
const buffer = memory.slice().buffer;
const { createCore } = (await import("#core")) as unknown as { createCore: (memory: ArrayBufferLike) => Exports };
const core = createCore(buffer);
core.boot(0);
const bench = new Bench(core, new Uint8Array(buffer), new Int32Array(buffer), process.argv[2] === "planted");
const kinds = Object.entries(packets(bench));
for (let turn = 0; turn < WARM_UPS; turn++) for (const [, packet] of kinds) bench.feed(packet, WARM_UP);
const growth = kinds.map(([name, packet]) => [name, bench.growth(packet)]);
console.log(JSON.stringify(Object.fromEntries(growth)));
