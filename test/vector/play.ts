/*
 * Plays a section on all builds of the core and throws with everything that is not as expected.
 *
 * Two ways: once as written, and once with every SIP message sent a second time at once, by a slot of a batch, which
 * must send the same again (CONFORMANCE 41: a retransmission is translated identically). The second way starts
 * shortly before the millisecond clock wraps.
 */

import * as abi from "#abi";
import type { Realm } from "../../hosts/shared/config.ts";
import type { Engine } from "../parity/engine.ts";
import { outcomeProblems } from "./check.ts";
import type { Section, Turn } from "./document.ts";
import { imageOf } from "./image.ts";
import type { Output } from "./output.ts";
import { type Names, namesFill } from "./pattern.ts";
import { outcomeShow } from "./show.ts";
import { type Input, VectorError } from "./step.ts";
import { bytesOf, lengthFill, textExpand } from "./text.ts";
import { type Outcome, type Packet, World } from "./world.ts";

export type Way = "written" | "repeated";

const START: Record<Way, number> = { written: 1_000_000, repeated: 0x7fffffff - 2500 };
const SIP = /SIP\/2\.0/i;

interface Played {
  input: Input;
  packet: Packet;
  turn: Turn;
}

class Player {
  private readonly names: Names = new Map();
  private sent = "";
  private last: Played | undefined;
  private realms: Realm[] = [];

  constructor(
    private readonly world: World,
    private readonly file: string,
    private readonly way: Way,
    realms: Realm[],
  ) {
    this.realms = realms;
  }

  private fail(line: number, problems: string[], outcome: Outcome): never {
    const names = this.realms.map(({ name }) => name);
    throw new VectorError(`${this.file}:${line}\n${problems.join("\n")}\n\nactual:\n${outcomeShow(outcome, names, this.names)}\n`);
  }

  /** The realm whose address the packet is for, or that is named. */
  private realmOf(input: Input): number {
    const named = this.realms.findIndex(({ name }) => name === input.route.realm);
    if (input.route.realm !== undefined && named < 0) throw new VectorError(`${this.file}:${input.line}: no realm ${input.route.realm}`);
    if (named >= 0) return named;
    const ours = this.realms.findIndex(({ addresses, media }) => [...addresses, media].some(({ text }) => text === input.route.to.address));
    return ours >= 0
      ? ours
      : Math.max(
          0,
          this.realms.findIndex(({ kind }) => kind === "access"),
        );
  }

  private packetOf(input: Input): Packet {
    const text = textExpand(input.flavour, namesFill(input.text, this.names, false), this.sent);
    this.sent = lengthFill(namesFill(text, this.names, true));
    const port = (text: string): number => Number(namesFill(text, this.names, true));
    return {
      realm: this.realmOf(input),
      source: input.route.from.address,
      sourcePort: port(input.route.from.port),
      destination: input.route.to.address,
      destinationPort: port(input.route.to.port),
      payload: bytesOf(this.sent),
      labels: input.labels,
    };
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
    problems.push(...outcomeProblems(turn.expected, outcome, { realms: this.realms.map(({ name }) => name), names: this.names, sent: this.sent }));
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

  async play(turn: Turn): Promise<void> {
    const { action } = turn;
    if (action.type === "advance") return this.check(turn, action.line, await this.world.advance(action.ms));
    if (action.type === "reload") {
      const { memory, rules, rulesSize } = await imageOf(action.text, this.file);
      return this.check(turn, action.line, await this.world.reload(memory, rules, rulesSize));
    }
    await this.wait(action.waitMs, action.line);
    if (action.type === "again") {
      if (!this.last) throw new VectorError(`${this.file}:${action.line}: nothing to send again`);
      const expected =
        turn.expected.length > 0 ? turn.expected : this.last.turn.expected.filter(({ type }) => type === "out" || type === "forward" || type === "nothing");
      this.check({ action, expected }, action.line, await this.world.datagram(this.last.packet));
      return;
    }
    const packet = this.packetOf(action);
    const outcome = await this.world.datagram(packet);
    this.check(turn, action.line, outcome);
    this.last = { input: action, packet, turn };
    await this.repeat(action, packet, outcome);
  }
}

export async function sectionPlay(section: Section, file: string, engines: Engine[], way: Way): Promise<void> {
  const { config, memory } = await imageOf(section.config, file);
  const world = await World.boot(engines, memory, START[way]);
  const player = new Player(world, file, way, config.realms);
  for (const turn of section.turns) await player.play(turn);
}
