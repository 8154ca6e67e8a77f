/*
 * What the rules said of packets like this one: a two-way cache before the classifier, keyed by all eleven fields that a
 * rule may look at, so that a match that is found again costs the same with ten rules and with ten thousand.
 * Invariant: an entry is compared whole, and the cache is emptied with every change of the rules, so it is never wrong.
 */

import { copy, copy16, equal16, fill, ld32, mul, st32 } from "../machine.ts";
import { HEADER_KEY, RECALL_SIZE, REGION_RECALLS, recallCount, table } from "../memory/layout.ts";
import {
  PACKET_DESTINATION,
  PACKET_DESTINATION_PORT,
  PACKET_MPLS_OUTER,
  PACKET_PROTOCOL,
  PACKET_REALM,
  PACKET_SOURCE,
  PACKET_SOURCE_PORT,
  PACKET_VLAN_OUTER,
} from "../memory/packet.ts";

/*
 * An entry has the fields where a packet header has them, PACKET_PROTOCOL to PACKET_MPLS as one; in the first word the
 * index of the rule plus two: 0 for an empty entry, 1 for none.
 */
const RULE: i32 = 0;
const BIAS: i32 = 2;
/** 2^32 over the golden ratio (Knuth 6.4), as a signed number. */
const GOLDEN: i32 = -1640531527;

function mixed(hash: i32, word: i32): i32 {
  const next: i32 = mul(hash ^ word, GOLDEN);
  return next ^ (next >>> 15);
}

function mixed16(hash: i32, p: i32): i32 {
  return mixed(mixed(mixed(mixed(hash, ld32(p)), ld32(p + 4)), ld32(p + 8)), ld32(p + 12));
}

/** Empties the cache. */
export function recallClear(): void {
  fill(table(REGION_RECALLS), 0, mul(recallCount(), RECALL_SIZE));
}

/** The two entries where a packet's match may stand. The key of the tables decides which packets share them; no part of the hash waits for another. */
export function recallAt(packet: i32): i32 {
  const key: i32 = ld32(HEADER_KEY);
  const labels: i32 = mixed16(key, packet + PACKET_PROTOCOL);
  const source: i32 = mixed16(key, packet + PACKET_SOURCE);
  const destination: i32 = mixed16(key, packet + PACKET_DESTINATION);
  const outer: i32 = mixed(mixed(key, ld32(packet + PACKET_VLAN_OUTER)), ld32(packet + PACKET_MPLS_OUTER));
  let hash: i32 = mixed(ld32(packet + PACKET_REALM), (ld32(packet + PACKET_SOURCE_PORT) << 16) ^ ld32(packet + PACKET_DESTINATION_PORT));
  hash = mixed(mixed(mixed(mixed(hash, source), destination), labels), outer);
  return (table(REGION_RECALLS) + mul((hash >>> 8) & (recallCount() - 2), RECALL_SIZE)) | 0;
}

function isSame(entry: i32, packet: i32, field: i32): boolean {
  return ld32(entry + field) === ld32(packet + field);
}

/** Is the entry that of this packet? */
function isRecalled(entry: i32, packet: i32): boolean {
  if (ld32(entry + RULE) === 0 || !equal16(entry + PACKET_SOURCE, packet + PACKET_SOURCE)) return false;
  if (!equal16(entry + PACKET_DESTINATION, packet + PACKET_DESTINATION) || !equal16(entry + PACKET_PROTOCOL, packet + PACKET_PROTOCOL)) return false;
  if (!isSame(entry, packet, PACKET_SOURCE_PORT) || !isSame(entry, packet, PACKET_DESTINATION_PORT)) return false;
  return isSame(entry, packet, PACKET_REALM) && isSame(entry, packet, PACKET_VLAN_OUTER) && isSame(entry, packet, PACKET_MPLS_OUTER);
}

/** The entry of the packet among the two at `pair`, 0 when it is not there. */
export function recallFind(pair: i32, packet: i32): i32 {
  if (isRecalled(pair, packet)) return pair;
  return isRecalled(pair + RECALL_SIZE, packet) ? pair + RECALL_SIZE : 0;
}

/** Index of the rule in an entry, -1 for none. */
export function recalledRule(entry: i32): i32 {
  return ld32(entry + RULE) - BIAS;
}

/** Notes in the first entry that the packet meets that rule (-1: none); what stood there becomes the second. */
export function recallWrite(entry: i32, packet: i32, rule: i32): void {
  copy(entry + RECALL_SIZE, entry, RECALL_SIZE);
  st32(entry + RULE, rule + BIAS);
  st32(entry + PACKET_REALM, ld32(packet + PACKET_REALM));
  st32(entry + PACKET_SOURCE_PORT, ld32(packet + PACKET_SOURCE_PORT));
  st32(entry + PACKET_DESTINATION_PORT, ld32(packet + PACKET_DESTINATION_PORT));
  copy16(entry + PACKET_PROTOCOL, packet + PACKET_PROTOCOL);
  copy16(entry + PACKET_SOURCE, packet + PACKET_SOURCE);
  copy16(entry + PACKET_DESTINATION, packet + PACKET_DESTINATION);
  st32(entry + PACKET_VLAN_OUTER, ld32(packet + PACKET_VLAN_OUTER));
  st32(entry + PACKET_MPLS_OUTER, ld32(packet + PACKET_MPLS_OUTER));
}
