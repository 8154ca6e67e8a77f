/*
 * Takes over what the host wrote of the configuration: at boot, while running, and when a process goes on where another ended.
 */

import { FAULT_CONFIG, fault } from "../memory/reason.ts";
import { linksTake } from "../table/adjacency.ts";
import { poolsCheck } from "../table/port.ts";
import { rulesCompile } from "../table/rule.ts";
import { servicesCheck } from "../table/service.ts";

/** A configuration in place of the one in force: realms, services and rules may differ, pools may not. Returns 0 or a fault. */
export function configChange(): i32 {
  const pool: i32 = poolsCheck();
  return pool > 0 ? fault(FAULT_CONFIG, pool) : configTake();
}

/** A configuration whose pools are taken over. Returns 0 or a fault. */
export function configTake(): i32 {
  const service: i32 = servicesCheck();
  if (!linksTake()) return fault(FAULT_CONFIG, 0);
  const result: i32 = service > 0 ? fault(FAULT_CONFIG, service) : rulesCompile();
  return result < 0 ? result : 0;
}
