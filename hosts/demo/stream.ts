/*
 * The demo's end of an audio stream (RFC 3550, RFC 3551): echoes what comes, or plays a tone. It sends
 * from the port it listens on, to the address that SDP gave and to no other: NAT is not its business.
 */

import { randomBytes, randomInt } from "node:crypto";
import { type Socket, createSocket } from "node:dgram";
import type { RemoteMedia } from "./session.ts";
import { writeTone } from "./tone.ts";
import { endpointOf } from "./via.ts";

export interface PortRange {
  first: number;
  last: number;
}

export type StreamKind = "echo" | "tone";

const PORT_TRIES = 40;
const HEADER = 12;
/** 20 ms at 8 kHz. */
const FRAME = 160;
const FRAME_MS = 20;
/** Frames sent at once after a late timer; older ones are given up. */
const CATCH_UP = 5;

function bind(address: string, port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, address, exclusive: true }, () => {
      socket.removeAllListeners("error");
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

/** Opens an even port for RTP and the odd one above it for RTCP. */
async function bindPair(address: string, range: PortRange): Promise<[Socket, Socket]> {
  for (let tries = 0; tries < PORT_TRIES; tries++) {
    const port = randomInt(range.first >> 1, (range.last + 1) >> 1) << 1;
    const rtp = await bind(address, port).catch(() => undefined);
    if (rtp === undefined) continue;
    const rtcp = await bind(address, port + 1).catch(() => undefined);
    if (rtcp !== undefined) return [rtp, rtcp];
    rtp.close();
  }
  throw new Error(`no free RTP port pair at ${address} in ${range.first}-${range.last}`);
}

export class Stream {
  readonly port: number;
  readonly #kind: StreamKind;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #ssrc = randomBytes(4).readUInt32BE();
  #remote: RemoteMedia | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sequence = randomInt(0x8000);
  #timestamp = randomInt(0x10000000);
  #played = 0;
  #startedAt = 0;

  private constructor(kind: StreamKind, rtp: Socket, rtcp: Socket) {
    this.#kind = kind;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.port = rtp.address().port;
    rtp.on("message", (packet) => this.#echo(packet));
    rtcp.on("message", () => undefined);
  }

  static async open(kind: StreamKind, address: string, range: PortRange): Promise<Stream> {
    const [rtp, rtcp] = await bindPair(address, range);
    return new Stream(kind, rtp, rtcp);
  }

  /** Sends to `remote` from now on, if its direction lets it receive. */
  direct(remote: RemoteMedia): void {
    this.#remote = remote;
    const heard = remote.direction === "sendrecv" || remote.direction === "recvonly";
    if (this.#kind === "tone" && heard && this.#timer === undefined) {
      this.#startedAt = Date.now();
      this.#played = 0;
      this.#timer = setInterval(() => this.#play(), FRAME_MS);
    }
    if (!heard) this.#pause();
  }

  close(): void {
    this.#pause();
    this.#remote = undefined;
    this.#rtp.close();
    this.#rtcp.close();
  }

  #pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #send(packet: Uint8Array): void {
    const remote = this.#remote && endpointOf(this.#remote.address, this.#remote.port);
    if (remote === undefined || remote.address === "0.0.0.0") return;
    this.#rtp.send(packet, remote.port, remote.address, () => undefined);
  }

  /** Sends an RTP packet back under our own SSRC: a peer that met its own would see a loop (RFC 3550 8.2). */
  #echo(packet: Buffer): void {
    if (this.#kind !== "echo" || this.#remote?.direction !== "sendrecv") return;
    if (packet.length < HEADER || packet[0]! >> 6 !== 2) return;
    packet.writeUInt32BE(this.#ssrc, 8);
    this.#send(packet);
  }

  #play(): void {
    const due = Math.floor((Date.now() - this.#startedAt) / FRAME_MS);
    const frames = Math.min(due - this.#played, CATCH_UP);
    for (let n = 0; n < frames; n++) this.#send(this.#frame(n === 0 && this.#played === 0));
    this.#played = due;
  }

  #frame(first: boolean): Uint8Array {
    const payload = this.#remote?.payload ?? 0;
    const packet = Buffer.alloc(HEADER + FRAME);
    packet[0] = 0x80;
    packet[1] = payload | (first ? 0x80 : 0);
    packet.writeUInt16BE(this.#sequence, 2);
    packet.writeUInt32BE(this.#timestamp, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    writeTone(packet, HEADER, FRAME, this.#timestamp, payload);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + FRAME) >>> 0;
    return packet;
  }
}
