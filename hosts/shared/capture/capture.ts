/*
 * A packet capture in memory, whatever file it came from.
 *
 * Invariant: time is kept in the ticks of its interface, so that reading and writing loses nothing.
 */

export type CaptureFormat = "pcap" | "pcapng";

/** Where packets were seen: what the link-layer header looks like, and how time is counted there. */
export interface CaptureInterface {
  /** LINKTYPE_*: link.ts. */
  linkType: number;
  /** Longest packet that was kept, 0 for no limit. */
  snapLength: number;
  ticksPerSecond: bigint;
  /** Empty where the file does not say. */
  name: string;
}

export interface CapturedPacket {
  /** Index into `interfaces`. */
  interface: number;
  /** Time since 1970 in the ticks of the interface. */
  ticks: bigint;
  bytes: Uint8Array;
  /** Length on the wire: more than `bytes` holds when the capture cut the packet short. */
  wireLength: number;
}

export interface Capture {
  format: CaptureFormat;
  interfaces: CaptureInterface[];
  packets: CapturedPacket[];
  /** The file ends in the middle of a record: what came before it is here. */
  cut: boolean;
}

export const NANOSECONDS = 1_000_000_000n;
export const MICROSECONDS = 1_000_000n;

/** Why a file cannot be read as a capture, with the place in it. */
export class CaptureError extends Error {
  override name = "CaptureError";
}

/** Time of a packet in nanoseconds since 1970. */
export function packetTime(capture: Capture, packet: CapturedPacket): bigint {
  return (packet.ticks * NANOSECONDS) / capture.interfaces[packet.interface]!.ticksPerSecond;
}
