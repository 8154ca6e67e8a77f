/*
 * The networks of packet mode. But in the last, nothing but Culvert carries a packet from one side to the other.
 *
 *   plain:  t1 10.1.0.10 -- acc px net -- 10.1.0.20 sv                       one subnet, px in the cable
 *   VLANs:  t1 10.1.0.10 -- one sw trunk -- acc px net -- 10.9.0.10 sv       t1 in VLAN 100,
 *           t2 10.1.0.10 -- two sw                                           t2 in VLAN 200, with t1's address
 *   routed: t1 10.1.0.10 -- 10.1.0.1 acc px net 10.9.0.2 -- 10.9.0.10 sv     px is the router
 */

import { namespacesOf } from "../namespace.ts";
import { must, run } from "../process.ts";

export type Netns = "t1" | "t2" | "sw" | "px" | "sv";

const { netnsOf, within, cable, make, networkDown } = namespacesOf<Netns>("cf", ["t1", "t2", "sw", "px", "sv"]);
export { netnsOf, networkDown, within };

export const TERMINAL = "10.1.0.10";
export const VLANS = { t1: 100, t2: 200 };
export const SERVER_MAC = "02:00:00:00:09:10";
const ACCESS_MAC = "02:00:00:00:01:01";

/** E, the server, and Culvert's addresses: of media towards terminals, and in the core. */
export interface Addresses {
  service: string;
  server: string;
  media: string;
  core: string;
}
export const PLAIN: Addresses = { service: "10.1.0.20", server: "10.1.0.20", media: "10.1.0.2", core: "10.1.0.3" };
export const ROUTED: Addresses = { service: "10.9.0.10", server: "10.9.0.10", media: "10.1.0.1", core: "10.9.0.2" };
export const TAGGED: Addresses = { service: "203.0.113.20", server: "10.9.0.10", media: "203.0.113.21", core: "10.9.0.2" };

const at = (netns: Netns, ...lines: string[]): string[] => lines.map((line) => `ip -n ${netnsOf(netns)} ${line}`);

async function up(lines: string[]): Promise<void> {
  await make("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.disable_ipv6=1");
  await must(run("sh", ["-ec", lines.join("\n")], { seconds: 20 }));
}

export function plainUp(): Promise<void> {
  return up([
    ...cable("t1", "eth0", "px", "acc"),
    ...cable("px", "net", "sv", "eth0"),
    ...at("t1", `addr add ${TERMINAL}/24 dev eth0`),
    ...at(
      "px",
      `addr add ${PLAIN.media}/32 dev acc`,
      `addr add ${PLAIN.core}/32 dev net`,
      `route add ${TERMINAL} dev acc`,
      `route add ${PLAIN.server} dev net`,
    ),
    ...at("sv", `link set eth0 address ${SERVER_MAC}`, `addr add ${PLAIN.server}/24 dev eth0`),
  ]);
}

export function taggedUp(): Promise<void> {
  return up([
    ...cable("t1", "eth0", "sw", "one"),
    ...cable("t2", "eth0", "sw", "two"),
    ...cable("sw", "trunk", "px", "acc"),
    ...cable("px", "net", "sv", "eth0"),
    // Nobody answers ARP in the VLANs: the next hop is known there.
    ...(["t1", "t2"] as const).flatMap((name) =>
      at(name, `addr add ${TERMINAL}/24 dev eth0`, `neigh add 10.1.0.1 lladdr ${ACCESS_MAC} nud permanent dev eth0`, "route add default via 10.1.0.1"),
    ),
    ...at("px", `link set acc address ${ACCESS_MAC}`, `addr add ${TAGGED.core}/24 dev net`),
    ...at("sv", `link set eth0 address ${SERVER_MAC}`, `addr add ${TAGGED.server}/24 dev eth0`),
  ]);
}

export function routedUp(): Promise<void> {
  return up([
    ...cable("t1", "eth0", "px", "acc"),
    ...cable("px", "net", "sv", "eth0"),
    ...at("t1", `addr add ${TERMINAL}/24 dev eth0`, `route add default via ${ROUTED.media}`),
    ...at("px", `addr add ${ROUTED.media}/24 dev acc`, `addr add ${ROUTED.core}/24 dev net`),
    ...at("sv", `link set eth0 address ${SERVER_MAC}`, `addr add ${ROUTED.server}/24 dev eth0`, `route add default via ${ROUTED.core}`),
    `ip netns exec ${netnsOf("px")} sysctl -qw net.ipv4.ip_forward=1`,
  ]);
}
