/*
 * The router's part for VyOS 1.4 and later: a policy route marks packets for a table of their own.
 */

import { prefixText } from "../address.ts";
import { type FamilyPolicy, flowsFrom, fragmentsFrom, linesText, type Policy } from "./policy.ts";

const STEP = 10;
/** Ways that are worse than any other. */
const WORST = 254;

interface Names {
  policy: string;
  back: string;
  table: number;
  route: string;
  any: string;
}

function namesOf({ family }: FamilyPolicy): Names {
  if (family === 4) return { policy: "policy route CULVERT", back: "policy route CULVERT-RETURN", table: 60, route: "route", any: "0.0.0.0/0" };
  return { policy: "policy route6 CULVERT6", back: "policy route6 CULVERT6-RETURN", table: 60, route: "route6", any: "::/0" };
}

function rule(policy: string, number: number, table: number, matches: string[]): string[] {
  return [...matches, `set table ${table}`].map((match) => `set ${policy} rule ${number} ${match}`);
}

function there(part: FamilyPolicy, policy: Policy): string[] {
  const names = namesOf(part);
  const flows = flowsFrom(part).map(({ flow, terminal }) => [
    `protocol ${flow.transport}`,
    ...(terminal ? [`source address ${prefixText(terminal)}`] : []),
    `destination address ${flow.address.text}`,
    `destination port ${flow.port}`,
  ]);
  // Rules on fragments exist for IPv4 alone; in IPv6 connection tracking puts them together before.
  const fragments = part.family === 4 ? fragmentsFrom(part) : [];
  const pieces = fragments.map(({ text, terminal }) => [
    "protocol udp",
    ...(terminal ? [`source address ${prefixText(terminal)}`] : []),
    `destination address ${text}`,
    "fragment match-frag",
  ]);
  const last = policy.fallback === "drop" ? [`set protocols static table ${names.table} ${names.route} ${names.any} blackhole distance ${WORST}`] : [];
  return [
    ...[...flows, ...pieces].flatMap((matches, i) => rule(names.policy, (i + 1) * STEP, names.table, matches)),
    ...policy.terminalPorts.map((port) => `set ${names.policy} interface ${port}`),
    `set protocols static table ${names.table} ${names.route} ${names.any} next-hop ${part.nextHop.text}`,
    ...last,
  ];
}

function back(part: FamilyPolicy, policy: Policy): string[] {
  if (!part.returnHop) return [];
  const names = namesOf(part);
  const table = names.table + 1;
  return [
    ...part.addresses.flatMap(({ text }, i) => rule(names.back, (i + 1) * STEP, table, [`source address ${text}`])),
    `set ${names.back} interface ${policy.proxyPort}`,
    `set protocols static table ${table} ${names.route} ${names.any} next-hop ${part.returnHop.text}`,
  ];
}

export function vyosPrint(policy: Policy): string {
  return linesText([
    "# VyOS 1.4 or later, in configuration mode; then commit and save.",
    `# On ${policy.proxyPort} leave source-validation disabled, or loose: the service addresses come in there.`,
    ...policy.families.flatMap((part) => [...there(part, policy), ...back(part, policy)]),
  ]);
}
