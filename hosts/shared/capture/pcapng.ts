/*
 * The block-structured capture file (draft-ietf-opsawg-pcapng-03): sections of either byte order, several
 * interfaces each with its own link type and time resolution. Read: SHB, IDB, EPB, SPB and the obsolete
 * packet block; other blocks (name resolution, statistics, decryption secrets) are skipped. Written: one
 * section, little-endian, SHB, IDBs, EPBs.
 *
 * Invariant: an interface number is local to its section; here it becomes an index over the whole file.
 */

import { type Capture, CaptureError, type CaptureInterface, type CapturedPacket, MICROSECONDS } from "./capture.ts";

const BLOCK_SECTION = 0x0a0d0d0a;
const BLOCK_INTERFACE = 1;
const BLOCK_PACKET_OBSOLETE = 2;
const BLOCK_SIMPLE = 3;
const BLOCK_ENHANCED = 6;
const BYTE_ORDER = 0x1a2b3c4d;
/** Type, length, and the length again. */
const BLOCK_OVERHEAD = 12;
const OPTION_NAME = 2;
const OPTION_RESOLUTION = 9;
const OPTION_OFFSET = 14;
const SECTION_LENGTH_UNKNOWN = 0xffffffffffffffffn;

interface Reader {
  bytes: Uint8Array;
  view: DataView;
  little: boolean;
  interfaces: CaptureInterface[];
  /** Whole seconds to add to the times of each interface (if_tsoffset). */
  offsets: bigint[];
  /** Index of the section's first interface. */
  base: number;
  packets: CapturedPacket[];
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

/** Options from `at` to `end`: code, and where the value stands. */
function* options(reader: Reader, at: number, end: number): Generator<[code: number, at: number, length: number]> {
  let p = at;
  while (p + 4 <= end) {
    const code = reader.view.getUint16(p, reader.little);
    const length = reader.view.getUint16(p + 2, reader.little);
    if (code === 0 || p + 4 + length > end) return;
    yield [code, p + 4, length];
    p += 4 + padded(length);
  }
}

/** if_tsresol: a power of ten, or of two when the top bit is set. */
function resolution(value: number): bigint {
  return (value & 0x80) === 0 ? 10n ** BigInt(value) : 1n << BigInt(value & 0x7f);
}

function interfaceRead(reader: Reader, at: number, end: number): void {
  const { view, little } = reader;
  const found: CaptureInterface = { linkType: view.getUint16(at, little), snapLength: view.getUint32(at + 4, little), ticksPerSecond: MICROSECONDS, name: "" };
  let offset = 0n;
  for (const [code, value, length] of options(reader, at + 8, end)) {
    if (code === OPTION_NAME) found.name = new TextDecoder().decode(reader.bytes.subarray(value, value + length)).replace(/\0.*$/s, "");
    if (code === OPTION_RESOLUTION && length >= 1) found.ticksPerSecond = resolution(view.getUint8(value));
    if (code === OPTION_OFFSET && length >= 8) offset = view.getBigInt64(value, little);
  }
  reader.interfaces.push(found);
  reader.offsets.push(offset);
}

function packetAppend(reader: Reader, block: number, number: number, ticks: bigint, at: number, length: number, end: number, wireLength: number): void {
  const index = reader.base + number;
  const seen = reader.interfaces[index];
  if (!seen) throw new CaptureError(`the block at byte ${block} names interface ${number}, which its section does not describe: the file is damaged`);
  if (at + length > end)
    throw new CaptureError(`the block at byte ${block} claims ${length} bytes of packet, more than the block holds: the file is damaged from there on`);
  const time = ticks + reader.offsets[index]! * seen.ticksPerSecond;
  reader.packets.push({ interface: index, ticks: time, bytes: reader.bytes.subarray(at, at + length), wireLength });
}

function enhancedRead(reader: Reader, block: number, at: number, end: number): void {
  const { view, little } = reader;
  const ticks = (BigInt(view.getUint32(at + 4, little)) << 32n) | BigInt(view.getUint32(at + 8, little));
  packetAppend(reader, block, view.getUint32(at, little), ticks, at + 20, view.getUint32(at + 12, little), end, view.getUint32(at + 16, little));
}

function obsoleteRead(reader: Reader, block: number, at: number, end: number): void {
  const { view, little } = reader;
  const ticks = (BigInt(view.getUint32(at + 4, little)) << 32n) | BigInt(view.getUint32(at + 8, little));
  packetAppend(reader, block, view.getUint16(at, little), ticks, at + 20, view.getUint32(at + 12, little), end, view.getUint32(at + 16, little));
}

/** A simple packet has no time: it is given that of the packet before it. */
function simpleRead(reader: Reader, block: number, at: number, end: number): void {
  const wireLength = reader.view.getUint32(at, reader.little);
  const snapLength = reader.interfaces[reader.base]?.snapLength ?? 0;
  const length = Math.min(wireLength, snapLength === 0 ? wireLength : snapLength, end - at - 4);
  const before = reader.packets.at(-1);
  const same = before !== undefined && before.interface === reader.base;
  const ticks = same ? before.ticks - reader.offsets[reader.base]! * reader.interfaces[reader.base]!.ticksPerSecond : 0n;
  packetAppend(reader, block, 0, ticks, at + 4, length, end, wireLength);
}

/** Bytes that the fixed part of each kind of block has at least. */
const BODY_MIN: Record<number, number> = {
  [BLOCK_SECTION]: 16,
  [BLOCK_INTERFACE]: 8,
  [BLOCK_PACKET_OBSOLETE]: 20,
  [BLOCK_SIMPLE]: 4,
  [BLOCK_ENHANCED]: 20,
};

function blockRead(reader: Reader, block: number, type: number, end: number): void {
  const at = block + 8;
  if (end - at < (BODY_MIN[type] ?? 0))
    throw new CaptureError(`the block at byte ${block} (type ${type}) is too short for its kind: the file is damaged from there on`);
  if (type === BLOCK_SECTION) reader.base = reader.interfaces.length;
  else if (type === BLOCK_INTERFACE) interfaceRead(reader, at, end);
  else if (type === BLOCK_ENHANCED) enhancedRead(reader, block, at, end);
  else if (type === BLOCK_SIMPLE) simpleRead(reader, block, at, end);
  else if (type === BLOCK_PACKET_OBSOLETE) obsoleteRead(reader, block, at, end);
}

/** Sets the byte order that the section header at `at` declares. */
function byteOrderRead(reader: Reader, at: number): void {
  const magic = reader.view.getUint32(at + 8, true);
  reader.little = magic === BYTE_ORDER;
  if (!reader.little && reader.view.getUint32(at + 8, false) !== BYTE_ORDER) {
    throw new CaptureError(
      `the section header at byte ${at} has the byte-order magic ${magic.toString(16)}, which is neither order of 1a2b3c4d: the file is damaged`,
    );
  }
}

export function pcapngRead(bytes: Uint8Array): Capture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader: Reader = { bytes, view, little: true, interfaces: [], offsets: [], base: 0, packets: [] };
  let at = 0;
  while (at + BLOCK_OVERHEAD <= bytes.length) {
    if (view.getUint32(at, false) === BLOCK_SECTION) byteOrderRead(reader, at);
    const type = view.getUint32(at, reader.little);
    const length = view.getUint32(at + 4, reader.little);
    if (length < BLOCK_OVERHEAD || length % 4 !== 0) {
      throw new CaptureError(`the block at byte ${at} claims a length of ${length}, which no block has: the file is damaged from there on`);
    }
    if (at + length > bytes.length) break;
    blockRead(reader, at, type, at + length - 4);
    at += length;
  }
  return { format: "pcapng", interfaces: reader.interfaces, packets: reader.packets, cut: at !== bytes.length };
}

