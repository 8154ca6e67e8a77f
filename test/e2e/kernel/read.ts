/*
 * The cases as Markdown: a section for each, what is sent as fenced blocks, what is expected of it behind. README.md
 * describes the format. What looks like a step and cannot be read is an error with its line.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Flavour } from "../../vector/step.ts";
import { textExpand } from "../../vector/text.ts";
import type { Family } from "./network.ts";

export type Speaker = "client" | "other" | "server";

/** What the far side may get. `text`: this; `same`: the bytes as they were sent. */
export type Expected = { kind: "text"; text: string } | { kind: "same" } | { kind: "nothing" } | { kind: "answer" };

export interface Message {
  type: "message";
  line: number;
  speaker: Speaker;
  /** Ports that it goes out of and arrives at, as templates. */
  from: string;
  at: string;
  /** Where a server sends it, as a template; otherwise where the terminal was seen. */
  to: string | undefined;
  stream: boolean;
  text: string;
  /** On a stream, a segment begins before each of these, and after so many bytes. */
  cuts: string[];
  every: number;
  expected: Expected[];
}

export interface Again {
  type: "again";
  line: number;
}

/** A packet beside the signaling; without `at` nobody may get it. */
export interface Media {
  type: "media";
  line: number;
  kind: "rtp" | "empty";
  from: { who: string; port: string };
  to: { host: string; port: string };
  at: { who: string; port: string } | undefined;
  /** Somebody who is there to hear it and must not. */
  notAt: { who: string; port: string } | undefined;
}

export type Step = Message | Again | Media;

export interface Case {
  name: string;
  ids: string[];
  place: string;
  family: Family;
  /** Said in the table about the result. */
  remark: string;
  steps: Step[];
}

interface Section {
  name: string;
  place: string;
  family: Family;
  remark: string[];
  steps: (Step | { type: "after"; name: string; line: number })[];
}

const FOLDER = "test/e2e/kernel";
const FLAVOURS = ["lf", "exact", "hex"];
const IDS = /\s*\((4\.[^)]*)\)$/;
const SIP_PORT = "5060";

export class CaseError extends Error {}

function word(words: string[], name: string): string | undefined {
  return words.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
}

const flavourOf = (words: string[]): Flavour => (words.find((one) => FLAVOURS.includes(one)) ?? "text") as Flavour;

function messageRead(speaker: Speaker, words: string[], text: string, line: number): Message {
  const stray = words.find((one) => ![...FLAVOURS, "tcp"].includes(one) && !/^(?:from|at|to|cut|every)=/.test(one));
  if (stray !== undefined) throw new CaseError(`"${stray}" is not a word of a block`);
  const expanded = textExpand(flavourOf(words), text, "");
  return {
    type: "message",
    line,
    speaker,
    from: word(words, "from") ?? SIP_PORT,
    at: word(words, "at") ?? SIP_PORT,
    to: word(words, "to"),
    stream: words.includes("tcp"),
    text: expanded,
    cuts: words.filter((one) => one.startsWith("cut=")).map((one) => one.slice(4)),
    every: Number(word(words, "every") ?? Number.POSITIVE_INFINITY),
    expected: [{ kind: "text", text: expanded }],
  };
}

/** Gives the last message another expectation, or with `or` one more. */
function expect(section: Section, expected: Expected, isMore: boolean): void {
  const last = section.steps[section.steps.length - 1];
  if (last?.type !== "message") throw new CaseError("expected of which message?");
  last.expected = isMore ? [...last.expected, expected] : [expected];
}

function blockTake(section: Section, info: string, text: string, line: number): void {
  const [type, ...words] = info.split(/\s+/);
  if (type === "client" || type === "other" || type === "server") section.steps.push(messageRead(type, words, text, line));
  else if (type === "arrives" || type === "or") expect(section, { kind: "text", text: textExpand(flavourOf(words), text, "") }, type === "or");
  else throw new CaseError(`no block "${info}"`);
}

