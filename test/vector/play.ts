/*
 * Plays a section on all builds of the core and throws with everything that is not as expected.
 *
 * Two ways: once as written, and once with every SIP datagram sent a second time at once, by a slot of a batch, which
 * must send the same again (CONFORMANCE 41: a retransmission is translated identically). The second way starts
 * shortly before the millisecond clock wraps. A third for what comes by connections: each byte for itself. Where there are
 * none, another with a restart before every input: state that is saved and taken up again changes nothing (CONFORMANCE 107).
 */

import * as abi from "#abi";
import type { Config, Realm } from "../../hosts/shared/config.ts";
import type { Engine } from "../parity/engine.ts";
import { outcomeProblems } from "./check.ts";
import type { Section, Turn } from "./document.ts";
import { imageOf } from "./image.ts";
import { type Output, TRANSPORTS } from "./output.ts";
import { type Names, namesFill } from "./pattern.ts";
import { outcomeShow } from "./show.ts";
import { frameMake, framesSent, frameWhole } from "./frame.ts";
import { type Close, type FrameInput, type Input, type Open, type Restart, type Route, VectorError } from "./step.ts";
import { bytesOf, lengthFill, textExpand } from "./text.ts";
import { type Outcome, type Packet, World } from "./world.ts";

export type Way = "written" | "repeated" | "bytes" | "restarted";

/** What a test of each is called beyond the section. */
export const WAYS: Record<Way, string> = { written: "", repeated: ", all sent twice", bytes: ", byte by byte", restarted: ", with restarts" };

const START: Record<Way, number> = { written: 1_000_000, repeated: 0x7fffffff - 2500, bytes: 1_000_000, restarted: 1_000_000 };
/** A fragment is no retransmission of its datagram. */
const PIECE = /\bpiece=/;
const SIP = /SIP\/2\.0/i;

interface Played {
  turn: Turn;
  /** Sends it again. */
  send: () => Promise<Outcome>;
}

class Player {
  private readonly names: Names = new Map();
  private readonly connections = new Map<string, number>();
  private sent = "";
  private frames: string[] = [];
  private completed = "";
  private interfaces: string[] = [];
  private last: Played | undefined;
  private realms: Realm[] = [];

  constructor(
    private readonly world: World,
    private readonly file: string,
    private readonly way: Way,
    config: Config,
  ) {
    this.realms = config.realms;
    this.interfaces = config.interfaces.map(({ name }) => name);
  }

  private fail(line: number, problems: string[], outcome: Outcome): never {
    const names = this.realms.map(({ name }) => name);
    throw new VectorError(`${this.file}:${line}\n${problems.join("\n")}\n\nactual:\n${outcomeShow(outcome, names, this.names)}\n`);
  }

  /** The realm whose address the packet is for, or that is named. */
  private realmOf(route: Route, line: number): number {
    const named = this.realms.findIndex(({ name }) => name === route.realm);
    if (route.realm !== undefined && named < 0) throw new VectorError(`${this.file}:${line}: no realm ${route.realm}`);
    if (named >= 0) return named;
    const ours = this.realms.findIndex(({ addresses, media }) => [...addresses, media].some(({ text }) => text === route.to.address));
    return ours >= 0
      ? ours
      : Math.max(
          0,
          this.realms.findIndex(({ kind }) => kind === "access"),
        );
  }

  private port(text: string): number {
    return Number(namesFill(text, this.names, true));
  }

  private headerOf(route: Route, line: number): Omit<Packet, "payload" | "labels"> {
    return {
      realm: this.realmOf(route, line),
      source: route.from.address,
      sourcePort: this.port(route.from.port),
      destination: route.to.address,
      destinationPort: this.port(route.to.port),
    };
  }

  private payloadOf(input: Input): Uint8Array {
    const text = textExpand(input.flavour, namesFill(input.text, this.names, false), this.sent);
    this.sent = lengthFill(namesFill(text, this.names, true));
    return bytesOf(this.sent);
  }

  private handleOf(name: string, line: number): number {
    const handle = this.connections.get(name);
    if (handle === undefined) throw new VectorError(`${this.file}:${line}: no connection ${name}`);
    return handle;
  }

