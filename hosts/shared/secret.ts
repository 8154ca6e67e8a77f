/*
 * The 16-byte key of the core from the configuration's `secret`: hex digits, a file, or nothing.
 * Invariant: neither the secret nor the key is ever part of a message or a log line.
 */

import { KEY_BYTES } from "./core.ts";
import type { Log } from "./log.ts";
import { pathFrom } from "./path.ts";
import type { Host } from "./runtime.ts";

const NO_SECRET =
  "no `secret:` in the configuration: a new one was made, so after a restart requests inside calls that are up " +
  "now will be refused; make one with `openssl rand -hex 16`, or have `state:` saved";

const HEX = /^[0-9a-f]{32}$/i;

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: KEY_BYTES }, (_, i) => Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16));
}

async function fromFile(path: string, host: Host): Promise<Uint8Array> {
  const content = await host.readFile(path).catch((error: Error) => {
    throw new Error(`secret: "${path}" is neither 32 hex digits nor a file that can be read (${error.message}); ` + "make one with `openssl rand -hex 16`");
  });
  const text = new TextDecoder().decode(content).trim();
  if (HEX.test(text)) return fromHex(text);
  if (content.length < KEY_BYTES) {
    throw new Error(`secret: the file "${path}" holds fewer than ${KEY_BYTES} bytes; make one with \`openssl rand -hex 16\``);
  }
  const digest = await crypto.subtle.digest("SHA-256", content.slice());
  return new Uint8Array(digest, 0, KEY_BYTES);
}

/** A key for when there is no `secret:`; `kept`: is it saved with other state? */
export function secretMake(kept: boolean, host: Host, log: Log): Uint8Array {
  if (!kept) log.warn({}, NO_SECRET);
  return host.runtime.randomFill(new Uint8Array(KEY_BYTES));
}

/** A key as `secret:` may say it: not for messages. */
export function secretText(key: Uint8Array): string {
  return Array.from(key, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** `directory` is where a relative path starts: that of the configuration file. */
export async function secretKey(secret: string, directory: string, host: Host): Promise<Uint8Array> {
  if (HEX.test(secret)) return fromHex(secret);
  return await fromFile(pathFrom(directory, secret), host);
}
