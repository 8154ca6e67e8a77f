/*
 * Rows of the classifier (table/classifier.ts): the bitmap of the rules that restrict a field and that an interval of it
 * satisfies. A row has a head, its aggregate and the address of its words; the words are those that are not zero, in order.
 *
 * They are made one after another from what changes at each edge: in scratch stand the bitmap of the row in hand, then for
 * each row the first of its toggles, then for each toggle (twice the bit, and one more where it ends) the next of its row.
 */

import { fill, ld32, mul, popcount32, st32 } from "../machine.ts";
import { aggregateSize, bitmapSize } from "../memory/layout.ts";

/** Bytes of scratch for `n` rules: a field has at most 2n + 1 rows and 2n toggles. */
export function togglesSize(n: i32): i32 {
  return (bitmapSize(n) + (n << 4) + 4) | 0;
}

export function togglesClear(scratch: i32, n: i32): void {
  fill(scratch, 0, togglesSize(n));
}

function firstAt(scratch: i32, n: i32, row: i32): i32 {
  return scratch + bitmapSize(n) + (row << 2);
}

function nextAt(scratch: i32, n: i32, toggle: i32): i32 {
  return firstAt(scratch, n, (n << 1) + 1 + toggle);
}

/** Adds a toggle to those of a row. */
export function toggleAdd(scratch: i32, n: i32, row: i32, toggle: i32): void {
  const first: i32 = firstAt(scratch, n, row);
  st32(nextAt(scratch, n, toggle), ld32(first));
  st32(first, toggle + 1);
}

export function bitToggle(bitmap: i32, index: i32): void {
  const at: i32 = bitmap + ((index >> 5) << 2);
  st32(at, ld32(at) ^ (1 << (index & 31)));
}

/** Writes the heads of the rows at `heads`, and their words behind. Returns the first address past them. */
export function rowsPack(scratch: i32, n: i32, heads: i32, rows: i32): i32 {
  const size: i32 = aggregateSize(n) + 4;
  let words: i32 = heads + mul(rows, size);
  for (let row: i32 = 0; row < rows; row++) {
    for (let toggle: i32 = ld32(firstAt(scratch, n, row)); toggle !== 0; toggle = ld32(nextAt(scratch, n, toggle - 1))) bitToggle(scratch, (toggle - 1) >> 1);
    const head: i32 = heads + mul(row, size);
    aggregateWrite(head, scratch, bitmapSize(n));
    st32(head + size - 4, words);
    words = wordsPack(words, scratch, bitmapSize(n));
  }
  return words;
}

/** Writes the aggregate of a bitmap of `size` bytes: a bit for each word that is not zero. */
export function aggregateWrite(aggregate: i32, bitmap: i32, size: i32): void {
  for (let from: i32 = 0; from < size; from += 128) {
    let bits: i32 = 0;
    for (let at: i32 = from; at < size && at < from + 128; at += 4) if (ld32(bitmap + at) !== 0) bits = bits | (1 << ((at - from) >> 2));
    st32(aggregate + (from >> 5), bits);
  }
}

/** Copies the words of a bitmap that are not zero. Returns the first address past them. */
function wordsPack(words: i32, bitmap: i32, size: i32): i32 {
  let to: i32 = words;
  for (let at: i32 = bitmap; at < bitmap + size; at += 4) {
    if (ld32(at) === 0) continue;
    st32(to, ld32(at));
    to += 4;
  }
  return to;
}

/** The word of a row that stands at `word` in its bitmap; `aggregate` is the size of its aggregate in bytes. */
export function rowWord(head: i32, aggregate: i32, word: i32): i32 {
  const at: i32 = head + ((word >> 5) << 2);
  const bit: i32 = 1 << (word & 31);
  if ((ld32(at) & bit) === 0) return 0;
  let before: i32 = popcount32(ld32(at) & ((bit - 1) | 0));
  for (let p: i32 = head; p < at; p += 4) before += popcount32(ld32(p));
  return ld32(ld32(head + aggregate) + (before << 2));
}
