/*
 * The classic capture file: a header of 24 bytes, then records (draft-ietf-opsawg-pcap-05). Both byte
 * orders, micro- and nanoseconds. One interface a file, so one link type.
 */

import { type Capture, CaptureError, type CaptureInterface, type CapturedPacket, MICROSECONDS, NANOSECONDS } from "./capture.ts";

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
/** Kuznetzov's variant, with eight more bytes a record. */
const MAGIC_MODIFIED = 0xa1b2cd34;
const HEADER_SIZE = 24;
const RECORD_SIZE = 16;
const VERSION_MAJOR = 2;
const VERSION_MINOR = 4;
/** The upper bits of the link type tell the length of a frame check sequence. */
const LINK_TYPE_MASK = 0xffff;
/** Longest packet of any link type in use (libpcap's MAXIMUM_SNAPLEN is 262,144): a greater length is damage. */
const PACKET_MAX = 1 << 24;
export const SNAP_LENGTH = 262_144;

interface Header {
  little: boolean;
  capture: CaptureInterface;
}

function headerRead(view: DataView): Header {
  const magics = [view.getUint32(0, true), view.getUint32(0, false)];
  const known = (magic: number): boolean => magic === MAGIC_MICROSECONDS || magic === MAGIC_NANOSECONDS;
  if (magics.includes(MAGIC_MODIFIED)) {
    throw new CaptureError(
      "the capture is of the modified pcap variant (magic a1b2cd34), which is not read here: convert it, for example with `editcap -F pcap in out`",
    );
  }
  const magic = magics.find(known);
  if (magic === undefined) {
    throw new CaptureError(`the file begins with ${magics[1]!.toString(16).padStart(8, "0")}, which is neither pcap nor pcapng: is it a capture?`);
  }
  if (view.byteLength < HEADER_SIZE)
    throw new CaptureError(`a pcap header has ${HEADER_SIZE} bytes, but the file has ${view.byteLength}: was it written to the end?`);
  const little = magics[0] === magic;
  return {
    little,
    capture: {
      linkType: view.getUint32(20, little) & LINK_TYPE_MASK,
      snapLength: view.getUint32(16, little),
      ticksPerSecond: magic === MAGIC_NANOSECONDS ? NANOSECONDS : MICROSECONDS,
      name: "",
    },
  };
}

export function pcapRead(bytes: Uint8Array): Capture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { little, capture } = headerRead(view);
  const packets: CapturedPacket[] = [];
  let at = HEADER_SIZE;
  while (at + RECORD_SIZE <= bytes.length) {
    const length = view.getUint32(at + 8, little);
    if (length > PACKET_MAX) {
      throw new CaptureError(`record ${packets.length + 1} at byte ${at} claims ${length} bytes of packet: the file is damaged from there on`);
    }
    const end = at + RECORD_SIZE + length;
    if (end > bytes.length) break;
    packets.push({
      interface: 0,
      ticks: BigInt(view.getUint32(at, little)) * capture.ticksPerSecond + BigInt(view.getUint32(at + 4, little)),
      bytes: bytes.subarray(at + RECORD_SIZE, end),
      wireLength: view.getUint32(at + 12, little),
    });
    at = end;
  }
  return { format: "pcap", interfaces: [capture], packets, cut: at !== bytes.length };
}

/** Index of the interface whose link type the whole file has. */
function interfaceUsed(capture: Capture): CaptureInterface {
  const used = [...new Set(capture.packets.map((packet) => packet.interface))].map((index) => capture.interfaces[index]!);
  const linkTypes = [...new Set(used.map((each) => each.linkType))];
  if (linkTypes.length > 1) {
    throw new CaptureError(`the packets have the link types ${linkTypes.join(", ")}, but a pcap file holds one: write to a name that ends in .pcapng`);
  }
  return used[0] ?? capture.interfaces[0] ?? { linkType: 1, snapLength: SNAP_LENGTH, ticksPerSecond: MICROSECONDS, name: "" };
}

export function* pcapWrite(capture: Capture): Generator<Uint8Array> {
  const { linkType } = interfaceUsed(capture);
  const exact = capture.interfaces.every((each) => MICROSECONDS % each.ticksPerSecond === 0n);
  const ticksPerSecond = exact ? MICROSECONDS : NANOSECONDS;
  const snapLength = capture.packets.reduce((longest, packet) => Math.max(longest, packet.bytes.length), SNAP_LENGTH);
  const header = new DataView(new ArrayBuffer(HEADER_SIZE));
  header.setUint32(0, exact ? MAGIC_MICROSECONDS : MAGIC_NANOSECONDS, true);
  header.setUint16(4, VERSION_MAJOR, true);
  header.setUint16(6, VERSION_MINOR, true);
  header.setUint32(16, snapLength, true);
  header.setUint32(20, linkType, true);
  yield new Uint8Array(header.buffer);
  for (const packet of capture.packets) {
    const ticks = (packet.ticks * ticksPerSecond) / capture.interfaces[packet.interface]!.ticksPerSecond;
    const record = new DataView(new ArrayBuffer(RECORD_SIZE));
    record.setUint32(0, Number(ticks / ticksPerSecond), true);
    record.setUint32(4, Number(ticks % ticksPerSecond), true);
    record.setUint32(8, packet.bytes.length, true);
    record.setUint32(12, packet.wireLength, true);
    yield new Uint8Array(record.buffer);
    yield packet.bytes;
  }
}
