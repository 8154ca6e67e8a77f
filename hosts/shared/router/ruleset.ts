/*
 * The nftables rules that give packets for a service address to the socket that is bound there, and only when it is: a
 * lookup of the socket decides. A process that ends, however it ends, closes its sockets, and from that moment its packets
 * are forwarded or dropped, as configured; nothing has to notice it.
 */

import type { Interception, Realm, Service } from "../config.ts";
import { commandOf, type Step } from "./step.ts";

const TABLE = "culvert";

/** What is taken: the packets of a service that come in from an access realm. */
interface Catch {
  devices: string[];
  service: Service;
}

/** FNV-1a, 32 bits: tells one ruleset from another. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

export function markText({ mark }: Interception): string {
  return `0x${mark.toString(16)}`;
}

/** The mark and which of its bits count: just these. */
export function markBits(interception: Interception): string {
  return `${markText(interception)}/${markText(interception)}`;
}

/** One value, or a set of them. */
export function setText(values: (string | number)[]): string {
  return values.length === 1 ? String(values[0]) : `{ ${values.join(", ")} }`;
}

/** Ports of connections, each once. */
export function streamPorts({ streams }: Service): number[] {
  return [...new Set(Object.values(streams))].filter((port) => port > 0).sort((a, b) => a - b);
}

function addressMatch({ address }: Service): string {
  return `${address.family === 4 ? "ip" : "ip6"} daddr ${address.text}`;
}

/** Matches of a service's packets, one for each protocol. */
function matches({ devices, service }: Catch): string[] {
  const from = devices.length === 0 ? "" : `iifname ${setText(devices.map((device) => `"${device}"`))} `;
  const ports = streamPorts(service);
  const streams = ports.length === 0 ? [] : [`${from}${addressMatch(service)} tcp dport ${setText(ports)}`];
  return [`${from}${addressMatch(service)} udp dport ${service.port}`, ...streams];
}

/**
 * Any bound socket for UDP and for the first packet of a connection; anything that belongs to the connection after that:
 * what answers for a connection that opens or closes is no whole socket, and has no `wildcard`.
 */
function socketRules(take: string): string[] {
  return [`socket wildcard 0 ${take}`, `tcp flags & (syn) == 0 socket transparent { 0, 1 } ${take}`];
}

function tproxyRules(caught: Catch[], take: string): string[] {
  return caught.flatMap((one) => {
    const { address } = one.service;
    return matches(one).map((match) => `${match} tproxy ${address.family === 4 ? "ip" : "ip6"} to ${address.text} ${take}`);
  });
}

/** Questions for the neighbour that a service address is are not answered (RFC 4861 4.3: the target stands at octet 8). */
function silenceChain(caught: Catch[]): string[] {
  const hex = ({ service }: Catch): string => `0x${Array.from(service.address.bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  const targets = [...new Set(caught.filter(({ service }) => service.address.family === 6).map(hex))];
  if (targets.length === 0) return [];
  const rules = targets.map((target) => `    icmpv6 type nd-neighbor-solicit @th,64,128 ${target} drop`);
  return ["  chain silence {", "    type filter hook input priority filter; policy accept;", ...rules, "  }"];
}

/** Conntrack puts fragments together: a later fragment has no port to match. */
export const DEFRAGMENT = "    ct state invalid counter";

function chains(interception: Interception, caught: Catch[]): string[] {
  const take = `meta mark set meta mark | ${markText(interception)} accept`;
  const last = interception.fallback === "drop" ? "counter drop" : "counter accept";
  const divert = ["  chain divert {", "    type filter hook prerouting priority mangle; policy accept;", DEFRAGMENT];
  const signaling = ["  chain signaling {"];
  if (interception.kind === "tproxy") divert.push(...tproxyRules(caught, take).map((rule) => `    ${rule}`));
  else signaling.push(...socketRules(take).map((rule) => `    ${rule}`));
  divert.push(...caught.flatMap(matches).map((match) => `    ${match} goto signaling`), "  }");
  signaling.push(`    ${last}`, "  }");
  return [...signaling, ...divert, ...(interception.kind === "local" ? silenceChain(caught) : [])];
}

function caughtOf(services: Service[], realms: Realm[]): Catch[] {
  return services.map((service) => ({ devices: realms[service.access]!.interfaces, service }));
}

/** A table of nftables by itself, made anew in one transaction when it is not this very one. */
export function tableStep(about: string, table: string, body: string): Step {
  const comment = `comment "plan ${digest(body)}"`;
  const text = `table inet ${table}\ndelete table inet ${table}\ntable inet ${table} {\n  ${comment}\n${body}\n}\n`;
  return {
    about,
    apply: { ...commandOf("nft", "-f", "-"), input: text },
    undo: { kind: "command", command: commandOf("nft", "delete", "table", "inet", table) },
    check: { command: commandOf("nft", "list", "table", "inet", table), pattern: comment },
    ours: true,
  };
}

export function rulesetStep(interception: Interception, services: Service[], realms: Realm[]): Step {
  const body = chains(interception, caughtOf(services, realms)).join("\n");
  return tableStep("packets for a service address go to the socket that is bound there", TABLE, body);
}
