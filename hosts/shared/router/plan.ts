/*
 * What must be set up on this machine so that packets for the service addresses reach Culvert's sockets and what they send
 * comes back to the terminals (SPEC I1-I3): configuration in, steps out.
 *
 * A plain socket can be bound to a service address E, and send from it, when E stands in the table `local`. What stands
 * there would also be delivered here, all of it. So that table is looked up behind rules that make an exception of E: it is
 * looked up for packets that have our mark, which the ruleset gives to those that a socket of Culvert waits for; everything
 * else that goes to E is routed as if E were not there, also what Culvert itself sends to the server that E is. The same
 * for networks of terminals, in whose name Culvert sends on what is not for it. IPv6 sends from any address
 * (ip_nonlocal_bind), so there, as for transparent sockets, a table of our own is enough.
 *
 * Preferences from the configured one on: 0 our mark, 1 around E, 2 own addresses in networks of terminals, 3 around these,
 * 4 the table `local`, 5 the end of the way around, and the way back for single networks; 6 the way back.
 */

import { type Address, prefixText } from "../address.ts";
import type { Config, Interception, Return, Service } from "../config.ts";
import { mediaReturns } from "../config/interception.ts";
import { addressesOf } from "../config/realm.ts";
import { markBits, rulesetStep } from "./ruleset.ts";
import { addressStep, FAMILIES, type Family, localRouteStep, localRuleStep, routeStep, ruleStep, settingKey, settingStep, type Step } from "./step.ts";

export interface Plan {
  steps: Step[];
  /** What a person should know about it. */
  notes: string[];
}

const MARKED = 0;
const AROUND_SERVICE = 1;
const OWN_ADDRESS = 2;
const AROUND_TERMINALS = 3;
const LOCAL = 4;
const END = 5;
const RETURN = 6;

function distinct(addresses: Address[], family: Family): string[] {
  return [...new Set(addresses.filter((address) => address.family === family).map(({ text }) => text))];
}

/** Services whose address is not this machine's own: packets for the others come here by themselves. */
export function servicesCaught({ services, realms, interception }: Config): Service[] {
  const own = new Set(addressesOf(realms).map(({ text }) => text));
  return services.filter(({ address }) => interception.kind === "local" || !own.has(address.text));
}

/** Networks of terminals as Linux prints them; IPv6 needs none. */
function terminalNetworks({ realms, interception }: Config, family: Family): string[] {
  if (family === 6 || interception.kind === "tproxy") return [];
  const prefixes = realms.flatMap(({ terminals }) => terminals).filter(({ address }) => address.family === family);
  return [...new Set(prefixes.map(prefixText))];
}

function forwardSteps({ realms, interception }: Config, families: Family[]): Step[] {
  const devices = [...new Set(realms.flatMap(({ interfaces }) => interfaces))];
  const named = realms.every(({ interfaces }) => interfaces.length > 0);
  const redirects = "net.ipv4.conf.all.accept_redirects";
  const about = "this machine forwards what it does not take";
  const steps = families.flatMap((family): Step[] => {
    if (family === 6) return [settingStep(`${about} (IPv6)`, "net.ipv6.conf.all.forwarding", "1")];
    if (!named) return [settingStep(about, "net.ipv4.ip_forward", "1", [redirects])];
    return devices.map((device) => settingStep(`${about} (${device})`, settingKey("net", "ipv4", "conf", device, "forwarding"), "1"));
  });
  if (interception.mode === "serial" || !families.includes(4)) return steps;
  const keys = ["all", ...devices].map((device) => settingKey("net", "ipv4", "conf", device, "send_redirects"));
  return [...steps, ...keys.map((key) => settingStep("nobody is told of a shorter way around this machine", key, "0"))];
}

/** Deliver what is marked, by a table in which everything is local. */
function markedSteps(interception: Interception, family: Family): Step[] {
  const table = String(interception.table);
  const about = `marked packets are delivered here (IPv${family})`;
  return [
    localRouteStep(about, family, table, "default"),
    ruleStep(about, family, interception.preference + MARKED, { mark: markBits(interception) }, ["lookup", table]),
  ];
}

