/*
 * Packet mode where networks are told apart by what stands before IP: two terminals with one and the same address in calls at once, each in
 * a VLAN, a pair of tags or an MPLS VPN of its own, the server behind another one or none. What leaves has the tags or labels of
 * where it goes, priorities as the realm says or as it came, and checksums that are right.
 */

import { join, resolve } from "node:path";
import { expect } from "vitest";
import { Capture } from "../capture.ts";
import type { Configuration } from "../culvert.ts";
import { Program } from "../process.ts";
import { scenario } from "../requirement.ts";
import { type Called, call, expectFramed, expectSums, folder, MEDIA_LEAST, media, needs, serve, start, totalsOf } from "./call.ts";
import { ACCESS_MAC, type Addresses, CORE_MAC, type Netns, netnsOf, SERVER_MAC, TUNNELLED, TUNNELLED6, tunnelsUp } from "./network.ts";

const TAGGER = resolve("test/e2e/frames/tagger.py");
/** Payload types of what the terminals play. */
const TYPES = { t1: 8, t2: 101 };
/** What the access realm says of signaling and of media; the core realm says nothing, so it is as it came. */
const PRIORITY = { signal: 3, media: 5 };
const DSCP = { signal: 24, media: 46 };
/** What the second terminal's network and the servers' put on. */
const CAME = { t2: 2, sv: 1 };

interface Tunnels {
  name: string;
  kind: "vlan" | "mpls";
  /** Ids or labels, from the outside in. */
  t1: number[];
  t2: number[];
  sv?: [number, number];
  addresses: Addresses;
}

const TUNNELS: Tunnels[] = [
  { name: "VLANs", kind: "vlan", t1: [100], t2: [200], addresses: TUNNELLED },
  { name: "service VLANs (QinQ), the server in another", kind: "vlan", t1: [300, 100], t2: [400, 100], sv: [30, 31], addresses: TUNNELLED },
  { name: "MPLS VPNs, the server in another", kind: "mpls", t1: [16_001, 100], t2: [16_001, 200], sv: [17_000, 300], addresses: TUNNELLED },
  { name: "MPLS VPNs over IPv6, the server in none", kind: "mpls", t1: [16_001, 100], t2: [16_001, 200], addresses: TUNNELLED6 },
];

function configurationOf({ kind, sv, addresses: { service, server, media: ours, core } }: Tunnels): Configuration {
  const marks = { dscp: DSCP, [kind === "vlan" ? "pcp" : "trafficClass"]: PRIORITY };
  return {
    interfaces: { acc: {}, net: {} },
    realms: {
      access: { interface: "acc", media: ours, ...marks },
      core: { interface: "net", address: core, nextHop: SERVER_MAC, ...(sv && { [kind]: sv }) },
    },
    services: { voice: { address: service, servers: [server], transports: { tcp: false } } },
    log: { format: "json" },
  };
}

/** The edge of a network: ports of namespace `at` and the tunnel that each leads into. */
async function edge(at: Netns, kind: string, ports: Record<string, string>): Promise<void> {
  const words = Object.entries(ports).map(([port, numbers]) => `${port}=${kind}:${numbers}`);
  await new Program("python3", [TAGGER, "trunk", ...words], { seconds: 80, netns: netnsOf(at) }).until(/READY/, 10);
}

/** Signaling, whose text may stand in another fragment. */
const SIGNAL = "(sip or ip.flags.mf == 1 or ip.frag_offset > 0 or ipv6.fraghdr)";
/** What tshark shows of tags from the outside in, of a stack, and of IP. */
const FIELDS = [...["ieee8021ad.id", "ieee8021ad.priority", "vlan.id", "vlan.priority", "mpls.label", "mpls.exp"], ...["ip.dsfield.dscp", "ipv6.tclass.dscp"]];

