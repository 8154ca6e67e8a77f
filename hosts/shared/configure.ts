/*
 * Writes a settled configuration into the core's memory: realms, pools, services, rules (core/memory/config.ts).
 * Invariant: every field of a record is written, so a second call leaves nothing of the first.
 */

import type { Address } from "./address.ts";
import type { Config, Interface, Link, Pool, Realm, Rule, Server, Service } from "./config.ts";
import * as abi from "./core.ts";
import type { Core, CoreMemory } from "./core.ts";
import { shareNumber, shareOf } from "./workers/share.ts";

const KINDS = { access: abi.REALM_ACCESS, core: abi.REALM_CORE };
const NAT = { auto: abi.NAT_AUTO, never: abi.NAT_NEVER, always: abi.NAT_ALWAYS };
const LATCH = { strict: abi.LATCH_STRICT, source: abi.LATCH_SOURCE, any: abi.LATCH_ANY };
const CORE_TRANSPORTS = { same: 0, udp: abi.TRANSPORT_UDP + 1, tcp: abi.TRANSPORT_TCP + 1, tls: abi.TRANSPORT_TLS + 1 };
const ICE = { strip: abi.ICE_STRIP, relay: abi.ICE_RELAY, pass: abi.ICE_PASS };
const POOL_KINDS = { signal: abi.POOL_SIGNAL, media: abi.POOL_MEDIA };
const ACTIONS = { proxy: abi.ACTION_PROXY, forward: abi.ACTION_FORWARD, discard: abi.ACTION_DISCARD };

/** One record in memory: fields by their offsets, zeroed first. */
class RecordWriter {
  readonly #memory: CoreMemory;
  readonly #at: number;

  constructor(memory: CoreMemory, at: number, size: number) {
    this.#memory = memory;
    this.#at = at;
    memory.bytes.fill(0, at, at + size);
  }

  word(offset: number, value: number): this {
    this.#memory.words[(this.#at + offset) >> 2] = value;
    return this;
  }

  bytes(offset: number, bytes: Uint8Array): this {
    this.#memory.bytes.set(bytes, this.#at + offset);
    return this;
  }

  address(offset: number, address: Address): this {
    this.#memory.bytes.set(address.bytes, this.#at + offset);
    return this;
  }
}

function realmWrite(memory: CoreMemory, at: number, realm: Realm): void {
  new RecordWriter(memory, at, abi.REALM_SIZE)
    .word(abi.REALM_KIND, KINDS[realm.kind])
    .word(abi.REALM_LATCH, LATCH[realm.latch])
    .word(abi.REALM_KEEPALIVE, realm.keepaliveMs)
    .word(abi.REALM_INACTIVITY, realm.inactivityMs)
    .word(abi.REALM_LINGER, realm.lingerMs)
    .word(abi.REALM_LATCH_WINDOW, realm.latchWindowMs)
    .word(abi.REALM_NAT, NAT[realm.nat])
    .address(abi.REALM_MEDIA, realm.media);
}

/** A number plus one, 0 where none is said. */
function said(value: number | undefined): number {
  return value === undefined ? 0 : value + 1;
}

function linkWrite(memory: CoreMemory, at: number, link: Link): void {
  const record = new RecordWriter(memory, at, abi.LINK_SIZE)
    .word(
      abi.LINK_INTERFACES,
      link.interfaces.reduce((bits, index) => bits | (1 << index), 0),
    )
    .word(abi.LINK_VLAN, said(link.vlan))
    .word(abi.LINK_VLAN_OUTER, said(link.vlanOuter))
    .word(abi.LINK_MPLS, said(link.mpls))
    .word(abi.LINK_MPLS_OUTER, said(link.mplsOuter))
    .word(abi.LINK_VPN, said(link.vpn));
  const marks = [
    [abi.LINK_DSCP, link.dscp],
    [abi.LINK_PCP, link.pcp],
    [abi.LINK_CLASS, link.trafficClass],
  ] as const;
  for (const [field, { signal, media }] of marks) record.word(field, said(signal)).word(field + 4, said(media));
  if (link.nextHop) record.bytes(abi.LINK_NEXT_HOP, link.nextHop);
}

function interfaceWrite(memory: CoreMemory, at: number, one: Interface): void {
  const record = new RecordWriter(memory, at, abi.INTERFACE_SIZE)
    .word(abi.INTERFACE_PEER, said(one.peer))
    .word(abi.INTERFACE_MTU, one.mtu)
    .word(abi.INTERFACE_VPN, said(one.vpn));
  if (one.mac) record.bytes(abi.INTERFACE_ADDRESS, one.mac);
}

function poolWrite(memory: CoreMemory, at: number, pool: Pool): void {
  new RecordWriter(memory, at, abi.POOL_SIZE)
    .word(abi.POOL_REALM, pool.realm)
    .word(abi.POOL_KIND, POOL_KINDS[pool.kind])
    .word(abi.POOL_FIRST, pool.ports.first)
    .word(abi.POOL_LAST, pool.ports.last)
    .word(abi.POOL_WHOLE, pool.whole ? pool.whole.first | (pool.whole.last << 16) : 0)
    .address(abi.POOL_ADDRESS, pool.address);
}

function serviceFlags(service: Service): number {
  return (
    (service.dropUndecodable ? abi.SERVICE_DROP_UNDECODABLE : 0) |
    (service.hideOrigin ? abi.SERVICE_HIDE_ORIGIN : 0) |
    (service.openCore ? abi.SERVICE_OPEN_CORE : 0) |
    (service.whenFull === "drop" ? abi.SERVICE_SILENT_REJECT : 0) |
    (service.whenFull === "pass" ? abi.SERVICE_FAIL_OPEN : 0) |
    (service.countHops ? abi.SERVICE_COUNT_HOPS : 0) |
    (service.hide ? abi.SERVICE_HIDE : 0) |
    (service.registeredOnly ? abi.SERVICE_REGISTERED_ONLY : 0)
  );
}

