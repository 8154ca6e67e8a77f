/*
 * The router's part for Huawei VRP (NE routers): a traffic policy redirects, and a test by ICMP watches the next hop.
 */

import type { Prefix } from "../address.ts";
import { wildcardText } from "./iosxe.ts";
import { type FamilyPolicy, flowsFrom, fragmentsFrom, linesText, type Policy } from "./policy.ts";

const STEP = 5;

interface Names {
  acl: string;
  match: string;
  hop: string;
  there: number;
  back: number;
  suffix: string;
  host: string;
}

function namesOf({ family }: FamilyPolicy): Names {
  if (family === 4) return { acl: "acl number", match: "if-match acl", hop: "redirect ip-nexthop", there: 3960, back: 3961, suffix: "", host: "0" };
  return { acl: "acl ipv6 number", match: "if-match ipv6 acl", hop: "redirect ipv6-nexthop", there: 3960, back: 3961, suffix: "6", host: "128" };
}

function sourceText({ family }: FamilyPolicy, terminal: Prefix | undefined): string {
  if (!terminal) return "";
  return family === 4 ? ` source ${wildcardText(terminal)}` : ` source ${terminal.address.text} ${terminal.length}`;
}

function list(names: Names, number: number, rules: string[]): string[] {
  return [`${names.acl} ${number}`, ...rules.map((rule, i) => ` rule ${(i + 1) * STEP} permit ${rule}`)];
}

function behavior(names: Names, name: string, acl: number, redirect: string): string[] {
  return [`traffic classifier ${name}`, ` ${names.match} ${acl}`, `traffic behavior ${name}`, ` ${redirect}`];
}

function thereLines(part: FamilyPolicy, policy: Policy): string[] {
  const names = namesOf(part);
  const name = `culvert${names.suffix}`;
  const to = (text: string): string => `destination ${text} ${names.host}`;
  const flows = flowsFrom(part).map(
    ({ flow, terminal }) => `${flow.transport}${sourceText(part, terminal)} ${to(flow.address.text)} destination-port eq ${flow.port}`,
  );
  const kind = part.family === 4 ? "fragment-type fragment" : "fragment";
  const pieces = fragmentsFrom(part).map(({ text, terminal }) => `udp${sourceText(part, terminal)} ${to(text)} ${kind}`);
  const watch = [
    `nqa test-instance culvert v${part.family}`,
    " test-type icmp",
    ` destination-address ipv${part.family} ${part.nextHop.text}`,
    " frequency 10",
    " start now",
  ];
  const redirect = `${names.hop} ${part.nextHop.text} nqa culvert v${part.family}${policy.fallback === "drop" ? " deny" : ""}`;
  return [...list(names, names.there, [...flows, ...pieces]), ...watch, ...behavior(names, name, names.there, redirect)];
}

function backLines(part: FamilyPolicy): string[] {
  if (!part.returnHop) return [];
  const names = namesOf(part);
  const rules = part.addresses.map(({ text }) => `${part.family === 4 ? "ip" : "ipv6"} source ${text} ${names.host}`);
  return [...list(names, names.back, rules), ...behavior(names, `culvert-return${names.suffix}`, names.back, `${names.hop} ${part.returnHop.text}`)];
}

/** One traffic policy an interface and direction: it holds both IP versions. */
function applied(name: string, parts: FamilyPolicy[], ports: string[]): string[] {
  if (parts.length === 0) return [];
  const classes = parts.map((part) => `${name}${namesOf(part).suffix}`);
  return [
    `traffic policy ${name}`,
    ...classes.map((one) => ` classifier ${one} behavior ${one}`),
    ...ports.flatMap((port) => [`interface ${port}`, ` traffic-policy ${name} inbound`]),
  ];
}

export function vrpPrint(policy: Policy): string {
  const returning = policy.families.filter(({ returnHop }) => returnHop !== undefined);
  return linesText([
    "# Huawei VRP, in system view; then commit.",
    `# On ${policy.proxyPort} leave URPF away, or loose: the service addresses come in there.`,
    ...policy.families.flatMap((part) => [...thereLines(part, policy), ...backLines(part)]),
    ...applied("culvert", policy.families, policy.terminalPorts),
    ...applied("culvert-return", returning, [policy.proxyPort]),
  ]);
}
