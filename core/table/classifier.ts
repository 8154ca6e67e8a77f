/*
 * The compiled form of the rules, an aggregated bit vector classifier (Baboescu & Varghese 2001,
 * "Scalable Packet Classification"): for each field that tells rules apart its edges and, for each
 * interval between them, a row: the bitmap of the rules that the interval satisfies, and the bitmap's
 * aggregate, which has a bit for each word that is not zero. Aggregates stand together, before the bitmaps,
 * since most of a bitmap is never read. table/lookup.ts reads it.
 *
 * Rules do not stand in the bitmaps in their own order but, as the paper advises, in one that brings
 * like rules together, so that few words agree without a match; `order` says which rule a bit is.
 *
 * Memory: header and descriptors, order, the edges of the fields in use, then their rows. It always fits
 * eleven fieldSize(capacity): that counts 2n+1 edges of 16 bytes, where there are at most 2n and nine
 * fields have edges of 4 bytes; what is left over is more than header and order.
 *
 * Invariant: `edgeRank` of a key is the index of its row, so rows are one more than edges. The rules
 * of one word stand in ascending order, so its lowest bit is its first rule.
 */

import { copy, fill, ld32, mul, st32 } from "../machine.ts";
import { aggregateSize, bitmapSize, RULE_FIELDS, RULE_SIZE } from "../memory/layout.ts";
import { edgeRank, edgeSort, edgesSettle } from "./edge.ts";
import { fieldBounds, fieldKeySize, fieldLikeness, fieldPacketOffset } from "./field.ts";
import { ADDRESS_SIZE, MAPPED_MARK, mappedKey } from "./prefix.ts";

/* Header. */
/** First address past the descriptors. */
export const CLASSIFIER_END: i32 = 0;
/** Bytes of an aggregate, and of a bitmap. */
export const CLASSIFIER_AGGREGATE: i32 = 4;
export const CLASSIFIER_BITMAP: i32 = 8;
/** Two keys in hand. */
export const CLASSIFIER_LOW: i32 = 16;
const CLASSIFIER_HIGH: i32 = 32;
export const CLASSIFIER_DESCRIPTORS: i32 = 64;
/** Index of the rule that each bit stands for. */
export const CLASSIFIER_ORDER: i32 = 512;

