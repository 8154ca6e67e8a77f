/*
 * Says in words where two memories differ: region, record and field, from the constants of core/memory.
 */

import * as abi from "#abi";
import { type Engine, PAGE } from "../parity/engine.ts";

interface Area {
  name: string;
  at: number;
  /** 0 for what is no table. */
  recordSize: number;
  /** Of the constants that name its fields. */
  prefix: string;
}

const numbers = Object.entries(abi).filter((entry): entry is [string, number] => typeof entry[1] === "number");

const FIXED: [string, string][] = [
  ["CAPACITY_TERMINALS", ""],
  ["CONFIG_REALMS", ""],
  ["DIRECTORY", ""],
  ["HASH_STATE", ""],
  ["CIPHER_STATE", ""],
  ["ASSEMBLY_TOP", ""],
  ["SCRATCH_ADDRESS", ""],
  ["SCRATCH_KEYS", ""],
  ["SCRATCH_CALL", ""],
  ["COUNTERS", ""],
  ["SCRATCH_TOKEN", ""],
  ["REALMS", "REALM"],
  ["POOLS", "POOL"],
  ["SERVICES", "SERVICE"],
  ["MESSAGE", "MESSAGE"],
  ["MENTIONS", "MENTION"],
  ["MEDIAS", "MEDIA"],
  ["EDITS", "EDIT"],
  ["TEXT", ""],
  ["OUTPUTS", "OUTPUT"],
  ["INPUT", "PACKET"],
  ["ASSEMBLY", ""],
  ["SLOTS", "SLOT"],
  ["WHEEL", ""],
  ["SLABS", "SLAB"],
  ["REASSEMBLY", "PACKET"],
  ["LINKS", "LINK"],
  ["INTERFACES", "INTERFACE"],
  ["WIRE", ""],
];

const TABLES: [string, string][] = [
  ["TERMINALS", "TERMINAL"],
  ["BINDINGS", "BINDING"],
  ["REGISTRATIONS", "REGISTRATION"],
  ["CALLS", "CALL"],
  ["FLOWS", "FLOW"],
  ["PORTS", ""],
  ["TIMERS", "TIMER"],
  ["BUCKETS", ""],
  ["RULES", "RULE"],
  ["CLASSIFIER", ""],
  ["CONNECTIONS", "CONNECTION"],
  ["BLOCKS", "BLOCK"],
  ["ADJACENCIES", "ADJACENCY"],
  ["DATAGRAMS", "DATAGRAM"],
  ["END", ""],
];

/** Most differences that one report names. */
const REPORT_MAX = 12;

function valueOf(name: string): number {
  return numbers.find(([constant]) => constant === name)?.[1] ?? 0;
}

async function areasOf(engine: Engine): Promise<Area[]> {
  const areas: Area[] = [{ name: "HEADER", at: 0, recordSize: 1024, prefix: "HEADER" }];
  for (const [name, prefix] of FIXED) areas.push({ name, at: valueOf(name), recordSize: valueOf(`${prefix}_SIZE`), prefix });
  for (const [name, prefix] of TABLES) areas.push({ name, at: await engine.region(valueOf(`REGION_${name}`)), recordSize: valueOf(`${prefix}_SIZE`), prefix });
  return areas.sort((a, b) => a.at - b.at);
}

/** Name of the field that holds `offset`, with what is left of it. */
function fieldAt(prefix: string, offset: number): string {
  let best: [string, number] | undefined;
  for (const [name, value] of numbers) {
    const belongs = prefix !== "" && name.startsWith(`${prefix}_`) && !/_(SIZE|MAX|FLAG_\w+|KIND_\w+)$/.test(name);
    if (belongs && value <= offset && (!best || value > best[1])) best = [name, value];
  }
  if (!best) return `+${offset}`;
  return offset === best[1] ? best[0] : `${best[0]}+${offset - best[1]}`;
}

function placeText(areas: Area[], at: number): string {
  const area = areas.filter((candidate) => candidate.at <= at).at(-1)!;
  const offset = at - area.at;
  if (area.recordSize === 0) return `${area.name}+${offset}`;
  return `${area.name}[${Math.floor(offset / area.recordSize)}].${fieldAt(area.prefix, offset % area.recordSize)}`;
}

/** The words that differ on one page. */
async function pageDifferences(left: Engine, right: Engine, page: number, areas: Area[]): Promise<string[]> {
  const a = Buffer.from(await left.read(page * PAGE, PAGE));
  const b = Buffer.from(await right.read(page * PAGE, PAGE));
  const found: string[] = [];
  for (let at = 0; at < PAGE && found.length < REPORT_MAX; at += 4) {
    if (a.readInt32LE(at) === b.readInt32LE(at)) continue;
    const hex = (bytes: Buffer): string => bytes.subarray(at, at + 4).toString("hex");
    found.push(`  ${page * PAGE + at} ${placeText(areas, page * PAGE + at)}: ${left.name} ${hex(a)}, ${right.name} ${hex(b)}`);
  }
  return found;
}

async function memoryDifference(left: Engine, right: Engine, a: Uint32Array, b: Uint32Array): Promise<string | undefined> {
  if (a.length !== b.length) return `${left.name} has ${a.length} pages of memory, ${right.name} ${b.length}`;
  const pages = [...a.keys()].filter((page) => a[page] !== b[page]);
  if (pages.length === 0) return undefined;
  const areas = await areasOf(left);
  const lines: string[] = [];
  for (const page of pages) lines.push(...(await pageDifferences(left, right, page, areas)));
  return `the memories of ${left.name} and ${right.name} differ:\n${lines.slice(0, REPORT_MAX).join("\n")}`;
}

/** What a memory differs in from that of the first engine, or undefined when all are the same. */
export async function memoriesDifference(engines: Engine[]): Promise<string | undefined> {
  // Those of other processes are asked first: they hash theirs while this one does.
  const pages = (await Promise.all(engines.toReversed().map((engine) => engine.pages()))).reverse();
  for (let i = 1; i < engines.length; i++) {
    const difference = await memoryDifference(engines[0]!, engines[i]!, pages[0]!, pages[i]!);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
