/*
 * Looks a packet up in the classifier (table/classifier.ts): first the row of each field in use, then
 * what the rows have in common. A field costs one binary search; one that no rule restricts, nothing.
 */

import { isMapped } from "../bytes/address.ts";
import { ld32, ld32be, mul, st32 } from "../machine.ts";
import {
  CLASSIFIER_AGGREGATE,
  CLASSIFIER_DESCRIPTORS,
  CLASSIFIER_END,
  CLASSIFIER_LOW,
  DESCRIPTOR_BEFORE_MAPPED,
  DESCRIPTOR_COUNT,
  DESCRIPTOR_EDGES,
  DESCRIPTOR_FIELD,
  DESCRIPTOR_HEAD,
  DESCRIPTOR_HEADS,
  DESCRIPTOR_MAPPED,
  DESCRIPTOR_MAPPED_WORDS,
  DESCRIPTOR_OFFSET,
  DESCRIPTOR_OPEN,
  DESCRIPTOR_OPEN_AGGREGATE,
  DESCRIPTOR_SIZE,
} from "./classifier.ts";
import { edgeRank, edgeRankWord, KEY_FLIP } from "./edge.ts";
import { fieldKeySize } from "./field.ts";
import { ADDRESS_SIZE, addressKey, MAPPED_HOST } from "./prefix.ts";
import { rowWord } from "./row.ts";

/** Finds the row of the packet in every field in use and keeps it for `aggregatesMeet` and `bitmapsMeet`. */
export function rowsFind(classifier: i32, packet: i32): void {
  const size: i32 = ld32(classifier + CLASSIFIER_AGGREGATE) + 4;
  const end: i32 = ld32(classifier + CLASSIFIER_END);
  for (let d: i32 = classifier + CLASSIFIER_DESCRIPTORS; d < end; d += DESCRIPTOR_SIZE) {
    const p: i32 = packet + ld32(d + DESCRIPTOR_OFFSET);
    const rank: i32 = fieldKeySize(ld32(d + DESCRIPTOR_FIELD)) === ADDRESS_SIZE ? addressRank(classifier, d, p) : numberRank(d, p);
    st32(d + DESCRIPTOR_HEAD, ld32(d + DESCRIPTOR_HEADS) + mul(rank, size));
  }
}

function numberRank(descriptor: i32, p: i32): i32 {
  return edgeRankWord(ld32(descriptor + DESCRIPTOR_EDGES), ld32(descriptor + DESCRIPTOR_COUNT), ld32(p));
}

function addressRank(classifier: i32, descriptor: i32, p: i32): i32 {
  if (isMapped(p)) {
    const before: i32 = ld32(descriptor + DESCRIPTOR_BEFORE_MAPPED);
    const word: i32 = ld32be(p + MAPPED_HOST) ^ KEY_FLIP;
    return before + edgeRankWord(ld32(descriptor + DESCRIPTOR_MAPPED_WORDS), ld32(descriptor + DESCRIPTOR_MAPPED), word);
  }
  addressKey(p, classifier + CLASSIFIER_LOW);
  return edgeRank(ld32(descriptor + DESCRIPTOR_EDGES), ld32(descriptor + DESCRIPTOR_COUNT), ADDRESS_SIZE, classifier + CLASSIFIER_LOW);
}

/** The bits that the word at `offset` has set in the aggregates of all rows found. */
export function aggregatesMeet(classifier: i32, offset: i32): i32 {
  const end: i32 = ld32(classifier + CLASSIFIER_END);
  let bits: i32 = -1;
  for (let d: i32 = classifier + CLASSIFIER_DESCRIPTORS; d < end && bits !== 0; d += DESCRIPTOR_SIZE) {
    bits = bits & (ld32(ld32(d + DESCRIPTOR_HEAD) + offset) | ld32(ld32(d + DESCRIPTOR_OPEN_AGGREGATE) + offset));
  }
  return bits;
}

/** The same for a word of the bitmaps. */
export function bitmapsMeet(classifier: i32, word: i32): i32 {
  const aggregate: i32 = ld32(classifier + CLASSIFIER_AGGREGATE);
  const end: i32 = ld32(classifier + CLASSIFIER_END);
  let bits: i32 = -1;
  for (let d: i32 = classifier + CLASSIFIER_DESCRIPTORS; d < end && bits !== 0; d += DESCRIPTOR_SIZE) {
    bits = bits & (rowWord(ld32(d + DESCRIPTOR_HEAD), aggregate, word) | ld32(ld32(d + DESCRIPTOR_OPEN) + (word << 2)));
  }
  return bits;
}
