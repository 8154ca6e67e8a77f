import { describe, expect, test } from "vitest";
import { planMake } from "../../../../hosts/shared/router/plan.ts";
import { shellText } from "../../../../hosts/shared/router/shell.ts";
import { checkHolds, commandOf, settingRestore, type Step } from "../../../../hosts/shared/router/step.ts";
import { configOf, configWith } from "./configuration.ts";

function commands(steps: Step[]): string[] {
  return steps.map(({ apply }) => shellText(apply));
}

function ruleset(steps: Step[]): string {
  return steps.at(-1)!.apply.input!.replace(/"plan [0-9a-f]{8}"/, '"plan"');
}

describe("plain sockets", () => {
  const { steps } = planMake(configWith("{}", ", terminals: [10.1.0.0/24, 10.7.7.7]"));

  test("the rules lead around the services before the table local is moved, and room is made in it after that", () => {
    expect(commands(steps)).toEqual([
      "sysctl -qw net.ipv4.conf.eth1.forwarding=1",
      "sysctl -qw net/ipv4/conf/eth0.100/forwarding=1",
      "sysctl -qw net.ipv6.conf.all.forwarding=1",
      "sysctl -qw net.ipv4.conf.all.arp_announce=2",
      "ip -4 rule add pref 15 nop protocol 67",
      "ip -4 rule add pref 10 fwmark 0x40000000/0x40000000 lookup local protocol 67",
      "ip -4 rule add pref 11 to 203.0.113.5 goto 15 protocol 67",
      "ip -4 rule add pref 12 to 10.1.0.0/24 lookup local suppress_prefixlength 31 protocol 67",
      "ip -4 rule add pref 13 to 10.1.0.0/24 goto 15 protocol 67",
      "ip -4 rule add pref 13 to 10.7.7.7 goto 15 protocol 67",
      "ip -4 rule add pref 14 lookup local protocol 67",
      "ip -4 rule del pref 0 lookup local",
      "ip -4 route add local 203.0.113.5 dev lo table local proto 67",
      "ip -4 route add local 10.1.0.0/24 dev lo table local proto 67",
      "ip -4 route add local 10.7.7.7 dev lo table local proto 67",
      "sysctl -qw net.ipv6.ip_nonlocal_bind=1",
      "ip -6 route add local default dev lo table 1067 proto 67",
      "ip -6 rule add pref 10 fwmark 0x40000000/0x40000000 lookup 1067 protocol 67",
      "nft -f -",
    ]);
  });

  test("the ruleset asks for a socket, and only for the services' packets from the terminals' side", () => {
    expect(ruleset(steps)).toBe(`table inet culvert
delete table inet culvert
table inet culvert {
  comment "plan"
  chain signaling {
    socket wildcard 0 meta mark set meta mark | 0x40000000 accept
    tcp flags & (syn) == 0 socket transparent { 0, 1 } meta mark set meta mark | 0x40000000 accept
    counter accept
  }
  chain divert {
    type filter hook prerouting priority mangle; policy accept;
    ct state invalid counter
    iifname "eth1" ip daddr 203.0.113.5 udp dport 5060 goto signaling
    iifname "eth1" ip daddr 203.0.113.5 tcp dport 5060 goto signaling
    iifname "eth1" ip6 daddr 2001:db8:2::5 udp dport 5060 goto signaling
    iifname "eth1" ip6 daddr 2001:db8:2::5 tcp dport 5060 goto signaling
  }
}
`);
  });

  test("every step is taken back by the same words, or by writing settings back", () => {
    for (const { apply, undo } of steps) {
      if (undo.kind === "restore") expect(undo.keys[0]).toBe(apply.args[1]!.split("=")[0]);
      else if (apply.program === "nft") expect(shellText(undo.command)).toBe("nft delete table inet culvert");
      else if (apply.args.includes("del")) expect(shellText(undo.command)).toBe("ip -4 rule add pref 0 lookup local protocol kernel");
      else expect(shellText(undo.command)).toBe(shellText(apply).replace(" add ", " del "));
    }
    expect(shellText(settingRestore(["a.b", "a.c"], ["1", "0"]))).toBe("sysctl -qw a.b=1 a.c=0");
  });

  test("checks find what Linux prints, and nothing like it", () => {
    const find = (words: string): Step => steps.find(({ apply }) => shellText(apply).includes(words))!;
    const holds = (words: string, line: string): boolean => checkHolds(find(words).check, `0:\tfrom all lookup local\n${line}\n`);
    expect(holds("to 203.0.113.5 goto", "11:\tfrom all to 203.0.113.5 goto 15 proto 67")).toBe(true);
    expect(holds("to 203.0.113.5 goto", "11:\tfrom all to 203.0.113.50 goto 15 proto 67")).toBe(false);
    expect(holds("to 203.0.113.5 goto", "11:\tfrom all to 203.0.113.5 goto 15")).toBe(false);
    expect(holds("pref 14", "14:\tfrom all lookup local proto 67")).toBe(true);
    expect(holds("local 203.0.113.5", "local 203.0.113.5 dev lo proto 67 scope host ")).toBe(true);
    expect(holds("local default", "local default dev lo proto 67 metric 1024 pref medium")).toBe(true);
    expect(holds("arp_announce", "2")).toBe(true);
    expect(holds("arp_announce", "12")).toBe(false);
    expect(holds("rule del pref 0", "")).toBe(false);
    expect(checkHolds(find("rule del pref 0").check, "14:\tfrom all lookup local proto 67\n")).toBe(true);
    expect(checkHolds({ command: commandOf("ip"), pattern: "^a" }, "")).toBe(false);
  });
});

