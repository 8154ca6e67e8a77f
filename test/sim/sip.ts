/*
 * SIP messages as the peers of the simulator write and read them (RFC 3261), and the little that they must know about
 * URIs. They write the long forms, one value a line.
 */

export interface Sip {
  start: string;
  headers: [string, string][];
  body: string;
}

export function sipRead(text: string): Sip {
  const [head, ...rest] = text.split("\r\n\r\n");
  const [start, ...lines] = head!.split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { start: start!, headers, body: rest.join("\r\n\r\n") };
}

export function sipText({ start, headers, body }: Sip): string {
  const lines = headers.filter(([name]) => name !== "Content-Length").map(([name, value]) => `${name}: ${value}`);
  return [start, ...lines, `Content-Length: ${body.length}`, "", body].join("\r\n");
}

export function valuesOf({ headers }: Sip, name: string): string[] {
  return headers.filter(([key]) => key === name).map(([, value]) => value);
}

export function valueOf(sip: Sip, name: string): string {
  return valuesOf(sip, name)[0] ?? "";
}

/** Replaces all values of a header, where the first stood. */
export function valuesSet(sip: Sip, name: string, values: string[]): Sip {
  const at = sip.headers.findIndex(([key]) => key === name);
  const headers = sip.headers.filter(([key]) => key !== name);
  headers.splice(at < 0 ? 0 : at, 0, ...values.map((value): [string, string] => [name, value]));
  return { ...sip, headers };
}

export function methodOf(sip: Sip): string {
  return valueOf(sip, "CSeq").split(" ")[1] ?? "";
}

export function statusOf({ start }: Sip): number {
  return start.startsWith("SIP/2.0 ") ? Number(start.slice(8, 11)) : 0;
}

export function branchOf(via: string): string {
  return /;branch=([^;]+)/.exec(via)?.[1] ?? "";
}

export function tagOf(value: string): string {
  return /;tag=([^;]+)/.exec(value)?.[1] ?? "";
}

/** The URI in angle brackets. */
export function uriOf(value: string): string {
  return /<([^>]+)>/.exec(value)?.[1] ?? value;
}

/** Where a SIP URI or a Via's sent-by points to; a name is nobody's address here. */
export function placeOf(text: string): { address: string; port: number } {
  const parts = /(?:sip:(?:[^@]*@)?|UDP )([^:;>]+)(?::(\d+))?/.exec(text);
  return { address: parts?.[1] ?? "", port: Number(parts?.[2] ?? 5060) };
}

export function userOf(uri: string): string {
  return /sip:([^@]*)@/.exec(uri)?.[1] ?? "";
}

/** A response to a request (RFC 3261 8.2.6). */
export function responseOf(request: Sip, status: string, tag: string, more: [string, string][] = [], body = ""): Sip {
  const copied = request.headers.filter(([name]) => ["Via", "From", "To", "Call-ID", "CSeq", "Record-Route"].includes(name));
  const headers = copied.map(([name, value]): [string, string] => [name, name === "To" && tagOf(value) === "" && tag !== "" ? `${value};tag=${tag}` : value]);
  return { start: `SIP/2.0 ${status}`, headers: [...headers, ...more], body };
}
