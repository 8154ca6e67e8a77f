/*
 * Decodes messages of a batch before the first of them is translated: the instructions of one stage then stay in the processor's
 * nearest cache from message to message, which those of all stages are too many for. Decoding looks at nothing but bytes, so what
 * comes of it is the same whenever it is done.
 * Invariant: what is decoded ahead comes from somebody known, so that a stranger's message costs what it did before.
 */

import { copyOver, ld32, ld8, mul, st32 } from "../machine.ts";
import { AHEAD, AHEAD_MAX, AHEAD_SIZE, HEADER_AHEAD, MEDIA_SIZE, MESSAGE, MESSAGE_SIZE, SLOTS, SLOT_SHIFT, SLOT_SIZE } from "../memory/layout.ts";
import { PACKET_DESTINATION_PORT, PACKET_LEN, PACKET_PAYLOAD, PACKET_POOL, PACKET_SOURCE } from "../memory/packet.ts";
import { MESSAGE_MEDIA_COUNT, MESSAGE_MENTION_COUNT } from "../memory/message.ts";
import { BINDING_TERMINAL, PORT_BINDING, PORT_INDEX, TERMINAL_SERVICE } from "../memory/tables.ts";
import { SNIFF_SIP, sniff } from "../classify/sniff.ts";
import { sipDecodeInto } from "../decode/decode.ts";
import { roomGive } from "../decode/room.ts";
import { bindingAt } from "../table/binding.ts";
import { portOwner } from "../table/port.ts";
import { serverFind, serviceAt } from "../table/service.ts";
import { isTerminalLikely, terminalAt } from "../table/terminal.ts";

/** Slots of a batch that are worth the copying. */
const LEAST: i32 = 4;

/* Offsets into an entry of AHEAD. */
/** Where the message stands; 0 in an entry that holds none. */
const AT: i32 = 0;
/** What decoding it gave: 0 or a fault. */
const RESULT: i32 = 4;
const RECORD: i32 = 16;
const MEDIA: i32 = RECORD + MESSAGE_SIZE;
/** Medias and mentions that an entry has room for: a message that fills either is decoded in its turn. */
const MEDIA_MOST: i32 = 3;
const MENTION_MOST: i32 = 21;
const MENTION: i32 = MEDIA + MEDIA_SIZE + (MEDIA_SIZE << 1);

function entryAt(index: i32): i32 {
  return AHEAD + mul(index & (AHEAD_MAX - 1), AHEAD_SIZE);
}

/** Nothing is decoded ahead. */
export function aheadForget(): void {
  st32(HEADER_AHEAD, 0);
}

/** Does a packet seem to come from a known terminal, or from a server of the service whose binding it goes to? */
function isKnown(packet: i32): boolean {
  const pool: i32 = ld32(packet + PACKET_POOL);
  if (pool < 0) return isTerminalLikely(packet);
  const owner: i32 = portOwner(pool, ld32(packet + PACKET_DESTINATION_PORT));
  if ((owner & PORT_BINDING) === 0) return false;
  const terminal: i32 = ld32(bindingAt(owner & PORT_INDEX) + BINDING_TERMINAL);
  return serverFind(serviceAt(ld8(terminalAt(terminal) + TERMINAL_SERVICE)), packet + PACKET_SOURCE, -1) >= 0;
}

/** Decodes the message [p, end) into an entry, if it has room. */
function entryFill(entry: i32, p: i32, end: i32): void {
  roomGive(entry + MENTION, MENTION_MOST, entry + MEDIA, MEDIA_MOST);
  const result: i32 = sipDecodeInto(p, end);
  if (ld32(MESSAGE + MESSAGE_MENTION_COUNT) >= MENTION_MOST || ld32(MESSAGE + MESSAGE_MEDIA_COUNT) >= MEDIA_MOST) return;
  st32(entry + AT, p);
  st32(entry + RESULT, result);
  copyOver(entry + RECORD, MESSAGE, MESSAGE_SIZE);
}

/** Decodes the message in slot `index`, if it has one. */
function slotDecode(index: i32): void {
  const packet: i32 = SLOTS + mul(index, SLOT_SIZE);
  const len: i32 = ld32(packet + PACKET_LEN);
  const p: i32 = packet + PACKET_PAYLOAD;
  st32(entryAt(index) + AT, 0);
  if (len < 0 || len > SLOT_SIZE - PACKET_PAYLOAD || !isKnown(packet)) return;
  if (sniff(p, p + len) === SNIFF_SIP) entryFill(entryAt(index), p, p + len);
}

/** Slot `index` of `n` is next: decodes its message and those of the slots behind it, unless that is done. */
export function aheadDecode(index: i32, n: i32): void {
  if ((index & (AHEAD_MAX - 1)) !== 0 || n < LEAST) return;
  st32(HEADER_AHEAD, SLOTS + mul(index, SLOT_SIZE));
  const end: i32 = index + AHEAD_MAX < n ? index + AHEAD_MAX : n;
  for (let i: i32 = index; i < end; i++) slotDecode(i);
}

/** Makes the message at `p` the one in hand, if it is decoded. Returns 0 or its fault, and 1 when it is not. */
export function aheadTake(p: i32): i32 {
  const first: i32 = ld32(HEADER_AHEAD);
  const index: i32 = (p - first) >> SLOT_SHIFT;
  if (first === 0 || p < first || index >= AHEAD_MAX) return 1;
  const entry: i32 = entryAt(index);
  if (ld32(entry + AT) !== p) return 1;
  copyOver(MESSAGE, entry + RECORD, MESSAGE_SIZE);
  return ld32(entry + RESULT);
}
