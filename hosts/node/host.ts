/*
 * What the command line needs from Node: files, signals, the exit code.
 */

import { readFile } from "node:fs/promises";
import type { Host } from "../shared/runtime.ts";
import { nodeRuntime } from "./runtime.ts";

function onStop(callback: (signal: string) => void): void {
  const stop = (signal: NodeJS.Signals): void => {
    // Once: a second signal meets the system's own answer and ends the process.
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    callback(signal);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

export const nodeHost: Host = {
  runtime: nodeRuntime,
  readFile: (path) => readFile(path),
  // Beside the bundle: dist/node.js and dist/core.wasm.
  coreBinary: () => readFile(new URL("core.wasm", import.meta.url)),
  terminal: process.stdout.isTTY === true,
  onStop,
  setExitCode: (code) => {
    process.exitCode = code;
  },
};
