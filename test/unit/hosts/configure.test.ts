import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { addressParse } from "../../../hosts/shared/address.ts";
import { configRead } from "../../../hosts/shared/config.ts";
import { configure } from "../../../hosts/shared/configure.ts";
import * as abi from "../../../hosts/shared/core.ts";

const TEXT = `
realms:
  access: { address: 192.0.2.1, nat: always, latch: { mode: any, window: 5s }, keepalive: 25s, inactivity: 2m, linger: 1s }
  core: { address: "2001:db8::2", latch: strict }
services:
  voice: { address: 203.0.113.5:5070, servers: ["[2001:db8::9]:5080", "2001:db8::a"], undecodable: drop, whenFull: drop, ice: relay, terminalExpires: 1m, hide: true, domain: sip.example.com, names: [pbx.example.com, "*.home.example"], calls: registered }
rules:
  - { in: core, vlan: 100, protocol: udp, from: 192.0.2.77/24, fromPort: 1-9, to: 203.0.113.5, toPort: 5070, proxy: voice }
  - { discard: true }
otherwise: discard
capacity: { terminals: 10, rules: 2 }
`;
const KEY = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const config = configRead(TEXT, "culvert.yaml").config!;

describe.each(["js", "wasm"] as const)("the %s core", (kind) => {
  let core: abi.Core;
  const word = (address: number): number => core.memory.view.getInt32(address, true);
  const words = (record: number, ...fields: number[]): number[] => fields.map((field) => word(record + field));
  const address = (at: number): string => Buffer.from(core.memory.bytes.subarray(at, at + 16)).toString("hex");
  const hex = (text: string): string => Buffer.from(addressParse(text)!.bytes).toString("hex");

  beforeAll(async () => {
    const source: abi.CoreSource = kind === "js" ? { kind } : { kind, binary: await readFile("dist/core.wasm") };
    core = await abi.coreOpen(source, config.capacity, KEY);
    configure(core, config);
  });

  test("has a memory that holds all regions, in whole pages, with the key in the header", () => {
    const end = core.region(abi.REGION_END);
    expect(core.memory.bytes.length).toBe(Math.max(Math.ceil(end / 65_536), core.kind === "wasm" ? 16 : 0) * 65_536);
    expect(words(0, abi.HEADER_MAGIC, abi.HEADER_ABI, abi.CAPACITY_TERMINALS, abi.CAPACITY_RULES, abi.CAPACITY_PORTS)).toEqual([
      abi.MAGIC,
      abi.ABI_VERSION,
      10,
      2,
      50_000,
    ]);
    expect([...core.memory.bytes.subarray(abi.HEADER_KEY, abi.HEADER_KEY + 16)]).toEqual([...KEY]);
  });

  test("interfaces and links, which only a host that reads frames turns on", async () => {
    const text = TEXT.replace("core: {", "core: { interface: eth0, vlan: [300, 7], nextHop: 02:00:00:00:00:fe, dscp: { media: 46 }, ");
    const framed = configRead(`interfaces: { eth0: { mac: 02:00:00:00:00:01, vpn: 7 } }\n${text}`, "culvert.yaml").config!;
    const source: abi.CoreSource = kind === "js" ? { kind } : { kind, binary: await readFile("dist/core.wasm") };
    const other = await abi.coreOpen(source, framed.capacity, KEY);
    const at = (address: number): number => other.memory.view.getInt32(address, true);
    configure(other, framed);
    expect([at(abi.CAPACITY_DATAGRAMS), at(abi.CONFIG_INTERFACES)]).toEqual([64, 0]);
    configure(other, framed, true);
    const link = abi.LINKS + abi.LINK_SIZE;
    const fields = [abi.LINK_INTERFACES, abi.LINK_VLAN, abi.LINK_VLAN_OUTER, abi.LINK_MPLS, abi.LINK_DSCP, abi.LINK_DSCP + 4];
    expect(fields.map((field) => at(link + field))).toEqual([1, 8, 301, 0, 0, 47]);
    expect([at(abi.CONFIG_INTERFACES), at(abi.INTERFACES + abi.INTERFACE_PEER), at(abi.INTERFACES + abi.INTERFACE_VPN)]).toEqual([1, 0, 8]);
    const hex = (from: number): string => Buffer.from(other.memory.bytes.subarray(from, from + 6)).toString("hex");
    expect([hex(link + abi.LINK_NEXT_HOP), hex(abi.INTERFACES + abi.INTERFACE_ADDRESS)]).toEqual(["0200000000fe", "020000000001"]);
    expect(other.boot(0)).toBe(0);
    other.memory.view.setInt32(abi.INTERFACES + abi.INTERFACE_PEER, 2, true);
    expect(other.boot(0)).toBe(abi.fault(abi.FAULT_CONFIG, 0));
  });

  test("counts and the action for the rest", () => {
    expect(words(0, abi.CONFIG_REALMS, abi.CONFIG_POOLS, abi.CONFIG_SERVICES, abi.CONFIG_RULES, abi.CONFIG_OTHERWISE)).toEqual([
      2,
      3,
      1,
      2,
      abi.ACTION_DISCARD,
    ]);
  });

  test("realms", () => {
    const fields = [abi.REALM_KIND, abi.REALM_LATCH, abi.REALM_KEEPALIVE, abi.REALM_INACTIVITY, abi.REALM_LINGER, abi.REALM_LATCH_WINDOW, abi.REALM_NAT];
    expect(words(abi.REALMS, ...fields)).toEqual([abi.REALM_ACCESS, abi.LATCH_ANY, 25_000, 120_000, 1000, 5000, abi.NAT_ALWAYS]);
    expect(words(abi.REALMS + abi.REALM_SIZE, ...fields)).toEqual([abi.REALM_CORE, abi.LATCH_STRICT, 0, 60_000, 32_000, 60_000, abi.NAT_NEVER]);
    expect(address(abi.REALMS + abi.REALM_MEDIA)).toBe(hex("192.0.2.1"));
    expect(address(abi.REALMS + abi.REALM_SIZE + abi.REALM_MEDIA)).toBe(hex("2001:db8::2"));
  });

  test("pools", () => {
    const pools = [0, 1, 2].map((i) => abi.POOLS + i * abi.POOL_SIZE);
    expect(pools.map((pool) => words(pool, abi.POOL_REALM, abi.POOL_KIND, abi.POOL_FIRST, abi.POOL_LAST))).toEqual([
      [0, abi.POOL_MEDIA, 20_000, 39_999],
      [1, abi.POOL_SIGNAL, 10_000, 19_999],
      [1, abi.POOL_MEDIA, 20_000, 39_999],
    ]);
    expect(pools.map((pool) => address(pool + abi.POOL_ADDRESS))).toEqual([hex("192.0.2.1"), hex("2001:db8::2"), hex("2001:db8::2")]);
  });

  test("services", () => {
    const fields = [
      abi.SERVICE_ACCESS,
      abi.SERVICE_CORE,
      abi.SERVICE_PORT,
      abi.SERVICE_FLAGS,
      abi.SERVICE_TERMINAL_EXPIRES,
      abi.SERVICE_SERVER_COUNT,
      abi.SERVICE_ICE,
    ];
    expect(words(abi.SERVICES, ...fields)).toEqual([
      0,
      1,
      5070,
      abi.SERVICE_DROP_UNDECODABLE | abi.SERVICE_HIDE_ORIGIN | abi.SERVICE_SILENT_REJECT | abi.SERVICE_HIDE | abi.SERVICE_REGISTERED_ONLY,
      60,
      2,
      abi.ICE_RELAY,
    ]);
    expect(address(abi.SERVICES + abi.SERVICE_ADDRESS)).toBe(hex("203.0.113.5"));
    const domain = core.memory.bytes.subarray(abi.DOMAINS + 1, abi.DOMAINS + 1 + core.memory.bytes[abi.DOMAINS]!);
    expect(Buffer.from(domain).toString()).toBe("sip.example.com");
    const names = [0, 1, 2].map((i) => abi.NAMES + i * abi.NAME_SIZE).map((at) => core.memory.bytes.subarray(at + 1, at + 1 + core.memory.bytes[at]!));
    expect(names.map((name) => Buffer.from(name).toString())).toEqual(["pbx.example.com", ".home.example", ""]);
    const servers = [0, 1].map((i) => abi.SERVICES + abi.SERVICE_SERVERS + i * abi.SERVER_SIZE);
    expect(servers.map((server) => [address(server), word(server + abi.SERVER_PORT)])).toEqual([
      [hex("2001:db8::9"), 5080],
      [hex("2001:db8::a"), 5060],
    ]);
  });

  test("rules", () => {
    const rule = core.region(abi.REGION_RULES);
    const fields = [
      abi.RULE_ACTION,
      abi.RULE_SERVICE,
      abi.RULE_REALM,
      abi.RULE_VPN,
      abi.RULE_VLAN,
      abi.RULE_MPLS,
      abi.RULE_PROTOCOL,
      abi.RULE_SOURCE_PREFIX,
      abi.RULE_DESTINATION_PREFIX,
    ];
    const ports = [abi.RULE_SOURCE_PORT_FIRST, abi.RULE_SOURCE_PORT_LAST, abi.RULE_DESTINATION_PORT_FIRST, abi.RULE_DESTINATION_PORT_LAST];
    expect(words(rule, ...fields)).toEqual([abi.ACTION_PROXY, 0, 1, -1, 100, -1, 17, 120, 128]);
    expect(words(rule, ...ports)).toEqual([1, 9, 5070, 5070]);
    expect(address(rule + abi.RULE_SOURCE)).toBe(hex("192.0.2.0"));
    expect(address(rule + abi.RULE_DESTINATION)).toBe(hex("203.0.113.5"));
    expect(words(rule + abi.RULE_SIZE, ...fields)).toEqual([abi.ACTION_DISCARD, 0, -1, -1, -1, -1, -1, 0, 0]);
    expect(words(rule + abi.RULE_SIZE, ...ports)).toEqual([0, 65_535, 0, 65_535]);
  });

  test("boots with it", () => {
    expect(core.boot(0)).toBe(0);
  });
});

test("a key of another length is refused", async () => {
  await expect(abi.coreOpen({ kind: "js" }, config.capacity, new Uint8Array(5))).rejects.toThrow(/16 bytes/);
});
