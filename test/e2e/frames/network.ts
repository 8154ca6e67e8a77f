/*
 * The networks of packet mode. But where px is a router, nothing but Culvert carries a packet from one side to the other.
 *
 *   plain:   t1 10.1.0.10 -- acc px net -- 10.1.0.20 sv                              one subnet, px in the cable
 *   tunnels: t1 10.1.0.10 -- one sw trunk -- acc px net -- trunk sx one -- 10.9.0.10 sv
 *            t2 10.1.0.10 -- two sw                                                  t1's address; sx may be left out
 *   routed:  t1 10.1.0.10 -- 10.1.0.1 acc px net 10.9.0.2 -- 10.9.0.10 sv            px is the router
 *   gateway: t1 10.1.0.10 -- 10.1.0.1 acc px net 10.8.0.2 -- 10.8.0.1 sx 10.9.0.1 -- 10.9.0.10 sv   px routes nothing, sx does
 *                                                                                    (IPv6: fd00:N::)
 */

import { namespacesOf } from "../namespace.ts";
import { must, run } from "../process.ts";

export type Netns = "t1" | "t2" | "sw" | "px" | "sx" | "sv";

const { netnsOf, within, cable, make, networkDown } = namespacesOf<Netns>("cf", ["t1", "t2", "sw", "px", "sx", "sv"]);
export { netnsOf, networkDown, within };

export const SERVER_MAC = "02:00:00:00:09:10";
export const ACCESS_MAC = "02:00:00:00:01:01";
export const CORE_MAC = "02:00:00:00:09:02";
/** What is left for IP under two labels, or two tags, on a link that takes 1500 bytes. */
const MTU_TUNNELLED = 1492;

/** The terminal, E, the server, and Culvert's addresses: of media towards terminals, and in the core. */
export interface Addresses {
  terminal: string;
  service: string;
  server: string;
  media: string;
  core: string;
}
export const PLAIN: Addresses = { terminal: "10.1.0.10", service: "10.1.0.20", server: "10.1.0.20", media: "10.1.0.2", core: "10.1.0.3" };
export const PLAIN6: Addresses = { terminal: "fd00:1::10", service: "fd00:1::20", server: "fd00:1::20", media: "fd00:1::2", core: "fd00:1::3" };
export const ROUTED: Addresses = { terminal: "10.1.0.10", service: "10.9.0.10", server: "10.9.0.10", media: "10.1.0.1", core: "10.9.0.2" };
export const GATED: Addresses = { terminal: "10.1.0.10", service: "203.0.113.20", server: "10.9.0.10", media: "10.1.0.1", core: "10.8.0.2" };
export const GATED6: Addresses = { terminal: "fd00:1::10", service: "fd00:99::20", server: "fd00:9::10", media: "fd00:1::1", core: "fd00:8::2" };
/** The service is Culvert's own address: plain sockets take what is for it. */
export const SERVED: Addresses = { ...ROUTED, service: "10.1.0.1" };
export const SERVED6: Addresses = { terminal: "fd00:1::10", service: "fd00:1::1", server: "fd00:9::10", media: "fd00:1::1", core: "fd00:9::2" };
export const TUNNELLED: Addresses = { terminal: "10.1.0.10", service: "203.0.113.20", server: "10.9.0.10", media: "203.0.113.21", core: "10.9.0.2" };
export const TUNNELLED6: Addresses = { terminal: "fd00:1::10", service: "fd00:99::20", server: "fd00:9::10", media: "fd00:99::21", core: "fd00:9::2" };

const at = (netns: Netns, ...lines: string[]): string[] => lines.map((line) => `ip -n ${netnsOf(netns)} ${line}`);

function isSix(address: string): boolean {
  return address.includes(":");
}

/** An address of a device, with its subnet or by itself. */
function own(address: string, device: string, alone = false): string {
  return isSix(address) ? `addr add ${address}/${alone ? 128 : 64} dev ${device} nodad` : `addr add ${address}/${alone ? 32 : 24} dev ${device}`;
}

