/*
 * Frames for the fuzz: of terminals with the same addresses in several VLANs and MPLS VPNs, of servers, and of others; whole,
 * in fragments, and damaged where a reader of headers would look.
 */

import { type Built, frameBuild } from "../frame/build.ts";
import { descriptionRead } from "../frame/layer.ts";
import type { Random } from "../unit/core/random.ts";

export interface World {
  six: boolean;
  service: string;
  media: string;
  address: string;
  coreMedia: string;
  server: string;
  gateway: string;
  terminals: string[];
  /** Lines of tags and labels that frames of terminals come with. */
  networks: string[];
}

export interface FrameMove {
  ingress: number;
  built: Built;
}

const STATIONS = ["02:00:00:00:01:11", "02:00:00:00:01:12"];
const ROUTER = "02:00:00:00:00:fe";

function sip(random: Random, world: World, terminal: string, network: number): string {
  const host = world.six ? `[${terminal}]` : terminal;
  const body = `v=0\r\no=a 1 1 IN IP${world.six ? 6 : 4} ${terminal}\r\ns=-\r\nc=IN IP${world.six ? 6 : 4} ${terminal}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n`;
  const method = random.pick(["INVITE", "OPTIONS", "REGISTER"]);
  const head = [
    `${method} sip:bob@example.com SIP/2.0`,
    `Via: SIP/2.0/UDP ${host}:5060;branch=z9hG4bK${network}`,
    `From: <sip:alice@example.com>;tag=a${network}`,
    "To: <sip:bob@example.com>",
    `Call-ID: call-${network}@${terminal}`,
    `CSeq: ${random.between(1, 3)} ${method}`,
    `Contact: <sip:alice@${host}:5060>`,
    ...(random.chance(0.2) ? [`Subject: ${"x".repeat(random.between(1, 3000))}`] : []),
    ...(method === "INVITE" ? ["Content-Type: application/sdp", `Content-Length: ${body.length}`] : ["Content-Length: 0"]),
  ];
  return `${head.join("\r\n")}\r\n\r\n${method === "INVITE" ? body : ""}`;
}

function rtp(random: Random): Buffer {
  const packet = Buffer.alloc(12 + random.pick([0, 1, 20, 160, 161, 1400]), 0xd5);
  packet[0] = random.pick([0x80, 0x80, 0x80, 0, 1, 0x90]);
  packet.writeUInt16BE(random.below(5), 2);
  return packet;
}

/** A port of ours, as far as a hostile or honest sender may know it. */
function port(random: Random, known: number[]): number {
  return known.length > 0 && random.chance(0.9) ? random.pick(known) : random.pick([0, 1, 5060, 10_000, 20_000, 65_535]);
}

interface Parts {
  ingress: number;
  lines: string[];
  payload: Buffer;
}

function terminalParts(random: Random, world: World, ports: number[]): Parts {
  const network = random.below(world.networks.length);
  const terminal = random.pick(world.terminals);
  const link = [`eth ${random.pick(STATIONS)} -> 02:00:00:00:01:01`, world.networks[network]!];
  const traffic = `ttl=${random.pick([1, 2, 64, 255])} dscp=${random.below(64)} ecn=${random.below(4)}`;
  const checksum = random.pick(["right", "right", "right", "bad", "none", "partial"]);
  if (random.chance(0.5)) {
    const lines = [...link, `ip ${terminal} -> ${world.service} ${traffic}`, `udp 5060 -> 5060 checksum=${checksum}`];
    return { ingress: 0, lines, payload: Buffer.from(sip(random, world, terminal, network), "latin1") };
  }
  const lines = [...link, `ip ${terminal} -> ${world.media} ${traffic}`, `udp 4000 -> ${port(random, ports)} checksum=${checksum}`];
  return { ingress: 0, lines, payload: rtp(random) };
}

