/*
 * The built core as one type, whether JavaScript or WebAssembly, and its contract (the numbers of
 * core/abi.ts). The only file of the hosts that imports the core.
 * Invariant: the memory of an open core never grows, so its views hold for as long as it lives.
 */

import {
  ABI_VERSION,
  CAPACITY_BINDINGS,
  CAPACITY_BLOCKS,
  CAPACITY_CALLS,
  CAPACITY_CONNECTIONS,
  CAPACITY_DATAGRAMS,
  CAPACITY_FLOWS,
  CAPACITY_PORTS,
  CAPACITY_REGISTRATIONS,
  CAPACITY_RULES,
  CAPACITY_TERMINALS,
  HEADER_ABI,
  HEADER_KEY,
  HEADER_MAGIC,
  MAGIC,
  REGION_END,
} from "#abi";
import type { Capacity } from "./config/settled.ts";

export * from "#abi";

export type CoreKind = "js" | "wasm";

/** The four functions of the contract (DESIGN 2). */
export interface CoreExports {
  boot(now: number): number;
  region(id: number): number;
  input(kind: number, len: number, now: number): number;
  output(): number;
}

export interface CoreMemory {
  readonly bytes: Uint8Array;
  /** Native order, as the core keeps its i32 fields: index = address / 4. */
  readonly words: Int32Array;
  readonly view: DataView;
}

export interface Core extends CoreExports {
  readonly kind: CoreKind;
  readonly memory: CoreMemory;
}

/** What the built core is opened from. The WebAssembly binary is the host's to read. */
export type CoreSource = { kind: "js" } | { kind: "wasm"; binary: Uint8Array };

/** Length of the secret key in the header. */
export const KEY_BYTES = 16;

const PAGE_BYTES = 65536;

const CAPACITY_FIELDS: [number, keyof Capacity][] = [
  [CAPACITY_TERMINALS, "terminals"],
  [CAPACITY_BINDINGS, "bindings"],
  [CAPACITY_REGISTRATIONS, "registrations"],
  [CAPACITY_CALLS, "calls"],
  [CAPACITY_FLOWS, "flows"],
  [CAPACITY_CONNECTIONS, "connections"],
  [CAPACITY_BLOCKS, "blocks"],
  [CAPACITY_DATAGRAMS, "datagrams"],
  [CAPACITY_PORTS, "ports"],
  [CAPACITY_RULES, "rules"],
];

function memoryOf(buffer: ArrayBuffer): CoreMemory {
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer), view: new DataView(buffer) };
}

function capacityWrite(buffer: ArrayBuffer, capacity: Capacity): void {
  const words = new Int32Array(buffer);
  words[HEADER_MAGIC >> 2] = MAGIC;
  words[HEADER_ABI >> 2] = ABI_VERSION;
  for (const [field, name] of CAPACITY_FIELDS) words[field >> 2] = capacity[name];
}

/** Whole pages for what the layout needs, so that both kinds of core have the same memory. */
function pagesFor(core: CoreExports): number {
  const end = core.region(REGION_END);
  if (end > 0) return Math.ceil(end / PAGE_BYTES);
  throw new Error("the capacities need more than 2 GB of memory; lower `capacity:` in the configuration");
}

/** A JavaScript core takes its memory when it is made: one page to ask for the size, then the real one. */
async function openJs(capacity: Capacity): Promise<Core> {
  const { createCore } = (await import("#core")) as unknown as { createCore: (memory: ArrayBuffer) => CoreExports };
  const page = new ArrayBuffer(PAGE_BYTES);
  capacityWrite(page, capacity);
  const buffer = new ArrayBuffer(pagesFor(createCore(page)) * PAGE_BYTES);
  capacityWrite(buffer, capacity);
  const { boot, region, input, output } = createCore(buffer);
  return { kind: "js", memory: memoryOf(buffer), boot, region, input, output };
}

/** A WebAssembly core has a memory to ask in; it is grown from outside, once. */
async function openWasm(binary: Uint8Array, capacity: Capacity): Promise<Core> {
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(binary));
  const memory = exports.memory as WebAssembly.Memory;
  const { boot, region, input, output } = exports as unknown as CoreExports;
  capacityWrite(memory.buffer, capacity);
  const missing = pagesFor({ boot, region, input, output }) - memory.buffer.byteLength / PAGE_BYTES;
  if (missing > 0) memory.grow(missing);
  return { kind: "wasm", memory: memoryOf(memory.buffer), boot, region, input, output };
}

/** Puts the secret key in place. */
export function keyWrite(core: Core, key: Uint8Array): void {
  if (key.length !== KEY_BYTES) throw new Error(`the key of the core has ${KEY_BYTES} bytes, and this one has ${key.length}`);
  core.memory.bytes.set(key, HEADER_KEY);
}

/** Opens a core with memory for the capacities and, if it is given, the secret key in place; configure it, then boot. */
export async function coreOpen(source: CoreSource, capacity: Capacity, key?: Uint8Array): Promise<Core> {
  const core = source.kind === "js" ? await openJs(capacity) : await openWasm(source.binary, capacity);
  core.region(REGION_END);
  if (key) keyWrite(core, key);
  return core;
}
