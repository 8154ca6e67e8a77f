/*
 * The corpus of captures and messages, which is kept beside the repository (CULVERT_SHARED, else ../shared).
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { shared } from "../e2e/requirement.ts";

export const corpusPath = join(shared, "corpus");

/** "" when it is there, else why a test is skipped. */
export const corpusMissing = existsSync(join(corpusPath, "MANIFEST.tsv")) ? "" : "the corpus (../shared/corpus or CULVERT_SHARED)";

/** Paths of the captures that MANIFEST.tsv lists with this protocol, in the given folders. */
export function capturesOf(protocol: string, folders: string[]): string[] {
  if (corpusMissing !== "") return [];
  const rows = readFileSync(join(corpusPath, "MANIFEST.tsv"), "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split("\t"));
  const column = rows[0]!.indexOf("protocols");
  return rows
    .slice(1)
    .filter((row) => /\.pcap(ng)?$/.test(row[0]!) && folders.includes(row[0]!.split("/")[0]!) && row[column]!.split(",").includes(protocol))
    .map((row) => row[0]!);
}

export interface NamedMessage {
  name: string;
  payload: Uint8Array;
}

/** An SDP on its own is put into an INVITE, where the core meets it. */
function inInvite(sdp: Uint8Array): Uint8Array {
  const head = [
    "INVITE sip:bob@203.0.113.5 SIP/2.0",
    "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKsdp;rport",
    "Max-Forwards: 70",
    "From: <sip:alice@203.0.113.5>;tag=sdp",
    "To: <sip:bob@203.0.113.5>",
    "Call-ID: sdp@10.0.0.9",
    "CSeq: 1 INVITE",
    "Contact: <sip:alice@10.0.0.9:5060>",
    "Content-Type: application/sdp",
    `Content-Length: ${sdp.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), sdp]);
}

/** The string in a Go fuzz corpus file. */
function goString(text: string): string | undefined {
  const literal = /^string\((".*")\)$/m.exec(text)?.[1];
  return (
    literal &&
    (JSON.parse(
      literal
        .replace(/\\x([0-9a-f]{2})/gi, "\\u00$1")
        .replaceAll("\\a", "\\u0007")
        .replaceAll("\\v", "\\u000b"),
    ) as string)
  );
}

function jsonLines(path: string, text: string): NamedMessage[] {
  const sdp = path.includes("-sdp.");
  return text
    .trim()
    .split("\n")
    .map((line, i) => {
      const { id, message } = JSON.parse(line) as { id?: string; message: string };
      const payload = Buffer.from(message, "utf8");
      return { name: `${path} ${id ?? i}`, payload: sdp ? inInvite(payload) : payload };
    });
}

function messagesIn(path: string): NamedMessage[] {
  const bytes = readFileSync(join(corpusPath, path));
  if (path.endsWith(".jsonl")) return jsonLines(path, bytes.toString("utf8"));
  if (path.endsWith(".sdp")) return [{ name: path, payload: inInvite(bytes) }];
  const fuzzed = path.includes("sipgo") ? goString(bytes.toString("latin1")) : undefined;
  return [{ name: path, payload: fuzzed === undefined ? bytes : Buffer.from(fuzzed, "latin1") }];
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(corpusPath, folder), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

/** Every single message of the corpus: whatever is no capture in these folders. */
export function messagesOf(folders: string[]): NamedMessage[] {
  if (corpusMissing !== "") return [];
  return folders
    .flatMap(filesUnder)
    .filter((path) => !/\.pcap(ng)?$/.test(path))
    .flatMap(messagesIn);
}
