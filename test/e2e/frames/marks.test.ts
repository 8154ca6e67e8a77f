/*
 * DSCP and ECN by batched sockets: a call of sipp, whose INVITE is longer than a frame, with media both ways, over IPv4 and IPv6. Either
 * end's machine marks what leaves it, signaling and media apart; tshark reads at the other end with which marks it leaves Culvert.
 */

import { join } from "node:path";
import { expect } from "vitest";
import { Capture } from "../capture.ts";
import type { Configuration } from "../culvert.ts";
import { must } from "../process.ts";
import { program, scenario } from "../requirement.ts";
import { call, folder, MEDIA_LEAST, media, needs, serve, start, totalsOf } from "./call.ts";
import { type Addresses, type Netns, netnsOf, routedUp, SERVED, SERVED6, within } from "./network.ts";

/** DSCP and ECN of what leaves a machine. */
interface Marks {
  signal: [number, number];
  media: [number, number];
}
const NOT = 0;
const ECT1 = 1;
const ECT0 = 2;
const CE = 3;
const TERMINAL: Marks = { signal: [26, ECT0], media: [46, ECT1] };
const SERVER: Marks = { signal: [10, NOT], media: [12, CE] };
/** What the access realm says of media; of the rest nobody says anything, so it is as it came. */
const SAID = 34;

/** Has a machine mark what it sends. */
async function marksSet(netns: Netns, six: boolean, { signal, media: rtp }: Marks): Promise<void> {
  const ip = six ? "ip6" : "ip";
  const marking = ([dscp, ecn]: [number, number]): string => `${ip} dscp set ${dscp} ${ip} ecn set ${["not-ect", "ect1", "ect0", "ce"][ecn]}`;
  const lines = [
    "add table inet marks",
    "add chain inet marks out { type filter hook output priority 0; }",
    `add rule inet marks out udp dport >= 10000 ${marking(rtp)}`,
    `add rule inet marks out udp sport 5060-5062 ${marking(signal)}`,
  ];
  for (const line of lines) await must(within(netns, "nft", line));
}

/** DSCP and ECN of packets, each that occurs once. */
async function marksOf(capture: Capture, filter: string, six: boolean): Promise<string[]> {
  const names = six ? ["ipv6.tclass.dscp", "ipv6.tclass.ecn"] : ["ip.dsfield.dscp", "ip.dsfield.ecn"];
  return [...new Set((await capture.fields(filter, names, ["-o", "rtp.heuristic_rtp:TRUE"])).map((row) => row.join(" ")))];
}

const FAMILIES: [string, Addresses][] = [
  ["IPv4", SERVED],
  ["IPv6", SERVED6],
];

for (const [family, addresses] of FAMILIES) {
  scenario(`a call over ${family} leaves batched sockets with the marks that it came with, or those of the realm`, [...needs, program("nft")], 60, async () => {
    const { terminal, service, server, media: ours, core } = addresses;
    const six = terminal.includes(":");
    const ip = six ? "ipv6" : "ip";
    await routedUp(addresses);
    await marksSet("t1", six, TERMINAL);
    await marksSet("sv", six, SERVER);
    serve(addresses);
    const configuration: Configuration = {
      io: "batched",
      realms: { access: { address: ours, media: ours, dscp: { media: SAID } }, core: { address: core } },
      services: { voice: { address: service, servers: [server], transports: { tcp: false } } },
      log: { format: "json" },
    };
    const culvert = await start(configuration);
    const servers = await Capture.start(netnsOf("sv"), "eth0", join(folder, "marks.pcap"), six ? "ip6" : "ip", 40);
    const called = await call("t1", addresses);
    await servers.stop();
    expect(called.code, called.output.slice(-2500) + culvert.tail).toBe(0);
    expect(await media(called, 8), culvert.tail).toBeGreaterThan(MEDIA_LEAST);
    const toServer = `${ip}.src == ${core}`;
    const toTerminal = `${ip}.dst == ${terminal}`;
    const fragments = six ? "ipv6.fraghdr" : "(ip.flags.mf == 1 or ip.frag_offset > 0)";
    expect(await marksOf(servers, `${toServer} and sip`, six)).toEqual([TERMINAL.signal.join(" ")]);
    expect(await marksOf(servers, `${toServer} and ${fragments}`, six), "an INVITE in fragments").toEqual([TERMINAL.signal.join(" ")]);
    expect(await marksOf(servers, `${toServer} and rtp`, six)).toEqual([TERMINAL.media.join(" ")]);
    expect(await marksOf(called.capture, `${toTerminal} and sip`, six)).toEqual([SERVER.signal.join(" ")]);
    expect(await marksOf(called.capture, `${toTerminal} and rtp`, six)).toEqual([`${SAID} ${SERVER.media[1]}`]);
    const totals = await totalsOf(culvert);
    for (const fault of ["sendFailed", "bindFailed", "noSocket", "trapped"]) expect(totals).not.toHaveProperty(fault);
  });
}
