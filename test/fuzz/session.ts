/*
 * What the fuzz does next: it speaks for the terminals and for the core side, answers what came out, sends media to the
 * ports that are open, damages some of it, and remembers tokens and addresses for later. All by the seed.
 */

import * as abi from "#abi";
import type { Random } from "../unit/core/random.ts";
import type { Sockets } from "./audit.ts";
import { damage } from "./damage.ts";
import type { Packet } from "./lockstep.ts";
import { bytesOf, type Message, messageText } from "./message.ts";
import { mediaDraw, noiseDraw } from "./noise.ts";
import { isSend, type Output } from "./output.ts";
import { headerValues, type MessageRead, messageRead } from "./reader.ts";
import { hostText, INNER, type Setting } from "./setting.ts";
import { requestDraw, responseDraw, type Speaker } from "./stock.ts";
import { styleChange } from "./style.ts";

/** A packet, and whether it is a message as RFC 3261 has it. */
export interface Move {
  packet: Packet;
  inbound: boolean;
  media: boolean;
  valid: boolean;
}

/** A request that came out of the core, and where it came out. */
interface Emitted {
  request: MessageRead;
  /** Was it valid as it went in? */
  valid: boolean;
  at: { address: string; port: number };
  from: { address: string; port: number };
}

const KEPT = 12;
const PORTS = [5060, 5060, 5060, 40000, 65535];

export class Session {
  private readonly emitted: { access: Emitted[]; core: Emitted[] } = { access: [], core: [] };
  private readonly uris: string[] = [];
  private readonly routes: string[] = [];

  constructor(
    private readonly setting: Setting,
    private readonly random: Random,
    private readonly sockets: Sockets,
  ) {}

  private keep<T>(list: T[], item: T): void {
    if (list.length < KEPT) list.push(item);
    else list[this.random.below(KEPT)] = item;
  }

  /** Learns from what left; `valid` when what went in was. */
  take(outputs: Output[], valid: boolean): void {
    for (const output of outputs.filter(isSend)) {
      const message = messageRead(output.payload);
      if (!message) continue;
      const side = output.realm === 1 ? this.emitted.core : this.emitted.access;
      const emitted = {
        request: message,
        // What left by a connection is to be answered by it (RFC 3261 18.2.2), and a datagram is no valid answer.
        valid: valid && output.value === 0,
        at: { address: output.remote, port: output.remotePort },
        from: { address: output.local, port: output.localPort },
      };
      if (message.status === 0) this.keep(side, emitted);
      if (output.realm !== 0 || !valid) continue;
      for (const value of headerValues(message, "contact")) this.keepUri(/<(sip:[^>\s]*)>/.exec(value)?.[1]);
      for (const value of headerValues(message, "record-route")) this.keep(this.routes, value);
    }
  }

  private keepUri(uri: string | undefined): void {
    if (uri !== undefined && uri.length < 400) this.keep(this.uris, uri);
  }

  private terminal(): { speaker: Speaker; source: { address: string; port: number } } {
    const { random, setting } = this;
    const at = random.below(setting.outside.length);
    const address = random.chance(0.85) ? setting.inside[at]! : random.pick([...setting.inside, setting.outside[at]!]);
    const spelled = random.chance(0.05) ? "phone.example.net" : hostText(address) + random.pick([":5060", ":5060", ":5060", "", ":40000"]);
    const targets = ["sip:bob@example.com", `sip:bob@${hostText(setting.service)}`, "tel:+123", ...this.uris];
    const inner = random.pick([INNER.access, hostText(address)]);
    const speaker = {
      spelled,
      address,
      user: random.pick(["alice", "anne"]),
      home: setting.domain !== "" && random.chance(0.7) ? hostText(setting.service) : "example.com",
      inner,
      inbound: true,
      targets,
      routes: [`<sip:${hostText(setting.service)};lr>`, ...this.routes],
    };
    return { speaker, source: { address: setting.outside[at]!, port: random.pick(PORTS) } };
  }

