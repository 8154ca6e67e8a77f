/*
 * A telephone in a browser, as far as signaling goes: sip.js over WebSocket, registered; its media is plain RTP on a
 * UDP socket, which sends a packet every 20 ms and counts what comes back.
 */

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { Inviter, Registerer, RegistererState, type Session, type SessionDescriptionHandler, SessionState, UserAgent } from "sip.js";
import { WebSocket } from "ws";

const PACKET_MS = 20;
const PACKET_SAMPLES = 160;
const OWN_ADDRESS = "127.0.0.1";

/** sip.js takes it from the browser. */
Object.assign(globalThis, { WebSocket });

/** Audio without a browser: one offer or answer in PCMU, and RTP to where the other side wants it. */
class Audio implements SessionDescriptionHandler {
  readonly #socket: Socket = createSocket("udp4");
  readonly #bound: Promise<unknown>;
  #timer: NodeJS.Timeout | undefined;
  #sequence = 0;
  heard = 0;

  constructor() {
    this.#socket.bind(0, OWN_ADDRESS);
    this.#bound = once(this.#socket, "listening");
    this.#socket.on("message", (packet) => {
      if (packet.length === 12 + PACKET_SAMPLES && packet[0] === 0x80) this.heard++;
    });
  }

  async getDescription(): Promise<{ body: string; contentType: string }> {
    await this.#bound;
    const lines = ["v=0", `o=- 1 1 IN IP4 ${OWN_ADDRESS}`, "s=-", `c=IN IP4 ${OWN_ADDRESS}`, "t=0 0", `m=audio ${this.#socket.address().port} RTP/AVP 0`, ""];
    return { body: lines.join("\r\n"), contentType: "application/sdp" };
  }

  hasDescription(contentType: string): boolean {
    return contentType === "application/sdp";
  }

  async setDescription(sdp: string): Promise<void> {
    const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
    const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1]);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#socket.send(this.#packet(), port, address), PACKET_MS);
  }

  #packet(): Buffer {
    const packet = Buffer.alloc(12 + PACKET_SAMPLES, 0x55);
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt16BE(++this.#sequence & 0xffff, 2);
    packet.writeUInt32BE(this.#sequence * PACKET_SAMPLES, 4);
    packet.writeUInt32BE(0x5eed, 8);
    return packet;
  }

  sendDtmf(): boolean {
    return false;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }
}

export class Browser {
  readonly #agent: UserAgent;
  readonly #registerer: Registerer;
  readonly audios: Audio[] = [];

  constructor(user: string, domain: string, server: string) {
    this.#agent = new UserAgent({
      uri: UserAgent.makeURI(`sip:${user}@${domain}`)!,
      transportOptions: { server },
      logLevel: "error",
      sessionDescriptionHandlerFactory: () => {
        const audio = new Audio();
        this.audios.push(audio);
        return audio;
      },
      delegate: { onInvite: (invitation) => void invitation.accept() },
    });
    this.#registerer = new Registerer(this.#agent);
  }

  async register(): Promise<void> {
    await this.#agent.start();
    const registered = new Promise<void>((resolve) => {
      this.#registerer.stateChange.addListener((state) => {
        if (state === RegistererState.Registered) resolve();
      });
    });
    await this.#registerer.register();
    await registered;
  }

  /** Calls, and waits until it is answered. */
  async call(uri: string): Promise<Session> {
    const session = new Inviter(this.#agent, UserAgent.makeURI(uri)!);
    const answered = new Promise<void>((resolve, reject) => {
      session.stateChange.addListener((state) => {
        if (state === SessionState.Established) resolve();
        if (state === SessionState.Terminated) reject(new Error("the call was not answered"));
      });
    });
    await session.invite();
    await answered;
    return session;
  }

  async stop(): Promise<void> {
    await this.#registerer.unregister();
    await this.#agent.stop();
  }
}
