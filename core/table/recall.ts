/*
 * What the rules said of packets like this one: a two-way cache before the classifier, so that a match that is found again costs
 * the same with ten rules and with ten thousand. The key is what the rules look at: a field that all of them leave open is no part
 * of it, nor are bits of an address past the longest prefix. So rules that speak of servers fill one entry, whatever the number of
 * terminals.
 * Invariant: packets with the same key meet the same rule; an entry is compared whole, and the cache is emptied with every change
 * of the rules, so it is never wrong.
 */

import { copy, copy16, equal16, fill, ld32, mask16, mul, st32 } from "../machine.ts";
import { HEADER_KEY, RECALL_HEAD, RECALL_SIZE, REGION_RECALLS, RULE_FIELDS, RULE_SIZE, recallCount, table } from "../memory/layout.ts";
import { fieldMask } from "./field.ts";

/*
 * Before the entries stand the mask and the key of the packet in hand, with the fields where a packet header has them, in groups
 * of 16 bytes; then how many groups have a bit in the mask, and the offset of each.
 */
const KEY_SIZE: i32 = 80;
const KEY: i32 = KEY_SIZE;
const COUNT: i32 = 160;
const OFFSETS: i32 = 164;
/* An entry is a key; behind it stands the index of the rule plus two: 0 for an empty entry, 1 for none. */
const RULE: i32 = KEY_SIZE;
const BIAS: i32 = 2;
/** 2^32 over the golden ratio (Knuth 6.4), as a signed number. */
const GOLDEN: i32 = -1640531527;

/** Offset of a group in use. */
function groupOf(head: i32, index: i32): i32 {
  return ld32(head + OFFSETS + (index << 2));
}

function groupUse(head: i32, group: i32): void {
  const count: i32 = ld32(head + COUNT);
  st32(head + OFFSETS + (count << 2), group);
  st32(head + COUNT, count + 1);
}

/** Empties the cache. */
export function recallClear(): void {
  fill(table(REGION_RECALLS), 0, RECALL_HEAD + mul(recallCount(), RECALL_SIZE));
}

/** Empties it, and takes for its key what the `n` valid rules at `rules` look at. */
export function recallPrepare(rules: i32, n: i32): void {
  const head: i32 = table(REGION_RECALLS);
  recallClear();
  for (let i: i32 = 0; i < n; i++) {
    for (let field: i32 = 0; field < RULE_FIELDS; field++) fieldMask(field, rules + mul(i, RULE_SIZE), head, head + KEY);
  }
  fill(head + KEY, 0, KEY_SIZE);
  for (let group: i32 = 0; group < KEY_SIZE; group += 16) {
    if (!equal16(head + group, head + KEY)) groupUse(head, group);
  }
}

function mixed(hash: i32, word: i32): i32 {
  const next: i32 = mul(hash ^ word, GOLDEN);
  return next ^ (next >>> 15);
}

/** The two entries where a packet's match may stand; makes its key the one in hand. The key of the tables decides which packets share them. */
export function recallAt(packet: i32): i32 {
  const head: i32 = table(REGION_RECALLS);
  const count: i32 = ld32(head + COUNT);
  let hash: i32 = ld32(HEADER_KEY);
  for (let i: i32 = 0; i < count; i++) {
    const group: i32 = groupOf(head, i);
    const key: i32 = head + KEY + group;
    mask16(key, packet + group, head + group);
    hash = mixed(mixed(mixed(mixed(hash, ld32(key)), ld32(key + 4)), ld32(key + 8)), ld32(key + 12));
  }
  return (head + RECALL_HEAD + mul((hash >>> 8) & (recallCount() - 2), RECALL_SIZE)) | 0;
}

/** Has the entry the key in hand? */
function isRecalled(entry: i32, head: i32): boolean {
  const count: i32 = ld32(head + COUNT);
  if (ld32(entry + RULE) === 0) return false;
  for (let i: i32 = 0; i < count; i++) {
    const group: i32 = groupOf(head, i);
    if (!equal16(entry + group, head + KEY + group)) return false;
  }
  return true;
}

/** The entry of the key in hand among the two at `pair`, 0 when it is not there. */
export function recallFind(pair: i32): i32 {
  const head: i32 = table(REGION_RECALLS);
  if (isRecalled(pair, head)) return pair;
  return isRecalled(pair + RECALL_SIZE, head) ? pair + RECALL_SIZE : 0;
}

/** Index of the rule in an entry, -1 for none. */
export function recalledRule(entry: i32): i32 {
  return ld32(entry + RULE) - BIAS;
}

/** Notes in the first entry that the key in hand meets that rule (-1: none); what stood there becomes the second. */
export function recallWrite(entry: i32, rule: i32): void {
  const key: i32 = table(REGION_RECALLS) + KEY;
  copy(entry + RECALL_SIZE, entry, RECALL_SIZE);
  for (let at: i32 = 0; at < KEY_SIZE; at += 16) copy16(entry + at, key + at);
  st32(entry + RULE, rule + BIAS);
}
