/*
 * One stretch of the fuzz: a setting, a number of steps, all builds in lockstep, every property after each.
 */

import * as abi from "#abi";
import { Random } from "../unit/core/random.ts";
import { Audit, Sockets } from "./audit.ts";
import { singlesPlay } from "./batch.ts";
import { damage } from "./damage.ts";
import { bytesOf } from "./message.ts";
import { Connections } from "./connections.ts";
import { bytesShow, CoreFault } from "./fault.ts";
import { imageRefuse, restartPlay } from "./image.ts";
import { Judge } from "./judge.ts";
import { Lockstep, type Maker, type Outcome, type Packet } from "./lockstep.ts";
import { isSend, type Output } from "./output.ts";
import { type Move, Session } from "./session.ts";
import { INNER, type Setting, settingDraw, settingImage } from "./setting.ts";

/** Near the wrap of the millisecond clock. */
const STARTS = [1_000_000, 0x7fffffff - 20_000, -1000];
const WAITS = [1, 10, 499, 500, 5000, 20_000, 33_000, 61_000];
/** Deadlines served in one wait. */
const DEADLINES_MAX = 400;
const BATCH_MAX = 8;
/** Damaged copies of one message that come at once. */
const SWARM = 32;
/** The marks of pages are looked at each time that so much else was: all memory is copied for it. */
const MARKS_EACH = 8;
/** One step in so many comes after a restart. */
const RESTARTS = 0.01;
/** One batch in so many is played one message at a time before. */
const SINGLES = 0.05;
/** Inputs that say how much there is of them. */
const SIZED = [abi.KIND_DATAGRAM, abi.KIND_BATCH, abi.KIND_STREAM, abi.KIND_CLOSE];
/** Longest message that is tried at every length; of so many stretches one ends with that, and one with a stream cut at every place. */
const PREFIX_MAX = 600;
const PREFIX_EACH = 16;

export interface Stretch {
  lockstep: Lockstep;
  /** Datagrams, and messages on connections however many pieces they came in. */
  inputs: number;
}

export interface Pace {
  steps: number;
  /** Calls of the core from one look at all of memory and all tables to the next; there is one in the end in any case. */
  each: number;
  keepLog: boolean;
}

/** Everything is looked at after every call. */
export function paceClose(steps: number): Pace {
  return { steps, each: 1, keepLog: false };
}

class Runner {
  private readonly session: Session;
  private readonly sockets = new Sockets();
  private readonly connections: Connections;
  private readonly audit: Audit;
  private readonly judge: Judge;
  private readonly heard = new Set<string>();
  private timeoutMs = -1;
  private calls = 0;
  private looks = 0;
  inputs = 0;

  constructor(
    private readonly lockstep: Lockstep,
    private readonly setting: Setting,
    private readonly random: Random,
    private now: number,
    private readonly each: number,
    /** Of its own, so that what a seed draws is as before. */
    private readonly restarts: Random,
  ) {
    this.session = new Session(setting, random, this.sockets);
    this.connections = new Connections(lockstep, setting, this.session, this.sockets, random);
    this.audit = new Audit(lockstep.bytes);
    const inner = { access: [INNER.access, ...setting.inside], core: [INNER.core, setting.server, setting.gateway] };
    this.judge = new Judge({ ...setting, neighbours: [setting.gateway], inner });
  }

  private settle(outcome: Outcome, valid = false): void {
    this.timeoutMs = outcome.timeoutMs;
    this.sockets.take(outcome.outputs);
    this.connections.take(outcome.outputs);
    if (this.calls++ % this.each === 0) this.look();
    for (const output of outcome.outputs.filter(isSend)) this.reached(output);
    this.session.take(outcome.outputs, valid);
  }

  /** Everything that takes long: the tables, and what was configured. */
  look(): void {
    const usage = this.audit.check();
    this.sockets.check(usage);
    this.connections.check(usage.connections);
    this.configured();
    if (this.looks++ % MARKS_EACH === 0) this.lockstep.marked();
  }

