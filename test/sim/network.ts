/*
 * The two networks: datagrams arrive late, twice, in another order or not at all, by the seed.
 */

import type { Random } from "../unit/core/random.ts";
import type { Schedule } from "./schedule.ts";

export interface Place {
  address: string;
  port: number;
}

export interface Datagram {
  from: Place;
  to: Place;
  payload: Buffer;
}

export type Realm = "access" | "core";

/** Something that sends datagrams into a network: a network itself, or a NAT in front of it. */
export type Exit = (datagram: Datagram) => void;

export interface Quality {
  loss: number;
  twice: number;
  delayMs: number;
  /** Up to so much is added to the delay, so that datagrams overtake each other. */
  jitterMs: number;
}

export function placeText({ address, port }: Place): string {
  return `${address}:${port}`;
}

export class Network {
  private readonly nodes = new Map<string, (datagram: Datagram) => void>();
  lost = 0;

  constructor(
    private readonly schedule: Schedule,
    private readonly random: Random,
    private readonly quality: Quality,
  ) {}

  attach(address: string, receive: (datagram: Datagram) => void): void {
    this.nodes.set(address, receive);
  }

  /** Attaches a node that stands in the network itself. Returns its way out. */
  join(address: string, receive: (datagram: Datagram) => void): Exit {
    this.attach(address, receive);
    return (datagram) => this.send(datagram);
  }

  send(datagram: Datagram): void {
    const { random, quality } = this;
    if (random.chance(quality.loss)) {
      this.lost++;
      return;
    }
    const copies = random.chance(quality.twice) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      this.schedule.after(quality.delayMs + random.below(quality.jitterMs + 1), () => this.nodes.get(datagram.to.address)?.(datagram));
    }
  }
}
