/*
 * The torture messages of RFC 4475 and RFC 5118. They are read from a folder beside the repository (or named by
 * CULVERT_SHARED), since standards and captures are not part of it; torture.md says what is right for each.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VectorError } from "./step.ts";
import { lengthFill } from "./text.ts";

export interface Expected {
  name: string;
  /** "RFC 4475 3.1.1.1" */
  place: string;
  verdict: string;
  line: number;
}

const VERDICTS = ["translated", "trimmed", "untouched", "dropped"];

/** Where the messages are, or undefined. */
export function sharedFolder(): string | undefined {
  const folder = process.env["CULVERT_SHARED"] ?? join("..", "shared");
  return existsSync(join(folder, "corpus", "torture", "rfc4475")) ? folder : undefined;
}

/** The rows of torture.md: | `name` | place | verdict | why | */
export function expectedRead(markdown: string): Expected[] {
  const rows: Expected[] = [];
  for (const [i, line] of markdown.split("\n").entries()) {
    const cells = /^\| `([\w-]+)` \| (RFC \d+ [\d.]+) \| (\w+) \| (.+) \|$/.exec(line);
    if (!cells) continue;
    if (!VERDICTS.includes(cells[3]!)) throw new VectorError(`torture.md:${i + 1}: ${cells[3]} is no verdict`);
    rows.push({ name: cells[1]!, place: cells[2]!, verdict: cells[3]!, line: i + 1 });
  }
  return rows;
}

/** A message of the text of RFC 5118: indented by six, with page breaks in it, long lines in <allOneLine>. */
function messageExtract(text: string, name: string): string {
  const at = text.search(new RegExp(`Message Details: ${name}\\n`));
  if (at < 0) throw new VectorError(`RFC 5118 has no message ${name}`);
  const lines: string[] = [];
  for (const line of text.slice(at).split("\n").slice(1)) {
    if (/^(Gurbani|RFC 5118)|\f/.test(line)) continue;
    if (/^ {0,5}\S/.test(line)) break;
    lines.push(line.slice(6));
  }
  const message = lines
    .join("\n")
    .replace(/^\n+/, "")
    .replace(/\n+$/, "\n")
    .replace(/<allOneLine>\n([\s\S]*?)<\/allOneLine>\n/g, (_, inner: string) => `${inner.replaceAll("\n", "")}\n`);
  const whole = message.includes("\n\n") ? message : `${message}\n`;
  return lengthFill(whole.replaceAll("\n", "\r\n").replace(/^(Content-Length: )\d+/m, "$1auto"));
}

/** The message as a binary string. */
export function tortureRead(folder: string, expected: Expected): string {
  if (expected.place.startsWith("RFC 4475")) return readFileSync(join(folder, "corpus", "torture", "rfc4475", `${expected.name}.dat`), "latin1");
  return messageExtract(readFileSync(join(folder, "rfc", "rfc5118.txt"), "latin1"), expected.name);
}

/** Lines that a translation may change. */
const CHANGEABLE = /^(?:c=|m=|a=rtcp:)|^(?:via|v|contact|m|route|record-route|path|content-length|l)[ \t]*:|^[A-Z]+ sip/i;

/** The header that a line belongs to: itself, or what it is the folded rest of. */
function headerOf(lines: string[], at: number): string {
  let i = at;
  while (i > 0 && /^[ \t]/.test(lines[i]!)) i--;
  return lines[i]!;
}

/** What is wrong with `after` as a translation of `before`: every other line must be the same. */
export function translationProblems(before: string, after: string, trimmed: boolean): string[] {
  const lines = before.split("\r\n");
  const others = after.split("\r\n");
  const problems: string[] = [];
  if (!trimmed && lines.length !== others.length) problems.push(`${lines.length} lines became ${others.length}`);
  for (const [i, other] of others.entries()) {
    const last = trimmed && i === others.length - 1;
    if (other !== lines[i] && !last && !CHANGEABLE.test(headerOf(lines, i)))
      problems.push(`line ${i + 1} changed: ${JSON.stringify(lines[i])} became ${JSON.stringify(other)}`);
  }
  return problems;
}
