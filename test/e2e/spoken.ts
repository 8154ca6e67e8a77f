/*
 * Calls between a terminal behind NAT in vl-ta and somebody beside the server in vl-sv, spoken by hand: each message is one that a test
 * has to know the place of in time. Media carries marks, so that a capture tells whose it was.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { PROXY_ACCESS, PROXY_CORE, SERVER } from "./lab.ts";
import type { Remote } from "./remote.ts";
import type { Datagram } from "./remotehost.ts";

export const HOME = "10.11.0.10";
export const NAT = "198.51.100.11";
/** Beside the lab's own server. */
export const SERVER_PORT = 5070;
const ANSWER_MS = 5000;

const hexOf = (text: string): string => Buffer.from(text).toString("hex");
const lineOf = (text: string, name: string): string => new RegExp(`^${name}: .*$`, "m").exec(text)?.[0] ?? "";

/** Both parties: the terminal's messages go through Culvert, the server's answers come from here. */
export class Speakers {
  private readonly answered = new Map<string, (text: string) => void>();

  constructor(
    readonly terminal: Remote,
    readonly far: Remote,
  ) {
    terminal.heard = ({ hex }) => this.answered.get(this.key(Buffer.from(hex, "hex").toString()))?.(Buffer.from(hex, "hex").toString());
    far.heard = (datagram) => void this.answer(datagram);
  }

  /** Opens the places that messages come to. */
  async listen(): Promise<void> {
    await this.far.send({ from: `${SERVER}:${SERVER_PORT}`, to: `${SERVER}:9`, hex: "" });
  }

  private key(text: string): string {
    return `${lineOf(text, "Call-ID")} ${lineOf(text, "CSeq")}`;
  }

  /** A request of the terminal; gives the answer. */
  async request(lines: string[], body: string): Promise<string> {
    const text = messageText(lines, body);
    const answer = new Promise<string>((resolve) => this.answered.set(this.key(text), resolve));
    await this.terminal.send({ from: `${HOME}:5060`, to: `${SERVER}:5060`, hex: hexOf(text) });
    const given = await Promise.race([answer, sleep(ANSWER_MS, "")]);
    if (!given.startsWith("SIP/2.0 200")) throw new Error(`no answer to\n${text}${given}`);
    return given;
  }

  private async answer({ from, to, hex }: Datagram): Promise<void> {
    const text = Buffer.from(hex, "hex").toString();
    if (!/^[A-Z]+ sip:/.test(text)) return;
    const call = Number(/^Call-ID: (\d+)/m.exec(text)?.[1]);
    const offer = /^m=audio (\d+)[\s\S]*^a=(\w+)/m.exec(text);
    const kept = ["Via", "From", "Call-ID", "CSeq"].map((name) => lineOf(text, name).trim());
    const lines = ["SIP/2.0 200 OK", ...kept, "To: <sip:far@example.com>;tag=b", `Contact: <sip:far@${SERVER}:${SERVER_PORT}>`];
    const body = offer ? describe(SERVER, farPort(call), offer[2]!) : "";
    corePorts.set(call, offer ? Number(offer[1]) : (corePorts.get(call) ?? 0));
    await this.far.send({ from: to, to: from, hex: hexOf(messageText(lines, body)) });
  }
}

/** Culvert's ports on the core side, by call: what the server was told. */
const corePorts = new Map<number, number>();

export function farPort(call: number): number {
  return 7000 + 4 * call;
}

export function terminalPort(call: number): number {
  return 4000 + 4 * call;
}

function messageText(lines: string[], body: string): string {
  const type = body === "" ? [] : ["Content-Type: application/sdp"];
  return `${[...lines, ...type, `Content-Length: ${body.length}`].join("\r\n")}\r\n\r\n${body}`;
}

function describe(address: string, port: number, direction: string): string {
  return `v=0\r\no=- 1 1 IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\na=${direction}\r\n`;
}

/** RTP or a report with a mark in it. */
export function rtpHex(sequence: number, ssrc: number, mark: string): string {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(0x8000, 0);
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE(ssrc, 8);
  return header.toString("hex") + hexOf(mark);
}

export function reportHex(ssrc: number, mark: string): string {
  return `80c90001${ssrc.toString(16).padStart(8, "0")}${hexOf(mark)}`;
}

export class SpokenCall {
  /** Culvert's RTP port towards the terminal. */
  port = 0;
  sequence = 0;
  private cseq = 0;

  constructor(
    private readonly speakers: Speakers,
    readonly id: number,
  ) {}

  private head(method: string): string[] {
    const cseq = ++this.cseq;
    const via = `Via: SIP/2.0/UDP ${HOME}:5060;branch=z9hG4bK${this.id}x${cseq};rport`;
    const to = `To: <sip:far@example.com>${cseq > 1 ? ";tag=b" : ""}`;
    const who = ["From: <sip:a@example.com>;tag=a", to, `Call-ID: ${this.id}@${HOME}`, `Contact: <sip:a@${HOME}:5060>`];
    return [`${method} sip:far@${SERVER} SIP/2.0`, via, ...who, `CSeq: ${cseq} ${method}`];
  }

  /** INVITE, the first or another, and its answer. */
  async invite(direction = "sendrecv"): Promise<void> {
    const answer = await this.speakers.request(this.head("INVITE"), describe(HOME, terminalPort(this.id), direction));
    this.port = Number(/^m=audio (\d+)/m.exec(answer)?.[1]);
  }

  async end(): Promise<void> {
    await this.speakers.request(this.head("BYE"), "");
  }

  /** The terminal's media, and reports. */
  async talk(packets: number, mark = "ter"): Promise<void> {
    const from = terminalPort(this.id);
    for (let i = 0; i < packets; i++) {
      await this.speakers.terminal.send(
        { from: `${HOME}:${from}`, to: `${PROXY_ACCESS}:${this.port}`, hex: rtpHex(this.sequence++, 1, `${mark}|${this.id}`) },
        { from: `${HOME}:${from + 1}`, to: `${PROXY_ACCESS}:${this.port + 1}`, hex: reportHex(1, `${mark}|${this.id}`) },
      );
    }
  }

  /** Media and a report of the far party. */
  async farTalk(): Promise<void> {
    const [from, to] = [farPort(this.id), corePorts.get(this.id)!];
    await this.speakers.far.send(
      { from: `${SERVER}:${from}`, to: `${PROXY_CORE}:${to}`, hex: rtpHex(this.sequence, 2, `far|${this.id}`) },
      { from: `${SERVER}:${from + 1}`, to: `${PROXY_CORE}:${to + 1}`, hex: reportHex(2, `far|${this.id}`) },
    );
  }
}
