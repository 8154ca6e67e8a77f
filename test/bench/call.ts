/*
 * A caller and a callee for many calls at once: enough SIP for INVITE, ACK and BYE with repetition over UDP, and RTP that
 * each side sends to where the other's SDP says and counts, or that somebody else sends.
 */

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

const HOST = "127.0.0.1";
const PACKET_BYTES = 172;
/** Timer T1 and how often an INVITE or BYE is sent (RFC 3261 17.1.1.2). */
const T1_MS = 500;
const SENDS_MOST = 7;
/** Terminals that call in turns: among several workers each has some. */
const CALLERS = 16;

async function socketOpen(): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
  socket.bind(0, HOST);
  await once(socket, "listening");
  return socket;
}

export interface Place {
  address: string;
  port: number;
}

/** One side of the media of a call. */
export interface Media {
  readonly sent: number;
  readonly received: number;
  /** Where the other side's SDP says that media is wanted. */
  readonly target: Place | undefined;
  /** Our own SDP. */
  describe(): string;
  /** Takes the other side's SDP. */
  aim(sdp: string): void;
  send(): void;
  close(): void;
}

function sdpText({ address, port }: Place): string {
  return ["v=0", `o=- 1 1 IN IP4 ${address}`, "s=-", `c=IN IP4 ${address}`, "t=0 0", `m=audio ${port} RTP/AVP 0`, ""].join("\r\n");
}

function placeOf(sdp: string): Place {
  return { address: /^c=IN IP4 (\S+)/m.exec(sdp)![1]!, port: Number(/^m=audio (\d+)/m.exec(sdp)![1]) };
}

/** A side whose media another program sends and takes, at a place of its own. */
export class DistantMedia implements Media {
  readonly sent = 0;
  readonly received = 0;
  target: Place | undefined;

  constructor(private readonly place: Place) {}

  describe(): string {
    return sdpText(this.place);
  }

  aim(sdp: string): void {
    this.target = placeOf(sdp);
  }

  send(): void {}
  close(): void {}
}

class LocalMedia implements Media {
  sent = 0;
  received = 0;
  target: Place | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly ssrc: number,
  ) {
    socket.on("message", (packet) => {
      if (packet.length === PACKET_BYTES) this.received++;
    });
  }

  static async open(ssrc: number): Promise<Media> {
    return new LocalMedia(await socketOpen(), ssrc);
  }

  describe(): string {
    return sdpText({ address: HOST, port: this.socket.address().port });
  }

  aim(sdp: string): void {
    this.target = placeOf(sdp);
  }

  send(): void {
    if (!this.target) return;
    const packet = Buffer.alloc(PACKET_BYTES, 0x55);
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt16BE(this.sent & 0xffff, 2);
    packet.writeUInt32BE(this.sent * 160, 4);
    packet.writeUInt32BE(this.ssrc, 8);
    this.sent++;
    this.socket.send(packet, this.target.port, this.target.address);
  }

  close(): void {
    this.socket.close();
  }
}

function header(message: string, name: string): string {
  return new RegExp(`^${name}: *(.*)$`, "im").exec(message)?.[1]?.trimEnd() ?? "";
}

function messageText(lines: string[], body = ""): Buffer {
  const type = body === "" ? [] : ["Content-Type: application/sdp"];
  return Buffer.from([...lines, ...type, `Content-Length: ${body.length}`, "", body].join("\r\n"));
}

interface Call {
  caller: Media;
  callee: Media;
  tag: string;
  contact: string;
  state: "calling" | "up" | "ending" | "over" | "failed";
}

export interface CallTotals {
  answered: number;
  ended: number;
  failed: number;
  repeated: number;
}

/** Both ends of `n` calls through a proxy at `port`; the callee is the server behind it. */
export class Calls {
  readonly calls: Call[] = [];
  readonly totals: CallTotals = { answered: 0, ended: 0, failed: 0, repeated: 0 };
  private readonly answers = new Map<string, Buffer>();

  private constructor(
    private readonly callers: Socket[],
    private readonly callee: Socket,
  ) {
    for (const caller of callers) caller.on("message", (data) => this.response(data.toString("latin1")));
    callee.on("message", (data, from) => this.request(data.toString("latin1"), from));
  }

  /** `media` makes the two sides of a call, caller first; sockets of our own if it is not given. */
  static async open(
    n: number,
    media: (i: number, caller: boolean) => Promise<Media> | Media = (i, caller) => LocalMedia.open(2 * i + (caller ? 1 : 2)),
  ): Promise<Calls> {
    const made = new Calls(await Promise.all(Array.from({ length: CALLERS }, socketOpen)), await socketOpen());
    for (let i = 0; i < n; i++) {
      const [caller, callee] = [await media(i, true), await media(i, false)];
      made.calls.push({ caller, callee, tag: "", contact: "", state: "calling" });
    }
    return made;
  }

