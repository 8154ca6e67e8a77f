/*
 * The router's part for Junos: filter-based forwarding into an instance whose routes lead to Culvert.
 */

import { prefixText } from "../address.ts";
import { type FamilyPolicy, linesText, type Policy } from "./policy.ts";

interface Names {
  inet: "inet" | "inet6";
  suffix: string;
  whole: number;
  any: string;
  rib: string;
}

function namesOf({ family }: FamilyPolicy): Names {
  if (family === 4) return { inet: "inet", suffix: "", whole: 32, any: "0.0.0.0/0", rib: "inet.0" };
  return { inet: "inet6", suffix: "6", whole: 128, any: "::/0", rib: "inet6.0" };
}

function instance(name: string, routes: string[]): string[] {
  return [`set routing-instances ${name} instance-type forwarding`, ...routes.map((route) => `set routing-instances ${name} routing-options ${route}`)];
}

/** A route of an instance; the tables of IPv6 have to be named. */
function route(name: string, { inet, rib }: Names, destination: string, leads: string): string {
  return inet === "inet" ? `static route ${destination} ${leads}` : `rib ${name}.${rib} static route ${destination} ${leads}`;
}

function terms(part: FamilyPolicy, names: Names): string[] {
  const filter = `set firewall family ${names.inet} filter culvert${names.suffix}`;
  const sources = part.terminals.map((terminal) => `from source-address ${prefixText(terminal)}${terminal.length === 128 ? `/${names.whole}` : ""}`);
  const flows = part.flows.flatMap((flow, i) =>
    [
      ...sources,
      `from destination-address ${flow.address.text}/${names.whole}`,
      names.inet === "inet" ? `from protocol ${flow.transport}` : `from next-header ${flow.transport}`,
      `from destination-port ${flow.port}`,
      "then routing-instance culvert",
    ].map((line) => `${filter} term signaling-${i + 1} ${line}`),
  );
  // IPv4 has one condition for a first fragment and another for the later ones; in IPv6 each has a header of its own.
  const kinds = names.inet === "inet" ? ["first-fragment", "is-fragment"] : ["next-header fragment"];
  const pieces = kinds.flatMap((kind, i) =>
    [
      ...sources,
      ...part.addresses.map(({ text }) => `from destination-address ${text}/${names.whole}`),
      ...(names.inet === "inet" ? ["from protocol udp"] : []),
      `from ${kind}`,
      "then routing-instance culvert",
    ].map((line) => `${filter} term fragments-${i + 1} ${line}`),
  );
  return [...flows, ...pieces, `${filter} term rest then accept`];
}

function there(part: FamilyPolicy, policy: Policy): string[] {
  const names = namesOf(part);
  const others = policy.fallback === "drop" ? "discard" : `next-table ${names.rib}`;
  const routes = [
    ...part.addresses.map(({ text }) => route("culvert", names, `${text}/${names.whole}`, `next-hop ${part.nextHop.text}`)),
    route("culvert", names, names.any, others),
  ];
  return [
    ...instance("culvert", routes),
    `set routing-options interface-routes rib-group ${names.inet} culvert${names.suffix}`,
    `set routing-options rib-groups culvert${names.suffix} import-rib [ ${names.rib} culvert.${names.rib}${part.returnHop ? ` culvert-return.${names.rib}` : ""} ]`,
    ...terms(part, names),
    ...policy.terminalPorts.map((port) => `set interfaces ${port} unit 0 family ${names.inet} filter input culvert${names.suffix}`),
  ];
}

function back(part: FamilyPolicy, policy: Policy): string[] {
  if (!part.returnHop) return [];
  const names = namesOf(part);
  const filter = `culvert-return${names.suffix}`;
  return [
    ...instance("culvert-return", [route("culvert-return", names, names.any, `next-hop ${part.returnHop.text}`)]),
    ...part.addresses.map(({ text }) => `set firewall family ${names.inet} filter ${filter} term service from source-address ${text}/${names.whole}`),
    `set firewall family ${names.inet} filter ${filter} term service then routing-instance culvert-return`,
    `set firewall family ${names.inet} filter ${filter} term rest then accept`,
    `set interfaces ${policy.proxyPort} unit 0 family ${names.inet} filter input ${filter}`,
  ];
}

export function junosPrint(policy: Policy): string {
  const lines = [
    "# Junos, in configuration mode; then commit. Routes to Culvert go when its link goes down: add BFD or RPM to watch more.",
    `# On ${policy.proxyPort} leave rpf-check away, or in mode loose: the service addresses come in there.`,
    ...policy.families.flatMap((part) => [...there(part, policy), ...back(part, policy)]),
  ];
  return linesText([...new Set(lines)]);
}
