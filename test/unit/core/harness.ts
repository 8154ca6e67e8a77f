/*
 * Opens any files of the core as JavaScript and as WebAssembly, so that a test calls the functions inside
 * it on both. The same two steps as build.ts, except that everything those files export is an export.
 */

import { build } from "esbuild";
import { wasmCompile } from "../../../bindings/wasm/compile.ts";
import { wasmOptimize } from "../../../bindings/wasm/optimize.ts";

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
  return await WebAssembly.compile(wasmOptimize(await wasmCompile(files), "speed"));
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
  const missing = pages - memory.buffer.byteLength / PAGE;
  if (missing > 0) memory.grow(missing);
  return {
    js: core("js", compiled.js(flat), flat),
    wasm: core("wasm", exports, memory.buffer),
  };
}
