/*
 * The router's part for Linux: nftables marks what is for a service, a rule of policy routing sends it to Culvert. Made of
 * the same steps as our own set-up, so the script that is printed can be repeated and taken back.
 */

import { prefixText } from "../address.ts";
import type { Interception } from "../config.ts";
import type { Plan } from "./plan.ts";
import { type FamilyPolicy, flowsFrom, type Policy } from "./policy.ts";
import { DEFRAGMENT, markBits, markText, setText, tableStep } from "./ruleset.ts";
import { routeStep, ruleStep, settingKey, settingStep, type Step } from "./step.ts";

const TABLE = "culvert_gateway";
/** Of a route that is worse than any other. */
const WORST = "4096";

function matches(part: FamilyPolicy, from: string): string[] {
  const ip = part.family === 4 ? "ip" : "ip6";
  return flowsFrom(part).map(({ flow, terminal }) => {
    const source = terminal ? ` ${ip} saddr ${prefixText(terminal)}` : "";
    return `${from}${source} ${ip} daddr ${flow.address.text} ${flow.transport} dport ${flow.port}`;
  });
}

function markChain(policy: Policy, interception: Interception): string {
  const from = `iifname ${setText(policy.terminalPorts.map((port) => `"${port}"`))}`;
  const rules = policy.families.flatMap((part) => matches(part, from));
  const mark = `meta mark set meta mark | ${markText(interception)}`;
  const chain = ["  chain services {", "    type filter hook prerouting priority mangle; policy accept;", DEFRAGMENT];
  return [...chain, ...rules.map((rule) => `    ${rule} ${mark}`), "  }"].join("\n");
}

/** What is left when the way to Culvert goes; without it the main table decides. */
function lastSteps({ family }: FamilyPolicy, { fallback }: Policy, table: string): Step[] {
  if (fallback === "forward") return [];
  return [routeStep("without a way to Culvert it goes nowhere", family, table, ["blackhole", "default", "metric", WORST], "blackhole default")];
}

function familySteps(part: FamilyPolicy, policy: Policy, interception: Interception): Step[] {
  const { preference, table } = interception;
  const there = `what is for a service goes to ${part.nextHop.text}`;
  const steps = [
    routeStep(there, part.family, String(table), ["default", "via", part.nextHop.text], `default via ${part.nextHop.text}`),
    ...lastSteps(part, policy, String(table)),
    ruleStep(there, part.family, preference, { mark: markBits(interception) }, ["lookup", String(table)]),
  ];
  if (!part.returnHop) return steps;
  const back = `what comes from a service address goes to ${part.returnHop.text}`;
  return [
    ...steps,
    routeStep(back, part.family, String(table + 1), ["default", "via", part.returnHop.text], `default via ${part.returnHop.text}`),
    ...part.addresses.map(({ text }) => ruleStep(back, part.family, preference + 1, { from: text, device: policy.proxyPort }, ["lookup", String(table + 1)])),
  ];
}

export function gatewayPlan(policy: Policy, interception: Interception): Plan {
  // Culvert answers in the name of addresses that are elsewhere: a strict check of sources (RFC 3704) would drop it.
  const loose = settingStep("sources are checked loosely towards Culvert", settingKey("net", "ipv4", "conf", policy.proxyPort, "rp_filter"), "2");
  const checks = policy.families.some(({ family }) => family === 4) ? [loose] : [];
  const mark = tableStep("packets for a service are marked", TABLE, markChain(policy, interception));
  return { steps: [...checks, ...policy.families.flatMap((part) => familySteps(part, policy, interception)), mark], notes: [] };
}
