/*
 * The router's part for Cisco IOS-XE: policy-based routing by route maps, next hops that are watched.
 */

import type { Prefix } from "../address.ts";
import { type FamilyPolicy, flowsFrom, fragmentsFrom, linesText, type Policy } from "./policy.ts";

/** Number of the test and of the object that follow the next hop. */
const TRACK = 61;

/** 120 of the 128-bit form is /24: its bits that may differ, as four octets. */
export function wildcardText({ address, length }: Prefix): string {
  const bits = length - 96;
  const octets = [0, 1, 2, 3].map((i) => 0xff >> Math.min(8, Math.max(0, bits - i * 8)));
  return `${address.text} ${octets.join(".")}`;
}

function sourceText({ family }: FamilyPolicy, terminal: Prefix | undefined): string {
  if (!terminal) return "any";
  if (family === 4) return terminal.length === 128 ? `host ${terminal.address.text}` : wildcardText(terminal);
  return terminal.length === 128 ? `host ${terminal.address.text}` : `${terminal.address.text}/${terminal.length}`;
}

interface Names {
  list: (name: string) => string;
  there: string;
  back: string;
  ip: "ip" | "ipv6";
}

function namesOf({ family }: FamilyPolicy): Names {
  if (family === 4) return { list: (name) => `ip access-list extended ${name}`, there: "CULVERT", back: "CULVERT-RETURN", ip: "ip" };
  return { list: (name) => `ipv6 access-list ${name}`, there: "CULVERT6", back: "CULVERT6-RETURN", ip: "ipv6" };
}

/** An entry with a port takes later fragments to every port, and the first ones to its own: UDP goes to Culvert whole. */
function permits(part: FamilyPolicy): string[] {
  const udp = fragmentsFrom(part).map(({ text, terminal }) => ` permit udp ${sourceText(part, terminal)} host ${text}`);
  const tcp = flowsFrom(part).filter(({ flow }) => flow.transport === "tcp");
  return [...udp, ...tcp.map(({ flow, terminal }) => ` permit tcp ${sourceText(part, terminal)} host ${flow.address.text} eq ${flow.port}`)];
}

/** The next hop, watched by ICMP; in IPv6 neighbour discovery has to do, which every release has. */
function hop({ family, nextHop }: FamilyPolicy): { watch: string[]; set: string } {
  if (family === 6) return { watch: [], set: ` set ipv6 next-hop ${nextHop.text}` };
  const watch = [
    `ip sla ${TRACK}`,
    ` icmp-echo ${nextHop.text}`,
    "  frequency 5",
    `ip sla schedule ${TRACK} life forever start-time now`,
    `track ${TRACK} ip sla ${TRACK} reachability`,
  ];
  return { watch, set: ` set ip next-hop verify-availability ${nextHop.text} 1 track ${TRACK}` };
}

function there(part: FamilyPolicy, policy: Policy): string[] {
  const names = namesOf(part);
  const { watch, set } = hop(part);
  return [
    names.list(names.there),
    ...permits(part),
    ...watch,
    `route-map ${names.there} permit 10`,
    ` match ${names.ip} address ${names.there}`,
    set,
    ...(policy.fallback === "drop" ? [" set interface Null0"] : []),
    ...policy.terminalPorts.flatMap((port) => [`interface ${port}`, ` ${names.ip} policy route-map ${names.there}`]),
  ];
}

function back(part: FamilyPolicy, policy: Policy): string[] {
  const names = namesOf(part);
  const loose = [`interface ${policy.proxyPort}`, ` ${names.ip} verify unicast source reachable-via any`];
  if (!part.returnHop) return loose;
  return [
    names.list(names.back),
    ...part.addresses.map(({ text }) => ` permit ${names.ip} host ${text} any`),
    `route-map ${names.back} permit 10`,
    ` match ${names.ip} address ${names.back}`,
    ` set ${names.ip} next-hop ${part.returnHop.text}`,
    ...loose,
    ` ${names.ip} policy route-map ${names.back}`,
  ];
}

export function iosxePrint(policy: Policy): string {
  return linesText([
    "! Cisco IOS-XE, in configuration mode.",
    "! All UDP for a service address goes to Culvert, since later fragments have no port; it forwards what it does not take.",
    "! What comes from Culvert has the services' source addresses: a strict check of sources would drop it, so it is loose there.",
    ...policy.families.flatMap((part) => [...there(part, policy), ...back(part, policy)]),
    "end",
  ]);
}
