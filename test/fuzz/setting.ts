/*
 * Where a stretch of the fuzz takes place: a configuration with its addresses, drawn by the seed. Some have tables of one
 * or two records, so that they fill; some have IPv6 on one side or both.
 */

import type { Random } from "../unit/core/random.ts";
import { type Image, imageMake } from "../vector/image.ts";

export interface Setting {
  yaml: string;
  tiny: boolean;
  /** E, as in a URI. */
  service: string;
  server: string;
  /** Another server-side machine, where calls go to. */
  gateway: string;
  /** Addresses of terminals on the wire, and those they have behind their NATs. */
  outside: string[];
  inside: string[];
  /** Ours in the core realm: C and media. */
  ours: string[];
  ice: "strip" | "relay" | "pass";
  hide: boolean;
  open: boolean;
  drops: boolean;
}

const FOUR = {
  access: {
    service: "203.0.113.20",
    media: "203.0.113.21",
    outside: ["198.51.100.11", "198.51.100.12", "198.51.100.13"],
    inside: ["192.168.1.2", "192.168.1.20", "10.0.0.5", "172.16.9.255"],
  },
  core: { server: "10.9.0.10", gateway: "10.9.0.30", address: "10.9.0.2", media: "10.9.0.3" },
};
const SIX = {
  access: {
    service: "2001:db8:e::20",
    media: "2001:db8:e::21",
    outside: ["2001:db8:5::11", "2001:db8:5::12", "2001:db8:5::13"],
    inside: ["fd00:5::2", "fd00:5::20", "fe80::1", "fd00::5:0:0:1"],
  },
  core: { server: "fd00:9::10", gateway: "fd00:9::30", address: "fd00:9::2", media: "fd00:9::3" },
};

const TINY = [
  "capacity: { terminals: 1, bindings: 1, registrations: 1, calls: 1, flows: 1, connections: 2, blocks: 1 }",
  "capacity: { terminals: 2, bindings: 3, registrations: 2, calls: 2, flows: 3, connections: 3, blocks: 2 }",
  "capacity: { terminals: 8, bindings: 8, registrations: 1, calls: 8, flows: 2, connections: 8, blocks: 2 }",
  "capacity: { terminals: 3, bindings: 2, registrations: 4, calls: 1, flows: 8, connections: 1, blocks: 8 }",
];
const ROOMY = "capacity: { terminals: 16, bindings: 32, registrations: 16, calls: 16, flows: 32, connections: 24, blocks: 16 }";

/** A host as it stands in a URI. */
export function hostText(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

export function settingDraw(random: Random): Setting {
  const access = random.chance(0.75) ? FOUR.access : SIX.access;
  const core = random.chance(0.75) ? FOUR.core : SIX.core;
  const tiny = random.chance(0.35);
  const ports = tiny
    ? random.pick(["{ signal: 10000-10000, media: 20000-20003 }", "{ signal: 10000-10002, media: 20000-20001 }"])
    : "{ signal: 10000-10031, media: 20000-20031 }";
  const ice = random.pick(["strip", "strip", "relay", "pass"] as const);
  const [hide, open, drops] = [random.chance(0.3), random.chance(0.2), random.chance(0.3)];
  const mediaPorts = tiny ? "20000-20003" : "20000-20031";
  const options = [
    `ice: ${ice}`,
    `sdpOrigin: ${hide ? "hide" : "keep"}`,
    `undecodable: ${drops ? "drop" : "pass"}`,
    ...(open ? ["openCore: true"] : []),
    ...(random.chance(0.3) ? ["terminalExpires: 60s"] : []),
    ...(random.chance(0.3) ? ["whenFull: drop"] : []),
    ...(random.chance(0.2) ? ["hops: answer"] : []),
    `coreTransport: ${random.pick(["same", "same", "same", "udp", "tcp"])}`,
    "transports: { tls: 5061, ws: 8080 }, tls: { certificate: none, key: none }",
  ];
  const latch = random.pick(["strict", "source", "any"]);
  const keepalive = random.pick(["20s", "off"]);
  const yaml = `
realms:
  access: { media: "${access.media}", keepalive: ${keepalive}, latch: ${latch}, ports: { media: ${mediaPorts} } }
  core: { address: "${core.address}", media: "${core.media}", ports: ${ports} }
services:
  voice: { address: "${access.service}", servers: ["${core.server}"], ${options.join(", ")} }
rules:
  - { to: "${access.service}", proxy: voice }
otherwise: ${random.pick(["forward", "discard"])}
${tiny ? random.pick(TINY) : ROOMY}
`;
  return {
    yaml,
    tiny,
    service: access.service,
    server: core.server,
    gateway: core.gateway,
    outside: access.outside,
    inside: access.inside,
    ours: [core.address, core.media],
    ice,
    hide,
    open,
    drops,
  };
}

export function settingImage(setting: Setting): Promise<Image> {
  return imageMake(setting.yaml, "the fuzz");
}