  /** All at once, or every byte for itself, with what that led to together. */
  private async stream(handle: number, payload: Uint8Array, refused: number[]): Promise<Outcome> {
    if (this.way !== "bytes") return this.world.stream(handle, payload, refused);
    const outputs: Output[] = [];
    let outcome: Outcome | undefined;
    for (let at = 0; at < payload.length && outcome?.verdict !== "fault"; at++) {
      outcome = await this.world.stream(handle, payload.subarray(at, at + 1), refused, at === payload.length - 1);
      outputs.push(...outcome.outputs);
    }
    return { ...outcome!, outputs };
  }

  private close({ connection, text, line }: Close): Promise<Outcome> {
    const unsent = text === "" ? "" : lengthFill(namesFill(textExpand("text", text, ""), this.names, true));
    return this.world.close(this.handleOf(connection, line), bytesOf(unsent));
  }

  private async open(action: Open): Promise<Outcome> {
    const { route, connection, line } = action;
    if (!route) return this.world.answered(this.handleOf(connection, line), this.port(action.port));
    const { outcome, handle } = await this.world.accept({ ...this.headerOf(route, line), labels: {}, transport: TRANSPORTS.indexOf(action.transport) });
    if (handle !== 0) this.connections.set(connection, handle);
    return outcome;
  }

  /** Time that passes before an input must not show anything: `advance` is for that. */
  private async wait(ms: number, line: number): Promise<void> {
    if (ms === 0) return;
    const outcome = await this.world.advance(ms);
    if (outcome.outputs.some(({ kind }) => kind === abi.OUTPUT_SEND)) this.fail(line, [`something is sent during +${ms}ms; use advance`], outcome);
  }

  private check(turn: Turn, line: number, outcome: Outcome): void {
    if (process.env["UPDATE"])
      console.log(
        `${this.file}:${line}\n${outcomeShow(
          outcome,
          this.realms.map(({ name }) => name),
          this.names,
        )}\n`,
      );
    if (turn.expected.length === 0 && process.env["UPDATE"]) return;
    const problems = turn.expected.length === 0 ? ["nothing is expected of this; say `nothing` if that is meant"] : [];
    const setting = {
      realms: this.realms.map(({ name }) => name),
      names: this.names,
      connections: this.connections,
      sent: this.sent,
      interfaces: this.interfaces,
      frames: this.frames,
      completed: this.completed,
    };
    problems.push(...outcomeProblems(turn.expected, outcome, setting));
    if (problems.length > 0) this.fail(line, problems, outcome);
  }

  /** The same packet at once: the same must be sent. It comes by a slot when it fits one. */
  private async repeat(input: Input, packet: Packet, first: Outcome): Promise<void> {
    if (this.way !== "repeated" || input.once || !SIP.test(this.sent)) return;
    const fits = packet.payload.length <= abi.SLOT_SIZE - abi.PACKET_PAYLOAD;
    const second = await (fits ? this.world.batch(packet) : this.world.datagram(packet));
    const sends = (outputs: Output[]): string => JSON.stringify(outputs.filter(({ kind }) => kind === abi.OUTPUT_SEND || kind === abi.OUTPUT_FORWARD));
    if (sends(second.outputs) !== sends(first.outputs)) this.fail(input.line, ["its retransmission is translated differently"], second);
  }

  /** Other cores go on with what hosts save; they announce the ports that were open, no others, and send nothing. */
  private async restart({ ms, line, refused }: Restart): Promise<Outcome> {
    const { outcome, missing, odd } = await this.world.restart(ms, refused);
    const sends = outcome.outputs.some(({ kind }) => kind === abi.OUTPUT_SEND || kind === abi.OUTPUT_FRAME);
    const problems = [...missing.map((port) => `${port} was open, and is not announced after the restart`), ...odd.map((port) => `${port} was not open`)];
    if (sends) problems.push("something is sent by the restart itself");
    if (problems.length > 0) this.fail(line, problems, outcome);
    return outcome;
  }

