/*
 * Builds everything into dist/: the core as JavaScript (a factory over a memory), as WebAssembly and,
 * through wasm2c, as C; their types; the hosts; the JSON Schema of the configuration. Run by `npm run build`,
 * which bundles this file first (Node 20 does not read TypeScript). With `--processors` the I/O shim is compiled for all that a
 * package has it for, where there are compilers; with `--package`, which `npm pack` gives, a compiler that is missing is an error.
 */

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { build, type BuildOptions } from "esbuild";
import { constantsWrite, sourceCut } from "./bindings/c/source.ts";
import { CORE_TYPES, abiTypes } from "./bindings/js/types.ts";
import { schemaJson } from "./hosts/shared/config/schema.ts";

const root = process.cwd();
const dist = join(root, "dist");
const packing = process.argv.includes("--package");
/** With the I/O shim for other processors than this machine's as well? */
const others = packing || process.argv.includes("--processors");

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

// The compiler and its optimiser are WebAssembly that runs for seconds: to optimise them takes V8 longer than it saves.
setFlagsFromString("--liftoff-only");

/** A thread that runs one of the files beside this one when it is built. */
function thread(file: string, workerData: unknown): Worker {
  return new Worker(new URL(`bindings/wasm/${file}`, import.meta.url), { workerData });
}

/** The WASM core for the hosts, and the smaller one that C is made of: each by a thread, for they are most of what a build does. */
async function buildWasm(): Promise<void> {
  const core = thread("core.js", join(dist, "core.wasm"));
  const done = once(core, "exit");
  const [binary] = await Promise.race([once(core, "message"), done]);
  const small = once(thread("small.js", [binary, join(dist, "small.wasm")]), "exit").then(buildC);
  await Promise.all([done, small]);
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

/** Processors that the package has the I/O shim for, and what compiles for one on a machine that has another. */
const SHIM_COMPILERS: Record<string, string> = { x64: "x86_64-linux-gnu-gcc", arm64: "aarch64-linux-gnu-gcc" };

/** Only who packs misses what is for other machines; hosts do without. */
function shimMissing(file: string, processor: string, why: string): void {
  if (packing || processor === process.arch) console.log(`${file} was not built: ${why}; hosts use portable sockets`);
  if (packing) process.exitCode = 1;
}

/** A shared library of hosts/linux. What the compiler finds wrong is shown. */
async function shimCompile(source: string, processor: string, target: string, flags: string[]): Promise<void> {
  const file = join("dist", `linux-${processor}`, target);
  const compiler = processor === process.arch ? "cc" : SHIM_COMPILERS[processor]!;
  const words = ["-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-I", dist, ...flags, "-o", file, join("hosts/linux", source)];
  try {
    const [status] = await once(spawn(compiler, words, { stdio: ["ignore", "inherit", "inherit"] }), "exit");
    if (status !== 0) shimMissing(file, processor, "see above");
  } catch {
    shimMissing(file, processor, `there is no C compiler (${compiler})`);
  }
}

/** The I/O shim for one processor: for Deno and C a plain library, for Node an addon, whose headers are the same for all processors. */
async function shimBuild(processor: string, headers: string): Promise<void> {
  const folder = join(dist, `linux-${processor}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  const library = shimCompile("shim.c", processor, "shim.so", []);
  if (headers === "") shimMissing(`dist/linux-${processor}/shim.node`, processor, "the headers of Node (uv.h) are not on this machine");
  else await shimCompile("node.c", processor, "shim.node", ["-I", headers]);
  await library;
}

/** The I/O shim for this machine; if wanted for the other processors of the package, too, as far as there are compilers. */
async function buildShim(): Promise<void> {
  if (process.platform !== "linux") return;
  const headers = nodeHeaders();
  const processors = others ? Object.keys(SHIM_COMPILERS) : [];
  await Promise.all([...new Set([process.arch, ...processors])].map((processor) => shimBuild(processor, headers)));
}

/** What libraries want that are CommonJS. */
const REQUIRE = 'import { createRequire as requireMake } from "node:module";\nconst require = requireMake(import.meta.url);';

/**
 * The Node host, which is the command `culvert`. With its libraries inside and short it is there in half of the time, which after
 * a restart are calls without media. Returns the files that are inside.
 */
async function buildNode(shared: BuildOptions): Promise<string[]> {
  const outfile = join(dist, "node.js");
  // Names stay, for stacks that people report.
  const short = { minifyWhitespace: true, minifySyntax: true };
  const banner = { js: `#!/usr/bin/env node\n${REQUIRE}` };
  const { metafile } = await build({ ...shared, ...short, entryPoints: ["hosts/node/main.ts"], outfile, banner, metafile: true });
  await chmod(outfile, 0o755);
  return Object.keys(metafile.inputs);
}

/** The Deno host; pino wants a host name. */
async function buildDeno(shared: BuildOptions): Promise<void> {
  const banner = { js: REQUIRE };
  const alias = { ...shared.alias, "node:os": join(root, "hosts/deno/os.ts") };
  await build({ ...shared, entryPoints: ["hosts/deno/main.ts"], outfile: join(dist, "deno.js"), alias, banner });
}

/** The licences of the libraries inside of the bundles, which want to go along. */
async function buildLicences(files: string[]): Promise<void> {
  const folders = new Set(files.flatMap((file) => /^.*\bnode_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const texts = [...folders].sort().map(async (folder) => {
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${folder} says nothing of its licence; find out, or do without it`);
    return `${folder.slice("node_modules/".length)}\n\n${(await readFile(join(folder, file), "utf8")).trim()}\n`;
  });
  await writeFile(join(dist, "licences.txt"), (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`));
}

/** The hosts, one bundle each with the JavaScript core inside, and the JSON Schema of the configuration. */
async function buildHosts(): Promise<void> {
  const alias = { "node-dgram-adapter": join(root, "hosts/node-dgram-adapter/index.ts") };
  const shared: BuildOptions = { bundle: true, format: "esm", platform: "node", target: "node20", alias };
  const [inside] = await Promise.all([buildNode(shared), buildDeno(shared)]);
  await buildLicences(inside);
  await writeFile(join(dist, "culvert.schema.json"), `${JSON.stringify(schemaJson(), null, 2)}\n`);
}

await mkdir(dist, { recursive: true });
const contract = buildJs().then(buildContract);
await Promise.all([contract.then(() => Promise.all([buildHosts(), buildShim()])), buildWasm()]);