  /** Where the server is. */
  get server(): string {
    return `${HOST}:${this.callee.address().port}`;
  }

  private callerOf(i: number): Socket {
    return this.callers[i % CALLERS]!;
  }

  private lines(i: number, method: string, cseq: number, target: string): string[] {
    const { address, port } = this.callerOf(i).address();
    const tag = this.calls[i]!.tag;
    return [
      `${method} ${target} SIP/2.0`,
      `Via: SIP/2.0/UDP ${address}:${port};branch=z9hG4bK${i}m${method}`,
      "Max-Forwards: 70",
      `From: <sip:caller@example.com>;tag=c${i}`,
      `To: <sip:callee@example.com>${tag === "" ? "" : `;tag=${tag}`}`,
      `Call-ID: call-${i}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:caller@${address}:${port}>`,
    ];
  }

  /** Sends, and again at growing intervals, until the call has left the state; then it has failed. */
  private transact(i: number, message: Buffer, state: Call["state"], port: number, sends = 1): void {
    const call = this.calls[i]!;
    if (call.state !== state) return;
    if (sends > SENDS_MOST) {
      call.state = "failed";
      this.totals.failed++;
      return;
    }
    if (sends > 1) this.totals.repeated++;
    this.callerOf(i).send(message, port, HOST);
    setTimeout(() => this.transact(i, message, state, port, sends + 1), T1_MS * 2 ** (sends - 1)).unref();
  }

  begin(i: number, port: number): void {
    const call = this.calls[i]!;
    this.port = port;
    this.transact(i, messageText(this.lines(i, "INVITE", 1, "sip:callee@example.com"), call.caller.describe()), "calling", port);
  }

  private port = 0;

  end(i: number): void {
    const call = this.calls[i]!;
    if (call.state !== "up") return;
    call.state = "ending";
    this.transact(i, messageText(this.lines(i, "BYE", 2, call.contact)), "ending", this.port);
  }

  private response(text: string): void {
    const i = Number(/^Call-ID: call-(\d+)/im.exec(text)?.[1]);
    const call = this.calls[i];
    const status = Number(/^SIP\/2\.0 (\d+)/.exec(text)?.[1]);
    if (!call || status < 200) return;
    const invite = header(text, "CSeq").endsWith("INVITE");
    if (status >= 300) {
      call.state = "failed";
      this.totals.failed++;
    } else if (!invite && call.state === "ending") {
      call.state = "over";
      this.totals.ended++;
    } else if (invite) this.accepted(call, i, text);
  }

  private accepted(call: Call, i: number, text: string): void {
    if (call.state === "calling") {
      call.state = "up";
      call.tag = /tag=([^;\s]+)/.exec(header(text, "To"))![1]!;
      call.contact = /<([^>]+)>/.exec(header(text, "Contact"))![1]!;
      call.caller.aim(text);
      this.totals.answered++;
    }
    this.callerOf(i).send(messageText(this.lines(i, "ACK", 1, call.contact)), this.port, HOST);
  }

  private request(text: string, from: { address: string; port: number }): void {
    const i = Number(/^Call-ID: call-(\d+)/im.exec(text)?.[1]);
    const call = this.calls[i];
    const method = /^(\w+) /.exec(text)?.[1] ?? "";
    if (!call || method === "ACK") return;
    const key = `${i} ${method}`;
    const answer = this.answers.get(key) ?? this.answerMake(call, i, text, method);
    this.answers.set(key, answer);
    this.callee.send(answer, from.port, from.address);
  }

  private answerMake(call: Call, i: number, text: string, method: string): Buffer {
    const { address, port } = this.callee.address();
    const to = header(text, "To");
    const copied = ["Via", "From"].map((name) => `${name}: ${header(text, name)}`);
    const lines = ["SIP/2.0 200 OK", ...copied, `To: ${to}${to.includes("tag=") ? "" : `;tag=s${i}`}`];
    for (const name of ["Call-ID", "CSeq"]) lines.push(`${name}: ${header(text, name)}`);
    if (method !== "INVITE") return messageText(lines);
    call.callee.aim(text);
    return messageText([...lines, `Contact: <sip:callee@${address}:${port}>`], call.callee.describe());
  }

  close(): void {
    for (const { caller, callee } of this.calls) {
      caller.close();
      callee.close();
    }
    for (const caller of this.callers) caller.close();
    this.callee.close();
  }
}
