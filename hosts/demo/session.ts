/*
 * SDP offers and answers of the demo's own audio (RFC 8866, RFC 3264 6): the first acceptable audio
 * line is taken, every other line is refused with port 0. PCMU, PCMA and telephone-event (RFC 4733).
 */

import { PAYLOAD_PCMA, PAYLOAD_PCMU } from "./tone.ts";

export interface RemoteMedia {
  address: string;
  port: number;
  /** PAYLOAD_PCMU or PAYLOAD_PCMA. */
  payload: number;
  /** Payload type of telephone-event, -1 for none. */
  eventPayload: number;
  /** From the peer's view: sendrecv, sendonly, recvonly or inactive. */
  direction: string;
}

interface Line {
  /** The m= line split at spaces. */
  fields: string[];
  connection: string;
  attributes: string[];
}

const DIRECTIONS = ["sendrecv", "sendonly", "recvonly", "inactive"];
const MIRROR: Record<string, string> = { sendonly: "recvonly", recvonly: "sendonly", inactive: "inactive", sendrecv: "sendrecv" };

function readLines(text: string): Line[] {
  const lines: Line[] = [];
  const session: Line = { fields: [], connection: "", attributes: [] };
  for (const row of text.split(/\r?\n/)) {
    const value = row.slice(2);
    const line = lines[lines.length - 1] ?? session;
    if (row.startsWith("m=")) lines.push({ fields: value.split(" "), connection: session.connection, attributes: [...session.attributes] });
    else if (row.startsWith("c=")) line.connection = value.split(" ")[2] ?? "";
    else if (row.startsWith("a=")) line.attributes.push(value);
  }
  return lines;
}

function readAudio(line: Line): RemoteMedia | undefined {
  const [kind, port, proto, ...formats] = line.fields;
  if (kind !== "audio" || Number(port) === 0 || (proto !== "RTP/AVP" && proto !== "RTP/AVPF")) return undefined;
  const payload = formats.map(Number).find((format) => format === PAYLOAD_PCMU || format === PAYLOAD_PCMA);
  if (payload === undefined) return undefined;
  const events = line.attributes.map((text) => /^rtpmap:(\d+) telephone-event\/8000/i.exec(text)).find((match) => match !== null);
  const stated = line.attributes.filter((text) => DIRECTIONS.includes(text)).pop() ?? "sendrecv";
  const held = line.connection === "0.0.0.0" && stated === "sendrecv";
  return {
    address: line.connection,
    port: Number(port),
    payload,
    eventPayload: events === undefined ? -1 : Number(events?.[1]),
    direction: held ? "sendonly" : stated,
  };
}

/** The first audio line that can be answered; undefined when there is none. */
export function readSession(text: string): RemoteMedia | undefined {
  for (const line of readLines(text)) {
    const audio = readAudio(line);
    if (audio !== undefined) return audio;
  }
  return undefined;
}

function audioLines(port: number, payloads: number[], eventPayload: number, direction: string): string[] {
  const formats = eventPayload < 0 ? payloads : [...payloads, eventPayload];
  const lines = [`m=audio ${port} RTP/AVP ${formats.join(" ")}`];
  for (const payload of payloads) lines.push(`a=rtpmap:${payload} ${payload === PAYLOAD_PCMA ? "PCMA" : "PCMU"}/8000`);
  if (eventPayload >= 0) lines.push(`a=rtpmap:${eventPayload} telephone-event/8000`, `a=fmtp:${eventPayload} 0-16`);
  return [...lines, "a=ptime:20", `a=${direction}`];
}

function writeSession(address: string, id: number, version: number, media: string[]): string {
  return [`v=0`, `o=- ${id} ${version} IN IP4 ${address}`, "s=culvert demo", `c=IN IP4 ${address}`, "t=0 0", ...media, ""].join("\r\n");
}

/** Our own offer, for an INVITE that brought none. */
export function writeOffer(address: string, port: number, id: number, version: number): string {
  return writeSession(address, id, version, audioLines(port, [PAYLOAD_PCMU, PAYLOAD_PCMA], 101, "sendrecv"));
}

/** The answer to `offer`: as many m= lines, in its order. */
export function writeAnswer(offer: string, address: string, port: number, id: number, version: number): string {
  let taken = false;
  const media = readLines(offer).flatMap((line) => {
    const audio = taken ? undefined : readAudio(line);
    if (audio === undefined) return [`m=${line.fields[0]} 0 ${line.fields.slice(2).join(" ")}`];
    taken = true;
    const { payload, eventPayload, direction } = audio;
    const answer = audioLines(port, [payload], eventPayload, MIRROR[direction]!);
    answer[0] = answer[0]!.replace("RTP/AVP", line.fields[2]!);
    return answer;
  });
  return writeSession(address, id, version, media);
}