/** NUMBERS@PRIORITY DSCP of the packets that a display filter lets through, each that occurs once. Of two tags it is the outer one's, of labels it must be that of all. */
async function marksOf(trunk: Capture, filter: string): Promise<Set<string>> {
  const rows = await trunk.fields(filter, FIELDS, ["-o", "rtp.heuristic_rtp:TRUE"]);
  return new Set(
    rows.map(([service, servicePriority, vlan, vlanPriority, labels, classes, ...dscp]) => {
      const numbers = [service, vlan, labels].filter((one) => one !== "").join(".");
      const priority = [...new Set(classes!.split(","))].join(",") || servicePriority || vlanPriority;
      return `${numbers.replaceAll(",", ".")}@${priority} ${dscp.join("")}`;
    }),
  );
}

for (const tunnels of TUNNELS) {
  scenario(`two terminals with one address in two ${tunnels.name}, both in calls at once`, needs, 120, async () => {
    const { kind, t1, t2, sv, addresses } = tunnels;
    await tunnelsUp(addresses, sv !== undefined);
    serve(addresses);
    await edge("sw", kind, { one: t1.join("."), two: `${t2.join(".")}@${CAME.t2}` });
    if (sv) await edge("sx", kind, { one: `${sv.join(".")}@${CAME.sv}` });
    const control = await call("t1", addresses, "g711a.pcap", 3);
    expect(control.code, "without Culvert nobody carries anything").not.toBe(0);

    const culvert = await start(configurationOf(tunnels));
    const trunk = await Capture.start(netnsOf("sw"), "trunk", join(folder, "trunk.pcap"), "", 60);
    const core = await Capture.start(netnsOf(sv ? "sx" : "sv"), sv ? "trunk" : "eth0", join(folder, "core.pcap"), "", 60);
    const called = await Promise.all([call("t1", addresses), call("t2", addresses, "dtmf_2833_1.pcap")]);
    await Promise.all([trunk.stop(), core.stop()]);
    for (const { code, output } of called) expect(code, output.slice(-2500) + culvert.tail).toBe(0);
    const [first, second] = called as [Called, Called];
    expect(await media(first, TYPES.t1), culvert.tail).toBeGreaterThan(MEDIA_LEAST);
    expect(await media(second, TYPES.t2), culvert.tail).toBeGreaterThan(0);
    expect([await media(first, TYPES.t2), await media(second, TYPES.t1)], "neither hears the other").toEqual([0, 0]);
    const calls = await Promise.all(
      called.map(async ({ capture }) => new Set((await capture.fields("sip.Call-ID", ["sip.Call-ID", "sip.CSeq.seq"])).map(([id]) => id))),
    );
    expect(calls.map((ids) => ids.size)).toEqual([1, 1]);
    expect([...calls[0]!]).not.toEqual([...calls[1]!]);

    const terminals = [t1.join("."), t2.join(".")];
    const toTerminals = `eth.src == ${ACCESS_MAC}`;
    expect(await marksOf(trunk, `${toTerminals} and ${SIGNAL}`)).toEqual(new Set(terminals.map((one) => `${one}@${PRIORITY.signal} ${DSCP.signal}`)));
    expect(await marksOf(trunk, `${toTerminals} and rtp`)).toEqual(new Set(terminals.map((one) => `${one}@${PRIORITY.media} ${DSCP.media}`)));
    expect(await expectSums(trunk, toTerminals)).toBeGreaterThan(2 * MEDIA_LEAST);
    const toServer = `eth.src == ${CORE_MAC}`;
    const asItCame = new Set(sv ? [`${sv.join(".")}@0 0`, `${sv.join(".")}@${CAME.t2} 0`] : ["@ 0"]);
    for (const what of [SIGNAL, "rtp"]) expect(await marksOf(core, `${toServer} and ${what}`), what).toEqual(asItCame);
    expect(
      (await core.fields(`${toServer} and (ip.flags.mf == 1 or ipv6.fraghdr)`, ["frame.len"])).length,
      "an INVITE is longer than a link takes",
    ).toBeGreaterThan(2);
    expect(await expectSums(core, toServer)).toBeGreaterThan(2 * MEDIA_LEAST);
    expectFramed(await totalsOf(culvert));
  });
}
