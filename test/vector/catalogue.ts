/*
 * The table of the conformance list in test/README.md: each line by number, the vectors that name it and what playing
 * them gave. What a line is about, what vectors cannot show of it and what is not done yet stands in catalogue.yaml.
 *
 * Invariant: the result is that of vectors just played; nothing here says that one passed.
 */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { Section, VectorDocument } from "./document.ts";

export interface Line {
  /** As headings name it: 4.A-15. */
  id: string;
  about: string;
  /** What vectors cannot show of it, and why. */
  rest: string | undefined;
  /** What Culvert does not do yet. */
  open: string | undefined;
  /** Vectors that name it. */
  vectors: { file: string; section: Section }[];
}

const LINES = "test/vector/catalogue.yaml";
export const TABLE = "test/README.md";
const BEGIN = "<!-- catalogue -->\n";
const END = "<!-- /catalogue -->\n";

/** Unquoted, 4.E-104 is a number in YAML. */
const ID = z.string().regex(/^4\.[A-E]\d?-\d+$/);
const shape = z.strictObject({ about: z.record(ID, z.string()), rest: z.record(ID, z.string()), open: z.record(ID, z.string()) });

/** Every line of the list with the vectors that name it. */
export function linesRead(library: VectorDocument[]): Line[] {
  const { about, rest, open } = shape.parse(parse(readFileSync(LINES, "utf8")));
  const stray = [...Object.keys(rest), ...Object.keys(open)].find((id) => about[id] === undefined);
  if (stray !== undefined) throw new Error(`${LINES}: no line ${stray}`);
  const sections = library.flatMap(({ file, sections }) => sections.map((section) => ({ file, section })));
  return Object.entries(about).map(([id, what]) => ({
    id,
    about: what,
    rest: rest[id],
    open: open[id],
    vectors: sections.filter(({ section }) => section.ids.includes(id)),
  }));
}

/** A heading without the numbers behind it. */
function headingOf(section: Section): string {
  return section.name.replace(/ \(4\.[^)]*\)$/, "");
}

/** Vectors grouped by file: "framing: heading; heading". */
function vectorsShow({ vectors }: Line): string {
  const files = [...new Set(vectors.map(({ file }) => file))];
  return files
    .map((file) => {
      const headings = vectors.filter((one) => one.file === file).map(({ section }) => headingOf(section));
      return `[${basename(file, ".md")}](vector/${basename(file)}): ${headings.join("; ")}`;
    })
    .join("<br>");
}

function resultShow(line: Line, passed: (section: Section) => boolean): string {
  if (!line.vectors.every(({ section }) => passed(section))) return "FAIL";
  const shown = line.vectors.length === 0 ? [] : [line.open === undefined ? "pass" : "pass in part"];
  if (line.rest !== undefined) shown.push(line.vectors.length === 0 ? `not applicable: ${line.rest}` : line.rest);
  if (line.open !== undefined) shown.push(`not yet: ${line.open}`);
  return shown.join("; ");
}

/** The table, by what playing each vector gave. */
export function tableOf(lines: Line[], passed: (section: Section) => boolean): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|");
  const rows = lines.map((line) => `| ${line.id} | ${cell(line.about)} | ${cell(vectorsShow(line))} | ${cell(resultShow(line, passed))} |\n`);
  return `| line | about | vectors | result |\n| --- | --- | --- | --- |\n${rows.join("")}`;
}

/** The text between the marks of `text`, and the text with another in its place. */
export function tableFind(text: string): { table: string; replace: (table: string) => string } {
  const begin = text.indexOf(BEGIN) + BEGIN.length;
  const end = text.indexOf(END);
  if (begin < BEGIN.length || end < begin) throw new Error(`${TABLE} has no ${BEGIN.trim()} … ${END.trim()}`);
  return { table: text.slice(begin, end), replace: (table) => text.slice(0, begin) + table + text.slice(end) };
}
