/*
 * The Via header: where a response goes (RFC 3261 18.2, RFC 3581 4). The softswitch fills in
 * received and rport as any server must, and does nothing more about NAT.
 */

import { type SipMessage, headerOf, headerSet } from "./message.ts";
import { readParams } from "./uri.ts";

export interface Via {
  host: string;
  /** As written, 0 when absent. */
  port: number;
  params: Map<string, string>;
}

export interface Endpoint {
  address: string;
  port: number;
}

export function readVia(value: string): Via | undefined {
  const match = /^SIP\s*\/\s*2\.0\s*\/\s*\w+\s+(\[[^\]]+\]|[^;:\s]+)\s*(?::\s*(\d+))?\s*(;.*)?$/i.exec(value.trim());
  if (match === null) return undefined;
  return { host: match[1]!.replace(/^\[|\]$/g, ""), port: Number(match[2] ?? 0), params: readParams((match[3] ?? "").slice(1)) };
}

/** Notes where a request came from in its top Via. Returns false when there is no usable one. */
export function viaReceive(request: SipMessage, source: Endpoint): boolean {
  const value = headerOf(request, "via") ?? "";
  const via = readVia(value);
  if (via === undefined) return false;
  let marked = value.replace(/;\s*received\s*=[^;,]*/i, "");
  const wantsPort = via.params.has("rport");
  if (wantsPort) marked = marked.replace(/;\s*rport\s*(=[^;,]*)?(?=;|$)/i, `;rport=${source.port}`);
  if (wantsPort || via.host !== source.address) marked += `;received=${source.address}`;
  headerSet(request, "Via", marked);
  return true;
}

/** Where a response with this top Via goes; undefined when that is a name or no port. */
export function viaTarget(value: string): Endpoint | undefined {
  const via = readVia(value);
  if (via === undefined) return undefined;
  const address = via.params.get("maddr") ?? via.params.get("received") ?? via.host;
  const port = via.params.has("maddr") ? via.port : Number(via.params.get("rport") || via.port);
  return endpointOf(address, port || 5060);
}

/** An address and port that can be sent to; undefined for anything else a stranger may have written. */
export function endpointOf(address: string, port: number): Endpoint | undefined {
  return isAddress(address) && Number.isInteger(port) && port > 0 && port < 65536 ? { address, port } : undefined;
}

/** An IPv4 literal: the demo speaks IPv4 on one machine and asks no DNS. */
function isAddress(text: string): boolean {
  return /^(\d{1,3}\.){3}\d{1,3}$/.test(text) && text.split(".").every((octet) => Number(octet) < 256);
}
