import { describe, expect, test } from "vitest";
import { configRead, problemText } from "../../../hosts/shared/config.ts";
import { problemsOf, read, SMALL } from "./configuration.ts";

/** Problems of the small configuration with one line more or another line instead. */
function problemsWith(change: (text: string) => string): string[] {
  return problemsOf(change(SMALL));
}

/** "culvert.yaml:LINE:COLUMN" of where `token` first stands in the text. */
function placeOf(text: string, token: string): string {
  const body = text.replace(/^\n/, "");
  const before = body.slice(0, body.indexOf(token)).split("\n");
  return `culvert.yaml:${before.length}:${before.at(-1)!.length + 1}`;
}

const withRules = (...rules: string[]): string => `${SMALL}rules:\n${rules.map((rule) => `  - ${rule}\n`).join("")}`;

describe("defaults", () => {
  test("a useful proxy in under ten lines", () => {
    const config = read(SMALL);
    expect(
      config.realms.map(({ name, kind, nat, keepaliveMs, inactivityMs, lingerMs, latch, latchWindowMs }) => ({
        name,
        kind,
        nat,
        keepaliveMs,
        inactivityMs,
        lingerMs,
        latch,
        latchWindowMs,
      })),
    ).toEqual([
      { name: "access", kind: "access", nat: "auto", keepaliveMs: 20_000, inactivityMs: 60_000, lingerMs: 32_000, latch: "source", latchWindowMs: 60_000 },
      { name: "core", kind: "core", nat: "never", keepaliveMs: 0, inactivityMs: 60_000, lingerMs: 32_000, latch: "source", latchWindowMs: 60_000 },
    ]);
    expect(config.services[0]).toMatchObject({ name: "voice", access: 0, core: 1, port: 5060, ice: "strip", terminalExpiresSeconds: 0 });
    expect(config.services[0]!.servers).toMatchObject([{ address: { text: "10.9.0.10" }, port: 5060 }]);
    const toService = { action: "proxy", service: 0, to: { length: 128 }, toPort: { first: 5060, last: 5060 } };
    expect(config.rules).toMatchObject([
      { ...toService, protocol: 17 },
      { ...toService, protocol: 6 },
    ]);
    expect(config.otherwise).toBe("forward");
    expect(config.capacity).toEqual({
      terminals: 1000,
      bindings: 2000,
      registrations: 2000,
      calls: 1000,
      flows: 2000,
      connections: 3000,
      blocks: 512,
      datagrams: 0,
      ports: 50_000,
      rules: 64,
    });
  });

  test("pools: signal ports in core realms, media ports in all", () => {
    expect(read(SMALL).pools.map(({ realm, kind, address, ports }) => [realm, kind, address.text, ports.first, ports.last])).toEqual([
      [0, "media", "192.0.2.1", 20_000, 39_999],
      [1, "signal", "10.9.0.2", 10_000, 19_999],
      [1, "media", "10.9.0.2", 20_000, 39_999],
    ]);
  });

  test("realms on one address share the default range evenly", () => {
    const pools = read(SMALL.replace("10.9.0.2 ", "192.0.2.1 ")).pools;
    expect(pools.filter((pool) => pool.kind === "media").map((pool) => pool.ports)).toEqual([
      { first: 20_000, last: 29_999 },
      { first: 30_000, last: 39_999 },
    ]);
  });

  test("the kind of a realm follows from its use, its name, or its word", () => {
    const text = `
realms: { inside: { address: 10.0.0.1 }, outside: { address: 192.0.2.1 } }
services: { voice: { address: 192.0.2.1, servers: [10.0.0.9], core: inside } }
`;
    expect(read(text).realms.map((realm) => realm.kind)).toEqual(["core", "access"]);
    expect(read(text.replace(", core: inside", "").replace("10.0.0.1 }", "10.0.0.1, kind: core }")).services[0]).toMatchObject({ access: 1, core: 0 });
  });

  test("everything can be said", () => {
    const config = read(`
realms:
  access: { interface: eth1, media: "2001:db8::2", nat: always, keepalive: off, inactivity: 2m, linger: 500ms, latch: any, ports: { media: 30001-30010 } }
  core: { address: [10.9.0.2, "2001:db8:1::2"], media: 2001:db8:1::2, latch: { mode: strict, window: 10 } }
services:
  voice: { address: "[2001:db8::5]:5070", servers: ["[2001:db8:1::9]:5080"], protocols: [sip], undecodable: drop, sdpOrigin: hide, ice: pass, terminalExpires: 60s, whenFull: drop, hide: true, domain: example.com, names: [PBX.example.com, "*.home.example"], openCore: true, calls: registered }
rules:
  - { in: access, vlan: 100, vpn: 7, mpls: 16, protocol: tcp, from: 2001:db8::/32, fromPort: 1024-65535, to: "2001:db8::5", toPort: 5070, proxy: voice }
otherwise: discard
capacity: { terminals: 2, calls: 3 }
secret: 000102030405060708090a0b0c0d0e0f
log: { level: debug, format: json }
control: culvert.sock
pace: 5ms
`);
    expect(config.realms[0]).toMatchObject({ interfaces: ["eth1"], keepaliveMs: 0, inactivityMs: 120_000, lingerMs: 500, latch: "any" });
    expect(config.realms[1]).toMatchObject({ latch: "strict", latchWindowMs: 10_000 });
    expect(config.pools.map(({ kind, address, ports }) => [kind, address.text, ports.first, ports.last])).toEqual([
      ["media", "2001:db8::2", 30_002, 30_009],
      ["signal", "10.9.0.2", 10_000, 19_999],
      ["signal", "2001:db8:1::2", 10_000, 19_999],
      ["media", "2001:db8:1::2", 20_000, 39_999],
    ]);
    expect(config.services[0]).toMatchObject({
      port: 5070,
      dropUndecodable: true,
      hideOrigin: true,
      ice: "pass",
      terminalExpiresSeconds: 60,
      whenFull: "drop",
      hide: true,
      domain: "example.com",
      names: ["pbx.example.com", ".home.example"],
      openCore: true,
      registeredOnly: true,
    });
    expect(config.rules[0]).toMatchObject({
      realm: 0,
      vlan: 100,
      vpn: 7,
      mpls: 16,
      protocol: 6,
      from: { length: 32 },
      fromPort: { first: 1024, last: 65_535 },
      toPort: { first: 5070, last: 5070 },
    });
    expect(config.capacity).toMatchObject({ terminals: 2, bindings: 4, calls: 3, flows: 6 });
    expect(config.paceMs).toBe(5);
  });
});

