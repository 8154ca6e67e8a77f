/*
 * One interface over the three builds of the core, for tests that play the same inputs on all of them:
 * JavaScript and WebAssembly in this process, C as a child process (native.ts). Calls may answer later.
 *
 * Invariant: an engine is nothing but its memory; `open` gives it a fresh one of zeros.
 */

import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

export const PAGE = 65536;

type Later<T> = T | Promise<T>;

export interface Engine {
  readonly name: string;
  open(size: number): Later<void>;
  boot(now: number): Later<number>;
  region(id: number): Later<number>;
  input(kind: number, len: number, now: number): Later<number>;
  output(): Later<number>;
  read(at: number, len: number): Later<Uint8Array>;
  write(at: number, bytes: Uint8Array): Later<void>;
  /** One hash for each page of memory. */
  pages(): Later<Uint32Array>;
  close(): void;
}

export interface Exports {
  boot(now: number): number;
  region(id: number): number;
  input(kind: number, len: number, now: number): number;
  output(): number;
}

/** Fowler-Noll-Vo over the 32-bit words of each page: driver.c has the same. */
export function pageHashes(memory: ArrayBuffer): Uint32Array {
  const words = new Int32Array(memory);
  const hashes = new Uint32Array(memory.byteLength / PAGE);
  for (let page = 0; page < hashes.length; page++) {
    let hash = 0x811c9dc5 | 0;
    const end = (page + 1) * (PAGE / 4);
    for (let i = page * (PAGE / 4); i < end; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193);
    hashes[page] = hash;
  }
  return hashes;
}

/** What the two engines in this process share. */
abstract class LocalEngine implements Engine {
  abstract readonly name: string;
  protected memory = new ArrayBuffer(0);
  protected core: Exports | undefined;

  abstract open(size: number): Later<void>;

  private get exports(): Exports {
    if (!this.core) throw new Error(`${this.name}: not open`);
    return this.core;
  }

  boot(now: number): number {
    return this.exports.boot(now);
  }

  region(id: number): number {
    return this.exports.region(id);
  }

  input(kind: number, len: number, now: number): number {
    return this.exports.input(kind, len, now);
  }

  output(): number {
    return this.exports.output();
  }

  read(at: number, len: number): Uint8Array {
    return new Uint8Array(this.memory, at, len).slice();
  }

  write(at: number, bytes: Uint8Array): void {
    new Uint8Array(this.memory).set(bytes, at);
  }

  pages(): Uint32Array {
    return pageHashes(this.memory);
  }

  close(): void {}
}

export class JsEngine extends LocalEngine {
  readonly name = "js";

  constructor(private readonly createCore: (memory: ArrayBuffer) => Exports) {
    super();
  }

  open(size: number): void {
    this.memory = new ArrayBuffer(size);
    this.core = this.createCore(this.memory);
  }
}

export class WasmEngine extends LocalEngine {
  readonly name = "wasm";

  constructor(private readonly module: WebAssembly.Module) {
    super();
  }

  async open(size: number): Promise<void> {
    const { exports } = await WebAssembly.instantiate(this.module, {});
    const memory = exports["memory"] as WebAssembly.Memory;
    const missing = size / PAGE - memory.buffer.byteLength / PAGE;
    if (missing > 0) memory.grow(missing);
    this.memory = memory.buffer;
    this.core = exports as unknown as Exports;
  }
}

export async function jsOpen(file: string): Promise<JsEngine> {
  const bundle = (await import(pathToFileURL(file).href)) as { createCore: (memory: ArrayBuffer) => Exports };
  return new JsEngine(bundle.createCore);
}

export async function wasmOpen(file: string): Promise<WasmEngine> {
  return new WasmEngine(await WebAssembly.compile(await readFile(file)));
}
