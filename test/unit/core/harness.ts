/*
 * Opens any files of the core as JavaScript and as WebAssembly, so that a test calls the functions inside
 * it on both. The same two steps as build.ts, except that everything those files export is an export.
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import asc from "assemblyscript/asc";
import { build } from "esbuild";

/** One instance of what the files export, over a memory of its own. */
export interface Core {
  name: "js" | "wasm";
  call(name: string, ...args: number[]): number;
  /** The exported function itself, for hot loops. */
  find(name: string): (...args: number[]) => number;
  /** Value of an exported constant. */
  constant(name: string): number;
  bytes: Uint8Array;
  words: Int32Array;
  view: DataView;
}

type Exports = Record<string, unknown>;

/** What is used of the global that neither lib es2023 nor the types of Node 20 declare as a value. */
declare const WebAssembly: {
  Global: new () => { value: unknown };
  compile(binary: Uint8Array): Promise<WebAssembly.Module>;
  instantiate(module: WebAssembly.Module, imports: object): Promise<{ exports: Exports }>;
};

interface GrowingMemory {
  buffer: ArrayBuffer;
  grow(pages: number): number;
}

interface Compiled {
  js: (memory: ArrayBuffer) => Exports;
  wasm: WebAssembly.Module;
}

const PAGE = 65536;
const MAXIMUM_PAGES = 32768;
const cache = new Map<string, Promise<Compiled>>();

async function compileJs(files: string[]): Promise<Compiled["js"]> {
  const contents = files.map((file) => `export * from "./${file}";\n`).join("");
  const result = await build({
    stdin: { contents, resolveDir: process.cwd(), loader: "ts" },
    bundle: true,
    write: false,
    format: "iife",
    globalName: "core",
    target: "es2022",
  });
  return new Function("memory", `${result.outputFiles[0]!.text}\nreturn core;`) as Compiled["js"];
}

async function compileWasm(files: string[]): Promise<WebAssembly.Module> {
  let binary = new Uint8Array();
  const readSource = async (name: string, base: string): Promise<string | null> => {
    const path = join(base, name.replace(/core\/machine\.ts$/, "core/machine.asc.ts"));
    return existsSync(path) ? await readFile(path, "utf8") : null;
  };
  const write = (name: string, contents: Uint8Array | string): void => {
    if (name.endsWith(".wasm")) binary = contents as Uint8Array<ArrayBuffer>;
  };
  const { error, stderr } = await asc.main(
    [
      ...files,
      "--outFile",
      "core.wasm",
      "--runtime",
      "stub",
      "--use",
      "abort=",
      "--noAssert",
      "--initialMemory",
      "1",
      "--maximumMemory",
      String(MAXIMUM_PAGES),
      "--memoryBase",
      "0",
      "-O3",
      "--converge",
      "--enable",
      "bulk-memory",
      "--disable",
      "nontrapping-f2i",
    ],
    { readFile: readSource, writeFile: write, listFiles: () => [] },
  );
  if (error) throw new Error(`asc: ${error.message}\n${stderr.toString()}`);
  return await WebAssembly.compile(binary);
}

function compile(files: string[]): Promise<Compiled> {
  const key = files.join();
  const known = cache.get(key);
  if (known) return known;
  const made = Promise.all([compileJs(files), compileWasm(files)]).then(([js, wasm]) => ({ js, wasm }));
  cache.set(key, made);
  return made;
}

/** Reads of a WASM export that is a constant give a WebAssembly.Global. */
function numberOf(value: unknown): number {
  return (value instanceof WebAssembly.Global ? value.value : value) as number;
}

function core(name: Core["name"], exports: Exports, memory: ArrayBuffer): Core {
  const find = (key: string): ((...args: number[]) => number) => {
    const found = exports[key];
    if (typeof found !== "function") throw new Error(`the core exports no function ${key}`);
    return found as (...args: number[]) => number;
  };
  const constant = (key: string): number => {
    const value = numberOf(exports[key]);
    if (typeof value !== "number") throw new Error(`the core exports no constant ${key}`);
    return value;
  };
  return {
    name,
    find,
    constant,
    call: (key, ...args) => find(key)(...args),
    bytes: new Uint8Array(memory),
    words: new Int32Array(memory),
    view: new DataView(memory),
  };
}

/** Fresh instances of the files, paths from the root of the project, each with at least `size` zeroed bytes. */
export async function coreOpen(files: string[], size: number): Promise<{ js: Core; wasm: Core }> {
  const compiled = await compile(files);
  const pages = Math.ceil(size / PAGE);
  const flat = new ArrayBuffer(pages * PAGE);
  const { exports } = await WebAssembly.instantiate(compiled.wasm, {});
  const memory = exports.memory as GrowingMemory;
  if (pages > 1) memory.grow(pages - 1);
  return {
    js: core("js", compiled.js(flat), flat),
    wasm: core("wasm", exports, memory.buffer),
  };
}