function coreParts(random: Random, world: World, ports: number[], signal: number[]): Parts {
  const link = [`eth ${ROUTER} -> 02:00:00:00:00:01`];
  if (random.chance(0.7)) {
    return {
      ingress: 1,
      lines: [...link, `ip ${random.pick([world.server, world.server, world.gateway])} -> ${world.coreMedia}`, `udp 6000 -> ${port(random, ports)}`],
      payload: rtp(random),
    };
  }
  const payload = random.chance(0.5) ? Buffer.from("\r\n\r\n") : Buffer.from("OPTIONS sip:a@b SIP/2.0\r\n\r\n");
  return { ingress: 1, lines: [...link, `ip ${world.server} -> ${world.address}`, `udp 5060 -> ${port(random, signal)}`], payload };
}

/** An ICMP error about something of ours, or a packet that is not for us. */
function otherParts(random: Random, world: World, ports: number[], signal: number[]): Parts {
  const ingress = random.below(2);
  const link = [ingress === 0 ? `eth ${STATIONS[0]} -> 02:00:00:00:01:01` : `eth ${ROUTER} -> 02:00:00:00:00:01`];
  if (ingress === 0) link.push(random.pick(world.networks));
  const error = world.six ? `icmp6 ${random.pick(["1/4", "2/0", "3/0", "128/0"])}` : `icmp ${random.pick(["3/3", "3/4", "11/0", "8/0"])}`;
  const [ours, theirs] = random.pick([
    [`${world.coreMedia}`, world.gateway],
    [world.media, world.terminals[0]!],
    [world.address, world.server],
    [world.service, world.terminals[0]!],
  ]);
  if (random.chance(0.6)) {
    const quoted = [`ip ${ours} -> ${theirs}`, `udp ${random.pick([5060, port(random, ports), port(random, signal)])} -> ${random.pick([4000, 6000, 5060])}`];
    return { ingress, lines: [...link, `ip ${theirs} -> ${ours}`, error, ...quoted], payload: Buffer.alloc(random.below(9)) };
  }
  const last = random.pick([`ip ${theirs} -> ${ours}\ntcp 5060 -> 5060`, `ip ${theirs} -> ${world.terminals.at(-1)!}\nudp 9 -> 9`, "type 0806"]);
  return { ingress, lines: [...link, last], payload: Buffer.alloc(random.below(40), 7) };
}

/** A frame of those, or one fragment of it. */
export function frameDraw(random: Random, world: World, ports: number[], signal: number[]): FrameMove {
  const chance = random.below(10);
  const { ingress, lines, payload } =
    chance < 5 ? terminalParts(random, world, ports) : chance < 8 ? coreParts(random, world, ports, signal) : otherParts(random, world, ports, signal);
  let text = lines.filter((line) => line !== "").join("\n");
  if (random.chance(0.3)) {
    const cuts = [0, 8, 16, 24, 64, 400, 1200, 1208, 9999];
    const [from, to] = [random.pick(cuts), random.pick(cuts)].sort((a, b) => a - b) as [number, number];
    text = text.replace(/^ip [^\n]*/m, (line) => `${line} id=${random.below(3)} piece=${from}..${to}${random.chance(0.1) ? "+" : ""}`);
  }
  const built = frameBuild(descriptionRead(text, false).layers, payload);
  return { ingress, built: random.chance(0.4) ? { ...built, bytes: damaged(random, built.bytes) } : built };
}

const BOUNDARIES = [0, 1, 7, 8, 19, 20, 27, 28, 0x45, 0x46, 0x4f, 0x60, 0x7fff, 0x8000, 0x8100, 0x8847, 0x86dd, 0xfff7, 0xfff8, 0xffff];

/** Cut, lengthened, or with boundary values where headers are. */
function damaged(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  const head = Math.min(copy.length, 90);
  const chance = random.below(5);
  if (chance === 0) return copy.subarray(0, random.chance(0.5) ? random.below(head) : random.below(copy.length));
  if (chance === 1) return Buffer.concat([copy, Buffer.alloc(random.between(1, 50), 0x5a)]);
  for (let i = random.between(1, 3); i > 0; i--) {
    if (chance === 2) copy[random.below(copy.length)] = random.below(256);
    else if (head >= 14) copy.writeUInt16BE(random.pick(BOUNDARIES), random.between(0, head - 2));
  }
  return copy;
}
