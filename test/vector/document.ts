/*
 * A file of vectors: Markdown with a title, one configuration and a section for each vector. The format is
 * described in README.md. Anything that is not a step is prose.
 *
 * Invariant: a fenced block or list item that looks like a step and cannot be read is an error with its line.
 */

import { type Action, type Expectation, isAction, itemRead, type Step, VectorError, blockRead } from "./step.ts";

/** One action and what is expected of it. */
export interface Turn {
  action: Action;
  expected: Expectation[];
}

export interface Section {
  name: string;
  line: number;
  /** Lines of CONFORMANCE.md that it proves, as 4.A-15. */
  ids: string[];
  config: string;
  turns: Turn[];
}

export interface VectorDocument {
  file: string;
  title: string;
  sections: Section[];
}

/** How often `after` may lead to another section. */
const AFTER_DEPTH = 8;

/** A section as it stands in the file. */
export interface Chapter {
  name: string;
  line: number;
  config: string | undefined;
  steps: Step[];
}

function idsOf(heading: string): string[] {
  return heading.match(/\b4\.[A-E]\d?-\d+\b/g) ?? [];
}

interface Fence {
  info: string;
  mark: string;
  line: number;
  lines: string[];
}

/** Reads the file line by line; chapter 0 is what stands before the first section. */
function chaptersRead(text: string, file: string): { title: string; chapters: Chapter[] } {
  const chapters: Chapter[] = [{ name: "", line: 1, config: undefined, steps: [] }];
  let title = file;
  let fence: Fence | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const chapter = chapters[chapters.length - 1]!;
    const at = index + 1;
    if (fence) {
      if (line.trimEnd() !== fence.mark) fence.lines.push(line);
      else {
        blockTake(fence, chapter, file);
        fence = undefined;
      }
      continue;
    }
    const opened = /^(`{3,})\s*(.*)$/.exec(line);
    const item = /^[-*] `([^`]+)`\s*$/.exec(line);
    if (opened) fence = { mark: opened[1]!, info: opened[2]!.trim(), line: at, lines: [] };
    else if (line.startsWith("## ")) chapters.push({ name: line.slice(3).trim(), line: at, config: undefined, steps: [] });
    else if (line.startsWith("# ")) title = line.slice(2).trim();
    else if (item)
      stepAdd(
        chapter,
        read(() => itemRead(item[1]!, at), file, at),
        file,
        at,
      );
  }
  if (fence) throw new VectorError(`${file}:${fence.line}: the block does not end`);
  return { title, chapters };
}

function read<T>(reader: () => T, file: string, line: number): T {
  try {
    return reader();
  } catch (error) {
    throw error instanceof VectorError ? new VectorError(`${file}:${line}: ${error.message}`) : error;
  }
}

function stepAdd(chapter: Chapter, step: Step | undefined, file: string, line: number): void {
  if (!step) throw new VectorError(`${file}:${line}: no such step`);
  chapter.steps.push(step);
}

function blockTake(fence: Fence, chapter: Chapter, file: string): void {
  const text = fence.lines.map((line) => `${line}\n`).join("");
  if (fence.info === "yaml") chapter.config = text;
  else
    stepAdd(
      chapter,
      read(() => blockRead(fence.info, text, fence.line), file, fence.line),
      file,
      fence.line,
    );
}

/** Steps with every `after` replaced by the steps of the section it names. */
function stepsInlined(chapter: Chapter, chapters: Chapter[], file: string, depth: number): Step[] {
  return chapter.steps.flatMap((step) => {
    if (step.type !== "after") return [step];
    const found = chapters.find((other) => other.name.replace(/\s*\(4\.[^)]*\)$/, "") === step.name);
    if (!found || depth === AFTER_DEPTH) throw new VectorError(`${file}:${step.line}: no section "${step.name}" to come after`);
    return stepsInlined(found, chapters, file, depth + 1);
  });
}

function turnsOf(steps: Step[], file: string): Turn[] {
  const turns: Turn[] = [];
  for (const step of steps) {
    const last = turns[turns.length - 1];
    if (isAction(step)) turns.push({ action: step, expected: [] });
    else if (!last || step.type === "after") throw new VectorError(`${file}:${step.line}: an expectation before the first input`);
    else last.expected.push(step);
  }
  return turns;
}

/** Reads a file; `shared` are sections of another one that `after` may name too. */
export function documentRead(text: string, file: string, shared: Chapter[]): VectorDocument & { chapters: Chapter[] } {
  const { title, chapters } = chaptersRead(text, file);
  const [first, ...rest] = chapters as [Chapter, ...Chapter[]];
  const known = [...rest, ...shared];
  const sections = rest
    .filter((chapter) => chapter.steps.length > 0)
    .map((chapter): Section => {
      const config = chapter.config ?? first.config;
      if (config === undefined) throw new VectorError(`${file}:${chapter.line}: no configuration`);
      return { name: chapter.name, line: chapter.line, ids: idsOf(chapter.name), config, turns: turnsOf(stepsInlined(chapter, known, file, 0), file) };
    });
  return { file, title, sections, chapters: rest };
}
