/*
 * Builds everything into dist/: the core as JavaScript (a factory over a memory), as WebAssembly and,
 * through wasm2c, as C; their types; the hosts; the JSON Schema of the configuration. Run by `npm run build`,
 * which bundles this file first (Node 20 does not read TypeScript).
 */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type BuildOptions } from "esbuild";
import { constantsWrite, sourceCut } from "./bindings/c/source.ts";
import { CORE_TYPES, abiTypes } from "./bindings/js/types.ts";
import { VECTORS, wasmCompile } from "./bindings/wasm/compile.ts";
import { wasmOptimize } from "./bindings/wasm/optimize.ts";
import { schemaJson } from "./hosts/shared/config/schema.ts";

const root = process.cwd();
const dist = join(root, "dist");

/** The JavaScript core: every import inlined into `createCore(memory)`, so each instance owns its views. */
async function buildJs(): Promise<void> {
  const result = await build({
    entryPoints: ["core/index.ts"],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "core",
    target: "es2022",
    banner: { js: "export function createCore(memory) {" },
    footer: { js: "return core;\n}" },
  });
  await writeFile(join(dist, "core.js"), result.outputFiles[0]!.text);
  // layout.ts brings machine.ts along, whose views want a memory; the numbers need none.
  const banner = { js: "const memory = new ArrayBuffer(0);" };
  await build({ entryPoints: ["core/abi.ts"], bundle: true, outfile: join(dist, "abi.js"), format: "esm", target: "es2022", banner });
}

/** The WASM core: for the hosts, and the smaller one that C is made of. */
async function buildWasm(): Promise<void> {
  const files = ["core/index.ts"];
  await writeFile(join(dist, "core.wasm"), wasmOptimize(await wasmCompile(files, VECTORS), "speed"));
  await writeFile(join(dist, "small.wasm"), wasmOptimize(await wasmCompile(files, []), "size"));
}

/** The C core: wasm2c's translation of the small WASM, cut down to its functions for our own runtime header in bindings/c. */
async function buildC(): Promise<void> {
  const wasm2c = join(root, "node_modules/wabt/bin/wasm2c");
  const raw = join(dist, "wasm2c.c");
  execFileSync(process.execPath, [wasm2c, join(dist, "small.wasm"), "-n", "culvert", "-o", raw], { stdio: ["ignore", "ignore", "inherit"] });
  await writeFile(join(dist, "core.c"), sourceCut(await readFile(raw, "utf8"), await readFile(join(dist, "wasm2c.h"), "utf8")));
  await Promise.all([rm(raw), rm(join(dist, "wasm2c.h"))]);
}

/** The contract for who links the core: its numbers as a C header, the types of the JavaScript core. */
async function buildContract(): Promise<void> {
  const abi = (await import(pathToFileURL(join(dist, "abi.js")).href)) as Record<string, unknown>;
  await writeFile(join(dist, "constants.h"), constantsWrite(abi));
  await writeFile(join(dist, "core.d.ts"), CORE_TYPES);
  await writeFile(join(dist, "abi.d.ts"), abiTypes(abi));
}

/** Where the headers of Node are, "" for nowhere. */
function nodeHeaders(): string {
  const folders = [join(dirname(process.execPath), "../include/node"), "/usr/include/node", "/usr/local/include/node"];
  return folders.find((folder) => existsSync(join(folder, "uv.h"))) ?? "";
}

/** A shared library of hosts/linux. What the compiler finds wrong is shown and is no failure: hosts do without. */
function shimCompile(source: string, target: string, flags: string[]): void {
  const words = ["-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-I", dist, ...flags, "-o", join(dist, target), join("hosts/linux", source)];
  const { error, status } = spawnSync("cc", words, { stdio: ["ignore", "inherit", "inherit"] });
  if (error || status !== 0) console.log(`dist/${target} was not built: ${error ? "there is no C compiler (cc)" : "see above"}; hosts use portable sockets`);
}

/** The I/O shim: for Deno and C a plain library, for Node an addon. */
async function buildShim(): Promise<void> {
  await Promise.all(["shim.so", "shim.node"].map((name) => rm(join(dist, name), { force: true })));
  if (process.platform !== "linux") return;
  shimCompile("shim.c", "shim.so", []);
  const headers = nodeHeaders();
  if (headers === "") console.log("dist/shim.node was not built: the headers of Node (uv.h) are not on this machine");
  else shimCompile("node.c", "shim.node", ["-I", headers]);
}

/** What libraries want that are CommonJS. */
const REQUIRE = 'import { createRequire as requireMake } from "node:module";\nconst require = requireMake(import.meta.url);';

/**
 * The Node host, which is the command `culvert`. With its libraries inside and short it is there in half of the time, which after
 * a restart are calls without media.
 */
async function buildNode(shared: BuildOptions): Promise<void> {
  const outfile = join(dist, "node.js");
  // Names stay, for stacks that people report.
  const short = { minifyWhitespace: true, minifySyntax: true };
  await build({ ...shared, entryPoints: ["hosts/node/main.ts"], outfile, ...short, banner: { js: `#!/usr/bin/env node\n${REQUIRE}` } });
  await chmod(outfile, 0o755);
}

/** The Deno host; pino wants a host name. */
async function buildDeno(shared: BuildOptions): Promise<void> {
  const banner = { js: REQUIRE };
  const alias = { ...shared.alias, "node:os": join(root, "hosts/deno/os.ts") };
  await build({ ...shared, entryPoints: ["hosts/deno/main.ts"], outfile: join(dist, "deno.js"), alias, banner });
}

/** The hosts, one bundle each with the JavaScript core inside, and the JSON Schema of the configuration. */
async function buildHosts(): Promise<void> {
  const alias = { "node-dgram-adapter": join(root, "hosts/node-dgram-adapter/index.ts") };
  const shared: BuildOptions = { bundle: true, format: "esm", platform: "node", target: "node20", alias };
  await Promise.all([buildNode(shared), buildDeno(shared)]);
  await writeFile(join(dist, "culvert.schema.json"), `${JSON.stringify(schemaJson(), null, 2)}\n`);
}

await mkdir(dist, { recursive: true });
await Promise.all([buildJs().then(buildContract), buildWasm().then(buildC)]);
await Promise.all([buildHosts(), buildShim()]);
