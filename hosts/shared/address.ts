/*
 * IP addresses as people write them and as the core keeps them: 16 bytes, IPv4 as ::ffff:a.b.c.d
 * (RFC 4291 2.5.5.2). Invariant: `text` is canonical (RFC 5952), so equal addresses have equal texts.
 */

import ipaddr from "ipaddr.js";

export interface Address {
  text: string;
  bytes: Uint8Array;
  family: 4 | 6;
}

/** A network: `length` counts over the 128-bit form (an IPv4 /24 is 120). */
export interface Prefix {
  address: Address;
  length: number;
}

/** An address with a port, or without one. */
export interface Endpoint {
  address: Address;
  port: number | undefined;
}

const IPV4_OFFSET = 96;

function fromBytes(bytes: Uint8Array): Address {
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (mapped) return { text: bytes.subarray(12).join("."), bytes, family: 4 };
  return { text: new ipaddr.IPv6(Array.from(bytes)).toRFC5952String(), bytes, family: 6 };
}

/** Reads an IP literal; a zone (%eth0) is left off, since the core does not know interfaces. */
export function addressParse(text: string): Address | undefined {
  const bare = text.split("%", 1)[0]!;
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) {
    return fromBytes(Uint8Array.from(ipaddr.IPv4.parse(bare).toIPv4MappedAddress().toByteArray()));
  }
  return ipaddr.IPv6.isValid(bare) ? fromBytes(Uint8Array.from(ipaddr.IPv6.parse(bare).toByteArray())) : undefined;
}

/** The four words of an address in the order of memory. */
export function addressWords({ bytes }: Address): Int32Array {
  return new Int32Array(Uint8Array.from(bytes).buffer);
}

/** Reads 16 bytes of memory. */
export function addressFrom(bytes: Uint8Array, at: number): Address {
  return fromBytes(bytes.slice(at, at + 16));
}

function masked(address: Address, length: number): Address {
  const bytes = address.bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, length - i * 8))));
  return fromBytes(bytes);
}

/** Reads "192.0.2.0/24", "2001:db8::/32" or a bare address; bits behind the prefix are cleared. */
export function prefixParse(text: string): Prefix | undefined {
  const [left, right, ...rest] = text.split("/");
  const address = addressParse(left!);
  if (!address || rest.length > 0) return undefined;
  if (right === undefined) return { address, length: 128 };
  const width = address.family === 4 ? 32 : 128;
  const bits = /^\d{1,3}$/.test(right) ? Number(right) : -1;
  if (bits < 0 || bits > width) return undefined;
  const length = bits + (address.family === 4 ? IPV4_OFFSET : 0);
  return { address: masked(address, length), length };
}

export function prefixText(prefix: Prefix): string {
  const { address, length } = prefix;
  if (length === 128) return address.text;
  return `${address.text}/${address.family === 4 ? length - IPV4_OFFSET : length}`;
}

/** Does the wider prefix hold all of the narrower one? */
export function prefixCovers(wide: Prefix, narrow: Prefix): boolean {
  return wide.length <= narrow.length && masked(narrow.address, wide.length).text === wide.address.text;
}

function portParse(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : undefined;
}

/** Reads "192.0.2.1", "192.0.2.1:5060", "2001:db8::1" or "[2001:db8::1]:5060". */
export function endpointParse(text: string): Endpoint | undefined {
  const bare = addressParse(text);
  if (bare) return { address: bare, port: undefined };
  const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::(.+))?$/.exec(text);
  if (!parts) return undefined;
  const address = addressParse(parts[1] ?? parts[2]!);
  if (!address) return undefined;
  if (parts[3] === undefined) return { address, port: undefined };
  const port = portParse(parts[3]);
  return port === undefined ? undefined : { address, port };
}

/** "192.0.2.1:5060" or "[2001:db8::1]:5060". */
export function endpointText(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
