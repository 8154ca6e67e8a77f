/*
 * What has come of a message of a stream, in a chain of blocks that hang on its connection.
 * Invariant: CONNECTION_HELD bytes stand in the chain, all blocks but the last are full, and without bytes there is no block.
 */

import { copy, ld32, st32 } from "../machine.ts";
import { BLOCK_SIZE } from "../memory/layout.ts";
import { BLOCK_BYTES, CONNECTION_FILL, CONNECTION_FIRST, CONNECTION_HELD, CONNECTION_LAST, RECORD_LINK } from "../memory/tables.ts";
import { SLAB_BLOCKS, recordAt, recordGive, recordTake } from "./slab.ts";

/** Bytes that a block holds. */
const ROOM: i32 = BLOCK_SIZE - BLOCK_BYTES;

/** Hangs an empty block on the end of the chain. Returns false when there is none. */
function blockAdd(connection: i32): boolean {
  const index: i32 = recordTake(SLAB_BLOCKS);
  if (index < 0) return false;
  const last: i32 = ld32(connection + CONNECTION_LAST);
  if (last === 0) st32(connection + CONNECTION_FIRST, index + 1);
  else st32(recordAt(SLAB_BLOCKS, last - 1) + RECORD_LINK, index + 1);
  st32(connection + CONNECTION_LAST, index + 1);
  st32(connection + CONNECTION_FILL, 0);
  return true;
}

/** Appends `len` bytes at `p` to what the connection record holds. Returns false when the blocks are used up. */
export function blocksAppend(connection: i32, p: i32, len: i32): boolean {
  let from: i32 = p;
  while (from < p + len) {
    const full: boolean = ld32(connection + CONNECTION_LAST) === 0 || ld32(connection + CONNECTION_FILL) === ROOM;
    if (full && !blockAdd(connection)) return false;
    const fill: i32 = ld32(connection + CONNECTION_FILL);
    const left: i32 = (p + len - from) | 0;
    const n: i32 = left < ROOM - fill ? left : ROOM - fill;
    copy(recordAt(SLAB_BLOCKS, ld32(connection + CONNECTION_LAST) - 1) + BLOCK_BYTES + fill, from, n);
    st32(connection + CONNECTION_FILL, fill + n);
    from = from + n;
  }
  st32(connection + CONNECTION_HELD, ld32(connection + CONNECTION_HELD) + len);
  return true;
}

/** Copies what the connection record holds to `to`. */
export function blocksCopy(connection: i32, to: i32): void {
  const held: i32 = ld32(connection + CONNECTION_HELD);
  let next: i32 = ld32(connection + CONNECTION_FIRST);
  for (let at: i32 = 0; at < held && next !== 0; at = at + ROOM) {
    const block: i32 = recordAt(SLAB_BLOCKS, next - 1);
    copy(to + at, block + BLOCK_BYTES, held - at < ROOM ? held - at : ROOM);
    next = ld32(block + RECORD_LINK);
  }
}

/** Gives the blocks back: the connection record holds nothing. */
export function blocksGive(connection: i32): void {
  let next: i32 = ld32(connection + CONNECTION_FIRST);
  while (next !== 0) {
    const index: i32 = next - 1;
    next = ld32(recordAt(SLAB_BLOCKS, index) + RECORD_LINK);
    recordGive(SLAB_BLOCKS, index);
  }
  st32(connection + CONNECTION_FIRST, 0);
  st32(connection + CONNECTION_LAST, 0);
  st32(connection + CONNECTION_FILL, 0);
  st32(connection + CONNECTION_HELD, 0);
}
