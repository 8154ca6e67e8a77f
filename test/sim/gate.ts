/*
 * Culvert in the simulated networks: what comes for its open sockets goes into the core, what the core puts out goes into
 * the networks; and all of that is watched. Bind and Unbind count: a datagram to a port that is not open is lost.
 */

import * as abi from "#abi";
import { Audit, Sockets } from "../fuzz/audit.ts";
import { CoreFault } from "../fuzz/fault.ts";
import type { Secrets } from "../fuzz/disguise.ts";
import { Judge } from "../fuzz/judge.ts";
import type { Lockstep, Outcome } from "../fuzz/lockstep.ts";
import { isSend, type Output } from "../fuzz/output.ts";
import { type Datagram, type Network, type Place, placeText, type Realm } from "./network.ts";
import type { Appointment, Schedule } from "./schedule.ts";

export interface Addresses {
  service: Place;
  server: Place;
  /** Ours: for media in the access realm; for signaling and media in the core realm. */
  accessMedia: string;
  core: string;
  coreMedia: string;
  neighbours: string[];
}

const REALMS: Realm[] = ["access", "core"];
/** Inputs between two looks at the tables. */
const AUDIT_EACH = 64;

export class Gate {
  readonly sockets = new Sockets();
  private readonly audit: Audit;
  private readonly judge: Judge;
  /** Who in the access realm has sent us something: places, and addresses that signaling comes from. */
  private readonly heard = new Set<string>();
  private readonly signaling = new Set<string>();
  private alarm: Appointment | undefined;
  private inputs = 0;
  /** Fowler-Noll-Vo over all that was sent, and when: two runs of a seed must agree in it. */
  trace = 0x811c9dc5 | 0;

  constructor(
    readonly lockstep: Lockstep,
    private readonly addresses: Addresses,
    secrets: Omit<Secrets, "service">,
    private readonly networks: Record<Realm, Network>,
    private readonly schedule: Schedule,
  ) {
    this.audit = new Audit(lockstep.bytes);
    const ours = [addresses.core, addresses.coreMedia];
    const { server, neighbours, service } = addresses;
    this.judge = new Judge({ server: server.address, neighbours, ours, ice: "strip", service: service.address, ...secrets });
    for (const address of [addresses.service.address, addresses.accessMedia]) networks.access.attach(address, (datagram) => this.receive("access", datagram));
    for (const address of ours) networks.core.attach(address, (datagram) => this.receive("core", datagram));
  }

  private get now(): number {
    return this.lockstep.start + this.schedule.now;
  }

  private receive(realm: Realm, datagram: Datagram): void {
    const { from, to, payload } = datagram;
    const service = realm === "access" && placeText(to) === placeText(this.addresses.service);
    if (!service && !this.sockets.open.has(placeText(to))) return;
    if (realm === "access") this.heard.add(placeText(from));
    if (service) this.signaling.add(from.address);
    const packet = { realm: REALMS.indexOf(realm), source: from.address, sourcePort: from.port, destination: to.address, destinationPort: to.port, payload };
    const outcome = this.lockstep.datagram(packet, this.now);
    this.settle(outcome);
    const media = !service && this.sockets.open.get(placeText(to))?.kind === abi.POOL_MEDIA;
    if (!media) this.judged(realm === "access", from.address, payload.toString("latin1"), outcome);
  }

  private judged(inbound: boolean, source: string, input: string, { result, reason, outputs }: Outcome): void {
    this.judge.hear(inbound, source, input);
    this.judge.check({ inbound, source, input, valid: true, result, reason, outputs });
  }

  private settle(outcome: Outcome): void {
    this.sockets.take(outcome.outputs);
    for (const output of outcome.outputs) if (isSend(output)) this.send(output);
    if (this.inputs++ % AUDIT_EACH === 0) this.sockets.check(this.audit.check());
    this.alarm?.cancel();
    this.alarm = outcome.timeoutMs < 0 ? undefined : this.schedule.after(outcome.timeoutMs, () => this.settle(this.lockstep.timeout(this.now)));
  }

  private send(output: Output): void {
    const realm = REALMS[output.realm]!;
    const to = { address: output.remote, port: output.remotePort };
    const from = { address: output.local, port: output.localPort };
    const open = this.sockets.open.has(placeText(from)) || placeText(from) === placeText(this.addresses.service);
    if (!open) throw new CoreFault("sockets", `something leaves by ${placeText(from)}, which is not open`);
    if (realm === "access" && !this.heard.has(placeText(to)) && !this.signaling.has(to.address)) {
      throw new CoreFault("stranger", `${placeText(to)} never sent anything, and is sent to from ${placeText(from)}`);
    }
    this.note(`${this.schedule.now} ${placeText(from)} ${placeText(to)} ${output.payload}`);
    this.networks[realm].send({ from, to, payload: Buffer.from(output.payload, "latin1") });
  }

  private note(text: string): void {
    let hash = this.trace;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    this.trace = hash;
  }

  /** Everything has ended: so must everything here. */
  checkIdle(): void {
    const usage = this.audit.check();
    this.sockets.check(usage);
    const left = Object.entries(usage).filter(([, count]) => count > 0);
    if (left.length > 0)
      throw new CoreFault("idle", `everything is over, and still in use are ${left.map(([table, count]) => `${count} ${table}`).join(", ")}`);
  }

  /** Is nothing left that time could end? */
  get quiet(): boolean {
    return this.alarm === undefined;
  }
}
