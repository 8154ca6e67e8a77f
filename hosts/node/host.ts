/*
 * What the command line needs from Node: files, signals, the exit code.
 */

import { readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { equal, privateCreate, privateOpen } from "../file/private.ts";
import type { Host } from "../shared/runtime.ts";
import { nodeRuntime } from "./runtime.ts";
import { nodeWorkforce } from "./workforce.ts";

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

/**
 * The core, beside the bundle: dist/node.js and dist/core.wasm. V8 is told to compile it for good before the first packet, in
 * 0.4 s: compiling while calls come in makes the first of them wait, until the kernel drops some. After a restart calls are
 * there already, and it is compiled twice: in 0.02 s, and for good while they go on.
 */
function coreBinary(soon: boolean): Promise<Uint8Array> {
  if (!soon) setFlagsFromString("--no-liftoff");
  setFlagsFromString("--no-wasm-lazy-compilation");
  return readFile(new URL("core.wasm", import.meta.url));
}

export const nodeHost: Host = {
  runtime: nodeRuntime,
  workforce: nodeWorkforce,
  readFile: (path) => readFile(path),
  privateOpen,
  privateCreate,
  equal,
  wall: () => Date.now(),
  coreBinary,
  terminal: process.stdout.isTTY === true,
  onStop,
  setExitCode: (code) => {
    process.exitCode = code;
  },
};
