/*
 * The fixed part of memory: no two things stand at the same address.
 */

import { expect, test } from "vitest";
import * as abi from "#abi";

/** Address and bytes of each. */
type Spans = [name: string, at: number, size: number][];

function overlaps(spans: Spans): string[] {
  const sorted = spans.toSorted((a, b) => a[1] - b[1] || a[2] - b[2]);
  return sorted.flatMap(([name, at], i) => {
    const before = sorted[i - 1];
    return before && before[1] + before[2] > at ? [`${before[0]} and ${name}`] : [];
  });
}

const SIXTEEN = ["HEADER_KEY", "HEADER_RANDOM"];

const header: Spans = Object.entries(abi)
  .filter(([name, value]) => /^(HEADER|CAPACITY|CONFIG)_/.test(name) && typeof value === "number")
  .map(([name, value]) => [name, value as number, SIXTEEN.includes(name) ? 16 : 4]);

const regions: Spans = [
  ["DIRECTORY", abi.DIRECTORY, 4 * (abi.REGION_END + 1)],
  ["HASH_STATE", abi.HASH_STATE, 64],
  ["CIPHER_STATE", abi.CIPHER_STATE, 96],
  ["ASSEMBLY_TOP", abi.ASSEMBLY_TOP, 4],
  ["TOUCHED", abi.TOUCHED, 4],
  ["POOLS_TAKEN", abi.POOLS_TAKEN, 4],
  ["SCRATCH_ADDRESS", abi.SCRATCH_ADDRESS, 32],
  ["SCRATCH_KEYS", abi.SCRATCH_KEYS, 24],
  ["SCRATCH_CALL", abi.SCRATCH_CALL, 8],
  ["FRAME_KIND", abi.FRAME_KIND, 16],
  ["COUNTERS", abi.COUNTERS, 4 * abi.COUNTER_COUNT],
  ["SCRATCH_TOKEN", abi.SCRATCH_TOKEN, 128],
  ["CLASSES", abi.CLASSES, 256],
  ["SEAL_STATE", abi.SEAL_STATE, 320],
  ["SCRATCH_CALL_ID", abi.SCRATCH_CALL_ID, 448],
  ["SCRATCH_UNESCAPED", abi.SCRATCH_UNESCAPED, 448],
  ["REALMS", abi.REALMS, abi.REALM_MAX * abi.REALM_SIZE],
  ["POOLS", abi.POOLS, abi.POOL_MAX * abi.POOL_SIZE],
  ["SERVICES", abi.SERVICES, abi.SERVICE_MAX * abi.SERVICE_SIZE],
  ["MESSAGE", abi.MESSAGE, abi.MESSAGE_SIZE],
  ["CONTEXT", abi.CONTEXT, 256],
  ["MENTIONS", abi.MENTIONS, abi.MENTION_MAX * abi.MENTION_SIZE],
  ["MEDIAS", abi.MEDIAS, abi.MEDIA_MAX * abi.MEDIA_SIZE],
  ["EDITS", abi.EDITS, abi.EDIT_MAX * abi.EDIT_SIZE],
  ["TEXT", abi.TEXT, abi.TEXT_SIZE],
  ["OUTPUTS", abi.OUTPUTS, abi.OUTPUT_MAX * abi.OUTPUT_SIZE],
  ["INPUT", abi.INPUT, abi.INPUT_SIZE],
  ["ASSEMBLY", abi.ASSEMBLY, abi.ASSEMBLY_SIZE],
  ["SLOTS", abi.SLOTS, abi.SLOT_MAX * abi.SLOT_SIZE],
  ["WHEEL", abi.WHEEL, abi.WHEEL_SIZE],
  ["SLABS", abi.SLABS, abi.POOL_STATES - abi.SLABS],
  ["POOL_STATES", abi.POOL_STATES, abi.POOL_MAX * abi.POOL_SIZE],
  ["REASSEMBLY", abi.REASSEMBLY, abi.INPUT_SIZE],
  ["DOMAINS", abi.DOMAINS, abi.SERVICE_MAX * abi.DOMAIN_SIZE],
  ["OCTETS", abi.OCTETS, 4 * 256],
  ["LINKS", abi.LINKS, abi.REALM_MAX * abi.LINK_SIZE],
  ["INTERFACES", abi.INTERFACES, abi.INTERFACE_MAX * abi.INTERFACE_SIZE],
  ["WIRE", abi.WIRE, abi.WIRE_REPORTER + 16 - abi.WIRE],
  ["NAMES", abi.NAMES, abi.SERVICE_MAX * abi.NAMES_MAX * abi.NAME_SIZE],
  ["AHEAD", abi.AHEAD, abi.AHEAD_MAX * abi.AHEAD_SIZE],
  ["TABLES", abi.TABLES, 1],
];

test("no two words of the header are one, and none is another region's", () => {
  expect(header.length).toBeGreaterThan(25);
  expect(overlaps([...header, ...regions])).toEqual([]);
});

test("an overlap would be seen", () => {
  expect(overlaps([...header, ...regions, ["PLANTED", abi.LINKS + abi.LINK_SIZE, 4]])).toHaveLength(1);
});

test("regions begin at a multiple of 64", () => {
  const large = regions.filter(([name]) => /^[A-Z]+$/.test(name) && name !== "TOUCHED");
  expect(large.filter(([, at]) => at % 64 !== 0)).toEqual([]);
});
