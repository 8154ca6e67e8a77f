/*
 * tshark as an independent judge of captures: what it cannot parse, and what it holds for an error.
 */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { program } from "../e2e/requirement.ts";

const run = promisify(execFile);

/** "" when tshark is installed, else what is missing. */
export const dissectorMissing = program("tshark");

/** Value of PI_ERROR in tshark. */
const SEVERITY_ERROR = 0x800000;
const BUFFER = 64 << 20;

export interface Complaints {
  /** Malformed packets by the protocol that they are malformed in. */
  malformed: Record<string, number>;
  /** Expert information of severity error in packets with SIP or SDP, by message. */
  errors: Record<string, number>;
  /** Packets with a wrong IP or UDP checksum. */
  checksums: { wrong: number };
}

async function fields(path: string, filter: string, names: string[]): Promise<string[][]> {
  const { stdout } = await run(
    "tshark",
    [
      "-r",
      path,
      "-o",
      "ip.check_checksum:TRUE",
      "-o",
      "udp.check_checksum:TRUE",
      "-o",
      "tcp.check_checksum:TRUE",
      "-Y",
      filter,
      "-T",
      "fields",
      "-E",
      "occurrence=a",
      "-E",
      "aggregator=|",
      ...names.flatMap((name) => ["-e", name]),
    ],
    { maxBuffer: BUFFER },
  );
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}

/** What these fields are in each frame of a capture; several of one kind are parted by |. */
export async function frameRows(path: string, names: string[]): Promise<string[][]> {
  return fields(path, "frame", names);
}

export async function complaintsOf(path: string): Promise<Complaints> {
  const wrong = "ip.checksum.status == 0 || udp.checksum.status == 0";
  const rows = await fields(path, `_ws.malformed || ((sip || sdp) && _ws.expert.severity >= ${SEVERITY_ERROR}) || ${wrong}`, [
    "frame.protocols",
    "_ws.malformed",
    "_ws.expert.severity",
    "_ws.expert.message",
    "ip.checksum.status",
    "udp.checksum.status",
  ]);
  const complaints: Complaints = { malformed: {}, errors: {}, checksums: { wrong: 0 } };
  const count = (counts: Record<string, number>, key: string): void => {
    counts[key] = (counts[key] ?? 0) + 1;
  };
  for (const [protocols = "", malformed = "", severities = "", messages = "", ip = "", udp = ""] of rows) {
    if (`${ip}|${udp}`.split("|").includes("0")) complaints.checksums.wrong++;
    for (const [, protocol] of malformed.matchAll(/\[Malformed Packet: ([^\]]+)\]/g)) count(complaints.malformed, protocol!);
    if (!/:(sip|sdp)\b/.test(protocols)) continue;
    const texts = messages.split("|");
    severities.split("|").forEach((severity, i) => {
      if (Number(severity) >= SEVERITY_ERROR) count(complaints.errors, texts[i] ?? "?");
    });
  }
  return complaints;
}

/** One datagram as tshark sees it; the length is that of UDP. */
export type DatagramRow = [source: string, destination: string, sourcePort: number, destinationPort: number, length: number];

/** Link layers, tags and labels, then one IP header, then UDP: not what is inside tunnels or ICMP. */
const PLAIN = /^(?:eth|sll|raw|null)(?::ethertype|:vlan|:mpls|:pppoes|:ppp)*:ip(?:v6(?::ipv6\.\w+)*)?:udp\b/;

export async function datagramRows(path: string): Promise<DatagramRow[]> {
  const rows = await fields(path, "udp", ["frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "udp.srcport", "udp.dstport", "udp.length"]);
  return rows.flatMap((row): DatagramRow[] => {
    const [protocols = "", source4 = "", destination4 = "", source6 = "", destination6 = "", ...numbers] = row.map((value) => value.split("|")[0]!);
    if (!PLAIN.test(protocols)) return [];
    const [sourcePort, destinationPort, length] = numbers.map(Number) as [number, number, number];
    return [[source4 || source6, destination4 || destination6, sourcePort, destinationPort, length]];
  });
}
