/*
 * Reads culvert.yaml: text in, a settled configuration or problems with line and column out (SPEC O1).
 * Pure: files, the network and the clock are the host's. Limits come from the core's contract.
 */

import { capacitySettle } from "./config/capacity.ts";
import { YamlDocument } from "./config/document.ts";
import { interceptionSettle } from "./config/interception.ts";
import { issueReport } from "./config/issue.ts";
import { interfacesSettle } from "./config/link.ts";
import { poolsSettle } from "./config/pool.ts";
import { type Problem, Report } from "./config/problem.ts";
import { realmsSettle } from "./config/realm.ts";
import { rulesSettle } from "./config/rule.ts";
import { schema, type Written } from "./config/schema.ts";
import { servicesSettle } from "./config/service.ts";
import type { Config } from "./config/settled.ts";
import { workersSettle } from "./config/workers.ts";
import { INTERFACE_MAX, NAMES_MAX, POOL_MAX, REALM_MAX, SERVER_MAX, SERVICE_MAX } from "./core.ts";

export { type Problem, problemText } from "./config/problem.ts";
export type { Capacity, Config, Gateway, Interception, Interface, Link, Pool, Realm, Return, Rule, Server, Service, Workers } from "./config/settled.ts";

/** What began since is not known after a restart. */
const STATE_EVERY_MS = 100;
const PACE_MS = 2;

export interface ConfigReading {
  /** Absent when a problem is an error. */
  config: Config | undefined;
  /** In the order of the text. */
  problems: Problem[];
}

function settle(written: Written, report: Report): Config {
  const interfaces = interfacesSettle(written, INTERFACE_MAX, report);
  const realms = realmsSettle(written, interfaces, REALM_MAX, report);
  const services = servicesSettle(written, realms, { services: SERVICE_MAX, servers: SERVER_MAX, names: NAMES_MAX }, report);
  const pools = poolsSettle(written, realms, services, POOL_MAX, report);
  const rules = rulesSettle(written, realms, services, report);
  const names = realms.map((realm) => realm.name);
  return {
    interfaces,
    realms,
    pools,
    services,
    rules,
    otherwise: written.otherwise ?? "forward",
    interception: interceptionSettle(written, realms, services, report),
    capacity: capacitySettle(written, pools, rules.length, names, report),
    secret: written.secret,
    state: written.state && { file: written.state.file, everyMs: written.state.every ?? STATE_EVERY_MS },
    log: { level: written.log?.level ?? "info", format: written.log?.format ?? "auto" },
    control: written.control,
    io: written.io ?? "auto",
    paceMs: written.pace ?? PACE_MS,
    workers: workersSettle(written, pools, names, report),
  };
}

/** `file` is only named in problems. */
export function configRead(text: string, file: string): ConfigReading {
  const document = new YamlDocument(text, file);
  const syntax = document.problems();
  if (syntax.some((problem) => problem.severity === "error")) return { config: undefined, problems: syntax };
  const report = new Report(file, document);
  const root = document.value();
  if (root === null || root === undefined) {
    report.error([], "the file is empty; it needs at least `realms:` and `services:`");
    return { config: undefined, problems: report.sorted() };
  }
  const parsed = schema.safeParse(root);
  if (!parsed.success) for (const issue of parsed.error.issues) issueReport(report, issue, root);
  const config = parsed.success ? settle(parsed.data, report) : undefined;
  return { config: report.failed ? undefined : config, problems: [...syntax, ...report.sorted()] };
}
