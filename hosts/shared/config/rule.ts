/*
 * Settles the rules: names resolved, one action each, and rules that can never match found.
 */

import { type Prefix, prefixCovers, prefixText } from "../address.ts";
import { labelsOf } from "./link.ts";
import type { Path, Report } from "./problem.ts";
import { ANY_PORT, rangeCovers } from "./range.ts";
import type { Written, WrittenRule } from "./schema.ts";
import type { Realm, Rule, Service } from "./settled.ts";
import { suggestionText } from "./suggestion.ts";

const UDP = 17;
const TCP = 6;
const SCTP = 132;
const ACTIONS = ["proxy", "forward", "discard"] as const;
/** Above this many rules the pairwise search for covered rules is left out: it grows with their square. */
const COVER_CHECK_MOST = 4096;

function actionOf(rule: WrittenRule, path: Path, report: Report): Rule["action"] {
  const given = ACTIONS.filter((action) => rule[action] !== undefined);
  if (given.length === 0) report.error(path, "has no action; give `proxy: SERVICE`, `forward: true` or `discard: true`");
  if (given.length > 1) report.errorAtKey([...path, given[1]!], `a rule has one action, and this has ${given.join(" and ")}; remove one or write two rules`);
  return given[0] ?? "discard";
}

function realmOf(rule: WrittenRule, path: Path, realms: Realm[], written: Written, report: Report): number | undefined {
  if (rule.in === undefined) return undefined;
  const index = realms.findIndex((realm) => realm.name === rule.in);
  if (index < 0 && !written.realms[rule.in])
    report.error([...path, "in"], `there is no realm "${rule.in}"${suggestionText(rule.in, Object.keys(written.realms))}`);
  return index;
}

function serviceOf(rule: WrittenRule, path: Path, services: Service[], report: Report): number {
  if (rule.proxy === undefined) return 0;
  const index = services.findIndex((service) => service.name === rule.proxy);
  if (index < 0)
    report.error(
      [...path, "proxy"],
      `there is no service "${rule.proxy}"${suggestionText(
        rule.proxy,
        services.map((service) => service.name),
      )}`,
    );
  return index;
}

/** Fields that contradict each other within one rule. */
function senseCheck(rule: WrittenRule, path: Path, report: Report): void {
  const { from, to, protocol } = rule;
  if (from && to && from.address.family !== to.address.family) {
    report.error([...path, "to"], `${prefixText(to)} and from: ${prefixText(from)} are of different IP versions: no packet has both`);
  }
  const portless = protocol !== undefined && ![UDP, TCP, SCTP].includes(protocol);
  if (portless && (rule.fromPort || rule.toPort)) report.error([...path, "protocol"], `protocol ${protocol} has no ports; leave fromPort and toPort away`);
}

function ruleSettle(rule: WrittenRule, path: Path, realms: Realm[], services: Service[], written: Written, report: Report): Rule {
  senseCheck(rule, path, report);
  const vlan = labelsOf(rule.vlan);
  const mpls = labelsOf(rule.mpls);
  return {
    realm: realmOf(rule, path, realms, written, report),
    vpn: rule.vpn,
    vlan: vlan.inner,
    vlanOuter: vlan.outer,
    mpls: mpls.inner,
    mplsOuter: mpls.outer,
    protocol: rule.protocol,
    from: rule.from,
    fromPort: rule.fromPort ?? ANY_PORT,
    to: rule.to,
    toPort: rule.toPort ?? ANY_PORT,
    action: actionOf(rule, path, report),
    service: serviceOf(rule, path, services, report),
  };
}

function ruleDefault(service: Service, index: number, protocol: number, port: number): Rule {
  return {
    realm: undefined,
    vpn: undefined,
    vlan: undefined,
    vlanOuter: undefined,
    mpls: undefined,
    mplsOuter: undefined,
    protocol,
    from: undefined,
    fromPort: ANY_PORT,
    to: { address: service.address, length: 128 },
    toPort: { first: port, last: port },
    action: "proxy",
    service: index,
  };
}

/** The rules of a file without any: what goes to E:e over UDP, or over TCP to one of the service's ports, is proxied. */
function rulesDefault(services: Service[]): Rule[] {
  return services.flatMap((service, index) => {
    const streams = Object.values(service.streams).filter((port) => port > 0);
    return [ruleDefault(service, index, UDP, service.port), ...streams.map((port) => ruleDefault(service, index, TCP, port))];
  });
}

function labelCovers(wide: number | undefined, narrow: number | undefined): boolean {
  return wide === undefined || wide === narrow;
}

function networkCovers(wide: Prefix | undefined, narrow: Prefix | undefined): boolean {
  return !wide || (narrow !== undefined && prefixCovers(wide, narrow));
}

/** Does everything that `narrow` matches match `wide` too? */
export function ruleCovers(wide: Rule, narrow: Rule): boolean {
  return (
    labelCovers(wide.realm, narrow.realm) &&
    labelCovers(wide.vpn, narrow.vpn) &&
    labelCovers(wide.vlan, narrow.vlan) &&
    labelCovers(wide.vlanOuter, narrow.vlanOuter) &&
    labelCovers(wide.mpls, narrow.mpls) &&
    labelCovers(wide.mplsOuter, narrow.mplsOuter) &&
    labelCovers(wide.protocol, narrow.protocol) &&
    rangeCovers(wide.fromPort, narrow.fromPort) &&
    rangeCovers(wide.toPort, narrow.toPort) &&
    networkCovers(wide.from, narrow.from) &&
    networkCovers(wide.to, narrow.to)
  );
}

function coverCheck(rules: Rule[], report: Report): void {
  if (rules.length > COVER_CHECK_MOST) return;
  for (const [i, rule] of rules.entries()) {
    for (let j = 0; j < i; j++) {
      if (!ruleCovers(rules[j]!, rule)) continue;
      report.warn(["rules", i], `can never match: rule ${j + 1} (rules[${j}]) takes everything that it would; move it up or remove it`);
      break;
    }
  }
}

/** A service that no rule leads to gets nothing. */
function unusedCheck(rules: Rule[], services: Service[], report: Report): void {
  for (const [index, service] of services.entries()) {
    if (rules.some((rule) => rule.action === "proxy" && rule.service === index)) continue;
    report.warn(["services", service.name], `no rule leads to it; add \`- { to: ${service.address.text}, proxy: ${service.name} }\` to rules`);
  }
}

export function rulesSettle(written: Written, realms: Realm[], services: Service[], report: Report): Rule[] {
  if (!written.rules) return rulesDefault(services);
  const rules = written.rules.map((rule, i) => ruleSettle(rule, ["rules", i], realms, services, written, report));
  if (report.failed) return rules;
  coverCheck(rules, report);
  unusedCheck(rules, services, report);
  return rules;
}
