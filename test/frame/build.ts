/*
 * Writes the frame that its lines describe: lengths and checksums right unless a line says otherwise. Written from the
 * standards (IEEE 802.3 and 802.1Q, RFC 3032, 791, 8200, 768, 792, 4443), not from the core; tshark is its judge.
 */

import { addressParse } from "../../hosts/shared/address.ts";
import { sumAdd, sumFold } from "../../hosts/shared/capture/checksum.ts";
import { VectorError } from "../vector/step.ts";
import type { Layer } from "./layer.ts";

export interface Built {
  bytes: Uint8Array;
  /** A tag that stands aside, as a kernel gives it: TPID << 16 | TCI; 0 for none. */
  tag: number;
  /** Is the checksum left to the network card? */
  partial: boolean;
}

const PROTOCOLS: Record<string, number> = { udp: 17, tcp: 6, icmp: 1, icmp6: 58 };

function field(layer: Layer, name: string, otherwise: number): number {
  const value = layer.fields.get(name);
  return value === undefined ? otherwise : Number(value);
}

function macBytes(text: string): Buffer {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) throw new VectorError(`"${text}" is no hardware address`);
  return Buffer.from(text.replaceAll(":", ""), "hex");
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xffff);
  return bytes;
}

/** Addresses of an `ip` line, of four or sixteen bytes. */
function endsOf(ip: Layer): { source: Uint8Array; destination: Uint8Array; version: 4 | 6 } {
  const [source, destination] = [ip.words[0], ip.words[2]].map((text) => addressParse(text ?? ""));
  if (!source || !destination || source.family !== destination.family) throw new VectorError(`no two addresses: ${ip.words.join(" ")}`);
  const skip = source.family === 4 ? 12 : 0;
  return { source: source.bytes.subarray(skip), destination: destination.bytes.subarray(skip), version: source.family };
}

function spoiled(checksum: number, layer: Layer): number {
  return layer.fields.get("checksum") === "bad" ? checksum ^ 0x1111 : checksum;
}

function pseudoSum(ip: Layer, protocol: number, length: number): number {
  const { source, destination } = endsOf(ip);
  return sumAdd(sumAdd(protocol + length, source), destination);
}

function udpBuild(layer: Layer, ip: Layer, payload: Uint8Array): Buffer {
  const length = layer.fields.get("length") === "right" || !layer.fields.has("length") ? 8 + payload.length : field(layer, "length", 0);
  const bytes = Buffer.concat([word(Number(layer.words[0])), word(Number(layer.words[2])), word(length), word(0), payload]);
  const said = layer.fields.get("checksum");
  const pseudo = pseudoSum(ip, 17, bytes.length);
  if (said === "partial") bytes.writeUInt16BE(~sumFold(pseudo) & 0xffff, 6);
  else if (said !== "none") bytes.writeUInt16BE(spoiled(sumFold(sumAdd(pseudo, bytes)) || 0xffff, layer), 6);
  return bytes;
}

function tcpBuild(layer: Layer, ip: Layer, payload: Uint8Array): Buffer {
  const rest = Buffer.from("00000001000000025010ffff00000000", "hex");
  const bytes = Buffer.concat([word(Number(layer.words[0])), word(Number(layer.words[2])), rest, payload]);
  const pseudo = pseudoSum(ip, 6, bytes.length);
  const partial = layer.fields.get("checksum") === "partial";
  bytes.writeUInt16BE(partial ? ~sumFold(pseudo) & 0xffff : spoiled(sumFold(sumAdd(pseudo, bytes)), layer), 16);
  return bytes;
}

/** An ICMP message; an MTU stands in its last two bytes, in ICMPv6 in four (RFC 1191 4, RFC 4443 3.2). */
function icmpBuild(layer: Layer, ip: Layer, payload: Uint8Array): Buffer {
  const [type, code] = layer.words[0]!.split("/").map(Number);
  const bytes = Buffer.concat([Buffer.from([type!, code!, 0, 0, 0, 0]), word(field(layer, "mtu", 0)), payload]);
  const start = layer.kind === "icmp6" ? pseudoSum(ip, 58, bytes.length) : 0;
  bytes.writeUInt16BE(spoiled(sumFold(sumAdd(start, bytes)), layer), 2);
  return bytes;
}

function pieceOf(ip: Layer, length: number): { from: number; to: number; cut: boolean; more: boolean } {
  const piece = /^(\d+)\.\.(\d+)(\+?)$/.exec(ip.fields.get("piece") ?? "");
  if (!piece) return { from: 0, to: length, cut: false, more: false };
  const to = Math.min(Number(piece[2]), length);
  return { from: Math.min(Number(piece[1]), to), to, cut: true, more: piece[3] === "+" || to < length };
}

