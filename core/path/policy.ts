/*
 * What the rules say of a packet (SPEC P1 to P3).
 */

import { ld32, mul } from "../machine.ts";
import { CONFIG_OTHERWISE, CONFIG_SERVICES, REGION_RULES, RULE_SIZE, table } from "../memory/layout.ts";
import { ACTION_DISCARD, ACTION_FORWARD, RULE_ACTION, RULE_SERVICE } from "../memory/config.ts";
import { FAULT_CONFIG, REASON_OTHERWISE_DISCARD, REASON_OTHERWISE_FORWARD, REASON_RULE_DISCARD, REASON_RULE_FORWARD } from "../memory/reason.ts";
import { ruleMatch } from "../table/rule.ts";

/** Index of the service that the packet is proxied through, or the reason why it is none, negative. */
export function policyOf(packet: i32): i32 {
  const rule: i32 = ruleMatch(packet);
  if (rule < 0) return ld32(CONFIG_OTHERWISE) === ACTION_DISCARD ? -REASON_OTHERWISE_DISCARD : -REASON_OTHERWISE_FORWARD;
  const record: i32 = table(REGION_RULES) + mul(rule, RULE_SIZE);
  const action: i32 = ld32(record + RULE_ACTION);
  if (action === ACTION_DISCARD) return -REASON_RULE_DISCARD;
  if (action === ACTION_FORWARD) return -REASON_RULE_FORWARD;
  const service: i32 = ld32(record + RULE_SERVICE);
  return service >= 0 && service < ld32(CONFIG_SERVICES) ? service : -FAULT_CONFIG;
}

/** Does that reason let the packet go on as it is? */
export function isForward(reason: i32): boolean {
  return reason === REASON_RULE_FORWARD || reason === REASON_OTHERWISE_FORWARD;
}
