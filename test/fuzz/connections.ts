/*
 * Connections in the fuzz: terminals and servers open them, the core dials, and all of them carry messages in pieces, more
 * than one at a time, cut off or damaged, and are closed when nobody expects it.
 * Invariant: the core speaks on no connection that is not open, and hangs up none that is not.
 */

import * as abi from "#abi";
import type { Random } from "../unit/core/random.ts";
import type { Sockets } from "./audit.ts";
import { bytesShow, CoreFault } from "./fault.ts";
import type { Lockstep, Outcome } from "./lockstep.ts";
import { headerBytes } from "./lockstep.ts";
import type { Output } from "./output.ts";
import type { Session } from "./session.ts";
import type { Setting } from "./setting.ts";

interface Connection {
  inbound: boolean;
  /** Its bytes are no stream, but come in messages of their own. */
  framed: boolean;
  /** Its bytes are not for the core. */
  media: boolean;
  source: string;
  /** Not up yet: what was sent on it. */
  early: string | undefined;
}

const PIECES = [1, 2, 3, 17, 200, 5000];
/** So many small pieces, then the rest at once: each is an input after which everything is looked at. */
const PIECES_MOST = 24;
/** What fits into INPUT, and so the most that a host hands in at once. */
const PIECE_MAX = abi.INPUT_SIZE - abi.PACKET_PAYLOAD;
const ACCESS_TRANSPORTS = [abi.TRANSPORT_TCP, abi.TRANSPORT_TCP, abi.TRANSPORT_TLS, abi.TRANSPORT_WS, abi.TRANSPORT_WSS];
/** Longest bytes that are tried in other pieces, and how many of those that may be are. */
const CUT_MAX = 1500;
const CUT_SOME = 0.04;
/** Not SIP, or not yet. */
const ODD = ["\r\n\r\n", "\r\n", "\n\n\n\n", "\x16\x03\x01", "SIP/2.0 200 OK\r\n", "l: 99999999999\r\n\r\n", "X", "\0\0\0\0"];

export class Connections {
  private readonly open = new Map<number, Connection>();

  constructor(
    private readonly lockstep: Lockstep,
    private readonly setting: Setting,
    private readonly session: Session,
    private readonly sockets: Sockets,
    private readonly random: Random,
  ) {}

  /** What the core wants with connections. */
  take(outputs: Output[]): void {
    for (const { kind, realm, remote, value, payload, detail, partner } of outputs) {
      if (kind === abi.OUTPUT_DIAL) {
        if (this.open.has(value)) throw new CoreFault("connections", `${value} is dialled, and was open`);
        if (detail !== abi.TRANSPORT_TCP && detail !== abi.TRANSPORT_TLS) throw new CoreFault("connections", `transport ${detail} is dialled`);
        this.open.set(value, { inbound: realm === 0, framed: false, media: partner !== 0, source: remote, early: "" });
      } else if (kind === abi.OUTPUT_HANG) {
        if (!this.open.delete(value)) throw new CoreFault("connections", `${value} is hung up, and was not open`);
      } else if (kind === abi.OUTPUT_SEND && value !== 0) {
        const connection = this.open.get(value);
        if (!connection) throw new CoreFault("connections", `something is sent on ${value}, which is not open`);
        if (connection.early !== undefined) connection.early += payload;
      }
    }
  }

  check(connections: number): void {
    if (connections !== this.open.size) throw new CoreFault("connections", `${this.open.size} are open, and the core has ${connections}`);
  }

  /** A terminal connects to E, or anybody to a port of ours. Returns the connection, if the core takes it. */
  private accept(now: number): { connection: Connection; outcome: Outcome } {
    const { random, setting } = this;
    const streams = this.sockets.streams;
    const service = { realm: 0, address: setting.service, port: random.pick([setting.servicePort, setting.servicePort, 5061, 8080, 8443]), kind: 0 };
    const media = streams.filter(({ kind }) => kind === abi.POOL_MEDIA);
    const ours = media.length > 0 && random.chance(0.5) ? media : streams;
    const to = ours.length === 0 || random.chance(0.5) ? service : random.pick(ours);
    const inbound = to.realm === 0;
    const source = inbound ? random.pick(setting.outside) : random.pick([setting.server, setting.gateway]);
    const transport = to === service ? random.pick(ACCESS_TRANSPORTS) : abi.TRANSPORT_TCP;
    const header = headerBytes(
      { realm: to.realm, source, sourcePort: random.pick([5060, 40_001, 40_002, 65_535]), destination: to.address, destinationPort: to.port },
      abi.PROTOCOL_TCP,
    );
    header.writeInt32LE(transport, abi.PACKET_TRANSPORT);
    const connection = { inbound, framed: transport >= abi.TRANSPORT_WS, media: to.kind === abi.POOL_MEDIA, source, early: undefined };
    return { connection, outcome: this.lockstep.run([[abi.INPUT, header]], abi.KIND_OPEN, 0, now) };
  }

  private tell(kind: number, handle: number, payload: Buffer, now: number): Outcome {
    const header = Buffer.alloc(abi.PACKET_PAYLOAD);
    header.writeInt32LE(handle, abi.PACKET_CONNECTION);
    header.writeInt32LE(kind === abi.KIND_OPEN ? this.random.pick([1, 5060, 41_000, 65_535]) : 0, abi.PACKET_DESTINATION_PORT);
    return this.lockstep.run([[abi.INPUT, Buffer.concat([header, payload])]], kind, payload.length, now);
  }

