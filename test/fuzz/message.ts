/*
 * A SIP message in parts, so that a mutation can work on its structure, and the text of one. Binary strings throughout.
 */

export interface Header {
  name: string;
  value: string;
}

export interface Message {
  start: string;
  headers: Header[];
  body: string;
  /** Is it still what RFC 3261 allows, whatever style it was written in? */
  valid: boolean;
  lineEnd: string;
}

export function messageOf(start: string, headers: [string, string][], body = ""): Message {
  return { start, headers: headers.map(([name, value]) => ({ name, value })), body, valid: true, lineEnd: "\r\n" };
}

/** The text; a Content-Length of "auto" is the body's. */
export function messageText({ start, headers, body, lineEnd }: Message): string {
  const lines = headers.map(({ name, value }) => `${name}: ${value.replace("auto", String(body.length))}`);
  return [start, ...lines, "", ""].join(lineEnd) + body;
}

export function bytesOf(binary: string): Buffer {
  return Buffer.from(binary, "latin1");
}
