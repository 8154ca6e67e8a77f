/*
 * Plays a case through a router and says what was wrong. It knows nothing of what the router is.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { FIRST, insideAddress, LAST, serverAddress, strangerAddress } from "./network.ts";
import type { Case, Expected, Media, Message, Speaker } from "./read.ts";
import { SIP_PORT, type Stage, STEP_MS } from "./stage.ts";
import type { Arrival, Port } from "./station.ts";
import { type Meaning, opposite, type Problem, type Side, templateFill, templateProblem } from "./template.ts";

/** A stream on which nothing came for so long is asked about. */
const QUIET_MS = 300;
const QUIET_STEP_MS = 10;
const SEGMENT_MS = 40;

/** One case on a stage: the ports it opened and what it learned. */
export class Play {
  readonly #stage: Stage;
  readonly #case: Case;
  readonly #meaning: Meaning;
  readonly #ports = new Map<string, Port>();
  #last: { message: Message; bytes: string; arrived: string | undefined } | undefined;
  #stream = 0;

  constructor(stage: Stage, played: Case, number: number) {
    this.#stage = stage;
    this.#case = played;
    const host = FIRST + number;
    // The last one is the prober's.
    if (host >= LAST) throw new Error("more cases than addresses");
    const terminal = (isSecond: boolean) => ({ host: insideAddress(played.family, host, isSecond), port: SIP_PORT, seen: undefined });
    this.#meaning = { id: `case${number}`, client: terminal(false), other: terminal(true), names: new Map() };
  }

  /** "" when everything was right, else what was not. */
  async run(): Promise<string> {
    for (const port of Object.values(this.#stage.servers)) port.arrived.length = 0;
    try {
      for (const step of this.#case.steps) {
        const problem = step.type === "message" ? await this.#say(step) : step.type === "again" ? await this.#repeat() : await this.#media(step);
        if (problem !== "") return problem;
      }
      return "";
    } finally {
      for (const port of this.#ports.values()) port.close();
    }
  }

  #host(who: string): string {
    if (who === "client" || who === "other") return this.#meaning[who].host;
    return who === "server" ? serverAddress(this.#case.family) : strangerAddress(this.#case.family);
  }

  /** The socket of somebody, opened when it is first needed. */
  async #port(who: string, port: number): Promise<Port> {
    if (who === "server" && port === SIP_PORT) return this.#stage.servers[this.#case.family];
    const key = `${who}:${port}`;
    const isInside = who === "client" || who === "other";
    const opened = this.#ports.get(key) ?? (await this.#stage[isInside ? "inside" : "outside"].open("bind", { address: this.#host(who), port }));
    this.#ports.set(key, opened);
    if (opened.state !== "open") throw new Error(`${key}: ${opened.state}`);
    return opened;
  }

  #number(template: string, side: Side): number {
    return Number(templateFill(template, this.#meaning, side));
  }

  async #say(message: Message): Promise<string> {
    const bytes = templateFill(message.text, this.#meaning, sideOf(message.speaker));
    return message.stream ? this.#sayOnStream(message, bytes) : this.#sayOnce(message, bytes);
  }

  async #sayOnce(message: Message, bytes: string): Promise<string> {
    const side = sideOf(message.speaker);
    const source = await this.#port(message.speaker, this.#number(message.from, side));
    const hearer = await this.#port(side === "out" ? this.#hearer(message) : "server", this.#number(message.at, opposite(side)));
    source.send(this.#destination(message), bytes);
    const arrival = await this.#stage.arrival(
      hearer,
      this.#case.family,
      message.expected.some(({ kind }) => kind === "text" || kind === "same"),
    );
    this.#last = { message, bytes, arrived: arrival?.data };
    if (arrival !== undefined && side === "in" && message.speaker !== "server") this.#learn(message.speaker, arrival);
    const problem = await this.#judge(message, bytes, arrival, source);
    if (problem !== "" || arrival === undefined || side === "in") return problem;
    const { address, port } = arrival.from;
    const isFromServer = address === this.#host("server") && port === this.#number(message.from, side);
    return isFromServer ? "" : "comes from another address than the one the terminal sent to";
  }

  /** Whom a server writes to: the other terminal when the Request-URI or the top Via says so. */
  #hearer(message: Message): "client" | "other" {
    return /\{[CAH]2\}/.test(`${message.to ?? ""}${message.text.split("\n", 2).join("")}`) ? "other" : "client";
  }

  #learn(speaker: Exclude<Speaker, "server">, { from }: Arrival): void {
    this.#meaning[speaker].seen ??= { host: from.address, port: from.port };
  }