  /** What the host wrote at boot is the core's to read. */
  private configured(): void {
    const { image, bytes } = this.lockstep;
    for (const [at, size] of [
      [abi.REALMS, abi.REALM_MAX * abi.REALM_SIZE],
      [abi.SERVICES, abi.SERVICE_MAX * abi.SERVICE_SIZE],
    ] as const) {
      if (bytes.compare(image, at, at + size, at, at + size) !== 0) throw new CoreFault("configuration", `something is written over it, near ${at}`);
    }
  }

  /**
   * In the access realm only those hear from us that we heard from, unless no NAT is to be expected there; in the core realm those
   * that somebody there has named, media apart, which goes to where media came from.
   */
  private reached({ kind, realm, local, localPort, remote, remotePort, payload }: Output): void {
    if (kind !== abi.OUTPUT_SEND) return;
    if (realm === 0 && !this.heard.has(remote) && this.setting.nat !== "never")
      throw new CoreFault("stranger", `${remote}:${remotePort} never sent anything, and is sent to`);
    const media = this.sockets.open.get(`${local}:${localPort}`)?.kind === abi.POOL_MEDIA;
    if (realm === 1 && !media && !this.judge.isNamed(remote))
      throw new CoreFault("forged", `${remote}:${remotePort}, which the core side never named, is sent\n${bytesShow(payload)}`);
  }

  private hear({ packet, inbound, media }: Move): void {
    this.inputs++;
    if (!media) this.judge.hear(inbound, packet.source, packet.payload.toString("latin1"));
    if (inbound) this.heard.add(packet.source);
  }

  private play(move: Move): void {
    this.hear(move);
    const outcome = this.lockstep.datagram(move.packet, this.now);
    this.settle(outcome, move.valid);
    if (move.media) return;
    const { result, reason, outputs } = outcome;
    const valid = move.valid;
    this.judge.check({ inbound: move.inbound, source: move.packet.source, input: move.packet.payload.toString("latin1"), valid, result, reason, outputs });
    if (valid && this.random.chance(0.1)) this.repeat(move, outcome);
  }

  /**
   * The same message again at once is translated the same way. Only the port that a response leaves by may be another: where
   * its token names one that was closed since, and the first copy opened that very port anew.
   */
  private repeat(move: Move, first: Outcome): void {
    this.inputs++;
    const second = this.lockstep.datagram(move.packet, this.now);
    this.settle(second, move.valid);
    const bound = first.outputs.filter(({ kind }) => kind === abi.OUTPUT_BIND).map(({ localPort }) => localPort);
    const reopened = second.outputs.filter(isSend).some(({ localPort }) => bound.includes(localPort)) && /^SIP\//.test(move.packet.payload.toString("latin1"));
    const text = ({ outputs }: Outcome): string =>
      outputs
        .filter(isSend)
        .map(({ local, localPort, remote, remotePort, payload }) => `${local}${reopened ? "" : `:${localPort}`} > ${remote}:${remotePort}\n${payload}`)
        .join("\n");
    if (text(first) !== text(second))
      throw new CoreFault("repeated", `a retransmission is translated otherwise\n--- first\n${text(first)}\n--- second\n${text(second)}`);
  }

  private wait(): void {
    const end = this.now + this.random.pick(WAITS);
    for (let i = 0; i < DEADLINES_MAX && this.timeoutMs >= 0 && this.now + this.timeoutMs <= end; i++) {
      this.now += this.timeoutMs;
      this.settle(this.lockstep.timeout(this.now));
    }
    this.now = end;
    this.settle(this.lockstep.timeout(this.now));
  }

  private batch(harm: number): void {
    this.slots(Array.from({ length: 1 + this.random.below(BATCH_MAX) }, () => this.session.move(harm)));
  }

  /** One message, damaged in as many ways. */
  private swarm(): void {
    const move = this.session.move(0);
    const text = move.packet.payload.toString("latin1");
    const damaged = (): Move => ({ ...move, valid: false, packet: { ...move.packet, payload: bytesOf(damage(text, this.random)) } });
    this.slots(Array.from({ length: SWARM }, damaged));
  }

  private slots(moves: Move[]): void {
    const fitting = moves.filter(({ packet }) => packet.payload.length <= abi.SLOT_SIZE - abi.PACKET_PAYLOAD);
    for (const move of fitting) this.hear(move);
    const packets: Packet[] = fitting.map(({ packet }) => packet);
    const compare = this.restarts.chance(SINGLES) ? singlesPlay(this.lockstep, packets, this.now) : undefined;
    const outcome = this.lockstep.batch(packets, this.now);
    compare?.(outcome);
    this.settle(outcome);
    if (outcome.result < 0 || outcome.result > packets.length) throw new CoreFault("batch", `${outcome.result} of ${packets.length} slots are taken`);
  }

