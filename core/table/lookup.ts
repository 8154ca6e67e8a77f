/*
 * Looks a packet up in the classifier (table/classifier.ts): first the row of each field in use, then
 * what the rows have in common. A field costs one binary search; one that no rule restricts, nothing.
 */

import { isMapped } from "../bytes/address.ts";
import { ld32, ld32be, mul, st32 } from "../machine.ts";
import {
  CLASSIFIER_AGGREGATE,
  CLASSIFIER_BITMAP,
  CLASSIFIER_DESCRIPTORS,
  CLASSIFIER_END,
  CLASSIFIER_LOW,
  DESCRIPTOR_AGGREGATE,
  DESCRIPTOR_AGGREGATES,
  DESCRIPTOR_BEFORE_MAPPED,
  DESCRIPTOR_BITMAP,
  DESCRIPTOR_BITMAPS,
  DESCRIPTOR_COUNT,
  DESCRIPTOR_EDGES,
  DESCRIPTOR_FIELD,
  DESCRIPTOR_MAPPED,
  DESCRIPTOR_OFFSET,
  DESCRIPTOR_SIZE,
} from "./classifier.ts";
import { edgeRank, edgeRankWord, KEY_FLIP } from "./edge.ts";
import { fieldKeySize, NUMBER_SHIFT } from "./field.ts";
import { ADDRESS_SHIFT, ADDRESS_SIZE, addressKey, MAPPED_HOST } from "./prefix.ts";

/** Finds the row of the packet in every field in use and keeps it for `rowsMeet`. */
export function rowsFind(classifier: i32, packet: i32): void {
  const aggregate: i32 = ld32(classifier + CLASSIFIER_AGGREGATE);
  const bitmap: i32 = ld32(classifier + CLASSIFIER_BITMAP);
  const end: i32 = ld32(classifier + CLASSIFIER_END);
  for (let d: i32 = classifier + CLASSIFIER_DESCRIPTORS; d < end; d += DESCRIPTOR_SIZE) {
    const p: i32 = packet + ld32(d + DESCRIPTOR_OFFSET);
    const size: i32 = fieldKeySize(ld32(d + DESCRIPTOR_FIELD));
    const rank: i32 = size === ADDRESS_SIZE ? addressRank(classifier, d, p) : numberRank(d, p);
    st32(d + DESCRIPTOR_AGGREGATE, ld32(d + DESCRIPTOR_AGGREGATES) + mul(rank, aggregate));
    st32(d + DESCRIPTOR_BITMAP, ld32(d + DESCRIPTOR_BITMAPS) + mul(rank, bitmap));
  }
}

function numberRank(descriptor: i32, p: i32): i32 {
  return edgeRankWord(ld32(descriptor + DESCRIPTOR_EDGES), ld32(descriptor + DESCRIPTOR_COUNT), NUMBER_SHIFT, ld32(p));
}

function addressRank(classifier: i32, descriptor: i32, p: i32): i32 {
  const edges: i32 = ld32(descriptor + DESCRIPTOR_EDGES);
  if (isMapped(p)) {
    const before: i32 = ld32(descriptor + DESCRIPTOR_BEFORE_MAPPED);
    const words: i32 = edges + (before << ADDRESS_SHIFT) + MAPPED_HOST;
    const word: i32 = ld32be(p + MAPPED_HOST) ^ KEY_FLIP;
    return before + edgeRankWord(words, ld32(descriptor + DESCRIPTOR_MAPPED), ADDRESS_SHIFT, word);
  }
  addressKey(p, classifier + CLASSIFIER_LOW);
  return edgeRank(edges, ld32(descriptor + DESCRIPTOR_COUNT), ADDRESS_SIZE, classifier + CLASSIFIER_LOW);
}

/** The bits that the word at `offset` has set in every row found: of the aggregates or the bitmaps, as `part` says (DESCRIPTOR_AGGREGATE or DESCRIPTOR_BITMAP). */
export function rowsMeet(classifier: i32, part: i32, offset: i32): i32 {
  const end: i32 = ld32(classifier + CLASSIFIER_END);
  let word: i32 = -1;
  for (let d: i32 = classifier + CLASSIFIER_DESCRIPTORS; d < end && word !== 0; d += DESCRIPTOR_SIZE) {
    word = word & ld32(ld32(d + part) + offset);
  }
  return word;
}
