/*
 * The text of a block as bytes. Texts are handled as one character a byte ("binary strings"), so that a regular
 * expression works on bytes; characters outside ASCII in the file stand for their UTF-8 bytes.
 *
 * text    every line ends in CRLF; a head without its empty line gets one; `Content-Length: auto` is computed
 * lf      as text, with bare LF
 * exact   as text, but nothing is added: the message ends where the block does
 * hex     hexadecimal digits, white space and # comments
 * rtp     one line of key=value: pt seq ts ssrc len marker (RFC 3550 5.1)
 * edit    lines with - and + against another message: the first must be there, the second take their place
 *
 * `<repeat count=3>x</repeat>` is xxx. A line that ends in \ goes on in the next one without a line end. \xNN is the byte NN.
 */

import { type Flavour, VectorError } from "./step.ts";

const LENGTH_AUTO = /^((?:Content-Length|l)[ \t]*:[ \t]*)auto\b/im;

export function bytesOf(binary: string): Uint8Array {
  return new Uint8Array(Buffer.from(binary, "latin1"));
}

export function binaryOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

function escapesExpand(binary: string): string {
  return binary.replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function linesExpand(text: string, lineEnd: string): string {
  return Buffer.from(text, "utf8").toString("latin1").replaceAll("\\\n", "").replaceAll("\n", lineEnd);
}

/** `<repeat count=N>` as RFC 4475 writes it. */
function repeatsExpand(text: string): string {
  return text.replace(/<repeat count=(\d+)>([\s\S]*?)<\/repeat>/g, (_, count: string, inner: string) => inner.repeat(Number(count)));
}

function messageExpand(text: string, lineEnd: string, complete: boolean): string {
  const lines = linesExpand(repeatsExpand(text), lineEnd);
  const whole = complete && !lines.includes(lineEnd + lineEnd) ? lines + lineEnd : lines;
  return escapesExpand(whole);
}

function hexExpand(text: string): string {
  const digits = text.replace(/#.*$/gm, "").replace(/\s+/g, "");
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) throw new VectorError("a hex block has something else in it");
  return Buffer.from(digits, "hex").toString("latin1");
}

function rtpExpand(text: string): string {
  const fields = Object.fromEntries(
    text
      .trim()
      .split(/\s+/)
      .map((pair) => pair.split("=") as [string, string]),
  );
  const number = (name: string, otherwise: number): number => (fields[name] === undefined ? otherwise : Number(fields[name]));
  const packet = Buffer.alloc(12 + number("len", 20), number("fill", 0xd5));
  packet[0] = 0x80;
  packet[1] = (number("marker", 0) << 7) | number("pt", 0);
  packet.writeUInt16BE(number("seq", 1) & 0xffff, 2);
  packet.writeUInt32BE(number("ts", number("seq", 1) * 160) >>> 0, 4);
  packet.writeUInt32BE(number("ssrc", 0x1234) >>> 0, 8);
  return packet.toString("latin1");
}

/** Applies the - and + lines of `edits` to `base`, whose line end is kept. */
function editApply(base: string, edits: string, lineEnd: string): string {
  const lines = base.split(lineEnd);
  let at = 0;
  for (const edit of edits.split("\n").slice(0, -1)) {
    const line = escapesExpand(Buffer.from(edit.slice(1), "utf8").toString("latin1"));
    if (edit.startsWith("-")) {
      const found = lines.indexOf(line, at);
      if (found < 0) throw new VectorError(`the message has no line "${line}" behind line ${at}`);
      lines.splice(found, 1);
      at = found;
    } else if (edit.startsWith("+")) lines.splice(at++, 0, line);
    else throw new VectorError(`"${edit}" is neither a - nor a + line`);
  }
  return lines.join(lineEnd);
}

/** What stands in a block, placeholders and `auto` left in. `base` is the message that an edit applies to. */
export function textExpand(flavour: Flavour, text: string, base: string): string {
  switch (flavour) {
    case "text":
      return messageExpand(text, "\r\n", true);
    case "exact":
      return messageExpand(text, "\r\n", false);
    case "lf":
      return messageExpand(text, "\n", true);
    case "hex":
      return hexExpand(repeatsExpand(text));
    case "rtp":
      return rtpExpand(text);
    case "edit":
      return editApply(base, text, base.includes("\r\n") ? "\r\n" : "\n");
  }
}

/** Position of the body, or the length when there is none. */
export function bodyAt(message: string): number {
  const empty = /\r\n\r\n|\n\n/.exec(message);
  return empty ? empty.index + empty[0].length : message.length;
}

function headLengthAt(message: string): RegExpExecArray | null {
  const found = LENGTH_AUTO.exec(message);
  return found && found.index < bodyAt(message) ? found : null;
}

/** Writes the length of the body in place of `auto`. */
export function lengthFill(message: string): string {
  const found = headLengthAt(message);
  if (!found) return message;
  const length = message.length - bodyAt(message);
  return message.slice(0, found.index) + found[1] + length + message.slice(found.index + found[0].length);
}
