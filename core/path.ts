/*
 * The data path: what becomes of each kind of input (DESIGN 1). This file and the folder beside it are the only ones that
 * know all stages: datagram and connection say whose a packet is, side puts that into the context, message takes it through
 * decode, translate, encode and output; media goes to the relay at once.
 */

import { fill, ld32, mul, st32 } from "./machine.ts";
import {
  ABI_VERSION,
  COUNTERS,
  COUNTER_COUNT,
  HEADER_ABI,
  HEADER_KIND,
  HEADER_MAGIC,
  HEADER_NOW,
  INPUT,
  INPUT_SIZE,
  MAGIC,
  SLOTS,
  SLOT_MAX,
  SLOT_SIZE,
  layoutWrite,
} from "./memory/layout.ts";
import { ADJACENCY_ARRIVAL, WIRE_ASSEMBLED, WIRE_HELD, WIRE_NEXT_ID, WIRE_TRAFFIC } from "./memory/frame.ts";
import { PACKET_LEN, PACKET_PAYLOAD, PACKET_POOL, PACKET_TRAFFIC } from "./memory/packet.ts";
import {
  FAULT_CONFIG,
  FAULT_KIND,
  FAULT_LENGTH,
  FAULT_NOT_BOOTED,
  KIND_BATCH,
  KIND_CLOSE,
  KIND_CONFIG,
  KIND_DATAGRAM,
  KIND_FRAME,
  KIND_FRAMES,
  KIND_OPEN,
  KIND_REFUSED,
  KIND_RESTORE,
  KIND_STREAM,
  KIND_TIMEOUT,
  REASON_TIMER,
  VERDICT_ABSORBED,
  VERDICT_DISCARDED,
  fault,
} from "./memory/reason.ts";
import { cipherInit } from "./bytes/cipher.ts";
import { classesInit } from "./bytes/class.ts";
import { octetsInit } from "./bytes/octet.ts";
import { randomSeed, randomWord } from "./bytes/random.ts";
import { sealInit } from "./bytes/seal.ts";
import { assemblyRoom, messageRoom, outputBegin, outputReset } from "./output/queue.ts";
import { aheadDecode, aheadForget } from "./path/ahead.ts";
import { configChange, configTake } from "./path/configuration.ts";
import { closeTake, openTake, streamTake } from "./path/connection.ts";
import { datagramNote, datagramTake } from "./path/datagram.ts";
import { frameTake } from "./path/frame.ts";
import { conclude } from "./path/outcome.ts";
import { refusalTake } from "./path/refusal.ts";
import { restoreTake } from "./path/restore.ts";
import { transmit, transmitReset } from "./path/transmit.ts";
import { adjacenciesInit, adjacencyForget, isFraming } from "./table/adjacency.ts";
import { dirtyInit } from "./table/dirty.ts";
import { poolsInit } from "./table/port.ts";
import { slabsInit, slabsPlace } from "./table/slab.ts";
import { terminalSeek, terminalTouch } from "./table/terminal.ts";
import { timerExpire, timersInit } from "./table/timer.ts";
import { timerFire } from "./translate/expire.ts";

/** Timers served by one input: the rest are due at once. */
const TIMERS_MAX: i32 = 64;

/** Empties the tables and takes the configuration over. Returns 0 or a fault. */
export function pathBoot(now: i32): i32 {
  layoutWrite();
  st32(HEADER_MAGIC, 0);
  st32(HEADER_ABI, ABI_VERSION);
  st32(HEADER_NOW, now);
  fill(COUNTERS, 0, COUNTER_COUNT << 2);
  randomSeed();
  classesInit();
  octetsInit();
  cipherInit();
  sealInit();
  slabsPlace();
  slabsInit();
  dirtyInit();
  timersInit(now);
  outputReset();
  adjacenciesInit();
  st32(WIRE_HELD, 0);
  if (isFraming()) st32(WIRE_NEXT_ID, randomWord());
  const pool: i32 = poolsInit();
  if (pool > 0) return fault(FAULT_CONFIG, pool);
  const result: i32 = configTake();
  if (result < 0) return result;
  st32(HEADER_MAGIC, MAGIC);
  return 0;
}

