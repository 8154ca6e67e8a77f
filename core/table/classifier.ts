/*
 * The compiled form of the rules, an aggregated bit vector classifier (Baboescu & Varghese 2001,
 * "Scalable Packet Classification"): for each field that tells rules apart its edges and, for each
 * interval between them, a row: the bitmap of the rules that the interval satisfies, and the bitmap's
 * aggregate, which has a bit for each word that is not zero. Most rules leave most fields open and have
 * their bits in all rows of these, so those stand once for the field, and a row has only the words of
 * the others that are not zero (table/row.ts): what a match touches stays in the caches of a processor.
 * table/lookup.ts reads it.
 *
 * Rules do not stand in the bitmaps in their own order but, as the paper advises, in one that brings
 * like rules together, so that few words agree without a match; `order` says which rule a bit is.
 *
 * Memory: header and descriptors, order, the edges of the fields in use, what rows are made in, then for
 * each field the open bitmap and its rows. It always fits eleven fieldSize(capacity): that counts 2n+1
 * edges of 16 bytes, where there are at most 2n and nine fields have edges of 4 bytes; what is left over
 * is more than the rest.
 *
 * Invariant: `edgeRank` of a key is the index of its row, so rows are one more than edges. The rules
 * of one word stand in ascending order, so its lowest bit is its first rule.
 */

import { copy, fill, ld32, mul, st32 } from "../machine.ts";
import { aggregateSize, bitmapSize, RULE_FIELDS, RULE_SIZE } from "../memory/layout.ts";
import { edgeRank, edgeSort, edgesSettle } from "./edge.ts";
import { fieldBounds, fieldKeySize, fieldLikeness, fieldPacketOffset } from "./field.ts";
import { ADDRESS_SIZE, MAPPED_HOST, MAPPED_MARK, mappedKey } from "./prefix.ts";
import { aggregateWrite, bitToggle, rowsPack, toggleAdd, togglesClear, togglesSize } from "./row.ts";

/* Header. */
/** First address past the descriptors. */
export const CLASSIFIER_END: i32 = 0;
/** Bytes of an aggregate. */
export const CLASSIFIER_AGGREGATE: i32 = 4;
/** Two keys in hand. */
export const CLASSIFIER_LOW: i32 = 16;
const CLASSIFIER_HIGH: i32 = 32;
export const CLASSIFIER_DESCRIPTORS: i32 = 64;
/** Index of the rule that each bit stands for. */
export const CLASSIFIER_ORDER: i32 = 576;

/* Descriptor of a field in use. */
/** Where it stands in a packet header. */
export const DESCRIPTOR_OFFSET: i32 = 0;
export const DESCRIPTOR_FIELD: i32 = 4;
export const DESCRIPTOR_EDGES: i32 = 8;
export const DESCRIPTOR_COUNT: i32 = 12;
/** Bitmap of the rules that leave the field open, and its aggregate. */
export const DESCRIPTOR_OPEN: i32 = 16;
export const DESCRIPTOR_OPEN_AGGREGATE: i32 = 20;
/** Of an address field: edges before the IPv4-mapped block, and in it. There the last word alone decides, and those stand once more side by side. */
export const DESCRIPTOR_BEFORE_MAPPED: i32 = 24;
export const DESCRIPTOR_MAPPED: i32 = 28;
export const DESCRIPTOR_MAPPED_WORDS: i32 = 40;
/** The heads of its rows (table/row.ts), and that of the packet in hand. */
export const DESCRIPTOR_HEADS: i32 = 32;
export const DESCRIPTOR_HEAD: i32 = 36;
export const DESCRIPTOR_SIZE: i32 = 44;

/*
 * What the rules are sorted by: which addresses a rule restricts; where each field of it begins, addresses first, since they
 * tell most rules apart, and ports last, since their ranges overlap; its index.
 */
const LIKENESS_ADDRESSES: i32 = 0;
const LIKENESS_RANKS: i32 = 4;
const LIKENESS_INDEX: i32 = 48;
const LIKENESS_SIZE: i32 = 52;

/** Leaves a classifier that no packet matches. */
export function classifierClear(classifier: i32): void {
  fill(classifier, 0, CLASSIFIER_ORDER);
  st32(classifier + CLASSIFIER_END, classifier + CLASSIFIER_DESCRIPTORS);
}

