/*
 * The files of the project as the rules of this folder see them. A rule is a pure function from files to
 * findings, so that a test can show that it finds what it is for.
 */

import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

export interface Source {
  path: string;
  text: string;
  /** The text with comments and the insides of strings and regular expressions blanked; lines stay where they are. */
  code: string;
}

export interface Finding {
  path: string;
  line: number;
  message: string;
}

const FOLDERS = ["core", "hosts", "bindings", "test"];
const CODE = [".ts", ".c", ".h", ".mjs", ".js"];
const TEXT = [...CODE, ".md", ".json", ".yaml", ".yml", ".sh", ".service", ".nft"];
const LEFT_OUT = ["node_modules", "dist", ".git"];

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

/** Comments, strings, templates without their placeholders, and regular expressions where one can begin. */
const LEXEME =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?<=[(,=:[!&|?{};\n]\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/[a-z]*/g;

export function sourceOf(path: string, text: string): Source {
  const code = text.replace(LEXEME, (lexeme) => {
    const quote = lexeme[0]!;
    return `"'\`/`.includes(quote) && !lexeme.startsWith("//") && !lexeme.startsWith("/*") ? quote + blank(lexeme.slice(1, -1)) + quote : blank(lexeme);
  });
  return { path, text, code };
}

function walk(folder: string, extensions: string[]): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.includes(entry.name) ? [] : walk(path, extensions);
    return extensions.includes(extname(entry.name)) ? [path] : [];
  });
}

/** Code of the project, with `build.ts`. */
export function sourcesRead(): Source[] {
  return ["build.ts", ...FOLDERS.flatMap((folder) => walk(folder, CODE))].map((path) => sourceOf(path, readFileSync(path, "utf8")));
}

/** Everything that is text, in every folder. */
export function textsRead(): Source[] {
  const names = readdirSync(".", { withFileTypes: true });
  const folders = names.filter((entry) => entry.isDirectory() && !LEFT_OUT.includes(entry.name)).flatMap((entry) => walk(entry.name, TEXT));
  const files = names.filter((entry) => entry.isFile() && TEXT.includes(extname(entry.name))).map((entry) => entry.name);
  return [...files, ...folders].map((path) => ({ path, text: readFileSync(path, "utf8"), code: "" }));
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

export function findingsOf(source: Source, pattern: RegExp, message: string, where: "text" | "code" = "code"): Finding[] {
  return [...source[where].matchAll(pattern)].map((found) => ({
    path: source.path,
    line: lineAt(source.text, found.index),
    message: `${message}: ${found[0].trim()}`,
  }));
}

export function findingText({ path, line, message }: Finding): string {
  return `${path}:${line}: ${message}`;
}
