/*
 * A REGISTER through a running proxy: a terminal and a registrar on loopback, and what each of them sees.
 */

import { createSocket, type Socket } from "node:dgram";
import { onTestFinished } from "vitest";

interface Heard {
  text: string;
  port: number;
  address: string;
}

/** A UDP peer that remembers the last datagram. */
export class Peer {
  readonly #socket: Socket;
  readonly #heard: Heard[] = [];
  #waiting: ((heard: Heard) => void) | undefined;

  constructor(private readonly address: string) {
    this.#socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  }

  async open(): Promise<number> {
    this.#socket.on("message", (data, from) => {
      const heard = { text: data.toString(), port: from.port, address: from.address };
      if (this.#waiting) this.#waiting(heard);
      else this.#heard.push(heard);
      this.#waiting = undefined;
    });
    await new Promise<void>((resolve) => this.#socket.bind(0, this.address, resolve));
    return this.#socket.address().port;
  }

  receive(): Promise<Heard> {
    const heard = this.#heard.shift();
    return heard ? Promise.resolve(heard) : new Promise((resolve) => (this.#waiting = resolve));
  }

  send(text: string, address: string, port: number): void {
    this.#socket.send(text, port, address);
  }

  close(): void {
    this.#socket.close();
  }
}

/** A peer at a port of an address, for the test that asks for it. */
export async function peer(address: string): Promise<[Peer, number]> {
  const opened = new Peer(address);
  onTestFinished(() => opened.close());
  return [opened, await opened.open()];
}

/** A free UDP port of an address. */
export async function freePort(address: string): Promise<number> {
  const opened = new Peer(address);
  const port = await opened.open();
  opened.close();
  return port;
}

export function registerRequest(server: string, contact: string): string {
  return [
    `REGISTER sip:${server} SIP/2.0`,
    `Via: SIP/2.0/UDP ${contact};branch=z9hG4bK1;rport`,
    "Max-Forwards: 70",
    `From: <sip:alice@${server}>;tag=1`,
    `To: <sip:alice@${server}>`,
    "Call-ID: one@terminal",
    "CSeq: 1 REGISTER",
    `Contact: <sip:alice@${contact}>`,
    "Expires: 300",
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

/** 200 OK to it: the headers that must come back, as they came. */
export function registerAnswer(request: string): string {
  const keep = request.split("\r\n").filter((line) => /^(Via|From|To|Call-ID|CSeq|Contact):/i.test(line));
  return ["SIP/2.0 200 OK", ...keep.map((line) => (line.startsWith("To:") ? `${line};tag=2` : line)), "Expires: 300", "Content-Length: 0", "", ""].join("\r\n");
}