  /** Somebody in the core realm, and the port of ours it speaks to. */
  private core(): { speaker: Speaker; source: { address: string; port: number }; to: { address: string; port: number } } | undefined {
    const { random, setting } = this;
    const open = [...this.sockets.open.values()].filter(({ kind }) => kind === abi.POOL_SIGNAL);
    if (open.length === 0) return undefined;
    const to = random.pick(open);
    const address = random.chance(0.85) ? setting.server : setting.gateway;
    const port = random.pick([5060, 5060, 5080]);
    const place = `${hostText(to.address)}:${to.port}`;
    const host = setting.hide && random.chance(0.3) ? INNER.core : hostText(address);
    const speaker = {
      spelled: `${host}${random.pick([`:${port}`, ""])}`,
      address: setting.gateway,
      user: "bob",
      home: "example.com",
      inner: random.pick([INNER.core, hostText(setting.gateway)]),
      inbound: false,
      targets: [`sip:alice@${place}`, `sip:${place};transport=udp`],
      routes: [`<sip:${place};lr>`],
    };
    return { speaker, source: { address, port }, to };
  }

  private finish(message: Message, packet: Omit<Packet, "payload">, inbound: boolean, harm: number, answered: Emitted | undefined): Move {
    const { random } = this;
    styleChange(message, random);
    let text = messageText(message);
    const damaged = random.chance(harm);
    if (damaged) text = damage(text, random);
    return { packet: { ...packet, payload: bytesOf(text) }, inbound, media: false, valid: !damaged && text.length < 4000 && answered?.valid !== false };
  }

  private inbound(harm: number): Move {
    const { random, setting } = this;
    const { speaker, source } = this.terminal();
    const answered = this.emitted.access.length > 0 && random.chance(0.4) ? random.pick(this.emitted.access) : undefined;
    const message = answered ? responseDraw(answered.request, speaker, answered.from, random) : requestDraw(speaker, random);
    const from = answered && random.chance(0.9) ? answered.at : source;
    return this.finish(
      message,
      { realm: 0, source: from.address, sourcePort: from.port, destination: setting.service, destinationPort: setting.servicePort },
      true,
      harm,
      answered,
    );
  }

  private outbound(harm: number): Move | undefined {
    const { random } = this;
    const core = this.core();
    if (!core) return undefined;
    const answered = this.emitted.core.length > 0 && random.chance(0.55) ? random.pick(this.emitted.core) : undefined;
    const to = answered && random.chance(0.95) ? answered.from : core.to;
    const message = answered ? responseDraw(answered.request, core.speaker, answered.from, random) : requestDraw(core.speaker, random);
    return this.finish(
      message,
      { realm: 1, source: core.source.address, sourcePort: core.source.port, destination: to.address, destinationPort: to.port },
      false,
      harm,
      answered,
    );
  }

  private media(): Move | undefined {
    const { random, setting } = this;
    const open = [...this.sockets.open.values()].filter(({ kind }) => kind === abi.POOL_MEDIA);
    if (open.length === 0) return undefined;
    const { address, port, realm } = random.pick(open);
    const sources = realm === 0 ? [...setting.outside, ...setting.inside] : [setting.gateway, setting.server, ...setting.ours];
    const packet = {
      realm,
      source: random.pick(sources),
      sourcePort: random.pick([4000, 4001, 6000, 0, 65535, 20000]),
      destination: address,
      destinationPort: port,
      payload: mediaDraw(random),
    };
    return { packet, inbound: realm === 0, media: true, valid: false };
  }

  private noise(): Move {
    const { random, setting } = this;
    const core = random.chance(0.4) ? this.core() : undefined;
    const odd = random.chance(0.15);
    const packet = core
      ? {
          realm: 1,
          source: core.source.address,
          sourcePort: core.source.port,
          destination: core.to.address,
          destinationPort: odd ? 10_000 + random.below(40) : core.to.port,
        }
      : {
          realm: 0,
          source: random.pick(setting.outside),
          sourcePort: random.pick(PORTS),
          destination: odd ? random.pick(setting.outside) : setting.service,
          destinationPort: odd ? 53 : setting.servicePort,
        };
    return { packet: { ...packet, payload: noiseDraw(random) }, inbound: !core, media: false, valid: false };
  }

  /** The next packet. `harm` is the part of the messages that are damaged. */
  move(harm: number): Move {
    const kind = this.random.below(20);
    const move = kind < 9 ? this.inbound(harm) : kind < 16 ? this.outbound(harm) : kind < 19 ? this.media() : this.noise();
    return move ?? this.inbound(harm);
  }
}
