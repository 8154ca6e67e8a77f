/*
 * A world under a seed: private networks with the same addresses behind NATs of all kinds, telephones in them and others in
 * the core realm, a server, Culvert in between; a while of calls; and then silence, in which everything has to end.
 */

import { POOL_MEDIA } from "#abi";
import { CoreFault } from "../fuzz/fault.ts";
import { Lockstep, type Maker } from "../fuzz/lockstep.ts";
import { Random } from "../unit/core/random.ts";
import { imageOf } from "../vector/image.ts";
import { Gate } from "./gate.ts";
import { Nat, type NatKind } from "./nat.ts";
import { Network, type Quality } from "./network.ts";
import { Phone } from "./phone.ts";
import { Prowler } from "./prowler.ts";
import { Schedule } from "./schedule.ts";
import { Server } from "./server.ts";
import { Talk } from "./talk.ts";

const SERVICE = { address: "203.0.113.20", port: 5060 };
const SERVER = { address: "10.9.0.10", port: 5060 };
const OURS = { accessMedia: "203.0.113.21", core: "10.9.0.2", coreMedia: "10.9.0.3" };
/** A phone without a NAT in front of it. */
const OPEN = "198.51.100.40";
const NEIGHBOURS = ["10.9.0.31", "10.9.0.32"];
const KINDS: NatKind[] = ["cone", "restricted", "symmetric"];
const STARTS = [1_000_000, 0x7fffffff - 60_000, -90_000];
const HOUR = 3_600_000;
const DOMAIN = "example.com";
/** Where phones are behind their NATs. */
const HOMES = ["192.168.1.2", "192.168.1.3"];

export interface Result {
  lockstep: Lockstep;
  trace: number;
  calls: number;
  answered: number;
  heard: number;
}

export class World {
  private readonly schedule = new Schedule();
  private readonly phones: Phone[] = [];
  private readonly nats: Nat[] = [];
  private readonly talk: Talk;
  private readonly gate: Gate;
  private readonly prowler: Prowler | undefined;
  private readonly home: string;

  private constructor(
    private readonly seed: number,
    private readonly random: Random,
    lockstep: Lockstep,
    prowled: boolean,
    disguise: { hide: boolean; domain: string },
  ) {
    const quality: Quality = random.pick([
      { loss: 0, twice: 0, delayMs: 5, jitterMs: 0 },
      { loss: 0.02, twice: 0.02, delayMs: 20, jitterMs: 40 },
      { loss: 0.05, twice: 0.05, delayMs: 30, jitterMs: 200 },
    ]);
    const networks = {
      access: new Network(this.schedule, random, quality),
      core: new Network(this.schedule, random, { ...quality, loss: quality.loss / 4, delayMs: 2 }),
    };
    new Server(SERVER, networks.core, this.schedule, random);
    const secrets = { ...disguise, inner: { access: HOMES, core: [SERVER.address, ...NEIGHBOURS] } };
    // Who uses E as its domain writes it wherever that stands.
    this.home = disguise.domain === "" ? DOMAIN : SERVICE.address;
    this.gate = new Gate(lockstep, { service: SERVICE, server: SERVER, ...OURS, neighbours: NEIGHBOURS }, secrets, networks, this.schedule);
    this.homes(networks.access);
    this.prowler = prowled ? new Prowler(networks, [...this.nats.map(({ address }) => address), OPEN], this.schedule, random) : undefined;
    this.offices(networks.core);
    this.talk = new Talk(this.phones, this.schedule, random);
  }

