/*
 * The yardstick of the rule bench, in the portable subset so that it runs in the same engine: the rules
 * tried one after another, each given up at the first field that differs.
 */

import { clear, ld32, ld32be, mul } from "../../core/machine.ts";
import {
  RULE_DESTINATION,
  RULE_DESTINATION_PORT_FIRST,
  RULE_DESTINATION_PORT_LAST,
  RULE_DESTINATION_PREFIX,
  RULE_MPLS,
  RULE_MPLS_OUTER,
  RULE_PROTOCOL,
  RULE_REALM,
  RULE_SOURCE,
  RULE_SOURCE_PORT_FIRST,
  RULE_SOURCE_PORT_LAST,
  RULE_SOURCE_PREFIX,
  RULE_VLAN,
  RULE_VLAN_OUTER,
  RULE_VPN,
} from "../../core/memory/config.ts";
import { CONFIG_RULES, RECALL_SIZE, REGION_RULES, RULE_SIZE, table } from "../../core/memory/layout.ts";
import {
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_MPLS,
  PACKET_MPLS_OUTER,
  PACKET_PROTOCOL,
  PACKET_REALM,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_VLAN,
  PACKET_VLAN_OUTER,
  PACKET_VPN,
} from "../../core/memory/packet.ts";
import { recallAt } from "../../core/table/recall.ts";
import { ruleMatch } from "../../core/table/rule.ts";

function labelDiffers(rule: i32, packet: i32): boolean {
  const label: i32 = ld32(rule);
  return label >= 0 && label !== ld32(packet);
}

function portDiffers(first: i32, last: i32, port: i32): boolean {
  return (port < first || port > last) && (first > 0 || last < 65535);
}

function prefixDiffers(a: i32, b: i32, prefix: i32): boolean {
  let bits: i32 = prefix;
  let at: i32 = 0;
  while (bits >= 32) {
    if (ld32(a + at) !== ld32(b + at)) return true;
    at += 4;
    bits -= 32;
  }
  return bits > 0 && ((ld32be(a + at) ^ ld32be(b + at)) & (-1 << (32 - bits))) !== 0;
}

function ruleDiffers(rule: i32, packet: i32): boolean {
  return (
    prefixDiffers(rule + RULE_DESTINATION, packet + PACKET_DESTINATION, ld32(rule + RULE_DESTINATION_PREFIX)) ||
    prefixDiffers(rule + RULE_SOURCE, packet + PACKET_SOURCE, ld32(rule + RULE_SOURCE_PREFIX)) ||
    portDiffers(ld32(rule + RULE_DESTINATION_PORT_FIRST), ld32(rule + RULE_DESTINATION_PORT_LAST), ld32(packet + PACKET_DESTINATION_PORT)) ||
    portDiffers(ld32(rule + RULE_SOURCE_PORT_FIRST), ld32(rule + RULE_SOURCE_PORT_LAST), ld32(packet + PACKET_SOURCE_PORT)) ||
    labelDiffers(rule + RULE_VLAN, packet + PACKET_VLAN) ||
    labelDiffers(rule + RULE_VPN, packet + PACKET_VPN) ||
    labelDiffers(rule + RULE_MPLS, packet + PACKET_MPLS) ||
    labelDiffers(rule + RULE_VLAN_OUTER, packet + PACKET_VLAN_OUTER) ||
    labelDiffers(rule + RULE_MPLS_OUTER, packet + PACKET_MPLS_OUTER) ||
    labelDiffers(rule + RULE_PROTOCOL, packet + PACKET_PROTOCOL) ||
    labelDiffers(rule + RULE_REALM, packet + PACKET_REALM)
  );
}

function linearMatch(packet: i32): i32 {
  const end: i32 = table(REGION_RULES) + mul(ld32(CONFIG_RULES), RULE_SIZE);
  let index: i32 = 0;
  for (let rule: i32 = table(REGION_RULES); rule < end; rule += RULE_SIZE) {
    if (!ruleDiffers(rule, packet)) return index;
    index++;
  }
  return -1;
}

/** Matches `n` packets, `size` bytes apart, linearly. Returns the sum of the answers, modulo 2^32. */
export function linearRun(packets: i32, n: i32, size: i32): i32 {
  let sum: i32 = 0;
  for (let i: i32 = 0; i < n; i++) sum = (sum + linearMatch(packets + mul(i, size))) | 0;
  return sum;
}

/** The same by the classifier, which recalls nothing. */
export function freshRun(packets: i32, n: i32, size: i32): i32 {
  let sum: i32 = 0;
  for (let i: i32 = 0; i < n; i++) {
    const packet: i32 = packets + mul(i, size);
    clear(recallAt(packet), RECALL_SIZE << 1);
    sum = (sum + ruleMatch(packet)) | 0;
  }
  return sum;
}

/** The same with what is recalled. */
export function recalledRun(packets: i32, n: i32, size: i32): i32 {
  let sum: i32 = 0;
  for (let i: i32 = 0; i < n; i++) sum = (sum + ruleMatch(packets + mul(i, size))) | 0;
  return sum;
}