function ip4Build(ip: Layer, protocol: number, content: Uint8Array): Buffer {
  const { source, destination } = endsOf(ip);
  const options = Buffer.from(ip.fields.get("options") ?? "", "hex");
  const { from, to, more } = pieceOf(ip, content.length);
  const header = Buffer.concat([Buffer.alloc(12), source, destination, options]);
  header[0] = 0x40 | (header.length >> 2);
  header[1] = (field(ip, "dscp", 0) << 2) | field(ip, "ecn", 0);
  const length = ip.fields.get("length");
  header.writeUInt16BE(length === undefined ? header.length + to - from : Number(length), 2);
  header.writeUInt16BE(field(ip, "id", 1), 4);
  header.writeUInt16BE((ip.fields.has("df") ? 0x4000 : 0) | (more ? 0x2000 : 0) | (from >> 3), 6);
  header[8] = field(ip, "ttl", 64);
  header[9] = protocol;
  header.writeUInt16BE(spoiled(sumFold(sumAdd(0, header)), ip), 10);
  return Buffer.concat([header, content.subarray(from, to)]);
}

function ip6Build(ip: Layer, protocol: number, content: Uint8Array): Buffer {
  const { source, destination } = endsOf(ip);
  const { from, to, cut, more } = pieceOf(ip, content.length);
  const fragment = Buffer.alloc(cut ? 8 : 0);
  if (cut) {
    fragment[0] = protocol;
    fragment.writeUInt16BE(from | (more ? 1 : 0), 2);
    fragment.writeUInt32BE(field(ip, "id", 1), 4);
  }
  /* `extension=60:01040000…`: one header of that kind, without its first byte. */
  const [kind, rest] = (ip.fields.get("extension") ?? "").split(":");
  const next = cut ? 44 : protocol;
  const extension = kind ? Buffer.concat([Buffer.from([next]), Buffer.from(rest!, "hex")]) : Buffer.alloc(0);
  const header = Buffer.concat([Buffer.alloc(8), source, destination]);
  header.writeUInt32BE((0x60000000 | (field(ip, "dscp", 0) << 22) | (field(ip, "ecn", 0) << 20)) >>> 0, 0);
  const length = ip.fields.get("length");
  header.writeUInt16BE(length === undefined ? extension.length + fragment.length + to - from : Number(length), 4);
  header[6] = kind ? Number(kind) : next;
  header[7] = field(ip, "ttl", 64);
  return Buffer.concat([header, extension, fragment, content.subarray(from, to)]);
}

/** What IP carries, from its `ip` line on; an ICMP error has another packet inside. */
function ipBuild(layers: Layer[], payload: Uint8Array): Buffer {
  const [ip, transport, ...inner] = layers as [Layer, Layer | undefined, ...Layer[]];
  let content: Buffer = Buffer.from(payload);
  if (transport?.kind === "udp") content = udpBuild(transport, ip, payload);
  else if (transport?.kind === "tcp") content = tcpBuild(transport, ip, payload);
  else if (transport) content = icmpBuild(transport, ip, inner.length > 0 ? ipBuild(inner, payload) : payload);
  const protocol = transport ? PROTOCOLS[transport.kind]! : field(ip, "proto", 59);
  return endsOf(ip).version === 4 ? ip4Build(ip, protocol, content) : ip6Build(ip, protocol, content);
}

function typeOf(layers: Layer[]): number {
  const [first] = layers;
  if (first?.kind === "vlan") return Number.parseInt(first.fields.get("tpid") ?? "8100", 16);
  if (first?.kind === "mpls") return 0x8847;
  if (first?.kind === "type") return Number.parseInt(first.words[0]!, 16);
  return endsOf(first!).version === 4 ? 0x0800 : 0x86dd;
}

function tagOf(layer: Layer): number {
  return (field(layer, "pcp", 0) << 13) | Number(layer.words[0]);
}

function linkBuild(layers: Layer[], payload: Uint8Array): Buffer {
  const [first, ...rest] = layers as [Layer, ...Layer[]];
  if (first.kind === "vlan") return Buffer.concat([word(tagOf(first)), word(typeOf(rest)), linkBuild(rest, payload)]);
  if (first.kind === "type") return Buffer.from(payload);
  if (first.kind !== "mpls") return ipBuild(layers, payload);
  const entry = Buffer.alloc(4);
  const bottom = rest[0]!.kind === "mpls" ? 0 : 0x100;
  entry.writeUInt32BE(((Number(first.words[0]) << 12) | (field(first, "tc", 0) << 9) | bottom | field(first, "ttl", 64)) >>> 0);
  return Buffer.concat([entry, linkBuild(rest, payload)]);
}

/** The bytes of a frame that carries `payload`. */
export function frameBuild(layers: Layer[], payload: Uint8Array): Built {
  const [eth, ...all] = layers;
  if (eth?.kind !== "eth") throw new VectorError("a frame begins with an eth line");
  const aside = all[0]?.kind === "vlan" && all[0].fields.has("aside") ? all[0] : undefined;
  const rest = aside ? all.slice(1) : all;
  const padding = Buffer.alloc(field(eth, "padding", 0));
  const addresses = [macBytes(eth.words[2] ?? ""), macBytes(eth.words[0]!)];
  return {
    bytes: Buffer.concat([...addresses, word(typeOf(rest)), linkBuild(rest, payload), padding]),
    tag: aside ? ((typeOf([aside]) << 16) | tagOf(aside)) >>> 0 : 0,
    partial: layers.some(({ fields }) => fields.get("checksum") === "partial"),
  };
}
