/*
 * Which lines of the conformance list the headings of the vectors name: every line about SIP, SDP and media has one, or
 * a reason here why it is tested elsewhere or not yet.
 */

import { expect, test } from "vitest";
import { libraryRead } from "./library.ts";

/** First and last number of the parts of the list that this folder is about. */
const PARTS: [string, number, number][] = [
  ["4.A", 1, 47],
  ["4.A2", 48, 71],
  ["4.A3", 72, 80],
];

const ELSEWHERE: Record<string, string> = {
  "4.A-6": "TCP sequence numbers: streams are terminated, when there are any",
  "4.A-7": "IP fragments never reach the core",
  "4.A-8": "the host sends datagrams of its own, and its kernel fragments them",
  "4.A-9": "checksums are the kernel's",
  "4.A3-78": "DSCP and ECN are the host's",
  "4.A3-79": "ICMP ends in the host's socket: nothing of it reaches the core",
};

test("every line has a vector or a reason", () => {
  const named = new Set(libraryRead().flatMap(({ sections }) => sections.flatMap(({ ids }) => ids)));
  const lines = PARTS.flatMap(([part, first, last]) => Array.from({ length: last - first + 1 }, (_, i) => `${part}-${first + i}`));
  expect(lines.filter((line) => !named.has(line) && ELSEWHERE[line] === undefined)).toEqual([]);
  expect(Object.keys(ELSEWHERE).filter((line) => named.has(line))).toEqual([]);
});

test("no heading names a line that is not there", () => {
  const known = [...PARTS, ["4.E", 104, 107] as const];
  const odd = libraryRead().flatMap(({ file, sections }) => sections.flatMap(({ ids, line }) => ids.map((id) => ({ id, place: `${file}:${line}` }))));
  const exists = (id: string): boolean =>
    known.some(([part, first, last]) => id.startsWith(`${part}-`) && Number(id.split("-")[1]) >= first && Number(id.split("-")[1]) <= last);
  expect(odd.filter(({ id }) => !exists(id))).toEqual([]);
});
