/*
 * What the command line needs from Deno: files, signals, the exit code.
 */

import { equal, privateCreate, privateOpen } from "../file/private.ts";
import type { Host } from "../shared/runtime.ts";
import { denoRuntime } from "./runtime.ts";

function onStop(callback: (signal: string) => void): void {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const handlers = signals.map((signal) => () => {
    // Once: a second signal meets the system's own answer and ends the process.
    signals.forEach((each, i) => Deno.removeSignalListener(each, handlers[i]!));
    callback(signal);
  });
  signals.forEach((signal, i) => Deno.addSignalListener(signal, handlers[i]!));
}

export const denoHost: Host = {
  runtime: denoRuntime,
  readFile: (path) => Deno.readFile(path),
  privateOpen,
  privateCreate,
  equal,
  wall: () => Date.now(),
  // Beside the bundle: dist/deno.js and dist/core.wasm.
  coreBinary: () => Deno.readFile(new URL("core.wasm", import.meta.url)),
  terminal: Deno.stdout.isTerminal(),
  onStop,
  setExitCode: (code) => {
    Deno.exitCode = code;
  },
};
