/*
 * The engines that a test plays on: JavaScript, WebAssembly and C for a target, from what `npm run build` made.
 */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Engine, jsOpen, wasmOpen } from "./engine.ts";
import { driverBuild, NativeEngine, type Target, targetMissing } from "./native.ts";

const JS = join("dist", "core.js");
const WASM = join("dist", "core.wasm");
/** What the C core is made of. */
const SMALL = join("dist", "small.wasm");
const ABI = join("dist", "abi.js");

/** All three. Without a C compiler the first two, and a word about it. */
export async function enginesOpen(target: Target): Promise<Engine[]> {
  for (const file of [JS, WASM, SMALL, ABI]) if (!existsSync(file)) throw new Error(`${file} is missing: npm run build`);
  const engines: Engine[] = [await jsOpen(resolve(JS)), await wasmOpen(WASM)];
  const missing = targetMissing(target);
  if (missing !== undefined) {
    console.warn(`the C core is left out: ${missing}`);
    return engines;
  }
  const abi = (await import(pathToFileURL(resolve(ABI)).href)) as Record<string, unknown>;
  engines.push(new NativeEngine(target, driverBuild(target, SMALL, abi)));
  return engines;
}