test("what is hidden has its o= line hidden, unless that is said to be kept", () => {
  const service = (options: string) =>
    configRead(SMALL.replace("servers: [10.9.0.10]", `servers: [10.9.0.10], ${options}`), "culvert.yaml").config!.services[0];
  expect(service("hide: true")).toMatchObject({ hide: true, hideOrigin: true });
  expect(service("hide: true, sdpOrigin: keep")).toMatchObject({ hide: true, hideOrigin: false });
  expect(service("hide: false")).toMatchObject({ hide: false, hideOrigin: false });
});

test.each(["203.0.113.5", "sip:example.com", "example.com:5060", "-a.example", "", `${"a".repeat(60)}.com`])("%j is no domain", (domain) => {
  const { config, problems } = configRead(SMALL.replace("servers: [10.9.0.10]", `servers: [10.9.0.10], domain: "${domain}"`), "culvert.yaml");
  expect(config).toBeUndefined();
  expect(problems).toHaveLength(1);
});

test("derived capacities stay inside what a handle can tell apart", () => {
  const { config } = configRead(`${SMALL}capacity: { terminals: 1000000 }`, "culvert.yaml");
  expect(config!.capacity).toMatchObject({ terminals: 1_000_000, bindings: 1_000_000, registrations: 1_000_000, calls: 1_000_000, flows: 1_000_000 });
});

