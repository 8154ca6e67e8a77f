/*
 * A SIP message as a start line, headers in order and a body (RFC 3261 7). Bytes travel as Latin-1
 * text, so what is forwarded leaves as it came; compact names are known by their long form.
 */

import { splitTop } from "./uri.ts";

export interface Header {
  /** Long form in lower case. */
  key: string;
  /** As written. */
  name: string;
  value: string;
}

export interface SipMessage {
  /** Method of a request, "" for a response. */
  method: string;
  /** Request-URI of a request. */
  uri: string;
  /** Status code of a response, 0 for a request. */
  status: number;
  reason: string;
  headers: Header[];
  body: string;
}

const COMPACT: Record<string, string> = {
  v: "via",
  f: "from",
  t: "to",
  m: "contact",
  i: "call-id",
  c: "content-type",
  l: "content-length",
  k: "supported",
  s: "subject",
  e: "content-encoding",
  u: "allow-events",
  o: "event",
  x: "session-expires",
};
/** Headers whose comma separated values are taken apart here. */
const LISTS = new Set(["via", "route", "record-route", "contact"]);
const HEADER_MAX = 128;

function readStart(line: string): SipMessage | undefined {
  const response = /^SIP\/2\.0 (\d{3})(?: (.*))?$/i.exec(line);
  if (response !== null) return { method: "", uri: "", status: Number(response[1]), reason: response[2] ?? "", headers: [], body: "" };
  const request = /^([^\s]+) ([^\s]+) SIP\/2\.0$/i.exec(line);
  if (request === null) return undefined;
  return { method: request[1]!, uri: request[2]!, status: 0, reason: "", headers: [], body: "" };
}

/** Reads one datagram; undefined when it is no SIP message, or shorter than its Content-Length (18.3). */
export function readMessage(data: Uint8Array): SipMessage | undefined {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    .toString("latin1")
    .replace(/^(?:\r?\n)+/, "");
  const gap = /\r?\n\r?\n/.exec(text);
  if (gap === null) return undefined;
  const lines = text
    .slice(0, gap.index)
    .replace(/\r?\n[ \t]+/g, " ")
    .split(/\r?\n/);
  const message = readStart(lines[0]!);
  if (message === undefined || lines.length > HEADER_MAX) return undefined;
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    if (colon <= 0) return undefined;
    const name = line.slice(0, colon).trim();
    const key = COMPACT[name.toLowerCase()] ?? name.toLowerCase();
    const value = line.slice(colon + 1).trim();
    const values = LISTS.has(key) ? splitTop(value, ",") : [value];
    for (const one of values) message.headers.push({ key, name, value: one });
  }
  const rest = text.slice(gap.index + gap[0].length);
  const length = Number(headerOf(message, "content-length") ?? rest.length);
  if (!(length <= rest.length)) return undefined;
  message.body = rest.slice(0, length);
  return message;
}

/** First value of a header, by its long name in lower case. */
export function headerOf(message: SipMessage, key: string): string | undefined {
  return message.headers.find((header) => header.key === key)?.value;
}

export function headersOf(message: SipMessage, key: string): string[] {
  return message.headers.filter((header) => header.key === key).map((header) => header.value);
}

/** Takes the first header of that name away. */
export function headerRemove(message: SipMessage, key: string): void {
  const at = message.headers.findIndex((header) => header.key === key);
  if (at >= 0) message.headers.splice(at, 1);
}

/** Puts a header in front of the first of its name, or of all. */
export function headerPrepend(message: SipMessage, name: string, value: string): void {
  const key = name.toLowerCase();
  const at = message.headers.findIndex((header) => header.key === key);
  message.headers.splice(Math.max(at, 0), 0, { key, name, value });
}

/** Replaces the value of the first header of that name, or appends it. */
export function headerSet(message: SipMessage, name: string, value: string): void {
  const found = message.headers.find((header) => header.key === name.toLowerCase());
  if (found !== undefined) found.value = value;
  else message.headers.push({ key: name.toLowerCase(), name, value });
}

/** CSeq as number and method; -1 and "" when it is missing or broken. */
export function sequenceOf(message: SipMessage): { number: number; method: string } {
  const match = /^(\d+)\s+(\S+)$/.exec(headerOf(message, "cseq") ?? "");
  return match === null ? { number: -1, method: "" } : { number: Number(match[1]), method: match[2]! };
}

/** Has it what a request must have (RFC 3261 8.1.1)? */
export function isComplete(message: SipMessage): boolean {
  const sequence = sequenceOf(message);
  return (
    ["via", "from", "to", "call-id"].every((key) => headerOf(message, key) !== undefined) &&
    sequence.number >= 0 &&
    (message.method === "" || sequence.method === message.method)
  );
}

/** Bytes for the wire; Content-Length is written anew. */
export function writeMessage(message: SipMessage): Buffer {
  const start = message.status > 0 ? `SIP/2.0 ${message.status} ${message.reason}` : `${message.method} ${message.uri} SIP/2.0`;
  headerSet(message, "Content-Length", String(message.body.length));
  const lines = message.headers.map((header) => `${header.name}: ${header.value}`);
  return Buffer.from(`${start}\r\n${lines.join("\r\n")}\r\n\r\n${message.body}`, "latin1");
}

/** A response with the headers that RFC 3261 8.2.6 wants copied; `toTag` is added to To when it has none. */
export function responseTo(request: SipMessage, status: number, reason: string, toTag = ""): SipMessage {
  const copied = new Set(["via", "from", "to", "call-id", "cseq"]);
  const headers = request.headers.filter((header) => copied.has(header.key)).map((header) => ({ ...header }));
  const to = headers.find((header) => header.key === "to");
  if (to !== undefined && toTag !== "" && !/;\s*tag\s*=/i.test(to.value)) to.value += `;tag=${toTag}`;
  return { method: "", uri: "", status, reason, headers, body: "" };
}
