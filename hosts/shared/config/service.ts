/*
 * Settles the services: realms, port, servers and policies.
 * Invariant: a service's realms exist and are of the right kind, and addresses that talk to each other are
 * of one family.
 */

import { type Address, endpointText } from "../address.ts";
import type { Report } from "./problem.ts";
import type { Written, WrittenService } from "./schema.ts";
import type { Realm, Server, Service } from "./settled.ts";
import { streamsCheck, streamsSettle } from "./stream.ts";
import { suggestionText } from "./suggestion.ts";

const SIP_PORT = 5060;

/** Index of the realm that a service names, or of the only one of that kind; -1 with a problem reported. */
function realmFind(name: string, service: WrittenService, kind: Realm["kind"], realms: Realm[], written: Written, report: Report): number {
  const known = realms.filter((realm) => realm.kind === kind);
  const path = ["services", name, kind];
  const wanted = service[kind];
  if (wanted === undefined) {
    const choices = known.map((realm) => `\`${kind}: ${realm.name}\``).join(" or ");
    if (known.length > 1) report.errorAtKey(["services", name], `say which ${kind} realm it is for: ${choices}`);
    return known.length === 1 ? realms.indexOf(known[0]!) : -1;
  }
  const index = realms.findIndex((realm) => realm.name === wanted);
  if (index < 0) {
    // A realm that is there but could not be settled has been reported already.
    if (!written.realms[wanted]) report.error(path, `there is no realm "${wanted}"${suggestionText(wanted, Object.keys(written.realms))}`);
    return -1;
  }
  if (realms[index]!.kind === kind) return index;
  const actual = kind === "access" ? "a core" : "an access";
  report.error(
    path,
    `realm "${wanted}" is ${actual} realm${suggestionText(
      wanted,
      known.map((realm) => realm.name),
    )}`,
  );
  return -1;
}

function portSettle(name: string, service: WrittenService, report: Report): number {
  const { port } = service.address;
  if (port !== undefined && service.port !== undefined && port !== service.port) {
    report.error(["services", name, "port"], `the address says port ${port}, and this says ${service.port}; leave one away`);
  }
  return port ?? service.port ?? SIP_PORT;
}

/** How many there is room for: services, and servers and names in one. */
interface Most {
  services: number;
  servers: number;
  names: number;
}

function serversSettle(name: string, service: WrittenService, most: number, report: Report): Server[] {
  const path = ["services", name, "servers"];
  const servers = service.servers.map(({ address, port }) => ({ address, port: port ?? SIP_PORT }));
  if (servers.length > most) report.error(path, `there are ${servers.length} servers, and a service has room for ${most}`);
  const seen = new Set<string>();
  for (const [i, server] of servers.entries()) {
    const text = endpointText(server.address.text, server.port);
    if (seen.has(text)) report.error([...path, i], `${text} stands here twice; remove one`);
    seen.add(text);
  }
  return servers;
}

function familyCheck(service: Service, access: Realm | undefined, core: Realm | undefined, report: Report): void {
  const path = ["services", service.name];
  const differs = (a: Address, b: Address): boolean => a.family !== b.family;
  if (access && differs(service.address, access.media)) {
    report.error(
      [...path, "address"],
      `${service.address.text} is IPv${service.address.family}, but the media address ${access.media.text} of realm "${access.name}" ` +
        `is IPv${access.media.family}: its terminals could not send media; give both of one family`,
    );
  }
  for (const [i, { address }] of service.servers.entries()) {
    if (!core) return;
    const stands = `${address.text} is IPv${address.family}, and`;
    if (core.addresses.every((ours) => differs(ours, address))) {
      report.error([...path, "servers", i], `${stands} realm "${core.name}" has no such address of ours; add one to its \`address:\` list`);
    } else if (differs(core.media, address)) {
      report.warn([...path, "servers", i], `${stands} media in realm "${core.name}" is IPv${core.media.family}: the server must speak both`);
    }
  }
}

function portsOf({ port, streams }: Service): number[] {
  return [port, streams.tls, streams.ws, streams.wss].filter((each) => each > 0);
}

/** Two services at one address cannot be told apart; in two realms they can, but not by plain sockets. */
function clashCheck(services: Service[], report: Report): void {
  for (const [i, service] of services.entries()) {
    const shared = (other: Service): number | undefined => portsOf(other).find((port) => portsOf(service).includes(port));
    const other = services.slice(0, i).find((each) => each.address.text === service.address.text && shared(each) !== undefined);
    if (!other) continue;
    const path = ["services", service.name, "address"];
    const both = `${endpointText(service.address.text, shared(other)!)} is the address of service "${other.name}" too`;
    if (other.access === service.access) report.error(path, `${both}, in the same realm; give one another address or port`);
    else report.warn(path, `${both}, in another realm: plain sockets cannot tell the realms apart`);
  }
}

function namesSettle(name: string, { names = [] }: WrittenService, most: number, report: Report): string[] {
  if (names.length > most)
    report.error(["services", name, "names"], `there are ${names.length} names, and a service has room for ${most}; one such as *.example.com stands for many`);
  return names;
}

function serviceSettle(name: string, service: WrittenService, realms: Realm[], written: Written, most: Most, report: Report): Service {
  const planned = service.protocols?.findIndex((protocol) => protocol !== "sip") ?? -1;
  if (planned >= 0) report.error(["services", name, "protocols", planned], `${service.protocols![planned]} is not built yet; leave it away for now`);
  if (service.hide && service.whenFull === "pass")
    report.error(["services", name, "whenFull"], "what passes as it came shows what `hide: true` hides; say answer or drop, or leave `hide` away");
  const access = realmFind(name, service, "access", realms, written, report);
  const core = realmFind(name, service, "core", realms, written, report);
  const port = portSettle(name, service, report);
  const settled: Service = {
    name,
    access,
    core,
    address: service.address.address,
    port,
    streams: streamsSettle(service, port),
    tls: service.tls && { ...service.tls, names: service.tls.names ?? {}, clients: service.tls.clients },
    coreTransport: service.coreTransport ?? "same",
    coreTls: service.coreTls && {
      authorities: service.coreTls.authorities,
      name: service.coreTls.name,
      certificate: service.coreTls.certificate,
      key: service.coreTls.key,
    },
    servers: serversSettle(name, service, most.servers, report),
    dropUndecodable: service.undecodable === "drop",
    hideOrigin: (service.sdpOrigin ?? (service.hide ? "hide" : "keep")) === "hide",
    hide: service.hide ?? false,
    domain: service.domain ?? "",
    names: namesSettle(name, service, most.names, report),
    openCore: service.openCore ?? false,
    registeredOnly: service.calls === "registered",
    whenFull: service.whenFull ?? "answer",
    countHops: service.hops === "answer",
    ice: service.ice ?? "strip",
    terminalExpiresSeconds: Math.round((service.terminalExpires ?? 0) / 1000),
  };
  streamsCheck(settled, report);
  familyCheck(settled, realms[access], realms[core], report);
  return settled;
}

export function servicesSettle(written: Written, realms: Realm[], most: Most, report: Report): Service[] {
  const services = Object.entries(written.services).map(([name, service]) => serviceSettle(name, service, realms, written, most, report));
  if (services.length === 0) report.error(["services"], "there is no service; give at least one with `address:` and `servers:`");
  if (services.length > most.services) report.error(["services"], `there are ${services.length} services, and there is room for ${most.services}`);
  clashCheck(services, report);
  return services;
}
