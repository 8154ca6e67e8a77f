/*
 * A thread of the build: makes the smaller module that C is made of. workerData is what the compiler made and the file to write.
 */

import { writeFile } from "node:fs/promises";
import { workerData } from "node:worker_threads";
import { wasmOptimize } from "./optimize.ts";

const [binary, file] = workerData as [Uint8Array, string];
await writeFile(file, wasmOptimize(binary, "size"));
