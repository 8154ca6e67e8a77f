/*
 * What is in a WebAssembly binary, as wabt's wasm-objdump tells it: sections, instructions, who calls whom.
 */

import { execFileSync } from "node:child_process";

export interface Binary {
  /** Names of imports. */
  imports: string[];
  /** "func boot", "memory memory". */
  exports: string[];
  tables: number;
  globals: number;
  data: number;
  memories: string[];
  /** Every instruction's name, once. */
  instructions: Set<string>;
  /** Calls between functions by index. */
  calls: Map<number, Set<number>>;
}

function objdump(flag: string, file: string): string {
  return execFileSync(process.execPath, ["node_modules/wabt/bin/wasm-objdump", flag, file], { encoding: "utf8", maxBuffer: 1 << 28 });
}

function countOf(details: string, section: string): number {
  return Number(new RegExp(`^${section}\\[(\\d+)\\]`, "m").exec(details)?.[1] ?? 0);
}

function linesOf(details: string, section: string): string[] {
  const block = new RegExp(`^${section}\\[\\d+\\]:\\n((?: - .*\\n)*)`, "m").exec(details);
  return block?.[1]?.split("\n").filter((line) => line !== "") ?? [];
}

export function binaryRead(file: string): Binary {
  const details = objdump("-x", file);
  const code = objdump("-d", file);
  const instructions = new Set<string>();
  const calls = new Map<number, Set<number>>();
  let current = -1;
  for (const line of code.split("\n")) {
    const opens = /^[0-9a-f]+ func\[(\d+)\]/.exec(line);
    if (opens) calls.set((current = Number(opens[1])), new Set());
    const instruction = /^ [0-9a-f]+: [0-9a-f ]+\| +(\S+) ?(\S*)/.exec(line);
    if (!instruction) continue;
    instructions.add(instruction[1]!);
    if (instruction[1] === "call") calls.get(current)?.add(Number(instruction[2]));
  }
  return {
    imports: linesOf(details, "Import"),
    exports: linesOf(details, "Export")
      .map((line) => line.replace(/^ - (\w+)\[\d+\].* -> "(.*)"$/, "$1 $2"))
      .sort(),
    tables: countOf(details, "Table") + countOf(details, "Elem"),
    globals: countOf(details, "Global"),
    data: countOf(details, "Data"),
    memories: linesOf(details, "Memory").map((line) => line.trim()),
    instructions,
    calls,
  };
}

/** A function that can reach itself, as a list of indices; undefined when none can. */
export function recursionIn(calls: Map<number, Set<number>>): number[] | undefined {
  const done = new Set<number>();
  const visit = (at: number, trail: number[]): number[] | undefined => {
    if (trail.includes(at)) return [...trail.slice(trail.indexOf(at)), at];
    if (done.has(at)) return undefined;
    for (const next of calls.get(at) ?? []) {
      const found = visit(next, [...trail, at]);
      if (found) return found;
    }
    done.add(at);
    return undefined;
  };
  for (const at of calls.keys()) {
    const found = visit(at, []);
    if (found) return found;
  }
  return undefined;
}