function hop(address: string, mac: string): string {
  return `neigh add ${address} lladdr ${mac} nud permanent dev eth0`;
}

/** `six`: with IPv6. */
async function up(lines: string[], six = false): Promise<void> {
  const off = six ? 0 : 1;
  await make(`sysctl -qw net.ipv6.conf.default.disable_ipv6=${off} net.ipv6.conf.all.disable_ipv6=${off}`);
  await must(run("sh", ["-ec", lines.join("\n")], { seconds: 20 }));
}

export function plainUp({ terminal, server, media, core }: Addresses): Promise<void> {
  const lines = [
    ...cable("t1", "eth0", "px", "acc"),
    ...cable("px", "net", "sv", "eth0"),
    ...at("t1", own(terminal, "eth0")),
    ...at("px", own(media, "acc", true), own(core, "net", true), `route add ${terminal} dev acc`, `route add ${server} dev net`),
    ...at("sv", `link set eth0 address ${SERVER_MAC}`, own(server, "eth0")),
  ];
  return up(lines, isSix(terminal));
}

/** `core`: is the server behind a tunnel as well? Through none goes ARP or neighbour discovery: next hops are known. */
export function tunnelsUp({ terminal, server, core: ours }: Addresses, core: boolean): Promise<void> {
  const six = isSix(terminal);
  const gateway = six ? "fd00:1::1" : "10.1.0.1";
  const lines = [
    ...cable("t1", "eth0", "sw", "one"),
    ...cable("t2", "eth0", "sw", "two"),
    ...cable("sw", "trunk", "px", "acc"),
    ...(core ? [...cable("px", "net", "sx", "trunk"), ...cable("sx", "one", "sv", "eth0")] : cable("px", "net", "sv", "eth0")),
    ...(["t1", "t2"] as const).flatMap((name) =>
      at(name, `link set eth0 mtu ${MTU_TUNNELLED}`, own(terminal, "eth0"), hop(gateway, ACCESS_MAC), `route add default via ${gateway}`),
    ),
    ...at("px", `link set acc address ${ACCESS_MAC}`, `link set net address ${CORE_MAC}`, own(ours, "net")),
    ...at("sv", `link set eth0 address ${SERVER_MAC}`, `link set eth0 mtu ${core ? MTU_TUNNELLED : 1500}`, own(server, "eth0"), hop(ours, CORE_MAC)),
  ];
  return up(lines, six);
}

export function routedUp({ terminal, server, media, core }: Addresses): Promise<void> {
  const lines = [
    ...cable("t1", "eth0", "px", "acc"),
    ...cable("px", "net", "sv", "eth0"),
    ...at("t1", own(terminal, "eth0"), `route add default via ${media}`),
    ...at("px", own(media, "acc"), own(core, "net")),
    ...at("sv", `link set eth0 address ${SERVER_MAC}`, own(server, "eth0"), `route add default via ${core}`),
    `ip netns exec ${netnsOf("px")} sysctl -qw net.ipv4.ip_forward=1`,
  ];
  return up(lines, isSix(terminal));
}

/** Between Culvert and the server is a router, of whose hardware address nobody says anything. */
export function gatewayUp({ terminal, server, media, core }: Addresses): Promise<void> {
  const six = isSix(terminal);
  const [near, far] = six ? ["fd00:8::1", "fd00:9::1"] : ["10.8.0.1", "10.9.0.1"];
  const lines = [
    ...cable("t1", "eth0", "px", "acc"),
    ...cable("px", "net", "sx", "near"),
    ...cable("sx", "far", "sv", "eth0"),
    ...at("t1", own(terminal, "eth0"), `route add default via ${media}`),
    ...at("px", own(media, "acc"), own(core, "net"), `route add ${server} via ${near}`),
    ...at("sx", own(near!, "near"), own(far!, "far")),
    ...at("sv", own(server, "eth0"), `route add default via ${far}`),
    `ip netns exec ${netnsOf("sx")} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`,
  ];
  return up(lines, six);
}
