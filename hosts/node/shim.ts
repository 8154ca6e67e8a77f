/*
 * hosts/linux as an addon.
 */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { shimAdvice } from "../shared/batch.ts";
import type { Shim } from "../shared/runtime.ts";
import { type Share, shareNumber } from "../shared/workers/share.ts";

/** What hosts/linux/node.c exports; `shim` is what `open` gave. */
interface Addon {
  open(memory: ArrayBuffer, workers: number): number;
  exchange(shim: number): ArrayBuffer;
  bind(shim: number, port: number, uses: number): number;
  unbind(shim: number, port: number): number;
  others(shim: number, first: number, last: number): number;
  listen(shim: number, port: number, uses: number): number;
  receive(shim: number, queue: number): number;
  lay(shim: number, slot: number): number;
  ring(shim: number, wanted: number): number;
  lost(shim: number): number;
  pace(shim: number, milliseconds: number): number;
  send(shim: number, n: number): number;
  failure(shim: number): number;
  watch(shim: number, onReadable: (queue: number) => void): number;
  close(shim: number): number;
  code(errno: number): string;
}

const require = createRequire(import.meta.url);

export function shimOpen(file: string, memory: ArrayBuffer, share?: Share): Shim | string {
  if (!existsSync(file)) return `${file} is not there: packages have it for Linux on x64 and arm64, npm run build makes it on any Linux with a C compiler`;
  let addon: Addon;
  try {
    addon = require(file) as Addon;
  } catch (error) {
    return `${file} cannot be loaded: ${(error as Error).message}`;
  }
  const shim = addon.open(memory, shareNumber(share));
  if (shim < 0) return shimAdvice(addon.code(shim));
  return {
    exchange: new Int32Array(addon.exchange(shim)),
    bind: (port, uses) => addon.bind(shim, port, uses),
    unbind: (port) => addon.unbind(shim, port),
    others: (first, last) => addon.others(shim, first, last),
    listen: (port, uses) => addon.listen(shim, port, uses),
    receive: (queue) => addon.receive(shim, queue),
    lay: (slot) => addon.lay(shim, slot),
    ring: (wanted) => addon.ring(shim, wanted),
    lost: () => addon.lost(shim),
    pace: (milliseconds) => void addon.pace(shim, milliseconds),
    send: (n) => addon.send(shim, n),
    failure: () => addon.failure(shim),
    code: (errno) => addon.code(errno),
    watch: (onReadable) => void addon.watch(shim, onReadable),
    close: () => void addon.close(shim),
  };
}
