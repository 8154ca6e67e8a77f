/*
 * Files for their owner alone, by the modules of Node, which Deno has too.
 */

import { Buffer } from "node:buffer";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import type { PrivateFile } from "../shared/runtime.ts";

const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

function privateFile(handle: FileHandle, publish: () => Promise<void>): PrivateFile {
  return {
    async read(at, len) {
      const bytes = new Uint8Array(len);
      let read = 0;
      while (read < len) {
        const { bytesRead } = await handle.read(bytes, read, len - read, at + read);
        if (bytesRead === 0) break;
        read += bytesRead;
      }
      return bytes.subarray(0, read);
    },
    async write(at, bytes) {
      for (let written = 0; written < bytes.length; ) written += (await handle.write(bytes, written, bytes.length - written, at + written)).bytesWritten;
    },
    publish,
    close: () => handle.close(),
  };
}

function isMissing(error: unknown): boolean {
  return (error as { code?: string }).code === "ENOENT";
}

/** Throws when others may read or write it. */
export async function privateOpen(path: string): Promise<PrivateFile | undefined> {
  const handle = await open(path, "r").catch((error: Error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (!handle) return undefined;
  const { mode } = await handle.stat();
  if ((mode & OTHERS) === 0) return privateFile(handle, async () => undefined);
  await handle.close();
  throw new Error(`others than its owner may read or write it (mode ${(mode & 0o777).toString(8)})`);
}

/** A new file beside `path`, which is put there by `publish`. */
export async function privateCreate(path: string): Promise<PrivateFile> {
  const beside = `${path}.new`;
  await rm(beside, { force: true });
  const handle = await open(beside, "wx+", OWNER_ONLY);
  return privateFile(handle, () => rename(beside, path));
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
