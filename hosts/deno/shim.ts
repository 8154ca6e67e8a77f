/*
 * hosts/linux by Deno.dlopen. A thread of Deno's waits for packets; everything else is called on the spot.
 */

import { shimAdvice } from "../shared/batch.ts";
import type { Shim } from "../shared/runtime.ts";
import { type Share, shareNumber } from "../shared/workers/share.ts";

const three = { parameters: ["i32", "i32", "i32"], result: "i32" } as const;
const SYMBOLS = {
  shim_open: { parameters: ["pointer", "i32", "i32"], result: "i32" },
  shim_exchange: { parameters: ["i32"], result: "pointer" },
  shim_bind: three,
  shim_unbind: three,
  shim_others: three,
  shim_listen: three,
  shim_receive: three,
  shim_lay: three,
  shim_ring: three,
  shim_lost: three,
  shim_pace: three,
  shim_send: three,
  shim_failure: three,
  shim_wait: { ...three, nonblocking: true },
  shim_wake: three,
  shim_close: three,
  shim_code: { parameters: ["i32"], result: "pointer" },
} as const;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Words of `exchange`. */
const EXCHANGE_WORDS = 68;
const FOREVER = -1;

function codeOf(library: Library, errno: number): string {
  const text = library.shim_code(errno);
  return text ? new Deno.UnsafePointerView(text).getCString() : `errno ${-errno}`;
}

/** Calls back while there are packets, until the shim is woken to be closed. */
async function watch(library: Library, shim: number, onReadable: (queue: number) => void, closing: () => boolean): Promise<void> {
  while (!closing()) {
    const queues = await library.shim_wait(shim, FOREVER, 0);
    for (let queue = 0; queues >> queue > 0 && !closing(); queue++) if (((queues >> queue) & 1) === 1) onReadable(queue);
  }
  library.shim_close(shim, 0, 0);
}

export function shimOpen(file: URL, memory: ArrayBuffer, share?: Share): Shim | string {
  let library: Library;
  try {
    // Asked first, so that nobody is prompted for a right that he did not think of.
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return "Deno was not given --allow-ffi";
    library = Deno.dlopen(file, SYMBOLS).symbols;
  } catch (error) {
    return `${file.pathname} cannot be loaded: ${(error as Error).message}`;
  }
  const shim = library.shim_open(Deno.UnsafePointer.of(memory), memory.byteLength, shareNumber(share));
  if (shim < 0) return shimAdvice(codeOf(library, shim));
  const exchange = new Int32Array(new Deno.UnsafePointerView(library.shim_exchange(shim)!).getArrayBuffer(EXCHANGE_WORDS * 4));
  let closing = false;
  return {
    exchange,
    bind: (port, uses) => library.shim_bind(shim, port, uses),
    unbind: (port) => library.shim_unbind(shim, port, 0),
    others: (first, last) => library.shim_others(shim, first, last),
    listen: (port, uses) => library.shim_listen(shim, port, uses),
    receive: (queue) => library.shim_receive(shim, queue, 0),
    lay: (slot) => library.shim_lay(shim, slot, 0),
    ring: (wanted) => library.shim_ring(shim, wanted, 0),
    lost: () => library.shim_lost(shim, 0, 0),
    pace: (milliseconds) => void library.shim_pace(shim, milliseconds, 0),
    send: (n) => library.shim_send(shim, n, 0),
    failure: () => library.shim_failure(shim, 0, 0),
    code: (errno) => codeOf(library, errno),
    watch: (onReadable) => void watch(library, shim, onReadable, () => closing),
    close: () => {
      closing = true;
      library.shim_wake(shim, 0, 0);
    },
  };
}
