/*
 * Somebody off the path who sends to every media port of ours that is open, in both realms, to be sent the calls of others or
 * to be heard in them (CONFORMANCE 72, 73): from his own address, with private addresses as they stand in SDP, and, a few at
 * a time, with the address of a house. Where media is only learned from where signaling comes from, nothing may ever reach
 * him, nothing of the first two kinds may be heard (stream.ts looks), and no call may fall silent for the third (talk.ts).
 */

import { CoreFault } from "../fuzz/fault.ts";
import type { Random } from "../unit/core/random.ts";
import type { Network, Place, Realm } from "./network.ts";
import type { Schedule } from "./schedule.ts";
import { FORGED } from "./stream.ts";

const OWN: Record<Realm, string> = { access: "192.0.2.66", core: "10.9.0.66" };
const REALMS: Realm[] = ["access", "core"];
const EACH_MS = 300;
/** Packets of one go, and fewer than lock a latch where he has forged an address that may have one. */
const MANY = 5;
const FEW = 3;
/** Ports of the call that has begun last. */
const NEWEST = 2;
/** First bytes: RTP, RTCP, STUN, DTLS, nothing at all. */
const KINDS: [number, number][] = [
  [0x80, 0],
  [0x80, 0],
  [0x80, 0],
  [0x80, 0],
  [0x80, 201],
  [0, 1],
  [22, 254],
  [0xff, 0xff],
];

export class Prowler {
  private sequence = 0;

  constructor(
    private readonly networks: Record<Realm, Network>,
    private readonly houses: string[],
    private readonly schedule: Schedule,
    private readonly random: Random,
  ) {
    for (const realm of REALMS) {
      networks[realm].attach(OWN[realm], ({ from }) => {
        throw new CoreFault("stolen", `${from.address}:${from.port} sends media to ${OWN[realm]}, which only guessed the port`);
      });
    }
  }

  /** Sends to one of the places that `open` names, again and again until `end`. */
  begin(end: number, open: () => (Place & { realm: number })[]): void {
    this.schedule.every(EACH_MS, () => {
      const realm = this.random.chance(0.8) ? 0 : 1;
      const places = open().filter((place) => place.realm === realm);
      // Ports of calls that begin are worth more: nobody may have been learned there.
      if (places.length > 0) this.attack(this.random.pick(this.random.chance(0.5) ? places.slice(-NEWEST) : places));
      return this.schedule.now < end;
    });
  }

  private attack(to: Place & { realm: number }): void {
    const { random } = this;
    const realm = REALMS[to.realm]!;
    const own = { address: OWN[realm], port: 6666 };
    if (realm === "core" || random.chance(0.25)) return this.send(realm, own, to, "stranger", MANY);
    if (random.chance(0.25)) return this.send(realm, { address: `192.168.1.${random.between(2, 3)}`, port: 4000 + random.below(8) }, to, "private", MANY);
    this.send(realm, { address: random.pick(this.houses), port: random.between(1024, 65_535) }, to, FORGED, FEW);
  }

  private send(realm: Realm, from: Place, to: Place, mark: string, packets: number): void {
    const header = Buffer.alloc(12);
    header.set(this.random.pick(KINDS));
    header.writeUInt32BE(this.random.below(3), 8);
    for (let i = 0; i < packets; i++) {
      header.writeUInt16BE(this.sequence++ & 0xffff, 2);
      this.networks[realm].send({ from, to, payload: Buffer.concat([header, Buffer.from(mark)]) });
    }
  }
}
