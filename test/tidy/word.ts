/*
 * Words that do not belong into files: names that say nothing, marks of unfinished work, a test that runs alone,
 * places of one machine. The words are put together from parts, so that this file does not find itself.
 */

import { basename } from "node:path";
import { type Finding, findingsOf, type Source } from "./source.ts";

const NAMES = ["util", "utils", "helper", "helpers", "common", "manager", "misc"];
const NAME_PART = new RegExp(
  `\\b\\w*(?:${["Util", "Helper", "Manager"].join("|")})s?(?![a-z])\\w*\\b|\\b(?:${["util", "helper", "manager"].join("|")})s?\\b`,
  "g",
);
const UNFINISHED = new RegExp(`\\b(?:${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`, "g");
const ALONE = new RegExp(`\\.${"on" + "ly"}\\(`, "g");
const PLACES = new RegExp(`(?:^|[\\s"'\`(=])/(?:${["wo" + "rk", "ho" + "me", "ro" + "ot", "Us" + "ers"].join("|")})/\\w`, "g");

/** Folders and files whose names say nothing. */
export function nameFindings(sources: Source[]): Finding[] {
  return sources.flatMap((source) => {
    const odd = source.path
      .split("/")
      .map((part) => basename(part).split(".")[0]!.toLowerCase())
      .find((part) => NAMES.includes(part));
    const file = odd === undefined ? [] : [{ path: source.path, line: 1, message: `a name that says nothing: ${odd}` }];
    return [...file, ...findingsOf(source, NAME_PART, "a name that says nothing")];
  });
}

export function unfinishedFindings(sources: Source[]): Finding[] {
  return sources.flatMap((source) => findingsOf(source, UNFINISHED, "unfinished", "text"));
}

export function aloneFindings(sources: Source[]): Finding[] {
  return sources.flatMap((source) => findingsOf(source, ALONE, "a test that runs alone", "text"));
}

export function placeFindings(sources: Source[]): Finding[] {
  return sources.flatMap((source) => findingsOf(source, PLACES, "a place of one machine", "text"));
}

/** A core file opens with what it is. */
export function openingFindings(sources: Source[]): Finding[] {
  return sources
    .filter(({ path, text }) => /^(?:core|hosts|bindings)\/.*\.(?:ts|c|h)$/.test(path) && !/^\/\*\*?\s/.test(text))
    .map(({ path }) => ({ path, line: 1, message: "does not open with a comment that says what it is" }));
}

/** A lock file names versions and checksums, not where they were downloaded. */
export function lockFindings(sources: Source[]): Finding[] {
  return sources
    .filter(({ path }) => path.endsWith("package-lock.json"))
    .flatMap((source) => findingsOf(source, /"resolved": *"https?:[^"]*"/g, "a download address", "text"));
}