  /** One or two messages of the side that a connection is of, or something else. */
  private bytesDraw(inbound: boolean, harm: number): Buffer {
    const { random } = this;
    const message = (): Buffer => {
      for (let i = 0; i < 20; i++) {
        const move = this.session.move(harm);
        if (!move.media && move.inbound === inbound) return move.packet.payload;
      }
      return Buffer.from(random.pick(ODD), "latin1");
    };
    const parts = [message(), ...(random.chance(0.3) ? [Buffer.from(random.pick(ODD), "latin1")] : []), ...(random.chance(0.3) ? [message()] : [])];
    const bytes = Buffer.concat(parts);
    return random.chance(0.15) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
  }

  /** Bytes in pieces; each outcome is handed to `settle`, as is what was not taken at once. */
  private send(handle: number, bytes: Buffer, now: number, settle: (outcome: Outcome) => void): void {
    const small = this.random.pick(PIECES);
    for (let at = 0, n = 0; at < bytes.length && this.open.has(handle); n++) {
      const piece = n < PIECES_MOST ? small : PIECE_MAX;
      const outcome = this.tell(abi.KIND_STREAM, handle, bytes.subarray(at, at + piece), now);
      if (outcome.result === 0 || outcome.result > Math.min(piece, bytes.length - at)) throw new CoreFault("stream", `${outcome.result} bytes are taken`);
      settle(outcome);
      if (outcome.result < 0) {
        if (this.open.has(handle)) throw new CoreFault("stream", `fault ${abi.faultReason(outcome.result)}, and the connection is not hung up`);
        return;
      }
      at += outcome.result;
    }
  }

  /** All that bytes in pieces of these sizes, the last as often as needed, lead to; undefined when there was no room to put them together. */
  private led(handle: number, bytes: Buffer, sizes: number[], now: number): string | undefined {
    return this.lockstep.trial(() => {
      const said: string[] = [];
      for (let at = 0, n = 0; at < bytes.length; n++) {
        const piece = bytes.subarray(at, at + (sizes[n] ?? sizes.at(-1)!));
        const { result, outputs } = this.tell(abi.KIND_STREAM, handle, piece, now);
        said.push(...outputs.map((output) => JSON.stringify(output)));
        if (result < 0) return abi.faultReason(result) === abi.REASON_BLOCKS_FULL ? undefined : [...said, `fault ${abi.faultReason(result)}`].join("\n");
        at += result;
        if (outputs.some(({ kind, value }) => kind === abi.OUTPUT_HANG && value === handle)) break;
      }
      return said.join("\n");
    });
  }

  /** However a stream is cut, what comes of it is the same: byte for byte, or (`everywhere`) in two at every place there is. */
  cut(handle: number, bytes: Buffer, everywhere: boolean, now: number): void {
    const whole = this.led(handle, bytes, [PIECE_MAX], now);
    const cuts = everywhere ? Array.from({ length: bytes.length - 1 }, (_, i) => [i + 1, PIECE_MAX]) : [[1]];
    for (const sizes of cuts) {
      const cut = this.led(handle, bytes, sizes, now);
      if (whole !== undefined && cut !== undefined && cut !== whole)
        throw new CoreFault("cut", `in pieces of ${sizes.join()} something else comes of\n${bytesShow(bytes)}\n--- whole\n${whole}\n--- in pieces\n${cut}`);
    }
  }

  /** A message on some stream that is up, cut at every place. */
  cutEverywhere(harm: number, now: number): void {
    const streams = [...this.open].filter(([, { framed, media, early }]) => !framed && !media && early === undefined);
    if (streams.length === 0) return;
    const [handle, { inbound }] = this.random.pick(streams);
    const bytes = this.bytesDraw(inbound, harm);
    if (bytes.length > 0 && bytes.length <= CUT_MAX) this.cut(handle, bytes, true, now);
  }

  private close(handle: number, connection: Connection, now: number): Outcome {
    const early = Buffer.from(connection.early ?? "", "latin1").subarray(0, 60_000);
    this.open.delete(handle);
    return this.tell(abi.KIND_CLOSE, handle, early, now);
  }

  /** Something happens to a connection. Hands `settle` what the core made of it. */
  step(harm: number, now: number, hear: (inbound: boolean, source: string, text: string) => void, settle: (outcome: Outcome) => void): void {
    const { random } = this;
    if (this.open.size === 0 || random.chance(0.15)) {
      const { connection, outcome } = this.accept(now);
      hear(connection.inbound, connection.source, "");
      if (outcome.result > 0) this.open.set(outcome.result, connection);
      settle(outcome);
      return;
    }
    const [handle, connection] = random.pick([...this.open]);
    if (random.chance(0.06)) settle(this.close(handle, connection, now));
    else if (connection.early !== undefined) {
      connection.early = undefined;
      settle(this.tell(abi.KIND_OPEN, handle, Buffer.alloc(0), now));
    } else if (connection.media) {
      settle(random.chance(0.5) ? this.close(handle, connection, now) : this.tell(abi.KIND_STREAM, handle, Buffer.from(random.pick(ODD), "latin1"), now));
    } else {
      const bytes = this.bytesDraw(connection.inbound, harm);
      hear(connection.inbound, connection.source, bytes.toString("latin1"));
      if (!connection.framed && bytes.length > 0 && bytes.length <= CUT_MAX && random.chance(CUT_SOME)) this.cut(handle, bytes, false, now);
      this.send(handle, bytes, now, settle);
    }
  }
}
