/*
 * How saved state stands in its file: two slots, each a header, a sum for every page, and the core's memory at its own addresses,
 * of which only the extents are written. A slot is in force while its header is whole; it is taken back before anything else of
 * the slot is written, and written last, so that there is always one of which all is there.
 */

import type { Capacity, Config } from "../config.ts";
import { rangeText } from "../config/range.ts";
import * as abi from "../core.ts";
import { PAGE_BYTES } from "./extent.ts";

export const HEADER_BYTES = 16_384;
export const SLOTS = [0, 1] as const;
export type Slot = (typeof SLOTS)[number];

const FORMAT = "culvert-state-1";

/** What state must fit: other numbers of the contract, other tables or other names are other state. */
export interface StateShape {
  /** Sum of the names and numbers of the contract. */
  layout: number;
  capacity: Capacity;
  realms: string[];
  services: string[];
  pools: string[];
  /** Of packet mode: what was learned of neighbours holds by these. */
  interfaces: string[];
}

export interface StateHeader extends StateShape {
  /** The slot with the higher one is the later one. */
  sequence: number;
  /** The same moment by the clock of the day and by the core's, in milliseconds. */
  wall: number;
  clock: number;
  memoryBytes: number;
  /** Sum of the sums of the pages. */
  sum: number;
}

/** A sum of whole words: four at a time, since each multiplication waits for the one before. */
export function sumOf(words: Int32Array, from: number, to: number): number {
  let [a, b, c, d] = [0x243f6a88, 0x5a308d31, 0x3198a2e0, 0x3707344a];
  for (let i = from; i < to; i += 4) {
    a = Math.imul(a ^ words[i]!, 0x01000193);
    b = Math.imul(b ^ words[i + 1]!, 0x01000193);
    c = Math.imul(c ^ words[i + 2]!, 0x01000193);
    d = Math.imul(d ^ words[i + 3]!, 0x01000193);
  }
  return (Math.imul(a ^ (a >>> 15), 31) + Math.imul(b ^ (b >>> 13), 37) + Math.imul(c ^ (c >>> 11), 41) + Math.imul(d ^ (d >>> 9), 43)) | 0;
}

/** The same of a text. */
function textSum(text: string): number {
  const bytes = new Uint8Array((text.length + 15) & -16);
  new TextEncoder().encodeInto(text, bytes);
  const words = new Int32Array(bytes.buffer);
  return sumOf(words, 0, words.length);
}

export function shapeOf({ capacity, realms, services, pools, interfaces }: Config): StateShape {
  const numbers = Object.entries(abi).filter(([, value]) => typeof value === "number");
  return {
    layout: textSum(JSON.stringify(numbers.sort(([one], [other]) => (one < other ? -1 : 1)))),
    capacity,
    realms: realms.map(({ name }) => name),
    services: services.map(({ name }) => name),
    pools: pools.map(({ realm, kind, address, ports }) => `${realms[realm]!.name} ${kind} ${address.text} ${rangeText(ports)}`),
    interfaces: interfaces.map(({ name, mac, vpn }) => `${name} ${[...(mac ?? [])].join(".")} ${vpn ?? ""}`),
  };
}

/** Why state of one shape is none for another, or undefined where it is. A service may be added behind the others. */
export function shapeProblem(saved: StateShape, wanted: StateShape): string | undefined {
  const other = (name: keyof StateShape): boolean => JSON.stringify(saved[name]) !== JSON.stringify(wanted[name]);
  if (other("layout")) return "it was written by a version of Culvert whose tables look different";
  if (other("capacity")) return "`capacity:`, or the number of ports or rules that there is room for, is not what it was";
  if (other("realms")) return "the realms are not those that they were";
  if (other("interfaces")) return "the interfaces, or their hardware addresses, are not those that they were";
  if (other("pools")) return "the ports or addresses of a realm are not those that they were";
  if (saved.services.some((name, i) => wanted.services[i] !== name)) return "the services are not those that they were";
  return undefined;
}

/** Whole pages for a sum of each page. */
export function sumsBytes(memoryBytes: number): number {
  return Math.ceil(memoryBytes / PAGE_BYTES / (PAGE_BYTES / 4)) * PAGE_BYTES;
}

/** Where the header, the sums and address 0 of a slot stand in the file. */
export function slotPlaces(slot: Slot, memoryBytes: number): { header: number; sums: number; memory: number } {
  const header = slot * (HEADER_BYTES + sumsBytes(memoryBytes) + memoryBytes);
  return { header, sums: header + HEADER_BYTES, memory: header + HEADER_BYTES + sumsBytes(memoryBytes) };
}

export function headerWrite(header: StateHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const text = JSON.stringify(header);
  const { read } = new TextEncoder().encodeInto(`${FORMAT} ${textSum(text)} ${text}\n`, bytes);
  if (read < text.length) throw new Error("the names of realms and services are too many for the header of the state file");
  return bytes;
}

/** Undefined for what is no whole header. */
export function headerRead(bytes: Uint8Array): StateHeader | undefined {
  const line = new TextDecoder().decode(bytes).split("\n")[0]!;
  const parts = /^(\S+) (-?\d+) (\{.*\})$/.exec(line);
  if (!parts || parts[1] !== FORMAT || Number(parts[2]) !== textSum(parts[3]!)) return undefined;
  return JSON.parse(parts[3]!) as StateHeader;
}