describe("problems name line, column, cause and remedy", () => {
  test.each([
    ["an unknown key", SMALL.replace("servers:", "sevrers:"), "sevrers", 'services.voice.sevrers: unknown key; did you mean "servers"?'],
    [
      "an unknown key far from any",
      `${SMALL}zzzzzzzzzzz: 1`,
      "zzzzzzzzzzz",
      "zzzzzzzzzzz: unknown key; known: realms, services, interfaces, rules, interception, otherwise, capacity, secret, state, log, control, workers, io, pace",
    ],
    ["a missing key", SMALL.replace(", servers: [10.9.0.10]", ""), "voice", "services.voice.servers: is missing; it must be a list in brackets"],
    ["a wrong word", `${SMALL}otherwise: forwad`, "forwad", 'otherwise: "forwad" is not one of forward, discard; did you mean "forward"?'],
    [
      "a wrong address",
      SMALL.replace("10.9.0.10", "pbx.local"),
      "pbx.local",
      'services.voice.servers[0]: "pbx.local" is not an address or address:port, such as 192.0.2.1:5060 or "[2001:db8::1]:5060"',
    ],
    ["a number for text", SMALL.replace("192.0.2.1 ", "192.0 "), "192.0 ", "realms.access.address: must be an IP address, or a list of them in brackets"],
    [
      "a wrong time",
      SMALL.replace("192.0.2.1 ", "192.0.2.1, keepalive: 20x "),
      "20x",
      'realms.access.keepalive: "20x" is not a time such as "20s", "500ms" or "5m" (at most 7d), a number of seconds, or off',
    ],
    [
      "a time inside an alternative",
      SMALL.replace("192.0.2.1 ", "192.0.2.1, latch: { window: 5q } "),
      "5q",
      'realms.access.latch.window: "5q" is not a time such as "20s", "500ms" or "5m" (at most 7d), a number of seconds, or off',
    ],
    ["a pace that packets would be late by", `${SMALL}pace: 30ms`, "30ms", "pace: must be at most 20ms"],
    ["a name", SMALL.replace("  access:", "  9access:"), "9access", "realms.9access: names are a letter, then up to 31 letters, digits, - or _"],
    ["an empty file", "", "", "the file is empty; it needs at least `realms:` and `services:`"],
    [
      "IPv6 brackets",
      SMALL.replace("203.0.113.5,", "[2001:db8::5]:5060,"),
      ":5060,",
      'not YAML: Missing , between flow map items; quote an IPv6 address with brackets: "[2001:db8::1]:5060"',
    ],
  ])("%s", (_, text, token, message) => {
    expect(problemsOf(text)).toContain(`${placeOf(text, token)}: error: ${message}`);
  });

  test.each([
    ["a realm", SMALL.replace("servers:", "core: kore, servers:"), "kore", 'services.voice.core: there is no realm "kore"; did you mean "core"?'],
    [
      "a realm of the wrong kind",
      SMALL.replace("192.0.2.1 ", "192.0.2.1, kind: access ").replace("servers:", "core: access, servers:"),
      "access, servers",
      'services.voice.core: realm "access" is an access realm; known: core',
    ],
    ["a realm in a rule", withRules("{ in: acces, discard: true }"), "acces, discard", 'rules[0].in: there is no realm "acces"; did you mean "access"?'],
    ["a service in a rule", withRules("{ proxy: voise }"), "voise", 'rules[0].proxy: there is no service "voise"; did you mean "voice"?'],
    ["no action", withRules("{ vlan: 7 }"), "{ vlan", "rules[0]: has no action; give `proxy: SERVICE`, `forward: true` or `discard: true`"],
    [
      "two actions",
      withRules("{ forward: true, discard: true }"),
      "discard",
      "rules[0].discard: a rule has one action, and this has forward and discard; remove one or write two rules",
    ],
    [
      "IP versions in a rule",
      withRules("{ from: 192.0.2.0/24, to: 2001:db8::/32, discard: true }"),
      "2001:db8::/32",
      "rules[0].to: 2001:db8::/32 and from: 192.0.2.0/24 are of different IP versions: no packet has both",
    ],
    [
      "terminals where servers are",
      SMALL.replace("address: 10.9.0.2", "address: 10.9.0.2, terminals: [10.0.0.0/8]"),
      "terminals",
      "realms.core.terminals: terminals are in access realms, and this is a core realm; remove it",
    ],
    [
      "no name of an interface",
      SMALL.replace("address: 192.0.2.1", 'address: 192.0.2.1, interface: "eth0; reboot"'),
      '"eth0; reboot"',
      "realms.access.interface: must be the name of a network interface such as eth0 or eth0.100",
    ],
    [
      "a way back of two IP versions",
      `${SMALL}interception: { returns: [ { via: 10.3.0.1, to: "2001:db8::/32" } ] }\n`,
      '"2001:db8::/32"',
      "interception.returns[0].to: 2001:db8::/32 and via: 10.3.0.1 are of different IP versions",
    ],
    [
      "two ways back for the same",
      `${SMALL}interception: { returns: [ { via: 10.3.0.1 }, { via: 10.3.0.2 } ] }\n`,
      "{ via: 10.3.0.2",
      "interception.returns[1]: the way back is already by 10.3.0.1; remove one, or give each its own `to:`",
    ],
    [
      "no next hop for a router",
      `${SMALL}interception: { mode: parallel, router: { nextHops: "2001:db8::1" } }\n`,
      "{ mode: parallel",
      'interception: service "voice" is IPv4, and the router has no such address of ours to send to; give `router: { nextHops: [ … ] }`',
    ],
    [
      "next hops of one IP version",
      `${SMALL}interception: { mode: parallel, router: { nextHops: [10.3.0.1, 10.3.0.2] } }\n`,
      "[10.3.0.1, 10.3.0.2]",
      "interception.router.nextHops: can have one address of each IP version",
    ],
    [
      "an IPv6 address where the terminals are",
      `
realms: { access: { interface: eth1, address: "2001:db8::1" }, core: { address: "2001:db8:1::1" } }
services: { voice: { address: "2001:db8:5::5", servers: ["2001:db8:1::9"] } }
interception: { kind: local, device: eth1 }
`,
      "eth1 }\n",
      'interception.device: terminals of service "voice" are at eth1, where an IPv6 address cannot be kept silent; give another interface, such as lo',
    ],
    [
      "no address",
      SMALL.replace("address: 192.0.2.1", "interface: eth1"),
      "access",
      "realms.access: has no address of ours; give `media:` (what we write into SDP) or `address:`",
    ],
    [
      "an unspecified address",
      SMALL.replace("192.0.2.1", "0.0.0.0"),
      "0.0.0.0",
      "realms.access.address: 0.0.0.0 is not the address of one host; it is written into messages, so it must be one that the other side can reach",
    ],
    [
      "ports twice",
      SMALL.replace("servers:", "port: 5061, servers:").replace("203.0.113.5", "203.0.113.5:5060"),
      "5061",
      "services.voice.port: the address says port 5060, and this says 5061; leave one away",
    ],
    [
      "protocols to come",
      SMALL.replace("servers:", "protocols: [sip, mgcp], servers:"),
      "mgcp",
      "services.voice.protocols[1]: mgcp is not built yet; leave it away for now",
    ],
    [
      "a service that hides and fails open",
      SMALL.replace("servers:", "hide: true, whenFull: pass, servers:"),
      "pass",
      "services.voice.whenFull: what passes as it came shows what `hide: true` hides; say answer or drop, or leave `hide` away",
    ],
    [
      "overlapping pools",
      SMALL.replace("10.9.0.2 ", "10.9.0.2, ports: { media: 15000-16000 } "),
      "15000-16000",
      "realms.core.ports.media: media ports 15000-15999 overlap the signal ports 10000-19999 of realm core on the same address 10.9.0.2; give `ports: { media: … }` a range of its own",
    ],
    [
      "a service inside a pool",
      SMALL.replace("203.0.113.5", "192.0.2.1:20000"),
      "192.0.2.1:20000",
      "services.voice.address: 192.0.2.1:20000 lies inside the media ports 20000-39999 of realm access; move the pool with `ports:`",
    ],
    [
      "signal ports in an access realm",
      SMALL.replace("192.0.2.1 ", "192.0.2.1, ports: { signal: 1-2 } "),
      "signal",
      "realms.access.ports.signal: signal ports belong to core realms: terminals reach us at the service address; remove it",
    ],
    [
      "media of another IP version",
      SMALL.replace("203.0.113.5", "2001:db8::5"),
      "2001:db8::5",
      'services.voice.address: 2001:db8::5 is IPv6, but the media address 192.0.2.1 of realm "access" is IPv4: its terminals could not send media; give both of one family',
    ],
    [
      "a server of another IP version",
      SMALL.replace("10.9.0.10", "2001:db8::10"),
      "2001:db8::10",
      'services.voice.servers[0]: 2001:db8::10 is IPv6, and realm "core" has no such address of ours; add one to its `address:` list',
    ],
    [
      "room for rules",
      `${withRules("{ proxy: voice }", "{ vlan: 3, discard: true }")}capacity: { rules: 1, calls: 7 }`,
      "1, calls",
      "capacity.rules: there are 2 rules, and room for 1; raise it or leave it away",
    ],
  ])("%s", (_, text, token, message) => {
    expect(problemsOf(text)).toContain(`${placeOf(text, token)}: error: ${message}`);
  });

  test("several access realms: the service must say which", () => {
    const text = SMALL.replace("  core:", "  guest: { address: 192.0.2.9 }\n  core:");
    expect(problemsOf(text)).toContain("culvert.yaml:6:3: error: services.voice: say which access realm it is for: `access: access` or `access: guest`");
  });

  test("all problems at once, in the order of the text", () => {
    const lines = problemsWith((text) => text.replace("192.0.2.1", "x").replace("10.9.0.2 ", "y ").replace("203.0.113.5", "z")).map(
      (line) => line.split(":")[1],
    );
    expect(lines).toEqual(["2", "3", "5"]);
  });

  test("a secret is not repeated", () => {
    for (const secret of ["[hunter2]", "'hunter2", "{ hunter2: 1 }", '"hunter2\\q"']) {
      const text = problemsOf(`${SMALL}secret: ${secret}\n`).join();
      expect(text).toContain("error");
      expect(text).not.toContain("hunter2: unknown");
      if (!secret.startsWith("{")) expect(text).not.toContain("hunter2");
    }
  });
});