  private connection(harm: number): void {
    const hear = (inbound: boolean, source: string, text: string): void => {
      if (text !== "") this.inputs++;
      this.judge.hear(inbound, source, text);
      if (inbound) this.heard.add(source);
    };
    this.connections.step(harm, this.now, hear, (outcome) => this.settle(outcome));
  }

  /** Calls that a host never makes: a kind that there is not, a length that fits no room. They are refused, and nothing comes of them. */
  private oddCall(): void {
    const { random } = this;
    const kind = random.pick([-1, abi.KIND_REFUSED, 77, 0x7fffffff, ...SIZED, abi.KIND_CONFIG]);
    const len = SIZED.includes(kind)
      ? random.pick([-1, -0x80000000, 0x7fffffff, abi.INPUT_SIZE - abi.PACKET_PAYLOAD + 1])
      : kind === abi.KIND_REFUSED
        ? random.pick([0, -1, abi.OUTPUTS + 1, 0x7fffffff])
        : 0;
    const outcome = this.lockstep.run([], kind, len, this.now);
    this.settle(outcome);
    if (kind !== abi.KIND_CONFIG && (outcome.result >= 0 || outcome.outputs.length > 0))
      throw new CoreFault("odd call", `kind ${kind} with ${len} gives ${outcome.result}`);
  }

  /** The process ends, and another one goes on with what hosts save. */
  private restart(): void {
    const { restarts, lockstep } = this;
    this.now += restarts.pick([0, 1, ...WAITS]);
    if (restarts.chance(0.5)) imageRefuse(lockstep, restarts, this.now);
    restartPlay(lockstep, this.sockets, this.now, (outcome) => this.settle(outcome));
  }

  /** A message cut off at every position. */
  prefixes(): void {
    const { packet, inbound } = this.session.move(0);
    this.heard.add(packet.source);
    for (let len = 0; len <= Math.min(packet.payload.length, PREFIX_MAX); len++) {
      this.play({ packet: { ...packet, payload: packet.payload.subarray(0, len) }, inbound, media: false, valid: false });
    }
  }

  /** A message on a connection cut in two at every place. */
  cuts(harm: number): void {
    this.connections.cutEverywhere(harm, this.now);
  }

  end(): void {
    this.look();
    this.lockstep.compare();
  }

  step(harm: number): void {
    if (this.restarts.chance(RESTARTS)) this.restart();
    const kind = this.random.below(100);
    if (kind < 20) this.connection(harm);
    else if (kind < 26) this.wait();
    else if (kind < 30) this.batch(harm);
    else if (kind < 33) this.swarm();
    else if (kind < 34) this.oddCall();
    else this.play(this.session.move(harm));
  }
}

/** Plays one stretch. A fault says which. */
export async function stretchPlay(makers: Maker[], seed: number, { steps, each, keepLog }: Pace): Promise<Stretch> {
  const random = new Random(seed);
  const setting = settingDraw(random);
  const { memory } = await settingImage(setting);
  const start = random.pick(STARTS);
  const lockstep = await Lockstep.open(makers, memory, start, keepLog);
  lockstep.compareEach = each;
  const runner = new Runner(lockstep, setting, random, start, each, new Random(~seed));
  const harm = random.pick([0, 0.3, 0.6, 0.9]);
  for (let step = 0; step < steps; step++) {
    try {
      if (step === steps - 1 && seed % PREFIX_EACH === 0) runner.prefixes();
      else if (step === steps - 1 && seed % PREFIX_EACH === 8) runner.cuts(harm);
      else runner.step(harm);
      if (step === steps - 1) runner.end();
    } catch (error) {
      if (error instanceof CoreFault)
        error.message = `${error.message}\n(seed ${seed}, step ${step}; npm run fuzz -- --seed ${seed} --stretches 1 --steps ${steps})\n${setting.yaml}`;
      throw error;
    }
  }
  return { lockstep, inputs: runner.inputs };
}
