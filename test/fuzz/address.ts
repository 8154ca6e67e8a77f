/*
 * Addresses as the fuzz compares them, each text worked out once: a run meets the same few again and again.
 */

import { addressFrom, addressParse } from "../../hosts/shared/address.ts";

/** Remembered at most: damaged messages hold any number of addresses. */
const KNOWN_MOST = 10_000;

const texts = new Map<string, string>();
const canonicals = new Map<string, string>();

function remembered(known: Map<string, string>, key: string, make: () => string): string {
  let text = known.get(key);
  if (text === undefined) {
    if (known.size >= KNOWN_MOST) known.clear();
    text = make();
    known.set(key, text);
  }
  return text;
}

/** Canonical text of the sixteen bytes at `at`. */
export function addressTextAt(bytes: Buffer, at: number): string {
  return remembered(texts, bytes.toString("latin1", at, at + 16), () => addressFrom(bytes, at).text);
}

/** The address that a host is, brackets or none, "" for a name and for what has a zone. */
export function canonical(host: string): string {
  if (host.includes("%")) return "";
  return remembered(canonicals, host, () => addressParse(host.replace(/^\[|\]$/g, ""))?.text ?? "");
}
