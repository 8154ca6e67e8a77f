/*
 * A configuration as text: for this machine, or for the router in the network.
 */

import type { Config } from "../config.ts";
import { gatewayPlan } from "./gateway.ts";
import { iosxePrint } from "./iosxe.ts";
import { junosPrint } from "./junos.ts";
import { planMake } from "./plan.ts";
import { policyMake } from "./policy.ts";
import { shellPrint } from "./shell.ts";
import { vrpPrint } from "./vrp.ts";
import { vyosPrint } from "./vyos.ts";

export type Target = "linux" | "linux-router" | "vyos" | "iosxe" | "junos" | "vrp";

const PRINTERS: Record<Target, (config: Config) => string> = {
  linux: (config) => shellPrint(planMake(config)),
  "linux-router": (config) => shellPrint(gatewayPlan(policyMake(config), config.interception)),
  vyos: (config) => vyosPrint(policyMake(config)),
  iosxe: (config) => iosxePrint(policyMake(config)),
  junos: (config) => junosPrint(policyMake(config)),
  vrp: (config) => vrpPrint(policyMake(config)),
};

export const TARGETS = Object.keys(PRINTERS) as Target[];

/** Throws a PolicyError when the router has nothing to do. */
export function targetPrint(config: Config, target: Target): string {
  return PRINTERS[target](config);
}