/* Descriptor of a field in use. */
/** Where it stands in a packet header. */
export const DESCRIPTOR_OFFSET: i32 = 0;
export const DESCRIPTOR_FIELD: i32 = 4;
export const DESCRIPTOR_EDGES: i32 = 8;
export const DESCRIPTOR_COUNT: i32 = 12;
/** The aggregates of its rows, and the bitmaps. */
export const DESCRIPTOR_AGGREGATES: i32 = 16;
export const DESCRIPTOR_BITMAPS: i32 = 20;
/** Of an address field: edges before the IPv4-mapped block, and in it. There the last word alone decides. */
export const DESCRIPTOR_BEFORE_MAPPED: i32 = 24;
export const DESCRIPTOR_MAPPED: i32 = 28;
/** Aggregate and bitmap of the packet in hand. */
export const DESCRIPTOR_AGGREGATE: i32 = 32;
export const DESCRIPTOR_BITMAP: i32 = 36;
export const DESCRIPTOR_SIZE: i32 = 40;

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
  st32(classifier + CLASSIFIER_BITMAP, bitmapSize(n));
  let at: i32 = classifier + CLASSIFIER_ORDER + (n << 2);
  for (let field: i32 = 0; field < RULE_FIELDS; field++) {
    const count: i32 = edgesGather(classifier, at, field, rules, n);
    if (count > 0 || isLastChance(classifier, field)) at = descriptorAppend(classifier, field, at, count);
  }
  orderBuild(classifier, at, rules, n);
  const end: i32 = ld32(classifier + CLASSIFIER_END);
  for (let d: i32 = classifier + CLASSIFIER_DESCRIPTORS; d < end; d += DESCRIPTOR_SIZE) {
    at = rowsBuild(classifier, d, at, rules, n);
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
  if (size === ADDRESS_SIZE) {
    mappedKey(MAPPED_MARK - 1, classifier + CLASSIFIER_LOW);
    const before: i32 = keyRank(descriptor, classifier + CLASSIFIER_LOW);
    mappedKey(MAPPED_MARK, classifier + CLASSIFIER_LOW);
    st32(descriptor + DESCRIPTOR_BEFORE_MAPPED, before);
    st32(descriptor + DESCRIPTOR_MAPPED, keyRank(descriptor, classifier + CLASSIFIER_LOW) - before);
  }
  return edges + mul(count, size);
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
 * Fills the rows of one field at `rows` and returns the first address past them. A rule's bit is toggled where its
 * interval begins and where it ends; a running exclusive-or over the rows then sets it in all between,
 * so the work does not depend on how many intervals a rule covers.
 */
function rowsBuild(classifier: i32, descriptor: i32, rows: i32, rules: i32, n: i32): i32 {
  const size: i32 = ld32(classifier + CLASSIFIER_BITMAP);
  const count: i32 = ld32(descriptor + DESCRIPTOR_COUNT) + 1;
  const bitmaps: i32 = rows + mul(count, ld32(classifier + CLASSIFIER_AGGREGATE));
  const end: i32 = bitmaps + mul(count, size);
  st32(descriptor + DESCRIPTOR_AGGREGATES, rows);
  st32(descriptor + DESCRIPTOR_BITMAPS, bitmaps);
  fill(rows, 0, end - rows);
  for (let i: i32 = 0; i < n; i++) {
    const rule: i32 = ld32(classifier + CLASSIFIER_ORDER + (i << 2));
    ruleToggle(classifier, descriptor, rules + mul(rule, RULE_SIZE), i);
  }
  let aggregate: i32 = rows;
  for (let bitmap: i32 = bitmaps; bitmap < end; bitmap += size) {
    if (bitmap > bitmaps) rowAccumulate(bitmap, bitmap - size, size);
    rowAggregate(aggregate, bitmap, bitmap + size);
    aggregate += ld32(classifier + CLASSIFIER_AGGREGATE);
  }
  return end;
}

/** Toggles bit `index` in the row where the rule's interval begins and in the first row past it. */
function ruleToggle(classifier: i32, descriptor: i32, rule: i32, index: i32): void {
  const low: i32 = classifier + CLASSIFIER_LOW;
  const high: i32 = classifier + CLASSIFIER_HIGH;
  const bounds: i32 = fieldBounds(ld32(descriptor + DESCRIPTOR_FIELD), rule, low, high);
  const size: i32 = ld32(classifier + CLASSIFIER_BITMAP);
  const bit: i32 = 1 << (index & 31);
  const words: i32 = ld32(descriptor + DESCRIPTOR_BITMAPS) + ((index >> 5) << 2);
  const first: i32 = words + (bounds > 0 ? mul(keyRank(descriptor, low), size) : 0);
  st32(first, ld32(first) ^ bit);
  if (bounds < 2) return;
  const last: i32 = words + mul(keyRank(descriptor, high), size);
  st32(last, ld32(last) ^ bit);
}

function rowAccumulate(bitmap: i32, before: i32, len: i32): void {
  for (let i: i32 = 0; i < len; i += 4) st32(bitmap + i, ld32(bitmap + i) ^ ld32(before + i));
}

/** Sets the bit of each word of the bitmap that is not zero. */
function rowAggregate(aggregate: i32, bitmap: i32, end: i32): void {
  let word: i32 = 0;
  for (let at: i32 = bitmap; at < end; at += 4) {
    const to: i32 = aggregate + ((word >> 5) << 2);
    if (ld32(at) !== 0) st32(to, ld32(to) | (1 << (word & 31)));
    word++;
  }
}