  static async open(makers: Maker[], seed: number, keepLog = false): Promise<World> {
    const random = new Random(seed);
    const latch = random.pick(["source", "source", "any"]);
    const options = [random.chance(0.3) ? ", terminalExpires: 30s" : "", random.chance(0.3) ? ", sdpOrigin: hide" : ""];
    const disguise = { hide: random.chance(0.4), domain: random.chance(0.4) ? DOMAIN : "" };
    if (disguise.hide) options.push(", hide: true");
    if (disguise.domain !== "") options.push(`, domain: ${disguise.domain}`);
    const yaml = `
realms:
  access: { media: ${OURS.accessMedia}, latch: ${latch}, keepalive: 20s, ports: { media: 20000-20127 } }
  core: { address: ${OURS.core}, media: ${OURS.coreMedia}, ports: { signal: 10000-10063, media: 20000-20127 } }
services:
  voice: { address: ${SERVICE.address}, servers: [${SERVER.address}]${options.join("")} }
rules:
  - { to: ${SERVICE.address}, proxy: voice }
capacity: { terminals: 32, bindings: 64, registrations: 32, calls: 32, flows: 32 }
`;
    const { memory } = await imageOf(yaml, "the simulator");
    return new World(seed, random, await Lockstep.open(makers, memory, random.pick(STARTS), keepLog), latch === "source", disguise);
  }

  /** Phones behind NATs; their private addresses are the same in every home. */
  private homes(network: Network): void {
    const { random, schedule } = this;
    for (let home = 0; home < 3; home++) {
      const nat = new Nat(`198.51.100.${11 + home}`, random.pick(KINDS), random.pick([30_000, 60_000, 180_000]), network, schedule, random);
      this.nats.push(nat);
      for (let i = 0; i < (home === 0 ? 2 : 1); i++) {
        const place = { address: `192.168.1.${2 + i}`, port: 5060 };
        this.phones.push(new Phone(`home${home}${i}`, place, SERVICE, this.home, schedule, random, (receive) => nat.attach(place.address, receive)));
      }
    }
    const place = { address: OPEN, port: random.pick([5060, 5062]) };
    this.phones.push(new Phone("open", place, SERVICE, this.home, schedule, random, (receive) => network.join(place.address, receive)));
  }

  /** Phones in the core realm, beside the server. */
  private offices(network: Network): void {
    for (const [i, address] of NEIGHBOURS.entries()) {
      const place = { address, port: 5060 };
      this.phones.push(new Phone(`office${i}`, place, SERVER, DOMAIN, this.schedule, this.random, (receive) => network.join(address, receive)));
    }
  }

  /** A NAT loses its mappings: while nobody behind it is in a call, or (`rudely`) at any time, which costs their calls the media. */
  private rebind(rudely: boolean): void {
    const nat = this.random.pick(this.nats);
    const home = `home${this.nats.indexOf(nat)}`;
    const dialogs = this.phones.filter(({ user }) => user.startsWith(home)).flatMap((phone) => [...phone.dialogs.values()]);
    if (!rudely && dialogs.some(({ state }) => state !== "over")) return;
    for (const dialog of dialogs) dialog.disturbed = true;
    nat.rebind();
  }

  /** Runs for some virtual minutes, and then until all is quiet. */
  run(minutes: number): Result {
    try {
      return this.play(minutes);
    } catch (error) {
      if (error instanceof CoreFault)
        error.message = `${error.message}\n(at ${this.schedule.now} ms; replay: npm run sim -- --seed ${this.seed} --runs 1 --minutes ${minutes})`;
      throw error;
    }
  }

  private play(minutes: number): Result {
    const { schedule, random } = this;
    const end = minutes * 60_000;
    for (const phone of this.phones) schedule.after(random.below(2000), () => phone.register());
    const rudely = random.chance(0.3);
    if (random.chance(0.6)) {
      schedule.every(20_000, () => {
        this.rebind(rudely);
        return schedule.now < end;
      });
    }
    this.talk.begin(3000, end);
    this.prowler?.begin(end, () => [...this.gate.sockets.open.values()].filter(({ kind }) => kind === POOL_MEDIA));
    schedule.runUntil(end);
    this.talk.finish();
    schedule.runUntil(end + 40_000);
    for (const phone of this.phones) phone.unregister();
    schedule.runUntil(end + 200_000);
    for (let hour = 0; hour < 14 && !this.gate.quiet; hour++) schedule.runUntil(schedule.now + HOUR);
    this.gate.lockstep.compare();
    this.gate.checkIdle();
    return { lockstep: this.gate.lockstep, trace: this.gate.trace, ...this.talk.figures() };
  }
}
