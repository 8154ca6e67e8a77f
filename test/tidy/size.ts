/*
 * How long files and functions may be (DESIGN 7). A function is found by its layout: from the line that opens
 * its body to the first line behind it that begins with the closing brace at the same indentation.
 */

import type { Finding, Source } from "./source.ts";

export const FILE_LINES = 400;
export const FUNCTION_LINES = 70;

export function fileFindings(sources: Source[]): Finding[] {
  return sources.flatMap(({ path, text }) => {
    const lines = text.split("\n").length - 1;
    return lines > FILE_LINES ? [{ path, line: lines, message: `${lines} lines, at most ${FILE_LINES}` }] : [];
  });
}

const CONTROL = /^\s*(?:\}\s*)?(?:if|for|while|switch|do|else|try|catch|finally|describe|namespace|interface|class|struct|enum)\b/;
/** A test suite is a list of tests, not a function. */
const SUITE = /\bdescribe(?:\.\w+(?:\(.*\))?)?\(/;
const OPENS = /(?:\)|=>|\bvoid|\w\[?\]?>?)\s*\{$/;

function isFunction(line: string): boolean {
  return OPENS.test(line) && /[()]/.test(line) && !CONTROL.test(line) && !SUITE.test(line);
}

export function functionFindings(sources: Source[]): Finding[] {
  return sources.flatMap(({ path, code }) => {
    const lines = code.split("\n").map((line) => line.trimEnd());
    return lines.flatMap((line, i) => {
      if (!isFunction(line)) return [];
      const indent = /^\s*/.exec(line)![0];
      const end = lines.findIndex((other, j) => j > i && other.startsWith(`${indent}}`));
      const length = end - i + 1;
      return length > FUNCTION_LINES ? [{ path, line: i + 1, message: `a function of ${length} lines, at most ${FUNCTION_LINES}` }] : [];
    });
  });
}
