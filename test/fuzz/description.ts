/*
 * SDP as the judge of the fuzz and of the simulator reads it: which address and port each media line ends up with.
 * As in reader.ts nothing comes from the core.
 */

import { listSplit, type MessageRead } from "./reader.ts";

export interface MediaRead {
  port: number;
  count: number;
  proto: string;
  /** "IP4 10.0.0.1", the media's own c= or the session's. */
  connection: string;
  lines: string[];
}

/** The descriptions in a message's body: the body itself, or the parts of a multipart one. */
export function descriptionsOf(message: MessageRead): string[] {
  const types = message.headers.filter(({ name }) => name === "content-type").map(({ value }) => value);
  if (types.length !== 1 || message.headers.some(({ name }) => name === "content-encoding")) return [];
  if (/^application\/sdp\s*(;|$)/i.test(types[0]!)) return [message.body];
  const boundary = /^multipart\/\w+\s*;.*\bboundary="?([^";\s]+)"?/is.exec(types[0]!)?.[1];
  if (boundary === undefined) return [];
  const delimiter = new RegExp(`(?:^|\\n)--${boundary.replace(/\W/g, "\\$&")}`);
  return message.body.split(delimiter).flatMap((part) => {
    const cut = /\r?\n\r?\n/.exec(part);
    return cut && /content-type\s*:\s*application\/sdp\s*(;|\r|\n)/i.test(part.slice(0, cut.index + 2)) ? [part.slice(cut.index + cut[0].length)] : [];
  });
}

export function mediasOf(description: string): MediaRead[] {
  const medias: MediaRead[] = [];
  let session = "";
  for (const line of description.split(/\r?\n/)) {
    const media = /^m=\S+ (\d+)(?:\/(\d+))? (\S+)( |$)/.exec(line);
    const connection = /^c=IN (IP[46] \S+)\s*$/i.exec(line)?.[1];
    const last = medias.at(-1);
    if (media) medias.push({ port: Number(media[1]), count: Number(media[2] ?? 1), proto: media[3]!.toUpperCase(), connection: session, lines: [line] });
    else if (last) last.lines.push(line);
    if (connection !== undefined && last) last.connection = connection;
    else if (connection !== undefined) session = connection;
  }
  return medias;
}

const RELAYED = /^(RTP\/|UDP\/TLS\/RTP\/|UDPTL$|UDP$|UDP\/)/;

/** Is this a media line that a media proxy must take over: UDP, not rejected, of a size it says it does? */
export function isRelayed({ port, count, proto }: MediaRead): boolean {
  return port > 0 && port < 65536 && count >= 1 && count <= 8 && RELAYED.test(proto);
}

/** Does a digest cover the body, so that it has to stay as it is (RFC 7616 3.4.3)? */
export function isBodySigned(message: MessageRead): boolean {
  const names = ["authorization", "proxy-authorization"];
  return message.headers.some(({ name, value }) => names.includes(name) && listSplit(value).some((part) => /qop\s*=\s*"?auth-int/i.test(part)));
}
