/*
 * Who may import whom (DESIGN 1): in the core, files import lower ranks or their own folder, folders of one rank
 * are strangers, there is no cycle, and nothing comes from outside; hosts know the core only through
 * hosts/shared/core.ts, and each other not at all.
 */

import { dirname, join, normalize } from "node:path";
import { type Finding, lineAt, type Source } from "./source.ts";

export interface Import {
  from: string;
  /** A path in the project, or the name of a package. */
  to: string;
  line: number;
  names: string[];
}

const RANKS: Record<string, number> = {
  machine: 0,
  memory: 1,
  bytes: 2,
  table: 3,
  input: 4,
  classify: 4,
  decode: 4,
  encode: 4,
  output: 4,
  translate: 5,
  relay: 5,
  path: 6,
  index: 7,
  abi: 7,
};

/** Hosts proper; hosts/shared is under all of them, hosts/demo and hosts/node-dgram-adapter are things that they use. */
const HOSTS = ["node", "deno", "embedded"];
const DOOR = "hosts/shared/core.ts";

const IMPORT = /^\s*(?:import|export)\s+(?:type\s+)?([^;"']*?)\s*from\s+["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|^import\s+["']([^"']+)["']/gm;

export function importsOf({ path, text }: Source): Import[] {
  return [...text.matchAll(IMPORT)].map((found) => {
    const name = (found[2] ?? found[3] ?? found[4])!;
    const names = [...(found[1] ?? "").matchAll(/(?:type\s+)?(\w+)(?:\s+as\s+\w+)?(?=\s*[,}])/g)].map((match) => match[1]!);
    return { from: path, to: name.startsWith(".") ? normalize(join(dirname(path), name)) : name, line: lineAt(text, found.index), names };
  });
}

/** The stage of a core file: its first folder, or its own name. */
function stageOf(path: string): string {
  return path.split("/")[1]!.replace(/\.asc\.ts$|\.ts$/, "");
}

function coreImport(one: Import): string | undefined {
  if (!one.to.startsWith("core/")) return `the core imports nothing outside the core, and this is ${one.to}`;
  const mine = stageOf(one.from);
  const theirs = stageOf(one.to);
  if (mine === theirs) return undefined;
  const [rank, other] = [RANKS[mine], RANKS[theirs]];
  if (rank === undefined || other === undefined) return `core/${rank === undefined ? mine : theirs} has no rank in test/tidy/import.ts`;
  if (rank === other) return `core/${mine} and core/${theirs} are of one rank, and strangers`;
  return rank < other ? `core/${mine} is below core/${theirs}` : undefined;
}

function hostImport(one: Import): string | undefined {
  const core = one.to.startsWith("core/") || one.to === "#core" || one.to === "#abi";
  if (core && one.from !== DOOR) return `a host knows the core only through ${DOOR}`;
  const [mine, theirs] = [one.from.split("/")[1]!, one.to.startsWith("hosts/") ? one.to.split("/")[1]! : ""];
  if (mine !== theirs && HOSTS.includes(theirs)) return `hosts/${mine} imports hosts/${theirs}`;
  return mine === "shared" && theirs !== "" && theirs !== "shared" ? `hosts/shared imports hosts/${theirs}` : undefined;
}

export function importFindings(sources: Source[]): Finding[] {
  return sources.flatMap((source) => {
    const judge = source.path.startsWith("core/") ? coreImport : source.path.startsWith("hosts/") ? hostImport : () => undefined;
    return importsOf(source).flatMap((one) => {
      const message = judge(one);
      return message === undefined ? [] : [{ path: one.from, line: one.line, message }];
    });
  });
}

/** A relative import that does not carry its extension. */
export function extensionFindings(sources: Source[]): Finding[] {
  return sources.flatMap((source) =>
    importsOf(source)
      .filter(
        ({ to, from }) => to.includes("/") && !to.startsWith("node:") && /\.ts$/.test(from) && /^(core|hosts|bindings|test)\//.test(to) && !/\.\w+$/.test(to),
      )
      .map(({ from, line, to }) => ({ path: from, line, message: `the import of ${to} has no .ts` })),
  );
}

/** One finding for each file that a cycle of imports leads back to. */
export function cycleFindings(sources: Source[]): Finding[] {
  const edges = new Map(sources.map((source) => [source.path, importsOf(source).map(({ to }) => to)]));
  const state = new Map<string, "open" | "done">();
  const findings: Finding[] = [];
  const visit = (path: string, trail: string[]): void => {
    if (state.get(path) === "done" || !edges.has(path)) return;
    if (state.get(path) === "open") {
      findings.push({ path, line: 1, message: `imports go in a circle: ${[...trail.slice(trail.indexOf(path)), path].join(" -> ")}` });
      return;
    }
    state.set(path, "open");
    for (const next of edges.get(path)!) visit(next, [...trail, path]);
    state.set(path, "done");
  };
  for (const path of edges.keys()) visit(path, []);
  return findings;
}

const EXPORT = /^export\s+(?:abstract\s+)?(?:declare\s+)?(?:function|const|let|class|interface|type)\s+(\w+)/gm;

/** Does the name stand anywhere besides its definition? */
function isRead(name: string, everywhere: Source[]): boolean {
  let uses = 0;
  for (const { code } of everywhere) uses += code.match(new RegExp(`\\b${name}\\b`, "g"))?.length ?? 0;
  return uses > 1;
}

/**
 * What a core file exports and no other imports. The numbers in core/memory are the contract with hosts and
 * tests, which reach them through abi.ts: there it is enough that anything reads them.
 */
export function exportFindings(core: Source[], everywhere: Source[]): Finding[] {
  const imported = new Set(core.flatMap((source) => importsOf(source).flatMap(({ to, names }) => names.map((name) => `${to} ${name}`))));
  return core
    .filter(({ path }) => path !== "core/index.ts" && path !== "core/machine.asc.ts")
    .flatMap(({ path, text }) =>
      [...text.matchAll(EXPORT)]
        .filter(([, name]) => !imported.has(`${path} ${name}`) && !(path.startsWith("core/memory/") && isRead(name!, everywhere)))
        .map((found) => ({ path, line: lineAt(text, found.index), message: `exported and never imported: ${found[1]}` })),
    );
}
