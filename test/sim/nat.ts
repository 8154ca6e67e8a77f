/*
 * A NAT as RFC 4787 describes them: how it maps (the same outside port for every destination, or one for each) and what
 * it lets in (anybody, or only who was sent to). Mappings end when nothing goes out for a while, and may all be lost at once.
 */

import type { Random } from "../unit/core/random.ts";
import { type Datagram, type Exit, type Network, type Place, placeText } from "./network.ts";
import type { Schedule } from "./schedule.ts";

export type NatKind = "cone" | "restricted" | "symmetric";

interface Mapping {
  inside: Place;
  port: number;
  /** Destinations that were sent to: they may answer. */
  peers: Set<string>;
  usedAt: number;
}

export class Nat {
  private readonly byInside = new Map<string, Mapping>();
  private readonly byPort = new Map<number, Mapping>();
  private readonly hosts = new Map<string, (datagram: Datagram) => void>();
  /** Who had a port first: nobody else gets it, or late datagrams would reach a phone that they are not for. */
  private readonly owners = new Map<number, string>();

  constructor(
    readonly address: string,
    readonly kind: NatKind,
    private readonly timeoutMs: number,
    private readonly network: Network,
    private readonly schedule: Schedule,
    private readonly random: Random,
  ) {
    network.attach(address, (datagram) => this.inward(datagram));
  }

  /** Puts a host behind it. Returns its way out. */
  attach(address: string, receive: (datagram: Datagram) => void): Exit {
    this.hosts.set(address, receive);
    return (datagram) => this.outward(datagram);
  }

  /** Forgets every mapping, as one that is switched off and on. */
  rebind(): void {
    this.byInside.clear();
    this.byPort.clear();
  }

  private fresh({ address, port }: Place): number {
    const isFree = (candidate: number): boolean => !this.byPort.has(candidate) && (this.owners.get(candidate) ?? address) === address;
    let chosen = this.random.chance(0.5) && isFree(port) ? port : 0;
    for (let i = 0; chosen === 0 && i < 1000; i++) {
      const candidate = this.random.between(1024, 65535);
      if (isFree(candidate)) chosen = candidate;
    }
    this.owners.set(chosen, address);
    return chosen;
  }

  private isOver(mapping: Mapping): boolean {
    return this.schedule.now - mapping.usedAt > this.timeoutMs;
  }

  private outward(datagram: Datagram): void {
    const key = placeText(datagram.from) + (this.kind === "symmetric" ? `>${placeText(datagram.to)}` : "");
    let mapping = this.byInside.get(key);
    if (!mapping || this.isOver(mapping)) {
      if (mapping) this.byPort.delete(mapping.port);
      mapping = { inside: datagram.from, port: this.fresh(datagram.from), peers: new Set(), usedAt: 0 };
      this.byInside.set(key, mapping);
      this.byPort.set(mapping.port, mapping);
    }
    mapping.usedAt = this.schedule.now;
    mapping.peers.add(placeText(datagram.to));
    this.network.send({ ...datagram, from: { address: this.address, port: mapping.port } });
  }

  private inward(datagram: Datagram): void {
    const mapping = this.byPort.get(datagram.to.port);
    if (!mapping || this.isOver(mapping)) return;
    if (this.kind !== "cone" && !mapping.peers.has(placeText(datagram.from))) return;
    this.hosts.get(mapping.inside.address)?.({ ...datagram, to: mapping.inside });
  }
}
