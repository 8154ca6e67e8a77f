/*
 * Where a stretch of the fuzz takes place: a configuration with its addresses, drawn by the seed. Some have tables of one
 * or two records, so that they fill; some have IPv6 on one side or both.
 */

import { endpointText } from "../../hosts/shared/address.ts";
import type { Random } from "../unit/core/random.ts";
import { type Image, imageMake } from "../vector/image.ts";

export interface Setting {
  yaml: string;
  tiny: boolean;
  service: string;
  servicePort: number;
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
  /** The servers' domain, "" for none. */
  domain: string;
  nat: string;
}

/** What servers and terminals call themselves where a name stands, and what only their own side may see of a service that hides. */
export const INNER = { access: "pbx.home.example", core: "inner.core.example" };
const DOMAIN = "example.com";

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

/** What a service may say beside its addresses, drawn apart from one another. */
function optionsDraw(random: Random, { hide, domain, ice }: Pick<Setting, "hide" | "domain" | "ice">): string[] {
  const some = (probability: number, option: string): string[] => (random.chance(probability) ? [option] : []);
  return [
    `ice: ${ice}`,
    ...some(0.6, `sdpOrigin: ${random.pick(["keep", "hide"])}`),
    `undecodable: ${random.pick(["pass", "pass", "drop"])}`,
    ...some(0.2, "openCore: true"),
    ...some(0.3, "terminalExpires: 60s"),
    ...some(0.3, `whenFull: ${hide || random.chance(0.5) ? "drop" : "pass"}`),
    ...some(0.2, "hops: answer"),
    ...(hide ? ["hide: true"] : []),
    ...(domain === "" ? [] : [`domain: ${domain}`]),
    `coreTransport: ${random.pick(["same", "same", "same", "udp", "tcp", "tls"])}`,
    `transports: { ${[...some(0.1, "tcp: false"), "tls: 5061, ws: 8080", ...some(0.5, "wss: 8443")].join(", ")} }, tls: { certificate: none, key: none }`,
  ];
}

/** The same for a realm. */
function realmDraw(random: Random, nat: string): string {
  const latch = random.pick(["strict", "source", "any", "{ mode: any, window: 5s }"]);
  const times = [...(random.chance(0.3) ? [`inactivity: ${random.pick(["off", "5s"])}`] : []), ...(random.chance(0.3) ? ["linger: 1s"] : [])];
  return [`nat: ${nat}`, `keepalive: ${random.pick(["20s", "off"])}`, `latch: ${latch}`, ...times].join(", ");
}

export function settingDraw(random: Random): Setting {
  const access = random.chance(0.75) ? FOUR.access : SIX.access;
  const core = random.chance(0.75) ? FOUR.core : SIX.core;
  const tiny = random.chance(0.35);
  const ports = tiny
    ? random.pick(["{ signal: 10000-10000, media: 20000-20003 }", "{ signal: 10000-10002, media: 20000-20001 }"])
    : "{ signal: 10000-10031, media: 20000-20031 }";
  const ice = random.pick(["strip", "strip", "relay", "pass"] as const);
  const [hide, domain] = [random.chance(0.35), random.chance(0.3) ? DOMAIN : ""];
  const nat = random.pick(["auto", "auto", "auto", "auto", "always", "never"]);
  const servicePort = random.chance(0.85) ? 5060 : 5070;
  const servers = [`"${random.chance(0.85) ? core.server : endpointText(core.server, 5080)}"`, ...(random.chance(0.15) ? [`"${core.gateway}"`] : [])];
  const mediaPorts = tiny ? "20000-20003" : "20000-20031";
  const yaml = `
realms:
  access: { media: "${access.media}", ${realmDraw(random, nat)}, ports: { media: ${mediaPorts} } }
  core: { address: "${core.address}", media: "${core.media}", ports: ${ports} }
services:
  voice: { address: "${access.service}", port: ${servicePort}, servers: [${servers.join(", ")}], ${optionsDraw(random, { hide, domain, ice }).join(", ")} }
rules:
  - { to: "${access.service}", proxy: voice }
otherwise: ${random.pick(["forward", "discard"])}
${tiny ? random.pick(TINY) : ROOMY}
`;
  return {
    yaml,
    tiny,
    service: access.service,
    servicePort,
    server: core.server,
    gateway: core.gateway,
    outside: access.outside,
    inside: access.inside,
    ours: [core.address, core.media],
    ice,
    hide,
    domain,
    nat,
  };
}

export function settingImage(setting: Setting): Promise<Image> {
  return imageMake(setting.yaml, "the fuzz");
}
