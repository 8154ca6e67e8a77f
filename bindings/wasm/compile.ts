/*
 * Files of the core to WebAssembly: AssemblyScript reads them with machine.ts answered by machine.asc.ts (DESIGN 4).
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import asc from "assemblyscript/asc";

/** 64 KiB pages of fixed memory that a module starts with and may have; the host grows it to what region(REGION_END) says. */
const INITIAL_PAGES = 16;
const MAXIMUM_PAGES = 32768;

const OPTIONS = [
  ...["--outFile", "core.wasm", "--runtime", "stub", "--use", "abort=", "--noAssert"],
  ...["--initialMemory", String(INITIAL_PAGES), "--maximumMemory", String(MAXIMUM_PAGES), "--memoryBase", "0"],
  ...["--enable", "bulk-memory", "--enable", "simd", "--disable", "nontrapping-f2i", "-O0"],
];

/**
 * Compiles files, paths from the root of the project. `change` may put another text in place of what a file says.
 * The compiler itself does not optimise: optimize.ts does. Throws with what the compiler says.
 */
export async function wasmCompile(files: string[], change = (text: string, _path: string): string => text): Promise<Uint8Array> {
  let binary = new Uint8Array();
  const readSource = async (name: string, base: string): Promise<string | null> => {
    const path = join(base, name.replace(/core\/machine\.ts$/, "core/machine.asc.ts"));
    return existsSync(path) ? change(await readFile(path, "utf8"), path) : null;
  };
  const write = (name: string, contents: Uint8Array | string): void => {
    if (name.endsWith(".wasm")) binary = contents as Uint8Array<ArrayBuffer>;
  };
  const { error, stderr } = await asc.main([...files, ...OPTIONS], { readFile: readSource, writeFile: write, listFiles: () => [] });
  if (error) throw new Error(`asc: ${error.message}\n${stderr.toString()}`);
  return binary;
}