  async play(turn: Turn): Promise<void> {
    const { action } = turn;
    if (this.way === "restarted" && action.type !== "advance") await this.restart({ type: "restart", line: action.line, ms: 0, refused: [] });
    if (action.type === "restart") return this.check(turn, action.line, await this.restart(action));
    if (action.type === "advance") return this.check(turn, action.line, await this.world.advance(action.ms));
    if (action.type === "reload") {
      return this.check(turn, action.line, await this.world.reload(await imageOf(action.text, this.file)));
    }
    if (action.type === "open") return this.check(turn, action.line, await this.open(action));
    if (action.type === "close") return this.check(turn, action.line, await this.close(action));
    await this.wait(action.waitMs, action.line);
    if (action.type === "in") return this.input(action, turn);
    if (action.type === "frame") return this.frame(action, turn);
    if (!this.last) throw new VectorError(`${this.file}:${action.line}: nothing to send again`);
    const expected =
      turn.expected.length > 0 ? turn.expected : this.last.turn.expected.filter(({ type }) => type === "out" || type === "forward" || type === "nothing");
    this.check({ action, expected }, action.line, await this.last.send());
  }

  private async frame(action: FrameInput, turn: Turn): Promise<void> {
    const number = this.interfaces.indexOf(action.interface);
    if (number < 0) throw new VectorError(`${this.file}:${action.line}: no interface ${action.interface}`);
    const { built, completed, payload } = frameMake(action, this.names, this.sent);
    this.sent = payload;
    this.completed = completed;
    this.frames.unshift(frameWhole(built));
    this.last = { turn, send: () => this.world.frame(number, built, false) };
    const first = await this.last.send();
    this.check(turn, action.line, first);
    const alone = action.once || PIECE.test(action.text);
    if (this.way !== "repeated" || alone || !SIP.test(payload) || built.bytes.length > abi.SLOT_SIZE - abi.FRAME_BYTES) return;
    const second = await this.world.frame(number, built, true);
    if (framesSent(second) !== framesSent(first)) this.fail(action.line, ["its retransmission is translated differently"], second);
  }

  private async input(action: Input, turn: Turn): Promise<void> {
    const payload = this.payloadOf(action);
    if (!action.route) {
      const handle = this.handleOf(action.connection!, action.line);
      this.last = { turn, send: () => this.stream(handle, payload, action.refused) };
      return this.check(turn, action.line, await this.last.send());
    }
    const packet = { ...this.headerOf(action.route, action.line), payload, labels: action.labels };
    this.last = { turn, send: () => this.world.datagram(packet, action.refused) };
    const outcome = await this.last.send();
    this.check(turn, action.line, outcome);
    await this.repeat(action, packet, outcome);
  }
}

/**
 * The ways in which a section is played: byte by byte only when something of it comes by a stream, which WebSocket is none of;
 * with restarts only without connections, which end with a restart.
 */
export function waysOf(section: Section): Way[] {
  const { turns } = section;
  const streamed = turns.some(({ action }) => action.type === "in" && !action.route);
  const framed = turns.some(({ action }) => action.type === "open" && (action.transport === "ws" || action.transport === "wss"));
  const connected = turns.some(({ action, expected }) => action.type === "open" || expected.some(({ type }) => type === "dial"));
  return ["written", "repeated", ...(streamed && !framed ? (["bytes"] as const) : []), ...(connected ? [] : (["restarted"] as const))];
}

/** The cores that a way is played on: all, but with restarts the one that hosts run, since each restart makes a core. */
export function enginesOf(way: Way, engines: Engine[]): Engine[] {
  return way === "restarted" ? engines.filter(({ name }) => name === "wasm") : engines;
}

/** Memories are compared after each input, or (`always` false: hashing them takes an emulated machine long) at the end alone. */
export async function sectionPlay(section: Section, file: string, engines: Engine[], way: Way, always = true): Promise<void> {
  const image = await imageOf(section.config, file);
  const world = await World.boot(engines, image, START[way], always);
  const player = new Player(world, file, way, image.config);
  for (const turn of section.turns) await player.play(turn);
  if (!always) await world.compare();
}
