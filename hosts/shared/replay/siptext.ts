/*
 * A SIP message as text, cut where addresses of other parties are echoed: the Request-URI and the headers that
 * carry routes, contacts and Vias (RFC 3261 7.3.1, 20). Texts are latin1, one character a byte.
 *
 * Invariant: a message that nothing is substituted in is put together again byte for byte.
 */

import { Buffer } from "node:buffer";

/** Says what stands for `host[:port]`, or undefined to leave it. */
export type Substitute = (host: string) => string | undefined;

/** What the `received` and `rport` of a Via become whose sent-by was substituted. */
export interface Seen {
  host: string;
  port: number;
}

export interface SipText {
  startLine: string;
  /** Header lines with their line ends; folded lines are one entry. */
  headers: { name: string; line: string }[];
  /** The empty line and what follows. */
  separator: string;
  body: string;
}

const START_LINE = /^(?:SIP\/2\.0 \d{3}[^\r\n]*|[!-~]+ [!-~]+ SIP\/2\.0[ \t]*)\r?\n/i;
const COMPACT: Record<string, string> = { v: "via", m: "contact", r: "refer-to", i: "call-id", l: "content-length", f: "from", t: "to" };
const URI_HEADERS = new Set(["contact", "route", "record-route", "path", "service-route", "refer-to"]);
const HOST = String.raw`\[[^\]\s]+\](?::\d+)?|[^\s;:>?,"<=[\]@]+(?::\d+)?`;
/** A quoted string, or a URI up to the end of host and port. */
const URI = new RegExp(String.raw`"(?:[^"\\]|\\.)*"|(\bsips?:(?:[^@\s<>"]{0,1024}@)?)(${HOST})`, "gi");
/** One Via value: protocol, sent-by, parameters. */
const VIA = new RegExp(String.raw`(SIP\s*\/\s*2\.0\s*\/\s*\w+\s+)(${HOST})((?:"(?:[^"\\]|\\.)*"|[^,"])*)`, "gi");

/** Cuts a payload; undefined when it does not begin as a SIP message does. */
export function sipSplit(payload: Uint8Array): SipText | undefined {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("latin1");
  const start = START_LINE.exec(text)?.[0];
  if (!start) return undefined;
  const separator = /\r?\n\r?\n/.exec(text);
  const headEnd = separator ? separator.index + (separator[0].startsWith("\r") ? 2 : 1) : text.length;
  const bodyAt = separator ? separator.index + separator[0].length : text.length;
  const lines = text.slice(start.length, headEnd).match(/[^\n]*\n(?:[ \t][^\n]*\n)*|[^\n]+$/g) ?? [];
  const headers = lines.map((line) => {
    const name = line.split(":", 1)[0]!.trim().toLowerCase();
    return { name: COMPACT[name] ?? name, line };
  });
  return { startLine: start, headers, separator: text.slice(headEnd, bodyAt), body: text.slice(bodyAt) };
}

export function sipJoin(message: SipText): Uint8Array {
  const head = message.headers.map((header) => header.line).join("");
  return new Uint8Array(Buffer.from(message.startLine + head + message.separator + message.body, "latin1"));
}

export function isResponse(message: SipText): boolean {
  return /^SIP\//i.test(message.startLine);
}

/** Value of the first header of this name, "" when there is none. */
export function headerValue(message: SipText, name: string): string {
  const line = message.headers.find((header) => header.name === name)?.line ?? "";
  return line.slice(line.indexOf(":") + 1).trim();
}

function uriSubstitute(text: string, substitute: Substitute): string {
  return text.replace(URI, (whole: string, before: string | undefined, host: string | undefined) => {
    const after = host === undefined ? undefined : substitute(host);
    return after === undefined ? whole : `${before}${after}`;
  });
}

function viaSubstitute(text: string, substitute: Substitute, seen: (after: string) => Seen): string {
  return text.replace(VIA, (whole: string, before: string, host: string, rest: string) => {
    const after = substitute(host);
    if (after === undefined) return whole;
    const { host: received, port } = seen(after);
    const parameters = rest.replace(/(;\s*received\s*=\s*)[^;,\s]+/i, `$1${received}`).replace(/(;\s*rport\s*=\s*)\d+/i, `$1${port}`);
    return `${before}${after}${parameters}`;
  });
}

/** The first address that a pattern finds in a text. */
function firstHost(pattern: RegExp, text: string): string | undefined {
  for (const found of text.matchAll(pattern)) if (found[2] !== undefined) return found[2];
  return undefined;
}

/** host[:port] of the Request-URI, of the topmost Via, or of the topmost value of a header; undefined when there is none. */
export function hostOf(message: SipText, place: "request-uri" | "via" | "route"): string | undefined {
  if (place === "request-uri") return isResponse(message) ? undefined : firstHost(URI, message.startLine);
  return firstHost(place === "via" ? VIA : URI, headerValue(message, place));
}

/** Substitutes wherever a party writes what it heard from another. */
export function sipSubstitute(message: SipText, substitute: Substitute, seen: (after: string) => Seen): SipText {
  const headers = message.headers.map(({ name, line }) => {
    if (name === "via") return { name, line: viaSubstitute(line, substitute, seen) };
    return { name, line: URI_HEADERS.has(name) ? uriSubstitute(line, substitute) : line };
  });
  const startLine = isResponse(message) ? message.startLine : uriSubstitute(message.startLine, substitute);
  return { ...message, startLine, headers };
}

/** Another body, with the Content-Length that it needs. */
export function bodyReplace(message: SipText, body: string): SipText {
  const headers = message.headers.map(({ name, line }) => ({ name, line: name === "content-length" ? line.replace(/\d+/, String(body.length)) : line }));
  return { ...message, headers, body };
}
