/*
 * The lines that describe a frame (layer.ts), read from its bytes; wrong lengths and checksums show as fields. Fragments
 * of one packet are put together first. A reader of its own: it shares nothing with the core.
 */

import { addressFrom } from "../../hosts/shared/address.ts";
import { sumAdd, sumFold } from "../../hosts/shared/capture/checksum.ts";
import type { Kind, Layer } from "./layer.ts";

export interface Dissection {
  layers: Layer[];
  payload: Buffer;
}

function layer(kind: Kind, words: string[], fields: Record<string, string | number> = {}): Layer {
  return { kind, words, fields: new Map(Object.entries(fields).map(([name, value]) => [name, String(value)])) };
}

function macText(bytes: Buffer): string {
  return bytes.toString("hex").replace(/(..)(?!$)/g, "$1:");
}

function addressText(bytes: Uint8Array): string {
  const whole = new Uint8Array(16);
  whole.set(bytes, 16 - bytes.length);
  if (bytes.length === 4) whole.set([255, 255], 10);
  return addressFrom(whole, 0).text;
}

function state(sum: number, inner: boolean): Record<string, string> {
  return inner || sumFold(sum) === 0 ? {} : { checksum: "bad" };
}

function udpDissect(bytes: Buffer, pseudo: number, inner: boolean): Dissection {
  const length = bytes.readUInt16BE(4);
  const fields: Record<string, string | number> = bytes.readUInt16BE(6) === 0 ? { checksum: "none" } : state(sumAdd(pseudo, bytes), inner);
  if (length !== bytes.length && !inner) fields["length"] = length;
  return { layers: [layer("udp", [String(bytes.readUInt16BE(0)), "->", String(bytes.readUInt16BE(2))], fields)], payload: bytes.subarray(8) };
}

function icmpDissect(bytes: Buffer, pseudo: number, kind: "icmp" | "icmp6"): Dissection {
  const start = kind === "icmp6" ? pseudo : 0;
  const mtu = bytes.readUInt16BE(6);
  const line = layer(kind, [`${bytes[0]}/${bytes[1]}`], { mtu, ...state(sumAdd(start, bytes), false) });
  const error = kind === "icmp" ? [3, 4, 5, 11, 12].includes(bytes[0]!) : bytes[0]! < 128;
  if (!error) return { layers: [line], payload: bytes.subarray(8) };
  const quoted = ipDissect(bytes.subarray(8), true);
  return { layers: [line, ...quoted.layers], payload: quoted.payload };
}

function transportDissect(protocol: number, content: Buffer, ip: Layer, pseudo: number, inner: boolean): Dissection {
  const below = ((): Dissection => {
    if (protocol === 17) return udpDissect(content, pseudo, inner);
    if (protocol === 1) return icmpDissect(content, pseudo, "icmp");
    if (protocol === 58) return icmpDissect(content, pseudo, "icmp6");
    if (protocol !== 6) {
      ip.fields.set("proto", String(protocol));
      return { layers: [], payload: content };
    }
    const words = [String(content.readUInt16BE(0)), "->", String(content.readUInt16BE(2))];
    return { layers: [layer("tcp", words, state(sumAdd(pseudo, content), inner))], payload: content.subarray(20) };
  })();
  return { layers: [ip, ...below.layers], payload: below.payload };
}

function ipDissect(bytes: Buffer, inner = false): Dissection {
  const six = bytes[0]! >> 4 === 6;
  const header = six ? 40 : (bytes[0]! & 15) << 2;
  const [source, destination] = six ? [bytes.subarray(8, 24), bytes.subarray(24, 40)] : [bytes.subarray(12, 16), bytes.subarray(16, 20)];
  const traffic = six ? (bytes.readUInt16BE(0) >> 4) & 255 : bytes[1]!;
  const total = six ? 40 + bytes.readUInt16BE(4) : bytes.readUInt16BE(2);
  const fields: Record<string, string | number> = { ttl: six ? bytes[7]! : bytes[8]!, dscp: traffic >> 2, ecn: traffic & 3 };
  if (!six && (bytes[6]! & 0x40) !== 0) fields["df"] = "yes";
  if (!six && !inner) Object.assign(fields, state(sumAdd(0, bytes.subarray(0, header)), false));
  const ip = layer("ip", [addressText(source), "->", addressText(destination)], fields);
  const content = bytes.subarray(header, inner ? bytes.length : Math.min(total, bytes.length));
  const protocol = six ? bytes[6]! : bytes[9]!;
  const pseudo = sumAdd(sumAdd(protocol + content.length, source), destination);
  if (total !== bytes.length && !inner) ip.fields.set("length", String(total));
  if (!six && (bytes.readUInt16BE(6) & 0x1fff) !== 0) return { layers: [ip], payload: content };
  return transportDissect(protocol, content, ip, pseudo, inner);
}