/** One input, after which the outputs are drained. Returns a verdict, a number of slots or bytes taken, a handle, or a fault. */
export function pathInput(kind: i32, len: i32, now: i32): i32 {
  if (ld32(HEADER_MAGIC) !== MAGIC) return fault(FAULT_NOT_BOOTED, 0);
  const result: i32 = kind === KIND_REFUSED ? refusalTake(len) : inputTake(kind, len, now);
  transmit(0);
  return result;
}

function inputTake(kind: i32, len: i32, now: i32): i32 {
  /* Of the memory of another process nothing is believed before it is looked over, where its tables stand least of all. */
  if (kind === KIND_RESTORE) layoutWrite();
  outputReset();
  aheadForget();
  transmitReset();
  adjacencyForget(ADJACENCY_ARRIVAL);
  st32(HEADER_KIND, kind);
  if (((now - ld32(HEADER_NOW)) | 0) > 0) st32(HEADER_NOW, now);
  return kindTake(kind, len);
}

function kindTake(kind: i32, len: i32): i32 {
  switch (kind) {
    case KIND_DATAGRAM:
      return oneTake(len);
    case KIND_BATCH:
      return batchTake(len);
    case KIND_STREAM:
      return streamTake(len);
    case KIND_OPEN:
      return openTake();
    case KIND_CLOSE:
      return closeTake(len);
    case KIND_TIMEOUT:
      return timersServe();
    case KIND_CONFIG:
      return configChange();
    case KIND_RESTORE:
      return restoreTake(len);
    case KIND_FRAME:
      return frameTake(INPUT, len, INPUT_SIZE);
    case KIND_FRAMES:
      return framesTake(len);
    default:
      return fault(FAULT_KIND, kind);
  }
}

function timersServe(): i32 {
  for (let i: i32 = 0; i < TIMERS_MAX && messageRoom(); i++) {
    const id: i32 = timerExpire(ld32(HEADER_NOW));
    if (id < 0) break;
    timerFire(id);
  }
  return conclude(REASON_TIMER, VERDICT_ABSORBED);
}

/** Takes the datagram at INPUT. */
function oneTake(len: i32): i32 {
  if (len < 0 || len > INPUT_SIZE - PACKET_PAYLOAD) return fault(FAULT_LENGTH, 0);
  st32(INPUT + PACKET_LEN, len);
  datagramNote(INPUT);
  return socketTake(INPUT);
}

/** Takes a datagram that came by a socket. */
function socketTake(packet: i32): i32 {
  st32(WIRE_TRAFFIC, ld32(packet + PACKET_TRAFFIC));
  const verdict: i32 = datagramTake(packet, ld32(packet + PACKET_POOL));
  transmit(0);
  return verdict;
}

/** Takes up to `n` slots, as many as the output queue has room for. */
function batchTake(n: i32): i32 {
  if (n < 0 || n > SLOT_MAX) return fault(FAULT_LENGTH, n);
  for (let i: i32 = 0; i < n; i++) datagramNote(SLOTS + mul(i, SLOT_SIZE));
  for (let i: i32 = 0; i < n; i++) terminalSeek(SLOTS + mul(i, SLOT_SIZE));
  for (let i: i32 = 0; i < n; i++) terminalTouch(SLOTS + mul(i, SLOT_SIZE));
  for (let i: i32 = 0; i < n; i++) {
    const packet: i32 = SLOTS + mul(i, SLOT_SIZE);
    if (!messageRoom()) return i;
    aheadDecode(i, n);
    const len: i32 = ld32(packet + PACKET_LEN);
    outputBegin();
    if (len >= 0 && len <= SLOT_SIZE - PACKET_PAYLOAD) socketTake(packet);
    else conclude(FAULT_LENGTH, VERDICT_DISCARDED);
  }
  return n;
}

/** Takes up to `n` slots with a frame each, as many as the output queue has room for. */
function framesTake(n: i32): i32 {
  if (n < 0 || n > SLOT_MAX) return fault(FAULT_LENGTH, n);
  for (let i: i32 = 0; i < n; i++) {
    const packet: i32 = SLOTS + mul(i, SLOT_SIZE);
    if (!messageRoom() || !assemblyRoom()) return i;
    frameTake(packet, ld32(packet + PACKET_LEN), SLOT_SIZE);
    /* There is one place for what came in fragments: its outputs come first. */
    if (ld32(WIRE_ASSEMBLED) !== 0) return i + 1;
  }
  return n;
}
