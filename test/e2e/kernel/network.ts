/*
 * The network of the cases: terminals on a private network, a router, servers outside. What the router does is all that
 * differs between the columns, see router.ts.
 *
 *   vk-in 10.1.0.x, 10.1.1.x, fd00:1::  --  in vk-rt out  --  vk-out 203.0.113.20 (server), .66 (a stranger), 2001:db8:2::
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { must, run } from "../process.ts";

export const INSIDE = "vk-in";
export const ROUTER = "vk-rt";
export const OUTSIDE = "vk-out";

export type Family = "ipv4" | "ipv6";

/** Of the host `n` inside; the second terminals of the cases have a range of their own. IPv6 as RFC 5952 writes it. */
export const insideAddress = (family: Family, n: number, isSecond = false): string =>
  family === "ipv4" ? `10.1.${isSecond ? 1 : 0}.${n}` : `fd00:1::${isSecond ? "1:" : ""}${n.toString(16)}`;
export const serverAddress = (family: Family): string => (family === "ipv4" ? "203.0.113.20" : "2001:db8:2::20");
export const strangerAddress = (family: Family): string => (family === "ipv4" ? "203.0.113.66" : "2001:db8:2::66");
export const FIRST = 2;
export const LAST = 250;

/** An address that is still being tested for duplicates sends nothing for a second: not to be taken for a loss. */
const KNOBS = ["net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0"];
/** Two ends of a cable. */
const cable = (netns: string, name: string, peer: string, peerName: string): string[] => [
  `link add ${name} netns ${netns} type veth peer name ${peerName} netns ${peer}`,
  `-n ${netns} link set ${name} up`,
  `-n ${peer} link set ${peerName} up`,
];

function insideAddresses(): string[] {
  const hosts = Array.from({ length: LAST - FIRST + 1 }, (_, i) => FIRST + i);
  const both = (["ipv4", "ipv6"] as const).flatMap((family) => [false, true].map((isSecond) => ({ family, isSecond })));
  return hosts.flatMap((n) =>
    both.map(({ family, isSecond }) => `addr add ${insideAddress(family, n, isSecond)}${family === "ipv4" ? "/16 dev eth0" : "/64 dev eth0 nodad"}`),
  );
}

const ROUTER_ADDRESSES = ["10.1.0.1/16 dev in", "fd00:1::1/64 dev in nodad", "203.0.113.1/24 dev out", "2001:db8:2::1/64 dev out nodad"];
/** What it translates to is its own, as a router's outside address is: ICMP errors about what it sent come to it. */
const ROUTER_OWN = ["route add local 198.18.0.0/16 dev lo", "route add local 2001:db8:1::/64 dev lo"];
const OUTSIDE_ADDRESSES = ["203.0.113.20/24", "203.0.113.66/24", "2001:db8:2::20/64", "2001:db8:2::66/64"];

/** Runs `ip` on the lines of a file. */
function batch(folder: string, netns: string, lines: string[]): Promise<string> {
  const path = join(folder, `${netns}.batch`);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return must(run("ip", ["-n", netns, "-batch", path], { seconds: 20 }));
}

export async function networkDown(): Promise<void> {
  for (const netns of [INSIDE, ROUTER, OUTSIDE]) await run("ip", ["netns", "del", netns], { seconds: 10 });
}

export async function networkUp(folder: string): Promise<void> {
  await networkDown();
  for (const netns of [INSIDE, ROUTER, OUTSIDE]) {
    await must(run("ip", ["netns", "add", netns], { seconds: 10 }));
    await must(run("sysctl", ["-qw", ...KNOBS], { seconds: 10, netns }));
  }
  const cables = [...cable(INSIDE, "eth0", ROUTER, "in"), ...cable(OUTSIDE, "eth0", ROUTER, "out")];
  for (const line of cables) await must(run("ip", line.split(" "), { seconds: 10 }));
  for (const netns of [INSIDE, ROUTER, OUTSIDE]) await batch(folder, netns, ["link set lo up"]);
  await batch(folder, INSIDE, [...insideAddresses(), "route add default via 10.1.0.1", "route add default via fd00:1::1"]);
  await batch(folder, ROUTER, [...ROUTER_ADDRESSES.map((address) => `addr add ${address}`), ...ROUTER_OWN]);
  const outside = OUTSIDE_ADDRESSES.map((address) => `addr add ${address} dev eth0${address.includes("::") ? " nodad" : ""}`);
  await batch(folder, OUTSIDE, [...outside, "route add 198.18.0.0/16 via 203.0.113.1", "route add 2001:db8:1::/64 via 2001:db8:2::1"]);
  await must(run("sysctl", ["-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"], { seconds: 10, netns: ROUTER }));
}