/** Compiles the `n` valid rules at `rules`. Takes n log n steps for the edges and n/32 for each of their rows. */
export function classifierBuild(classifier: i32, rules: i32, n: i32): void {
  classifierClear(classifier);
  st32(classifier + CLASSIFIER_AGGREGATE, aggregateSize(n));
  let at: i32 = classifier + CLASSIFIER_ORDER + (n << 2);
  for (let field: i32 = 0; field < RULE_FIELDS; field++) {
    const count: i32 = edgesGather(classifier, at, field, rules, n);
    if (count > 0 || isLastChance(classifier, field)) at = descriptorAppend(classifier, field, at, count);
  }
  orderBuild(classifier, at, rules, n);
  const scratch: i32 = at;
  at += togglesSize(n);
  const end: i32 = ld32(classifier + CLASSIFIER_END);
  for (let d: i32 = classifier + CLASSIFIER_DESCRIPTORS; d < end; d += DESCRIPTOR_SIZE) {
    at = rowsBuild(classifier, d, at, scratch, rules, n);
  }
}

/** When the rules leave all fields open, one field with a single interval still gives the row in which they stand. */
function isLastChance(classifier: i32, field: i32): boolean {
  return field === RULE_FIELDS - 1 && ld32(classifier + CLASSIFIER_END) === classifier + CLASSIFIER_DESCRIPTORS;
}

/** Writes the edges of one field at `edges`, sorted, each once. Returns how many there are. */
function edgesGather(classifier: i32, edges: i32, field: i32, rules: i32, n: i32): i32 {
  const size: i32 = fieldKeySize(field);
  let at: i32 = edges;
  let count: i32 = 0;
  for (let i: i32 = 0; i < n; i++) {
    const bounds: i32 = fieldBounds(field, rules + mul(i, RULE_SIZE), at, classifier + CLASSIFIER_HIGH);
    if (bounds > 1) copy(at + size, classifier + CLASSIFIER_HIGH, size);
    at += mul(bounds, size);
    count += bounds;
  }
  return edgesSettle(edges, count, size);
}

/** Describes a field whose edges are at `edges`. Returns the first address past them. */
function descriptorAppend(classifier: i32, field: i32, edges: i32, count: i32): i32 {
  const size: i32 = fieldKeySize(field);
  const descriptor: i32 = ld32(classifier + CLASSIFIER_END);
  st32(classifier + CLASSIFIER_END, descriptor + DESCRIPTOR_SIZE);
  st32(descriptor + DESCRIPTOR_OFFSET, fieldPacketOffset(field));
  st32(descriptor + DESCRIPTOR_FIELD, field);
  st32(descriptor + DESCRIPTOR_EDGES, edges);
  st32(descriptor + DESCRIPTOR_COUNT, count);
  const end: i32 = edges + mul(count, size);
  return size === ADDRESS_SIZE ? mappedDescribe(classifier, descriptor, end) : end;
}

/** Writes the last words of the edges in the IPv4-mapped block at `words`. Returns the first address past them. */
function mappedDescribe(classifier: i32, descriptor: i32, words: i32): i32 {
  mappedKey(MAPPED_MARK - 1, classifier + CLASSIFIER_LOW);
  const before: i32 = keyRank(descriptor, classifier + CLASSIFIER_LOW);
  mappedKey(MAPPED_MARK, classifier + CLASSIFIER_LOW);
  const mapped: i32 = keyRank(descriptor, classifier + CLASSIFIER_LOW) - before;
  const first: i32 = ld32(descriptor + DESCRIPTOR_EDGES) + mul(before, ADDRESS_SIZE) + MAPPED_HOST;
  st32(descriptor + DESCRIPTOR_BEFORE_MAPPED, before);
  st32(descriptor + DESCRIPTOR_MAPPED, mapped);
  st32(descriptor + DESCRIPTOR_MAPPED_WORDS, words);
  for (let i: i32 = 0; i < mapped; i++) st32(words + (i << 2), ld32(first + mul(i, ADDRESS_SIZE)));
  return words + (mapped << 2);
}

