import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { PolicyError } from "../../../../hosts/shared/router/policy.ts";
import { type Target, TARGETS, targetPrint } from "../../../../hosts/shared/router/print.ts";
import { configOf, configWith } from "./configuration.ts";

const README = readFileSync("hosts/shared/router/README.md", "utf8");
const example = /```yaml\n([\s\S]*?)```/.exec(README)![1]!;
const sections = [...README.matchAll(/`culvert router --print (\w+)` with `(router: .*?)`:\n\n```\n([\s\S]*?)```/g)];

describe("the documented examples are what is printed", () => {
  test("there is one for each vendor", () => {
    expect(sections.map(([, target]) => target)).toEqual(TARGETS.filter((target) => !target.startsWith("linux")));
  });

  test.each(sections.map(([, target, router, text]) => [target, router, text] as [Target, string, string]))("%s", (target, router, text) => {
    expect(targetPrint(configOf(example.replace(/router: .*/, router)), target)).toBe(text);
  });
});

const BACK = '{ mode: parallel, fallback: drop, router: { terminals: [a1, a2], proxy: b1, returns: [10.3.0.9, "2001:db8:3::9"] } }';

describe("dropped when Culvert is away, and sent on by policy", () => {
  const lines: Record<string, string[]> = {
    "linux-router": [
      'iifname { "a1", "a2" } ip daddr 203.0.113.5 udp dport 5060 meta mark set meta mark | 0x40000000',
      "ip -4 route add blackhole default metric 4096 table 1067 proto 67",
      "ip -6 rule add pref 11 iif b1 from 2001:db8:2::5 lookup 1068 protocol 67",
      "sysctl -qw net.ipv4.conf.b1.rp_filter=2",
    ],
    vyos: [
      "set protocols static table 60 route 0.0.0.0/0 blackhole distance 254",
      "set policy route CULVERT interface a2",
      "set policy route CULVERT-RETURN rule 10 source address 203.0.113.5",
      "set protocols static table 61 route6 ::/0 next-hop 2001:db8:3::9",
    ],
    iosxe: [" set interface Null0", " permit ip host 203.0.113.5 any", " set ip next-hop 10.3.0.9", " ipv6 policy route-map CULVERT6-RETURN", "interface a2"],
    junos: [
      "set routing-instances culvert routing-options static route 0.0.0.0/0 discard",
      "set routing-options rib-groups culvert import-rib [ inet.0 culvert.inet.0 culvert-return.inet.0 ]",
      "set routing-instances culvert-return routing-options rib culvert-return.inet6.0 static route ::/0 next-hop 2001:db8:3::9",
      "set interfaces b1 unit 0 family inet filter input culvert-return",
    ],
    vrp: [
      " redirect ip-nexthop 198.51.100.2 nqa culvert v4 deny",
      " redirect ipv6-nexthop 2001:db8:3::9",
      " rule 5 permit ip source 203.0.113.5 0",
      "interface a2",
    ],
  };

  test.each(Object.keys(lines) as Target[])("%s", (target) => {
    const printed = targetPrint(configWith(BACK), target)
      .split("\n")
      .map((line) => line.replace(/^ {4}/, ""));
    for (const line of lines[target]!) expect(printed).toContain(line);
  });
});

test("ports of TLS and WebSocket are sent here, too; terminals limit it", () => {
  const text = example
    .replace("access: access, core: core }", "access: access, core: core, transports: { tls: 5061, ws: 8080 }, tls: { certificate: a, key: b } }")
    .replace("10.1.0.0/24]", "10.1.0.0/24, 10.7.7.7]");
  expect(targetPrint(configOf(text), "iosxe")).toContain(" permit tcp host 10.7.7.7 host 203.0.113.5 eq 8080\n");
  expect(targetPrint(configOf(text), "vrp")).toContain("permit tcp source 10.7.7.7 0.0.0.0 destination 203.0.113.5 0 destination-port eq 5061\n");
  expect(targetPrint(configOf(text), "junos")).toContain("term signaling-4 from source-address 10.7.7.7/32\n");
});

test("a router has nothing to do in serial mode", () => {
  for (const target of TARGETS.filter((target) => target !== "linux")) expect(() => targetPrint(configWith(), target)).toThrow(PolicyError);
});

test.each(["linux", "linux-router"] as const)("%s: a script that the shell can read", (target) => {
  const script = targetPrint(configWith("{ kind: local, mode: parallel, fallback: drop, returns: [ { via: 10.3.0.1 } ] }"), target);
  expect(() => execFileSync("sh", ["-n"], { input: script })).not.toThrow();
  expect(() => execFileSync("sh", ["-s", "nothing"], { input: script, stdio: "pipe" })).toThrow(/usage: sh .* apply \| remove/);
});
