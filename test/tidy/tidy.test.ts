/*
 * Style as a test. Each rule is shown a planted fault first: a rule that finds nothing proves nothing.
 */

import { describe, expect, test } from "vitest";
import { cycleFindings, exportFindings, extensionFindings, importFindings } from "./import.ts";
import { portableFindings } from "./portable.ts";
import { FILE_LINES, fileFindings, FUNCTION_LINES, functionFindings } from "./size.ts";
import { type Finding, findingText, type Source, sourceOf, sourcesRead, textsRead } from "./source.ts";
import { aloneFindings, lockFindings, nameFindings, openingFindings, placeFindings, unfinishedFindings } from "./word.ts";

const sources = sourcesRead();
const texts = textsRead();
const core = sources.filter(({ path }) => path.startsWith("core/"));

function clean(findings: Finding[]): void {
  expect(findings.map(findingText).join("\n")).toBe("");
}

/** Messages for planted files, given as path and text. */
function planted(rule: (sources: Source[]) => Finding[], files: Record<string, string>): string[] {
  return rule(Object.entries(files).map(([path, text]) => sourceOf(path, text))).map(({ message }) => message);
}

describe("imports", () => {
  test("the rule finds what it is for", () => {
    const one = (path: string, to: string): string[] => planted(importFindings, { [path]: `import { a } from "${to}";\n` });
    expect(one("core/decode/sip/uri.ts", "../../bytes/word.ts")).toEqual([]);
    expect(one("core/decode/sip/uri.ts", "../mention.ts")).toEqual([]);
    expect(one("core/bytes/word.ts", "../table/rule.ts")).toHaveLength(1);
    expect(one("core/decode/uri.ts", "../encode/splice.ts")).toHaveLength(1);
    expect(one("core/relay/media.ts", "../translate/sip.ts")).toHaveLength(1);
    expect(one("core/path.ts", "node:fs")).toHaveLength(1);
    expect(one("core/path.ts", "../hosts/shared/core.ts")).toHaveLength(1);
    expect(one("core/odd/thing.ts", "../machine.ts")).toHaveLength(1);
    expect(one("hosts/shared/core.ts", "#core")).toEqual([]);
    expect(one("hosts/node/main.ts", "#core")).toHaveLength(1);
    expect(one("hosts/node/main.ts", "../../core/abi.ts")).toHaveLength(1);
    expect(one("hosts/node/main.ts", "../deno/runtime.ts")).toHaveLength(1);
    expect(one("hosts/shared/proxy.ts", "../node/runtime.ts")).toHaveLength(1);
    expect(planted(importFindings, { "hosts/node/main.ts": 'const c = await import("#core");\n' })).toHaveLength(1);
  });

  test("lower ranks and own folders only", () => clean(importFindings(sources)));

  test("a circle is found", () => {
    expect(planted(cycleFindings, { "core/a.ts": 'import { b } from "./b.ts";\n', "core/b.ts": 'import { a } from "./a.ts";\n' })).toHaveLength(1);
  });

  test("no circles", () => clean(cycleFindings(sources)));

  test("imports carry .ts", () => {
    expect(planted(extensionFindings, { "core/a.ts": 'import { b } from "./b";\n' })).toHaveLength(1);
    clean(extensionFindings(sources));
  });

  test("nothing in the core is exported for nobody", () => {
    const dead = sourceOf("core/bytes/a.ts", "export function b(): void {}\nexport const C: i32 = 1;\n");
    const user = sourceOf("core/table/d.ts", 'import { C } from "../bytes/a.ts";\n');
    expect(exportFindings([dead, user], [dead, user])).toHaveLength(1);
    clean(exportFindings(core, sources));
  });
});

describe("size", () => {
  test("the rules find what they are for", () => {
    const body = "  x();\n".repeat(FUNCTION_LINES);
    expect(planted(fileFindings, { "core/a.ts": "x\n".repeat(FILE_LINES + 1), "core/b.ts": "x\n".repeat(FILE_LINES) })).toHaveLength(1);
    expect(planted(functionFindings, { "core/a.ts": `export function a(p: i32): i32 {\n${body}}\n` })).toHaveLength(1);
    expect(planted(functionFindings, { "hosts/a.ts": `class A {\n  async b(c: string): Promise<void> {\n${body}  }\n}\n` })).toHaveLength(1);
    expect(planted(functionFindings, { "bindings/a.c": `static int a(void) {\n${body}}\n` })).toHaveLength(1);
    expect(planted(functionFindings, { "core/a.ts": `export function a(): void {\n${"  x();\n".repeat(FUNCTION_LINES - 2)}}\n` })).toEqual([]);
  });

  test("files", () => clean(fileFindings(sources)));
  test("functions", () => clean(functionFindings(sources)));
});