test("transparent sockets need no more than a mark", () => {
  const { steps, notes } = planMake(configWith("{ kind: tproxy, fallback: drop, mark: 0x10, table: 500, preference: 300 }", ", terminals: [10.1.0.0/24]"));
  expect(notes).toEqual(["sockets must be transparent (IP_TRANSPARENT) for this kind of interception"]);
  expect(commands(steps).slice(3, -1)).toEqual([
    "ip -4 route add local default dev lo table 500 proto 67",
    "ip -4 rule add pref 300 fwmark 0x10/0x10 lookup 500 protocol 67",
    "ip -6 route add local default dev lo table 500 proto 67",
    "ip -6 rule add pref 300 fwmark 0x10/0x10 lookup 500 protocol 67",
  ]);
  expect(ruleset(steps)).toContain(`iifname "eth1" ip daddr 203.0.113.5 udp dport 5060 tproxy ip to 203.0.113.5 meta mark set meta mark | 0x10 accept`);
  expect(ruleset(steps)).toContain(`iifname "eth1" ip6 daddr 2001:db8:2::5 tcp dport 5060 tproxy ip6 to 2001:db8:2::5 meta mark set meta mark | 0x10 accept`);
  expect(ruleset(steps)).toContain("  chain signaling {\n    counter drop\n  }");
});

test("addresses on an interface are silent", () => {
  const { steps } = planMake(configWith("{ kind: local, device: dummy0 }"));
  expect(commands(steps)).toContain("ip -4 addr add 203.0.113.5/32 dev dummy0 scope host");
  expect(commands(steps)).toContain("ip -6 addr add 2001:db8:2::5/128 dev dummy0 nodad noprefixroute preferred_lft 0");
  expect(commands(steps)).toContain("ip -6 rule del pref 0 lookup local");
  expect(ruleset(steps)).toContain("icmpv6 type nd-neighbor-solicit @th,64,128 0x20010db8000200000000000000000005 drop");
});

test("parallel mode tells nobody of a shorter way; a way back is for what this machine sends, media too", () => {
  const { steps } = planMake(
    configWith('{ mode: parallel, returns: [ { via: 10.3.0.1, interface: eth1 }, { via: "2001:db8:3::1", to: "2001:db8:7::/48" } ] }'),
  );
  const made = commands(steps);
  expect(made).toContain("sysctl -qw net.ipv4.conf.all.send_redirects=0");
  expect(made).toContain("sysctl -qw net.ipv4.conf.eth1.rp_filter=2");
  expect(made.filter((line) => line.includes("via") || line.includes("iif lo"))).toEqual([
    "ip -4 route add default via 10.3.0.1 dev eth1 table 1068 proto 67",
    "ip -4 rule add pref 16 iif lo from 203.0.113.5 lookup 1068 protocol 67",
    "ip -4 rule add pref 16 iif lo from 198.51.100.2 lookup 1068 protocol 67",
    "ip -6 route add default via 2001:db8:3::1 table 1069 proto 67",
    "ip -6 rule add pref 15 iif lo from 2001:db8:2::5 to 2001:db8:7::/48 lookup 1069 protocol 67",
    "ip -6 rule add pref 15 iif lo from 2001:db8:1::2 to 2001:db8:7::/48 lookup 1069 protocol 67",
  ]);
  const own = steps.find(({ apply }) => shellText(apply).includes("from 203.0.113.5"))!;
  expect(checkHolds(own.check, "16:\tfrom 203.0.113.5 iif lo lookup 1068 proto 67")).toBe(true);
});

test("the ten lines of a small configuration are enough, and its own address needs nothing", () => {
  const small = "realms: { access: { media: 192.0.2.1 }, core: { address: 10.9.0.2 } }\nservices: { voice: { address: 203.0.113.5, servers: [10.9.0.10] } }\n";
  const made = commands(planMake(configOf(small)).steps);
  expect(made[0]).toBe("sysctl -qw net.ipv4.ip_forward=1");
  expect(planMake(configOf(small)).steps[0]!.undo).toEqual({ kind: "restore", keys: ["net.ipv4.ip_forward", "net.ipv4.conf.all.accept_redirects"] });
  expect(ruleset(planMake(configOf(small)).steps)).toContain("    ip daddr 203.0.113.5 udp dport 5060 goto signaling");
  const own = planMake(configOf(small.replace("203.0.113.5", "192.0.2.1")));
  expect(own).toEqual({ steps: [], notes: ["192.0.2.1 is this machine's own: packets for it come here without any rule"] });
});