/** Where the IP header stands in a frame, with the lines of what is before it; -1 when it carries none. */
function linkDissect(frame: Buffer): { layers: Layer[]; at: number; type: number } {
  const layers = [layer("eth", [macText(frame.subarray(6, 12)), "->", macText(frame.subarray(0, 6))])];
  let at = 14;
  let type = frame.readUInt16BE(12);
  while ([0x8100, 0x88a8, 0x9100].includes(type)) {
    const tag = frame.readUInt16BE(at);
    layers.push(layer("vlan", [String(tag & 0xfff)], { pcp: tag >> 13, tpid: type.toString(16) }));
    type = frame.readUInt16BE(at + 2);
    at += 4;
  }
  if (type === 0x8847) {
    for (let bottom = false; !bottom; at += 4) {
      const entry = frame.readUInt32BE(at);
      layers.push(layer("mpls", [String(entry >>> 12)], { ttl: entry & 255, tc: (entry >>> 9) & 7 }));
      bottom = (entry & 0x100) !== 0;
    }
    type = frame[at]! >> 4 === 6 ? 0x86dd : 0x0800;
  }
  return { layers, at, type };
}

export function frameDissect(frame: Buffer): Dissection {
  const { layers, at, type } = linkDissect(frame);
  if (type !== 0x0800 && type !== 0x86dd) return { layers: [...layers, layer("type", [type.toString(16)])], payload: frame.subarray(at) };
  const six = type === 0x86dd;
  const end = at + (six ? 40 + frame.readUInt16BE(at + 4) : frame.readUInt16BE(at + 2));
  if (end < frame.length) layers[0]!.fields.set("padding", String(frame.length - end));
  const inner = ipDissect(frame.subarray(at, end));
  return { layers: [...layers, ...inner.layers], payload: inner.payload };
}

/** Is it a fragment, which alone has no checksum of UDP to be right? */
export function isPiece(frame: Buffer): boolean {
  return pieceOf(frame) !== undefined;
}

interface Piece {
  frame: Buffer;
  ip: number;
  content: Buffer;
  offset: number;
  more: boolean;
  id: string;
}

function pieceOf(frame: Buffer): Piece | undefined {
  const { at, type } = linkDissect(frame);
  if (type === 0x0800) {
    const place = frame.readUInt16BE(at + 6);
    if ((place & 0x3fff) === 0) return undefined;
    const content = frame.subarray(at + 20, at + frame.readUInt16BE(at + 2));
    return { frame, ip: at, content, offset: (place & 0x1fff) << 3, more: (place & 0x2000) !== 0, id: `4 ${frame.readUInt16BE(at + 4)}` };
  }
  if (type !== 0x86dd || frame[at + 6] !== 44) return undefined;
  const place = frame.readUInt16BE(at + 42);
  const content = frame.subarray(at + 48, at + 40 + frame.readUInt16BE(at + 4));
  return { frame, ip: at, content, offset: place & 0xfff8, more: (place & 1) !== 0, id: `6 ${frame.readUInt32BE(at + 44)}` };
}

/** The whole frame of its pieces, and how long each is; an error says what is missing. */
function joined(pieces: Piece[]): { frame: Buffer; lengths: string } {
  const sorted = [...pieces].sort((a, b) => a.offset - b.offset);
  const [first] = sorted as [Piece];
  let end = 0;
  for (const piece of sorted) {
    if (piece.offset !== end) throw new Error(`a piece at ${piece.offset} does not follow one that ends at ${end}`);
    end += piece.content.length;
  }
  if (sorted.at(-1)!.more) throw new Error("the last piece is missing");
  const head = Buffer.from(first.frame.subarray(0, first.ip + (first.id.startsWith("4") ? 20 : 40)));
  const ip = head.subarray(first.ip);
  if (first.id.startsWith("4")) {
    ip.writeUInt16BE(20 + end, 2);
    ip.writeUInt16BE(0, 6);
    ip.writeUInt16BE(0, 10);
    ip.writeUInt16BE(sumFold(sumAdd(0, ip.subarray(0, 20))), 10);
  } else {
    ip.writeUInt16BE(end, 4);
    ip[6] = first.frame[first.ip + 40]!;
  }
  return { frame: Buffer.concat([head, ...sorted.map(({ content }) => content)]), lengths: sorted.map(({ content }) => content.length).join(",") };
}

/** Dissects frames; the pieces of one packet count as one, in the place of the first. */
export function framesDissect<T>(frames: { frame: Buffer; of: T }[]): { dissection: Dissection; of: T }[] {
  const groups = new Map<string, Piece[]>();
  for (const { frame } of frames) {
    const piece = pieceOf(frame);
    if (piece) groups.set(piece.id, [...(groups.get(piece.id) ?? []), piece]);
  }
  return frames.flatMap(({ frame, of }) => {
    const piece = pieceOf(frame);
    if (!piece) return [{ dissection: frameDissect(frame), of }];
    const group = groups.get(piece.id);
    if (!group) return [];
    groups.delete(piece.id);
    const whole = joined(group);
    const dissection = frameDissect(whole.frame);
    dissection.layers.find(({ kind }) => kind === "ip")!.fields.set("pieces", whole.lengths);
    return [{ dissection, of }];
  });
}