function serverWrite(record: RecordWriter, at: number, server: Server): void {
  record.address(at, server.address).word(at + abi.SERVER_PORT, server.port);
}

function serviceWrite(memory: CoreMemory, at: number, service: Service): void {
  const record = new RecordWriter(memory, at, abi.SERVICE_SIZE)
    .word(abi.SERVICE_ACCESS, service.access)
    .word(abi.SERVICE_CORE, service.core)
    .word(abi.SERVICE_PORT, service.port)
    .word(abi.SERVICE_FLAGS, serviceFlags(service))
    .word(abi.SERVICE_TERMINAL_EXPIRES, service.terminalExpiresSeconds)
    .word(abi.SERVICE_SERVER_COUNT, service.servers.length)
    .word(abi.SERVICE_ICE, ICE[service.ice])
    .word(abi.SERVICE_TRANSPORT, CORE_TRANSPORTS[service.coreTransport])
    .word(abi.SERVICE_TLS_PORT, service.streams.tls)
    .word(abi.SERVICE_WS_PORT, service.streams.ws)
    .word(abi.SERVICE_WSS_PORT, service.streams.wss)
    .address(abi.SERVICE_ADDRESS, service.address);
  service.servers.forEach((server, i) => serverWrite(record, abi.SERVICE_SERVERS + i * abi.SERVER_SIZE, server));
}

/** A length in one byte, then the characters, in a record of `size` bytes. */
function textWrite(memory: CoreMemory, at: number, size: number, text: string): void {
  memory.bytes.fill(0, at, at + size);
  memory.bytes[at] = text.length;
  memory.bytes.set(new TextEncoder().encode(text), at + 1);
}

function namesWrite(memory: CoreMemory, at: number, { names }: Service): void {
  for (let i = 0; i < abi.NAMES_MAX; i++) textWrite(memory, at + i * abi.NAME_SIZE, abi.NAME_SIZE, names[i] ?? "");
}

function ruleWrite(memory: CoreMemory, at: number, rule: Rule): void {
  const record = new RecordWriter(memory, at, abi.RULE_SIZE)
    .word(abi.RULE_ACTION, ACTIONS[rule.action])
    .word(abi.RULE_SERVICE, rule.service)
    .word(abi.RULE_REALM, rule.realm ?? -1)
    .word(abi.RULE_VPN, rule.vpn ?? -1)
    .word(abi.RULE_VLAN, rule.vlan ?? -1)
    .word(abi.RULE_VLAN_OUTER, rule.vlanOuter ?? -1)
    .word(abi.RULE_MPLS, rule.mpls ?? -1)
    .word(abi.RULE_MPLS_OUTER, rule.mplsOuter ?? -1)
    .word(abi.RULE_PROTOCOL, rule.protocol ?? -1)
    .word(abi.RULE_SOURCE_PREFIX, rule.from?.length ?? 0)
    .word(abi.RULE_DESTINATION_PREFIX, rule.to?.length ?? 0)
    .word(abi.RULE_SOURCE_PORT_FIRST, rule.fromPort.first)
    .word(abi.RULE_SOURCE_PORT_LAST, rule.fromPort.last)
    .word(abi.RULE_DESTINATION_PORT_FIRST, rule.toPort.first)
    .word(abi.RULE_DESTINATION_PORT_LAST, rule.toPort.last);
  if (rule.from) record.address(abi.RULE_SOURCE, rule.from.address);
  if (rule.to) record.address(abi.RULE_DESTINATION, rule.to.address);
}

/**
 * Writes it all; the core reads it at boot, or at input(KIND_CONFIG). `frames`: are whole frames handed in and taken out?
 * A host that has sockets alone must not say so, or what it could send would come as frames.
 */
export function configure(core: Core, config: Config, frames = false): void {
  const { memory } = core;
  const rules = core.region(abi.REGION_RULES);
  config.realms.forEach((realm, i) => realmWrite(memory, abi.REALMS + i * abi.REALM_SIZE, realm));
  config.realms.forEach(({ link }, i) => linkWrite(memory, abi.LINKS + i * abi.LINK_SIZE, link));
  config.interfaces.forEach((one, i) => interfaceWrite(memory, abi.INTERFACES + i * abi.INTERFACE_SIZE, one));
  config.pools.forEach((pool, i) => poolWrite(memory, abi.POOLS + i * abi.POOL_SIZE, pool));
  config.services.forEach((service, i) => serviceWrite(memory, abi.SERVICES + i * abi.SERVICE_SIZE, service));
  config.services.forEach((service, i) => textWrite(memory, abi.DOMAINS + i * abi.DOMAIN_SIZE, abi.DOMAIN_SIZE, service.domain));
  config.services.forEach((service, i) => namesWrite(memory, abi.NAMES + i * abi.NAMES_MAX * abi.NAME_SIZE, service));
  config.rules.forEach((rule, i) => ruleWrite(memory, rules + i * abi.RULE_SIZE, rule));
  new RecordWriter(memory, 0, 0)
    .word(abi.CONFIG_REALMS, config.realms.length)
    .word(abi.CONFIG_POOLS, config.pools.length)
    .word(abi.CONFIG_SERVICES, config.services.length)
    .word(abi.CONFIG_RULES, config.rules.length)
    .word(abi.CONFIG_INTERFACES, frames ? config.interfaces.length : 0)
    .word(abi.CONFIG_WORKERS, shareNumber(shareOf(config)))
    .word(abi.CONFIG_OTHERWISE, ACTIONS[config.otherwise]);
}