/** Index of the interval that the key at `key` is in. */
function keyRank(descriptor: i32, key: i32): i32 {
  const size: i32 = fieldKeySize(ld32(descriptor + DESCRIPTOR_FIELD));
  return edgeRank(ld32(descriptor + DESCRIPTOR_EDGES), ld32(descriptor + DESCRIPTOR_COUNT), size, key);
}

/** Orders the rules by likeness, with the free memory at `free` to sort in, then those of one word by index. */
function orderBuild(classifier: i32, free: i32, rules: i32, n: i32): void {
  const order: i32 = classifier + CLASSIFIER_ORDER;
  for (let i: i32 = 0; i < n; i++) {
    likenessWrite(classifier, free + mul(i, LIKENESS_SIZE), rules + mul(i, RULE_SIZE), i);
  }
  edgeSort(free, n, LIKENESS_SIZE);
  for (let i: i32 = 0; i < n; i++) st32(order + (i << 2), ld32(free + mul(i, LIKENESS_SIZE) + LIKENESS_INDEX));
  for (let i: i32 = 0; i < n; i += 32) edgeSort(order + (i << 2), n - i < 32 ? n - i : 32, 4);
}

function likenessWrite(classifier: i32, likeness: i32, rule: i32, index: i32): void {
  const low: i32 = classifier + CLASSIFIER_LOW;
  const end: i32 = ld32(classifier + CLASSIFIER_END);
  let addresses: i32 = 0;
  fill(likeness, 0, LIKENESS_SIZE);
  for (let d: i32 = classifier + CLASSIFIER_DESCRIPTORS; d < end; d += DESCRIPTOR_SIZE) {
    const field: i32 = ld32(d + DESCRIPTOR_FIELD);
    if (fieldBounds(field, rule, low, classifier + CLASSIFIER_HIGH) === 0) continue;
    if (fieldKeySize(field) === ADDRESS_SIZE) addresses = addresses | (1 << field);
    st32(likeness + LIKENESS_RANKS + (fieldLikeness(field) << 2), keyRank(d, low) + 1);
  }
  st32(likeness + LIKENESS_ADDRESSES, addresses);
  st32(likeness + LIKENESS_INDEX, index);
}

/**
 * Builds the rows of one field at `free`, with `scratch` to work in, and returns the first address past them. A rule's bit is
 * toggled where its interval begins and where it ends, so the work does not depend on how many intervals a rule covers.
 */
function rowsBuild(classifier: i32, descriptor: i32, free: i32, scratch: i32, rules: i32, n: i32): i32 {
  const aggregate: i32 = ld32(classifier + CLASSIFIER_AGGREGATE);
  const bitmap: i32 = bitmapSize(n);
  const rows: i32 = ld32(descriptor + DESCRIPTOR_COUNT) + 1;
  const heads: i32 = free + bitmap + aggregate;
  st32(descriptor + DESCRIPTOR_OPEN, free);
  st32(descriptor + DESCRIPTOR_OPEN_AGGREGATE, free + bitmap);
  st32(descriptor + DESCRIPTOR_HEADS, heads);
  fill(free, 0, bitmap);
  togglesClear(scratch, n);
  for (let i: i32 = 0; i < n; i++) ruleEnter(classifier, descriptor, scratch, rules, n, i);
  aggregateWrite(free + bitmap, free, bitmap);
  return rowsPack(scratch, n, heads, rows);
}

/** Enters bit `index` among those that are always set, or as toggled in the row where the rule's interval begins and in the first row past it. */
function ruleEnter(classifier: i32, descriptor: i32, scratch: i32, rules: i32, n: i32, index: i32): void {
  const rule: i32 = rules + mul(ld32(classifier + CLASSIFIER_ORDER + (index << 2)), RULE_SIZE);
  const low: i32 = classifier + CLASSIFIER_LOW;
  const high: i32 = classifier + CLASSIFIER_HIGH;
  const bounds: i32 = fieldBounds(ld32(descriptor + DESCRIPTOR_FIELD), rule, low, high);
  if (bounds === 0) bitToggle(ld32(descriptor + DESCRIPTOR_OPEN), index);
  else toggleAdd(scratch, n, keyRank(descriptor, low), index << 1);
  if (bounds > 1) toggleAdd(scratch, n, keyRank(descriptor, high), (index << 1) + 1);
}
