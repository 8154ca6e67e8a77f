/*
 * Builds of the core for a run: those of `npm run build`, and variants of them with a bug planted, whose source text is
 * changed on its way into the compiler. A change that finds no place to apply is an error, so that a check of
 * the fuzz cannot pass because the core has moved on.
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { wasmCompile } from "../../bindings/wasm/compile.ts";
import { type Exports, PAGE } from "../parity/engine.ts";
import type { Machine, Maker } from "./lockstep.ts";

/** One change of a core file. */
export interface Change {
  file: string;
  from: string;
  to: string;
}

type CreateCore = (memory: ArrayBuffer) => Exports;

function applied(text: string, path: string, changes: Change[], done: Set<Change>): string {
  let changed = text;
  for (const change of changes) {
    if (!path.replaceAll("\\", "/").endsWith(change.file)) continue;
    if (!changed.includes(change.from)) throw new Error(`${change.file} does not say "${change.from}" any more: plant the bug elsewhere`);
    changed = changed.replace(change.from, () => change.to);
    done.add(change);
  }
  return changed;
}

function allDone(changes: Change[], done: Set<Change>): void {
  const left = changes.find((change) => !done.has(change));
  if (left) throw new Error(`${left.file} is no part of the core`);
}

function jsMaker(createCore: CreateCore, name: string): Maker {
  return {
    name,
    async make(size: number): Promise<Machine> {
      const memory = new ArrayBuffer(size);
      return { name, exports: createCore(memory), bytes: Buffer.from(memory) };
    },
  };
}

function wasmMaker(module: WebAssembly.Module, name: string): Maker {
  return {
    name,
    async make(size: number): Promise<Machine> {
      const { exports } = await WebAssembly.instantiate(module, {});
      const memory = exports["memory"] as WebAssembly.Memory;
      const missing = size / PAGE - memory.buffer.byteLength / PAGE;
      if (missing > 0) memory.grow(missing);
      return { name, exports: exports as unknown as Exports, bytes: Buffer.from(memory.buffer) };
    },
  };
}

/** JavaScript and WebAssembly as built. */
export async function builtMakers(): Promise<Maker[]> {
  const [js, wasm] = [resolve("dist", "core.js"), resolve("dist", "core.wasm")];
  for (const file of [js, wasm]) if (!existsSync(file)) throw new Error(`${file} is missing: npm run build`);
  const { createCore } = (await import(pathToFileURL(js).href)) as { createCore: CreateCore };
  return [jsMaker(createCore, "js"), wasmMaker(await WebAssembly.compile(await readFile(wasm)), "wasm")];
}

/** A JavaScript core with changes. */
export async function jsVariant(changes: Change[]): Promise<Maker> {
  const done = new Set<Change>();
  const plant: Plugin = {
    name: "plant",
    setup({ onLoad }): void {
      onLoad({ filter: /core[\\/].*\.ts$/ }, async ({ path }) => ({ contents: applied(await readFile(path, "utf8"), path, changes, done), loader: "ts" }));
    },
  };
  const banner = { js: "const core = ((memory) => {" };
  const footer = { js: "return made;\n}); export { core as createCore };" };
  const result = await build({
    entryPoints: ["core/index.ts"],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "made",
    target: "es2022",
    banner,
    footer,
    plugins: [plant],
  });
  allDone(changes, done);
  const url = `data:text/javascript;base64,${Buffer.from(result.outputFiles[0]!.text).toString("base64")}`;
  const { createCore } = (await import(/* @vite-ignore */ url)) as { createCore: CreateCore };
  return jsMaker(createCore, "js with a bug");
}

/** A WebAssembly core with changes. */
export async function wasmVariant(changes: Change[]): Promise<Maker> {
  const done = new Set<Change>();
  const binary = await wasmCompile(["core/index.ts"], (text, path) => applied(text, path, changes, done));
  allDone(changes, done);
  return wasmMaker(await WebAssembly.compile(binary), "wasm with a bug");
}
