/*
 * Captures made up for tests: Ethernet frames with UDP in them.
 */

import { addressParse, endpointParse } from "../../../hosts/shared/address.ts";
import { type Capture, type CapturedPacket, MICROSECONDS } from "../../../hosts/shared/capture/capture.ts";
import { datagramWrite } from "../../../hosts/shared/capture/datagram.ts";
import { frameRead } from "../../../hosts/shared/capture/frame.ts";
import { LINK_ETHERNET, type Link } from "../../../hosts/shared/capture/link.ts";

const START = 1_700_000_000_000_000n;

function mac(address: string): number[] {
  return [2, 0, ...addressParse(address)!.bytes.subarray(12)];
}

function linkBetween(from: string, to: string, version: 4 | 6): Link {
  const header = Uint8Array.from([...mac(to), ...mac(from), ...(version === 4 ? [8, 0] : [0x86, 0xdd])]);
  return { linkType: LINK_ETHERNET, header, namedAt: 12, naming: "ethertype", lengthAt: -1, vlans: [], labels: [] };
}

/** One packet on the wire, as text. */
export interface Seen {
  from: string;
  to: string;
  text: string;
}

export class Recording {
  readonly capture: Capture = {
    format: "pcap",
    cut: false,
    interfaces: [{ linkType: LINK_ETHERNET, snapLength: 0, ticksPerSecond: MICROSECONDS, name: "" }],
    packets: [],
  };

  /** Adds a datagram at a time in milliseconds; endpoints are "address:port". */
  udp(atMs: number, from: string, to: string, payload: string | Uint8Array): this {
    const [source, destination] = [endpointParse(from)!, endpointParse(to)!];
    const version = source.address.family;
    const bytes = datagramWrite(
      {
        link: linkBetween(source.address.text, destination.address.text, version),
        version,
        source: source.address,
        destination: destination.address,
        sourcePort: source.port!,
        destinationPort: destination.port!,
        hops: 64,
        traffic: 0xb8,
        checksummed: true,
        payload: typeof payload === "string" ? Buffer.from(payload, "latin1") : payload,
      },
      1,
    )!;
    return this.frame(atMs, bytes);
  }

  frame(atMs: number, bytes: Uint8Array): this {
    this.capture.packets.push({ interface: 0, ticks: START + BigInt(atMs) * 1000n, bytes, wireLength: bytes.length });
    return this;
  }
}

/** What packets carry. */
export function seen(packets: CapturedPacket[]): Seen[] {
  return packets.map(({ bytes, wireLength }) => {
    const frame = frameRead(LINK_ETHERNET, bytes, wireLength);
    if (frame.kind !== "datagram") throw new Error(`no datagram: ${JSON.stringify(frame)}`);
    const { source, destination, sourcePort, destinationPort, payload } = frame.datagram;
    return { from: `${source.text}:${sourcePort}`, to: `${destination.text}:${destinationPort}`, text: Buffer.from(payload).toString("latin1") };
  });
}

/** A SIP message out of its lines; what follows an empty one is an SDP body. */
export function sip(...lines: string[]): string {
  const body = lines.includes("")
    ? lines
        .splice(lines.indexOf(""))
        .slice(1)
        .map((line) => `${line}\r\n`)
        .join("")
    : "";
  const type = body === "" ? [] : ["Content-Type: application/sdp"];
  return `${[...lines, ...type, `Content-Length: ${body.length}`].join("\r\n")}\r\n\r\n${body}`;
}
