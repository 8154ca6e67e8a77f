/*
 * Somebody on the access side who sends RTP to every port of ours that is open, to be sent the calls of others (CONFORMANCE
 * 72). Where media is only learned from where signaling comes from, nothing may ever reach him.
 */

import { CoreFault } from "../fuzz/fault.ts";
import type { Random } from "../unit/core/random.ts";
import type { Network, Place } from "./network.ts";
import type { Schedule } from "./schedule.ts";

const ADDRESS = "192.0.2.66";
const EACH_MS = 700;

export class Prowler {
  private sequence = 0;

  constructor(
    private readonly network: Network,
    private readonly schedule: Schedule,
    private readonly random: Random,
  ) {
    network.attach(ADDRESS, ({ from }) => {
      throw new CoreFault("stolen", `${from.address}:${from.port} sends media to ${ADDRESS}, which only guessed the port`);
    });
  }

  /** Sends to one of the places that `open` names, again and again until `end`. */
  begin(end: number, open: () => Place[]): void {
    this.schedule.every(EACH_MS, () => {
      const places = open();
      if (places.length > 0) this.send(this.random.pick(places));
      return this.schedule.now < end;
    });
  }

  private send(to: Place): void {
    const packet = Buffer.alloc(172, 0x80);
    packet[1] = 0;
    packet.writeUInt16BE(this.sequence++ & 0xffff, 2);
    for (let i = 0; i < 5; i++) this.network.send({ from: { address: ADDRESS, port: 6666 }, to, payload: packet });
  }
}
