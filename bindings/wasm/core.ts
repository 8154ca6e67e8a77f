/*
 * A thread of the build: compiles the core, says what the compiler made, and writes what the hosts take.
 * workerData is the file to write.
 */

import { writeFile } from "node:fs/promises";
import { parentPort, workerData } from "node:worker_threads";
import { wasmCompile } from "./compile.ts";
import { wasmOptimize } from "./optimize.ts";

const binary = await wasmCompile(["core/index.ts"]);
parentPort!.postMessage(binary);
await writeFile(workerData as string, wasmOptimize(binary, "speed"));