describe("warnings", () => {
  test("of the interception that will not do what it says", () => {
    const text = SMALL.replace("10.9.0.2 ", "192.0.2.1 ");
    expect(problemsOf(`${text}interception: { device: lo, router: { proxy: eth3 }, returns: [ { via: 192.0.2.254 } ] }`).slice(-3)).toEqual([
      "culvert.yaml:6:25: warning: interception.device: is not used: only `kind: local` puts service addresses on an interface",
      "culvert.yaml:6:37: warning: interception.router: is not used: nothing is asked of a router in serial mode",
      "culvert.yaml:6:65: warning: interception.returns[0]: media for terminals leaves from 192.0.2.1, which is an address of a core realm too, so it keeps to " +
        "the main routing table; give `to:` with the terminals' networks",
    ]);
  });

  test("a rule behind one that covers it", () => {
    const text = withRules("{ to: 203.0.113.0/24, discard: true }", "{ to: 203.0.113.5, vlan: 3, proxy: voice }");
    const { config, problems: found } = configRead(text.slice(1), "culvert.yaml");
    expect(config).toBeDefined();
    expect(found.map(problemText)).toEqual([
      "culvert.yaml:8:5: warning: rules[1]: can never match: rule 1 (rules[0]) takes everything that it would; move it up or remove it",
    ]);
  });

  test("a service that no rule leads to, ports that run out first", () => {
    expect(problemsOf(`${withRules("{ vlan: 3, discard: true }")}capacity: { calls: 20000 }`)).toEqual([
      expect.stringContaining("culvert.yaml:2:11: warning: realms.access: its media ports are enough for 10000 streams"),
      expect.stringContaining("culvert.yaml:3:9: warning: realms.core: its media ports are enough for 10000 streams"),
      "culvert.yaml:5:10: warning: services.voice: no rule leads to it; add `- { to: 203.0.113.5, proxy: voice }` to rules",
    ]);
  });
});
