/*
 * A capture file of either format: pcap (draft-ietf-opsawg-pcap) or pcapng (draft-ietf-opsawg-pcapng).
 */

import { type Capture, CaptureError, type CaptureFormat } from "./capture.ts";
import { pcapRead, pcapWrite } from "./pcap.ts";
import { pcapngRead, pcapngWrite } from "./pcapng.ts";

const SECTION_HEADER = 0x0a0d0d0a;
const GZIP = 0x1f8b;

/** Reads a capture file of either format; the packets are views into `bytes`. Throws a CaptureError. */
export function captureRead(bytes: Uint8Array): Capture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4)
    throw new CaptureError(`a capture begins with a header of at least 24 bytes, but the file has ${bytes.length}: was it written to the end?`);
  if (view.getUint16(0) === GZIP) throw new CaptureError("the capture is gzip-compressed: unpack it first (gunzip), then give the unpacked file");
  return view.getUint32(0) === SECTION_HEADER ? pcapngRead(bytes) : pcapRead(bytes);
}

/** The bytes of a capture file, piece by piece. Throws a CaptureError when the format cannot hold it. */
export function captureWrite(capture: Capture, format: CaptureFormat): Generator<Uint8Array> {
  return format === "pcapng" ? pcapngWrite(capture) : pcapWrite(capture);
}