function spotRead(text: string | undefined): { who: string; port: string } {
  const parts = /^(client|other|server|stranger):(\S+)$/.exec(text ?? "");
  if (parts === null) throw new CaseError(`"${text}" is nobody's port`);
  return { who: parts[1]!, port: parts[2]! };
}

/** `rtp server:6000 -> {H} {m} at client:4000`, `rtp stranger:7000 -> {H} {m} not at client:4000`, `… to nobody`. */
function mediaRead(words: string[], line: number): Media {
  const [kind, from, , host, port, ...end] = words;
  const how = end.slice(0, -1).join(" ");
  if (how !== "at" && how !== "not at" && how !== "to") throw new CaseError("where does it arrive?");
  const spot = how === "to" ? undefined : spotRead(end[end.length - 1]);
  return {
    type: "media",
    line,
    kind: kind as Media["kind"],
    from: spotRead(from),
    to: { host: host!, port: port! },
    at: how === "at" ? spot : undefined,
    notAt: how === "not at" ? spot : undefined,
  };
}

const EXPECTED: Record<string, Expected> = { nothing: { kind: "nothing" }, "as it is": { kind: "same" }, "an answer": { kind: "answer" } };

function itemTake(section: Section, span: string, line: number): void {
  const isMore = span.startsWith("or ");
  const expected = EXPECTED[isMore ? span.slice(3) : span];
  const words = span.split(/\s+/);
  if (expected !== undefined) expect(section, expected, isMore);
  else if (span === "again") section.steps.push({ type: "again", line });
  else if (span === "ipv6") section.family = "ipv6";
  else if (words[0] === "after") section.steps.push({ type: "after", name: span.slice(6), line });
  else if (words[0] === "rtp" || words[0] === "empty") section.steps.push(mediaRead(words, line));
  else throw new CaseError(`no step "${span}"`);
}

interface Fence {
  info: string;
  line: number;
  lines: string[];
}

function sectionsRead(file: string): Section[] {
  const sections: Section[] = [];
  let fence: Fence | undefined;
  for (const [index, text] of readFileSync(file, "utf8").split("\n").entries()) {
    const section = sections[sections.length - 1];
    const line = index + 1;
    const item = /^- `([^`]+)`$/.exec(text);
    try {
      if (fence !== undefined && text.trimEnd() === "```") {
        blockTake(section!, fence.info, fence.lines.map((one) => `${one}\n`).join(""), fence.line);
        fence = undefined;
      } else if (fence !== undefined) fence.lines.push(text);
      else if (text.startsWith("```")) fence = { info: text.slice(3).trim(), line, lines: [] };
      else if (text.startsWith("## ")) sections.push({ name: text.slice(3).trim(), place: `${file}:${line}`, family: "ipv4", remark: [], steps: [] });
      else if (text.startsWith("> ")) section?.remark.push(text.slice(2).trim());
      else if (item !== null) itemTake(section!, item[1]!, line);
    } catch (error) {
      throw new CaseError(`${file}:${line}: ${(error as Error).message}`);
    }
  }
  return sections;
}

function stepsInlined(section: Section, sections: Section[]): Step[] {
  return section.steps.flatMap((step) => {
    if (step.type !== "after") return [step];
    const found = sections.find(({ name }) => name.replace(IDS, "") === step.name);
    if (found === undefined) throw new CaseError(`${section.place}: no section "${step.name}" to come after`);
    return stepsInlined(found, sections);
  });
}

/** Every case of this folder, in the order of the files' names. A section without a line of the list is there for `after`. */
export function casesRead(): Case[] {
  const files = readdirSync(join(FOLDER, "cases")).filter((name) => name.endsWith(".md"));
  const sections = files.sort().flatMap((name) => sectionsRead(join(FOLDER, "cases", name)));
  return sections
    .filter((section) => IDS.test(section.name))
    .map((section) => ({
      name: section.name.replace(IDS, ""),
      ids: IDS.exec(section.name)![1]!.split(/,\s*/),
      place: section.place,
      family: section.family,
      remark: section.remark.join(" "),
      steps: stepsInlined(section, sections),
    }));
}