  #destination(message: Message): { address: string; port: number } {
    if (message.speaker !== "server") return { address: serverAddress(this.#case.family), port: SIP_PORT };
    const seen = this.#meaning[this.#hearer(message)].seen;
    if (seen === undefined) throw new Error("the terminal was not seen outside yet");
    return { address: seen.host, port: message.to === undefined ? seen.port : this.#number(message.to, "out") };
  }

  async #judge(message: Message, bytes: string, arrival: Arrival | undefined, source: Port): Promise<string> {
    let closest: Problem = { text: "", line: -1 };
    for (const one of message.expected) {
      const problem = await this.#problem(one, message, bytes, arrival, source);
      if (problem.text === "") return "";
      if (problem.line > closest.line) closest = problem;
    }
    return `${nameOf(message.text)}: ${closest.text}`;
  }

  async #problem(expected: Expected, message: Message, bytes: string, arrival: Arrival | undefined, source: Port): Promise<Problem> {
    const said = (text: string): Problem => ({ text, line: 0 });
    if (expected.kind === "answer") return said((await this.#stage.arrival(source, this.#case.family, true)) === undefined ? "no answer" : "");
    if (expected.kind === "nothing") return said(arrival === undefined ? "" : "arrives");
    if (arrival === undefined) return { text: "does not arrive", line: 1 };
    if (expected.kind === "same") return said(arrival.data === bytes ? "" : "is changed");
    return templateProblem(expected.text, arrival.data, this.#meaning, opposite(sideOf(message.speaker)));
  }

  /** Sends the last message again: the same bytes must arrive. */
  async #repeat(): Promise<string> {
    const last = this.#last;
    if (last?.arrived === undefined) throw new Error("nothing arrived that could be repeated");
    const { message, bytes, arrived } = last;
    const side = sideOf(message.speaker);
    const source = await this.#port(message.speaker, this.#number(message.from, side));
    source.send(this.#destination(message), bytes);
    const hearer = await this.#port(side === "out" ? this.#hearer(message) : "server", this.#number(message.at, opposite(side)));
    const arrival = await this.#stage.arrival(hearer, this.#case.family, true);
    if (arrival === undefined) return "its repetition does not arrive";
    return arrival.data === arrived ? "" : "its repetition is not the same";
  }

  async #media(step: Media): Promise<string> {
    const side: Side = step.from.who === "client" || step.from.who === "other" ? "in" : "out";
    const source = await this.#port(step.from.who, this.#number(step.from.port, side));
    const at = step.at === undefined ? undefined : await this.#port(step.at.who, Number(step.at.port));
    const watched = step.notAt === undefined ? undefined : await this.#port(step.notAt.who, Number(step.notAt.port));
    const everyone = watched === undefined ? [...this.#ports.values()].filter((port) => port !== at && port.at.port !== SIP_PORT) : [watched];
    for (const port of everyone) port.arrived.length = 0;
    const address = templateFill(step.to.host, this.#meaning, side);
    const bytes = step.kind === "empty" ? "" : rtp(step.line);
    source.send({ address, port: this.#number(step.to.port, side) }, bytes);
    if (at === undefined) {
      await this.#stage.settle(this.#case.family);
      return everyone.some(({ arrived }) => arrived.length > 0) ? `a packet of ${step.from.who} arrives` : "";
    }
    const arrival = await this.#stage.arrival(at, this.#case.family, true);
    if (arrival === undefined) return `media does not arrive at ${step.at!.who}:${step.at!.port}`;
    return arrival.data === bytes ? "" : "media is changed";
  }

  /** What was said so far on the stream must have arrived, put together. */
  async #sayOnStream(message: Message, bytes: string): Promise<string> {
    const listener = await this.#listener();
    const stream = await this.#connected();
    if (stream.state !== "open") return `no connection: ${stream.state}`;
    const fromServer = message.speaker === "server";
    const hearer = fromServer ? stream : listener;
    for (const [i, segment] of segments(bytes, message).entries()) {
      if (i > 0) await sleep(message.every < bytes.length ? STEP_MS : SEGMENT_MS);
      if (fromServer) listener.send(stream.at, segment, this.#stream);
      else stream.send(listener.at, segment);
    }
    const problem = await this.#streamProblem(message, bytes, hearer, fromServer ? listener : stream);
    hearer.arrived.length = 0;
    return problem;
  }

  /** Judges whenever more arrives, until it is right; in the end without anything, for what may be answered instead. */
  async #streamProblem(message: Message, bytes: string, hearer: Port, source: Port): Promise<string> {
    let problem: string | undefined;
    for (let heard = 0, quiet = 0; problem !== ""; quiet += QUIET_STEP_MS, await sleep(QUIET_STEP_MS)) {
      if (quiet >= QUIET_MS && hearer.arrived.length === heard) await this.#stage.settle(this.#case.family);
      const [first] = hearer.arrived;
      if (hearer.arrived.length === heard && quiet >= QUIET_MS) break;
      if (first === undefined || hearer.arrived.length === heard) continue;
      [heard, quiet] = [hearer.arrived.length, 0];
      if (message.speaker !== "server") {
        this.#meaning.client.seen ??= { host: first.from.address, port: first.from.port };
        this.#stream = first.stream;
      }
      problem = await this.#judge(message, bytes, { ...first, data: hearer.arrived.map(({ data }) => data).join("") }, source);
    }
    return problem ?? this.#judge(message, bytes, undefined, source);
  }

  async #listener(): Promise<Port> {
    const known = this.#ports.get("listener");
    const listener = known ?? (await this.#stage.outside.open("listen", { address: this.#host("server"), port: SIP_PORT }));
    this.#ports.set("listener", listener);
    return listener;
  }

  /** The terminal's connection; when the router accepts none, its state says why. */
  async #connected(): Promise<Port> {
    const known = this.#ports.get("stream");
    const at = { address: this.#host("client"), port: SIP_PORT };
    const stream = known ?? (await this.#stage.inside.open("connect", at, { address: this.#host("server"), port: SIP_PORT }));
    this.#ports.set("stream", stream);
    return stream;
  }
}

/** A request by its method, a response by its code. */
function nameOf(text: string): string {
  const response = /^SIP\/2\.0 (\d+)/.exec(text);
  return response === null ? (/^[A-Z]+(?= )/.exec(text)?.[0] ?? "the datagram") : response[1]!;
}

const sideOf = (speaker: Speaker): Side => (speaker === "server" ? "out" : "in");

/** A packet with a contributing source and a header extension, which nobody on the way has to touch (RFC 3550 5.1, 5.3.1). */
function rtp(number: number): string {
  const packet = Buffer.alloc(12 + 4 + 8 + 160, 0xd5);
  packet.set([0x91, 0x00, number >> 8, number & 0xff, 0, 0, 0x12, 0x34, 1, 2, 3, 4, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0]);
  return packet.toString("latin1");
}

function segments(bytes: string, { cuts, every }: Message): string[] {
  const places = cuts.map((cut) => bytes.indexOf(cut)).filter((at) => at > 0);
  for (let at = every; at < bytes.length; at += every) places.push(at);
  const ends = [...places.sort((a, b) => a - b), bytes.length];
  return ends.map((end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1], end));
}
