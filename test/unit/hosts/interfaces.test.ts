import { describe, expect, test } from "vitest";
import { problemsOf, read, SMALL } from "./configuration.ts";

describe("packet mode", () => {
  const framed = (realm: string, interfaces = "eth0: { mac: 02:00:00:00:00:01, peer: eth1 }, eth1: { vpn: 7, mtu: 9000, receive: xdp }"): string =>
    `interfaces: { ${interfaces} }\n${SMALL.replace(/core: \{/, `core: { ${realm}, `)}`;

  test("interfaces, and what frames of a realm look like", () => {
    const { interfaces, realms, capacity } = read(
      framed("interface: eth1, vlan: [300, 7], mpls: 1000, nextHop: 02:00:00:00:00:fe, dscp: { media: 46 }, pcp: 5"),
    );
    expect(interfaces).toEqual([
      { name: "eth0", mac: Uint8Array.of(2, 0, 0, 0, 0, 1), peer: 1, mtu: 1500, vpn: undefined, receive: "packet" },
      { name: "eth1", mac: undefined, peer: undefined, mtu: 9000, vpn: 7, receive: "xdp" },
    ]);
    expect(realms.find(({ kind }) => kind === "core")!.link).toEqual({
      interfaces: [1],
      vlan: 7,
      vlanOuter: 300,
      mpls: 1000,
      mplsOuter: undefined,
      vpn: undefined,
      nextHop: Uint8Array.of(2, 0, 0, 0, 0, 254),
      dscp: { signal: undefined, media: 46 },
      pcp: { signal: 5, media: 5 },
      trafficClass: { signal: undefined, media: undefined },
    });
    expect(capacity.datagrams).toBe(64);
  });

  test("a realm has several interfaces, under the names that `culvert router` uses", () => {
    const realm = read(framed("interface: [eth1, eth0]")).realms.find(({ kind }) => kind === "core")!;
    expect(realm.interfaces).toEqual(["eth1", "eth0"]);
    expect(realm.link.interfaces).toEqual([1, 0]);
  });

  test("portable sockets read no frames", () => {
    expect(problemsOf(`${framed("interface: eth1")}io: portable\n`)).toEqual([
      expect.stringMatching(/io: portable sockets read no frames, and `interfaces:` wants them read; remove one of the two$/),
    ]);
  });

  test("without packet mode any device is one", () => {
    const config = read(SMALL.replace("core: {", "core: { interface: [eth7, eth8],"));
    const realm = config.realms.find(({ kind }) => kind === "core")!;
    expect([realm.interfaces, realm.link.interfaces, config.capacity.datagrams]).toEqual([["eth7", "eth8"], [], 0]);
  });

  test("a tag or label of a realm of terminals wants no next hop, nor does VLAN 0, which is none", () => {
    const text = framed("interface: eth0, vlan: 0").replace("access: {", "access: { interface: eth1, vlan: 7,");
    expect(problemsOf(text)).toEqual([]);
  });

  test.each([
    ["interface: eth2", undefined, 'realms.core.interface: there is no "eth2" under `interfaces:`, where packet mode has all of them; did you mean "eth0"?'],
    [
      "nextHop: 02:00:00:00:00:fe",
      undefined,
      "realms.core.nextHop: is reached by one interface; give `interface:` one, and not several, that stands under `interfaces:`",
    ],
    [
      "interface: [eth0, eth1], nextHop: 02:00:00:00:00:fe",
      undefined,
      "realms.core.nextHop: is reached by one interface; give `interface:` one, and not several, that stands under `interfaces:`",
    ],
    ["nat: auto", "eth/0: {}", "interfaces.eth/0: must be the name of a network interface such as eth0 or eth0.100"],
    [
      "interface: eth0, vlan: 7",
      undefined,
      "realms.core.vlan: this machine's own stack, which asks for the way to the servers, writes no tags and labels; say by `nextHop:` which hardware address leads there",
    ],
    [
      "interface: eth0, mpls: [16, 17]",
      undefined,
      "realms.core.mpls: this machine's own stack, which asks for the way to the servers, writes no tags and labels; say by `nextHop:` which hardware address leads there",
    ],
    ["nextHop: 02:00:00:00:00", undefined, 'realms.core.nextHop: "02:00:00:00:00" is not a hardware address such as 02:00:5e:10:00:01'],
    ["vlan: red", undefined, "realms.core.vlan: must be a number up to 4094, or two of them in brackets: the outer and the inner one"],
    ["vlan: 5000", undefined, "realms.core.vlan: must be at most 4094"],
    ["nat: auto", "eth0: { peer: eth1 }", 'interfaces.eth0.peer: there is no interface "eth1"; did you mean "eth0"?'],
    ["nat: auto", "eth0: { peer: eth0 }", "interfaces.eth0.peer: an interface cannot be its own peer; name the one on the other side"],
  ])("%s is refused", (realm, interfaces, message) => {
    expect(problemsOf(framed(realm, interfaces)).map((problem) => problem.replace(/^culvert.yaml:\d+:\d+: error: /, ""))).toContain(message);
  });
});