describe("the portable subset", () => {
  test.each([
    "const a: i32 = b >>> 0;",
    "const a: i32 = b >>> c;",
    "const a: i32 = b * c;",
    "const a: i32 = (b) / 2;",
    "const a: i32 = b % c;",
    "const a: i32 = b / 10;",
    "const a: i32 = 0x80000000;",
    "function f(a: number): void {}",
    "const a: i32 = <u8>b;",
    "const a = 1;",
    "const a: i32 = f(new A());",
    'const a: i32 = f("b");',
    "const a: i32 = b[1];",
    "f((a: i32) => a);",
    "try { f(); } catch { }",
    "for (const a of b) {}",
    "const { a } = b;",
    "const a: i32 = b ?? c;",
    "const a: i32 = b?.c;",
    "outer: for (let i: i32 = 0; i < 3; i++) {}",
    'import type { A } from "./a.ts";',
    'export { a } from "./a.ts";',
    "for (;;) { }",
    "while (true) { }",
    "const a: i32 = Math.imul(b, c);",
    "@inline\nfunction f(): void {}",
    "export const A: boolean = true;",
    "let state: i32 = 0;",
    "const a: i32 = b as const;",
  ])("%s is refused", (text) => {
    expect(planted(portableFindings, { "core/table/a.ts": `${text}\n` })).not.toEqual([]);
    expect(planted(portableFindings, { "core/machine.ts": `${text}\n` })).toEqual([]);
  });

  test.each([
    'import { a } from "./a.ts";',
    "const a: i32 = (b + c) | 0;",
    "const a: i32 = b >>> 4;",
    "const a: i32 = (b / 10) | 0;",
    "const number: i32 = 1;",
    "const a: i32 = B + (C - 1) * D_SIZE;",
    "const a: i32 = 0x80000000 | 0;",
    "export const A: i32 = 0x7fffffff;",
    "/* the number of a * b / c, new in [1] */",
    "for (let i: i32 = 0; i < 4; i++) f(i);",
    "function f(a: i32, b: boolean): boolean {",
    "if (mul(a, b) !== 0 && ltu(a, b)) return -1;",
  ])("%s is portable", (text) => {
    expect(planted(portableFindings, { "core/table/a.ts": `${text}\n` })).toEqual([]);
  });

  test("the core keeps to it", () => clean(portableFindings(sources)));
});

describe("words", () => {
  test("the rules find what they are for", () => {
    expect(planted(nameFindings, { [`core/bytes/${"ut"}il.ts`]: "" })).toHaveLength(1);
    expect(planted(nameFindings, { "core/a.ts": `function call${"Hel"}per(): void {}` })).toHaveLength(1);
    expect(planted(unfinishedFindings, { "core/a.ts": `// ${"TO"}DO later` })).toHaveLength(1);
    expect(planted(aloneFindings, { "test/a.test.ts": `test.${"on"}ly("a")` })).toHaveLength(1);
    expect(planted(placeFindings, { "README.md": `see /${"ho"}me/me/x` })).toHaveLength(1);
    expect(planted(openingFindings, { "core/a.ts": "export const A: i32 = 1;\n", "core/b.ts": "/* What it is. */\n" })).toHaveLength(1);
    expect(planted(lockFindings, { "package-lock.json": '"resolved": "https://example.com/a.tgz"' })).toHaveLength(1);
  });

  test("names say something", () => clean(nameFindings(sources)));
  test("nothing is unfinished", () => clean(unfinishedFindings(texts)));
  test("no test runs alone", () => clean(aloneFindings(sources)));
  test("no place of one machine", () => clean(placeFindings(texts)));
  test("files open with what they are", () => clean(openingFindings(sources)));
  test("the lock file has no download addresses", () => clean(lockFindings(texts)));
});
