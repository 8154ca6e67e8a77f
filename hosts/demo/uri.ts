/*
 * SIP URIs and the name-addr form around them (RFC 3261 19.1, 20.10, 25.1), as text: the demo
 * softswitch keeps every URI exactly as it was written, because it must store Contacts unchanged.
 */

export interface SipUri {
  scheme: string;
  user: string;
  host: string;
  /** As written, or the scheme's default. */
  port: number;
  params: Map<string, string>;
}

export interface NameAddress {
  /** The URI as written, without angle brackets. */
  uri: string;
  /** Header parameters, names in lower case. */
  params: Map<string, string>;
}

/** Reads `;name=value;flag` pairs; quoted values lose their quotes. */
export function readParams(text: string): Map<string, string> {
  const params = new Map<string, string>();
  for (const part of splitTop(text, ";")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    const value = equals < 0 ? "" : part.slice(equals + 1).trim();
    params.set(name, value.replace(/^"(.*)"$/, "$1"));
  }
  return params;
}

/** Splits at `separator` outside quoted strings and angle brackets; each part is trimmed. */
export function splitTop(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === "<") depth++;
    else if (c === ">") depth--;
    else if (c === separator && depth === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts;
}

/** Reads a sip: or sips: URI; undefined for anything else. */
export function readUri(text: string): SipUri | undefined {
  const match = /^(sips?):(?:([^@]*)@)?(\[[0-9a-f:.]+\]|[^;?:]+)(?::(\d{1,5}))?((?:;[^?]*)?)(?:\?.*)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const scheme = match[1]!.toLowerCase();
  const port = match[4] === undefined ? (scheme === "sips" ? 5061 : 5060) : Number(match[4]);
  return { scheme, user: match[2] ?? "", host: match[3]!.replace(/^\[|\]$/g, ""), port, params: readParams(match[5]!) };
}

/** Reads `"Name" <uri>;params` or `uri;params`; in the bare form the parameters are the header's (RFC 3261 20.10). */
export function readNameAddress(value: string): NameAddress {
  const unquoted = value.replace(/^\s*"(?:[^"\\]|\\.)*"/, "");
  const open = unquoted.indexOf("<");
  const close = unquoted.indexOf(">", open);
  if (open >= 0 && close > open) {
    return { uri: unquoted.slice(open + 1, close).trim(), params: readParams(unquoted.slice(close + 1).replace(/^\s*;/, "")) };
  }
  const semicolon = unquoted.indexOf(";");
  if (semicolon < 0) return { uri: unquoted.trim(), params: new Map() };
  return { uri: unquoted.slice(0, semicolon).trim(), params: readParams(unquoted.slice(semicolon + 1)) };
}

/** The tag parameter of a From or To value, or "". */
export function tagOf(value: string): string {
  return readNameAddress(value).params.get("tag") ?? "";
}
