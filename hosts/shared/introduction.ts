/*
 * What a proxy says of itself when it is up.
 */

import { endpointText } from "./address.ts";
import type { Config, Realm, Rule, Service } from "./config.ts";
import type { Link } from "./config/settled.ts";
import { durationText } from "./config/duration.ts";
import { rangeText } from "./config/range.ts";
import type { Core } from "./core.ts";
import type { Log } from "./log.ts";

function poolText(config: Config, realm: number): string {
  const pools = config.pools.filter((pool) => pool.realm === realm);
  return pools.map((pool) => `${pool.kind} ${endpointText(pool.address.text, 0).replace(/0$/, rangeText(pool.ports))}`).join(", ");
}

/** Who finds the way to servers in packet mode; that to terminals is learned. */
function wayText({ nextHop }: Link): string {
  return nextHop ? `, by ${[...nextHop].map((byte) => byte.toString(16).padStart(2, "0")).join(":")}` : ", by the routes and neighbours of this machine";
}

function realmText(config: Config, realm: Realm, index: number): string {
  const keepalive = realm.kind === "access" ? `, NAT ${realm.nat}, keep-alive ${durationText(realm.keepaliveMs)}` : "";
  const way = realm.kind === "core" && config.interfaces.length > 0 ? wayText(realm.link) : "";
  return `realm ${realm.name} (${realm.kind}): ${poolText(config, index)}${keepalive}${way}`;
}

function serviceText(config: Config, service: Service): string {
  const servers = service.servers.map(({ address, port }) => endpointText(address.text, port)).join(", ");
  const names = `${config.realms[service.access]!.name} to ${config.realms[service.core]!.name}`;
  const streams = Object.entries(service.streams).filter(([, port]) => port > 0);
  const transports = ["udp", ...streams.map(([transport, port]) => `${transport} ${port}`)].join(", ");
  return `service ${service.name}: ${endpointText(service.address.text, service.port)} (${transports}) is proxied to ${servers} (${names})`;
}

/** What a rule asks for that plain sockets do not show. */
function labelsOf(rule: Rule): string[] {
  return (["vpn", "vlan", "mpls"] as const).filter((label) => rule[label] !== undefined);
}

/** One line for each realm and service, and a warning for each rule that cannot match. */
export function introduce(config: Config, core: Core, log: Log): void {
  config.realms.forEach((realm, index) => log.info({}, realmText(config, realm, index)));
  for (const service of config.services) log.info({}, serviceText(config, service));
  config.rules.forEach((rule, i) => {
    const labels = labelsOf(rule);
    if (labels.length > 0 && config.interfaces.length === 0)
      log.warn({ rule: i + 1 }, `rule ${i + 1} matches on ${labels.join(" and ")}, which plain sockets do not show: it cannot match here`);
  });
  log.info({ core: core.kind, memoryBytes: core.memory.bytes.length }, config.workers.index === undefined ? "up" : "a worker is up");
}