/** The rules around the table `local`, then what they make room for in it. */
function shadowSteps(config: Config, family: Family, services: string[]): Step[] {
  const { interception } = config;
  const networks = terminalNetworks(config, family);
  const whole = family === 4 ? 32 : 128;
  const at = (offset: number): number => interception.preference + offset;
  const end = ["goto", String(at(END))];
  const local = ["lookup", "local"];
  const own = networks.filter((network) => network.includes("/"));
  const shadow = (service: string): Step =>
    interception.kind === "local"
      ? addressStep(`the service address ${service} stands on ${interception.device}, silently`, family, service, interception.device)
      : localRouteStep(`sockets can be bound to ${service}`, family, "local", service);
  return [
    ruleStep("the end of the way around the table local", family, at(END), {}, ["nop"]),
    ruleStep("marked packets are delivered here", family, at(MARKED), { mark: markBits(interception) }, local),
    ...services.map((to) => ruleStep(`other packets to ${to} are routed as ever`, family, at(AROUND_SERVICE), { to }, end)),
    ...own.map((to) => ruleStep(`own addresses in ${to} stay`, family, at(OWN_ADDRESS), { to }, [...local, "suppress_prefixlength", String(whole - 1)])),
    ...networks.map((to) => ruleStep(`packets to ${to} are routed as ever`, family, at(AROUND_TERMINALS), { to }, end)),
    ruleStep("the table local comes behind that", family, at(LOCAL), {}, local),
    localRuleStep("and not before it", family),
    ...services.map(shadow),
    ...networks.map((network) => localRouteStep(`sockets can be bound to addresses in ${network}`, family, "local", network)),
  ];
}

function familySteps(config: Config, family: Family, services: string[]): Step[] {
  const { interception } = config;
  if (interception.kind === "tproxy") return markedSteps(interception, family);
  if (interception.kind === "local" || family === 4) {
    const announce = settingStep("no question for a neighbour is asked in the name of a service address", "net.ipv4.conf.all.arp_announce", "2");
    return [...(family === 4 ? [announce] : []), ...shadowSteps(config, family, services)];
  }
  const bind = settingStep("sockets can be bound to addresses that are not ours (IPv6)", "net.ipv6.ip_nonlocal_bind", "1");
  return [bind, ...markedSteps(interception, family)];
}

/** Who sends by a way back: the service addresses, and our media addresses towards terminals. */
function returnSources({ realms }: Config, services: string[], way: Return): string[] {
  const media = realms.filter(({ kind, media }) => kind === "access" && mediaReturns(media, realms, way)).map(({ media }) => media);
  return [...new Set([...services, ...distinct(media, way.via.family)])];
}

/** A strict check of sources (RFC 3704) drops what comes in where the main table would not answer. */
function looseSteps({ realms }: Config, families: Family[]): Step[] {
  const devices = new Set(realms.filter(({ kind }) => kind === "access").flatMap(({ interfaces }) => interfaces));
  const key = (device: string): string => settingKey("net", "ipv4", "conf", device, "rp_filter");
  const about = "terminals are answered another way than the main table's";
  return families.includes(4) ? [...devices].map((device) => settingStep(`${about} (${device})`, key(device), "2")) : [];
}

function returnSteps(config: Config, way: Return, index: number, services: string[]): Step[] {
  const { preference, table } = config.interception;
  const { via, to } = way;
  const name = String(table + 1 + index);
  const leads = ["via", via.text, ...(way.interface === undefined ? [] : ["dev", way.interface])];
  const about = `what is sent from a service address${to ? ` to ${prefixText(to)}` : ""} leaves by ${via.text}`;
  const at = preference + (to ? END : RETURN);
  const selector = (from: string) => ({ device: "lo", from, ...(to ? { to: prefixText(to) } : {}) });
  return [
    routeStep(about, via.family, name, ["default", ...leads], `default via ${via.text}`),
    ...returnSources(config, services, way).map((from) => ruleStep(about, via.family, at, selector(from), ["lookup", name])),
  ];
}

function notesOf(config: Config, caught: Service[]): string[] {
  const { interception, services } = config;
  const own = services.filter((service) => !caught.includes(service)).map(({ address }) => address.text);
  return [
    ...(own.length > 0 ? [`${own.join(", ")} is this machine's own: packets for it come here without any rule`] : []),
    ...(interception.kind === "tproxy" ? ["sockets must be transparent (IP_TRANSPARENT) for this kind of interception"] : []),
  ];
}

/** What to do, in this order; to take it back, in the reverse one. */
export function planMake(config: Config): Plan {
  const { interception, realms } = config;
  const caught = servicesCaught(config);
  const notes = notesOf(config, caught);
  if (caught.length === 0) return { steps: [], notes };
  const addresses = caught.map(({ address }) => address);
  const families = FAMILIES.filter((family) => distinct(addresses, family).length > 0);
  const steps = [
    ...forwardSteps(config, families),
    ...families.flatMap((family) => familySteps(config, family, distinct(addresses, family))),
    ...(interception.returns.length > 0 ? looseSteps(config, families) : []),
    ...interception.returns.flatMap((way, i) => returnSteps(config, way, i, distinct(addresses, way.via.family))),
    rulesetStep(interception, caught, realms),
  ];
  return { steps, notes };
}
