/*
 * The network of the topologies: one terminal behind a proxy (serial), one behind a router that may send what is for the
 * services to a proxy at its side (parallel), and servers behind that router. What decides who intercepts what is left out
 * here: `culvert router` does it.
 *
 *   t1 10.1.0.10 -- acc p1 net -- 10.3.0.1 rt 10.2.0.1 -- sv 10.2.0.20 Kamailio, .30 sipp, .40 a telephone
 *                    t2 10.5.0.10 -- 10.5.0.1 rt 10.4.0.1 -- net p2 away -- nobody            (IPv6: fd00:N::)
 */

import { namespacesOf } from "../namespace.ts";
import { must, run } from "../process.ts";

export type Netns = "t1" | "t2" | "p1" | "p2" | "rt" | "sv";
const ALL: Netns[] = ["t1", "t2", "p1", "p2", "rt", "sv"];

const { netnsOf, within, cable, make, networkDown } = namespacesOf("cr", ALL);
export { netnsOf, networkDown, within };

export const REGISTRAR = "10.2.0.20";
export const SERVER = { 4: "10.2.0.30", 6: "fd00:2::30" };
export const PHONE = "10.2.0.40";
export const TERMINAL = { t1: { 4: "10.1.0.10", 6: "fd00:1::10" }, t2: { 4: "10.5.0.10", 6: "fd00:5::10" } };
export const PROXY = { p1: { 4: "10.3.0.2", 6: "fd00:3::2" }, p2: { 4: "10.4.0.2", 6: "fd00:4::2" } };
export const GATEWAY = { p1: { 4: "10.3.0.1", 6: "fd00:3::1" }, p2: { 4: "10.4.0.1", 6: "fd00:4::1" } };

const CABLES: [Netns, string, Netns, string][] = [
  ["t1", "eth0", "p1", "acc"],
  ["p1", "net", "rt", "to-p1"],
  ["p2", "net", "rt", "to-p2"],
  ["t2", "eth0", "rt", "to-t2"],
  ["sv", "eth0", "rt", "to-sv"],
];

/** Namespace, interface, third octet or IPv6 network, host. */
const ADDRESSES: [Netns, string, number, number][] = [
  ["t1", "eth0", 1, 10],
  ["p1", "acc", 1, 1],
  ["p1", "net", 3, 2],
  ["rt", "to-p1", 3, 1],
  ["p2", "net", 4, 2],
  ["rt", "to-p2", 4, 1],
  ["t2", "eth0", 5, 10],
  ["rt", "to-t2", 5, 1],
  ["rt", "to-sv", 2, 1],
  ["sv", "eth0", 2, 20],
  ["sv", "eth0", 2, 30],
  ["sv", "eth0", 2, 40],
];

/** Namespace, destination or undefined for all, gateway as its network and host. */
const ROUTES: [Netns, number | undefined, number, number][] = [
  ["t1", undefined, 1, 1],
  ["t2", undefined, 5, 1],
  ["sv", undefined, 2, 1],
  ["p1", undefined, 3, 1],
  ["p2", undefined, 4, 1],
  ["p2", 2, 4, 1],
  ["rt", 1, 3, 2],
];

/** Sources are checked strictly, as careful machines do; an address under test for duplicates would send nothing for a second. */
const KNOBS = ["net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0", "net.ipv4.conf.default.rp_filter=1", "net.ipv4.conf.all.rp_filter=1"];

function shell(netns: Netns, lines: string[]): Promise<string> {
  return must(within(netns, "sh", "-ec", lines.join("\n")));
}

function addressLines(netns: Netns): string[] {
  return ADDRESSES.filter(([name]) => name === netns).flatMap(([, device, net, host]) => [
    `ip addr add 10.${net}.0.${host}/24 dev ${device}`,
    `ip addr add fd00:${net}::${host}/64 dev ${device} nodad`,
  ]);
}

function routeLines(netns: Netns): string[] {
  return ROUTES.filter(([name]) => name === netns).flatMap(([, to, net, host]) => [
    `ip route add ${to === undefined ? "default" : `10.${to}.0.0/24`} via 10.${net}.0.${host}`,
    `ip -6 route add ${to === undefined ? "default" : `fd00:${to}::/64`} via fd00:${net}::${host}`,
  ]);
}

export async function networkUp(): Promise<void> {
  await make(`sysctl -qw ${KNOBS.join(" ")}`);
  await must(run("sh", ["-ec", CABLES.flatMap((ends) => cable(...ends)).join("\n")], { seconds: 20 }));
  for (const name of ALL) await shell(name, [...addressLines(name), ...routeLines(name)]);
  await shell("rt", ["sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"]);
}

/** p2's way to everything but the servers leads nowhere, until `proxyHome`. */
export async function proxyAway(): Promise<void> {
  await shell("p2", [
    "ip link add away type veth peer name void",
    "ip link set away up",
    "ip link set void up",
    "ip addr add 10.9.0.2/24 dev away",
    "ip addr add fd00:9::2/64 dev away nodad",
    "ip route replace default via 10.9.0.1",
    "ip -6 route del default",
    "ip -6 route add default via fd00:9::1",
  ]);
}

export async function proxyHome(): Promise<void> {
  await shell("p2", ["ip link del away", "ip route replace default via 10.4.0.1", "ip -6 route replace default via fd00:4::1"]);
}

/** All of a machine that `culvert router` could change. Counters and lifetimes are left out. */
export async function stateOf(netns: Netns): Promise<string> {
  const lists = ["ip -4 rule", "ip -6 rule", "ip -d -4 route show table all", "ip -d -6 route show table all", "ip addr", "nft list ruleset"];
  const settings = "sysctl -a 2>/dev/null | grep -E '^net\\.(ipv4|ipv6)\\.' | grep -vE 'tcp_(fastopen_key|mem|rmem|wmem)'";
  return (await shell(netns, [...lists, settings])).replace(/expires \d+sec/g, "").replace(/packets \d+ bytes \d+/g, "");
}