/** A block of `size` body bytes (padded), and a view of the body. */
function block(type: number, size: number): [Uint8Array, DataView] {
  const length = BLOCK_OVERHEAD + padded(size);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  view.setUint32(length - 4, length, true);
  return [bytes, new DataView(bytes.buffer, 8, padded(size))];
}

function sectionWrite(): Uint8Array {
  const [bytes, body] = block(BLOCK_SECTION, 16);
  body.setUint32(0, BYTE_ORDER, true);
  body.setUint16(4, 1, true);
  body.setBigUint64(8, SECTION_LENGTH_UNKNOWN, true);
  return bytes;
}

/** The if_tsresol byte of a resolution. */
function resolutionWrite(ticksPerSecond: bigint): number {
  let value = 0;
  let power = 1n;
  while (power < ticksPerSecond) {
    power *= 10n;
    value++;
  }
  if (power === ticksPerSecond) return value;
  return 0x80 | (ticksPerSecond.toString(2).length - 1);
}

function interfaceWrite(each: CaptureInterface): Uint8Array {
  const name = new TextEncoder().encode(each.name);
  const named = name.length === 0 ? 0 : 4 + padded(name.length);
  const [bytes, body] = block(BLOCK_INTERFACE, 8 + named + 8 + 4);
  body.setUint16(0, each.linkType, true);
  body.setUint32(4, each.snapLength, true);
  if (named > 0) {
    body.setUint16(8, OPTION_NAME, true);
    body.setUint16(10, name.length, true);
    bytes.set(name, 8 + 12);
  }
  body.setUint16(8 + named, OPTION_RESOLUTION, true);
  body.setUint16(10 + named, 1, true);
  body.setUint8(12 + named, resolutionWrite(each.ticksPerSecond));
  return bytes;
}

function packetWrite(packet: CapturedPacket): Uint8Array {
  const [bytes, body] = block(BLOCK_ENHANCED, 20 + packet.bytes.length);
  body.setUint32(0, packet.interface, true);
  body.setUint32(4, Number((packet.ticks >> 32n) & 0xffffffffn), true);
  body.setUint32(8, Number(packet.ticks & 0xffffffffn), true);
  body.setUint32(12, packet.bytes.length, true);
  body.setUint32(16, packet.wireLength, true);
  bytes.set(packet.bytes, 8 + 20);
  return bytes;
}

export function* pcapngWrite(capture: Capture): Generator<Uint8Array> {
  yield sectionWrite();
  for (const each of capture.interfaces) {
    /* A rewritten datagram may be longer than what the capture kept: the limit is written as none. */
    yield interfaceWrite({ ...each, snapLength: 0 });
  }
  for (const packet of capture.packets) yield packetWrite(packet);
}
