/*
 * Both sides of the router, and how it is known that something does not arrive: a probe that goes the whole way there and
 * back after it came through. No clock says so.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { type Family, INSIDE, insideAddress, LAST, OUTSIDE, serverAddress } from "./network.ts";
import { type Arrival, type Port, Station } from "./station.ts";

export const SIP_PORT = 5060;
export const STEP_MS = 2;
/** Sooner than that nobody asks whether it was lost. */
const LOST_AFTER_MS = 30;
const PROBE_MS = 10_000;
/** Two: what goes through sockets that were opened just now may be overtaken once. */
const PROBES = 2;
/** A network that was made just now may lose the first packets. */
const WARM_MS = 500;
const WARM_TRIES = 20;
const PROBE = /^Call-ID: probe/m;

export class Stage {
  readonly inside: Station;
  readonly outside: Station;
  readonly servers: Record<Family, Port>;
  readonly #probers: Record<Family, Port>;
  #probes = 0;

  private constructor(inside: Station, outside: Station, servers: Record<Family, Port>, probers: Record<Family, Port>) {
    this.inside = inside;
    this.outside = outside;
    this.servers = servers;
    this.#probers = probers;
  }

  static async up(): Promise<Stage> {
    await Station.built();
    const [inside, outside] = [Station.start(INSIDE), Station.start(OUTSIDE)];
    const server = (family: Family): Promise<Port> => outside.open("bind", { address: serverAddress(family), port: SIP_PORT });
    const prober = (family: Family): Promise<Port> => inside.open("bind", { address: insideAddress(family, LAST), port: SIP_PORT });
    const servers = { ipv4: await server("ipv4"), ipv6: await server("ipv6") };
    const stage = new Stage(inside, outside, servers, { ipv4: await prober("ipv4"), ipv6: await prober("ipv6") });
    await stage.warm();
    return stage;
  }

  async down(): Promise<void> {
    await Promise.all([this.inside.stop(), this.outside.stop()]);
  }

  /** Waits until the network carries something at all. */
  async warm(): Promise<void> {
    for (const family of ["ipv4", "ipv6"] as const)
      for (let tries = 0; !(await this.#probed(family, WARM_MS)); tries++) if (tries === WARM_TRIES) throw new Error(`nothing goes through over ${family}`);
  }

  /** A question to the server and its answer. */
  async probe(family: Family): Promise<void> {
    if (!(await this.#probed(family, PROBE_MS))) throw new Error("the probe did not come through: nothing can be said");
  }

  /** What was sent before is there now, or will not be; `isThere` ends it sooner. */
  async settle(family: Family, isThere: () => boolean = () => false): Promise<void> {
    for (let probes = 0; probes < PROBES && !isThere(); probes++) await this.probe(family);
  }

  async #probed(family: Family, withinMs: number): Promise<boolean> {
    const id = `probe${++this.#probes}`;
    const [server, prober] = [this.servers[family], this.#probers[family]];
    const mine = ({ data }: Arrival): boolean => data.includes(`Call-ID: ${id}\r`);
    const host = family === "ipv4" ? prober.at.address : `[${prober.at.address}]`;
    prober.send(server.at, probeText("OPTIONS sip:example.com SIP/2.0", `Via: SIP/2.0/UDP ${host}:${SIP_PORT};branch=z9hG4bK${id}`, id));
    const asked = await found(server.arrived, mine, withinMs);
    if (asked === undefined) return false;
    server.send(asked.from, probeText("SIP/2.0 200 OK", /^Via: .*$/m.exec(asked.data)![0].trimEnd(), id));
    return (await found(prober.arrived, mine, withinMs)) !== undefined;
  }

  /** What arrives next at a port; nothing when a probe came through since and it did not. */
  async arrival(port: Port, family: Family, isHoped: boolean): Promise<Arrival | undefined> {
    const mine = (): number => port.arrived.findIndex(({ data }) => !PROBE.test(data));
    for (let waited = 0; isHoped && mine() < 0 && waited < LOST_AFTER_MS; waited += STEP_MS) await sleep(STEP_MS);
    if (mine() < 0) await this.settle(family, () => mine() >= 0);
    return mine() < 0 ? undefined : port.arrived.splice(mine(), 1)[0];
  }
}

/** Takes what matches, when it comes in time. */
async function found(arrivals: Arrival[], mine: (arrival: Arrival) => boolean, withinMs: number): Promise<Arrival | undefined> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(STEP_MS)) {
    const at = arrivals.findIndex(mine);
    if (at >= 0) return arrivals.splice(at, 1)[0];
  }
  return undefined;
}

function probeText(start: string, via: string, id: string): string {
  const lines = [start, via, "From: <sip:probe@example.com>;tag=p", "To: <sip:example.com>", `Call-ID: ${id}`, "CSeq: 1 OPTIONS", "Content-Length: 0"];
  return `${lines.join("\r\n")}\r\n\r\n`;
}
