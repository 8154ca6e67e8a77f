/*
 * RFC 4475 and RFC 5118 on all builds of the core: the verdict that torture.md says, nothing half-rewritten, and a
 * translated message different only where addresses stand. Requests come from a terminal; a response comes from the
 * server to a request of the same Via, which must be restored to the message itself.
 */

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as abi from "#abi";
import type { Engine } from "../parity/engine.ts";
import { enginesOpen } from "../parity/engines.ts";
import { NATIVE } from "../parity/native.ts";
import { imageOf } from "./image.ts";
import type { Output } from "./output.ts";
import { bytesOf } from "./text.ts";
import { type Expected, expectedRead, sharedFolder, tortureRead, translationProblems } from "./torture.ts";
import { World } from "./world.ts";

interface Network {
  config: string;
  terminal: string;
  service: string;
  server: string;
}

const IP4: Network = {
  terminal: "198.51.100.11",
  service: "203.0.113.20",
  server: "10.9.0.10",
  config: `
realms:
  access: { media: 203.0.113.21, keepalive: off }
  core: { address: 10.9.0.2, media: 10.9.0.3 }
services:
  voice: { address: 203.0.113.20, servers: [10.9.0.10] }
rules:
  - { to: 203.0.113.20/32, proxy: voice }
`,
};
const IP6: Network = {
  terminal: "2001:db8::1",
  service: "2001:db8::10",
  server: "fd00::10",
  config: `
realms:
  access: { media: 2001:db8::21, keepalive: off }
  core: { address: "fd00::2", media: "fd00::3" }
services:
  voice: { address: 2001:db8::10, servers: ["fd00::10"] }
rules:
  - { to: 2001:db8::10/128, proxy: voice }
`,
};
const START = 5000;
const PORT = 5060;

const rows = expectedRead(readFileSync("test/vector/torture.md", "utf8"));
const folder = sharedFolder();
const why = folder === undefined ? " (the messages are not here: set CULVERT_SHARED)" : "";
let engines: Engine[] = [];

beforeAll(async () => {
  if (folder !== undefined) engines = await enginesOpen(NATIVE);
}, 60_000);

afterAll(() => {
  for (const engine of engines) engine.close();
});

function sends(outputs: Output[]): Output[] {
  return outputs.filter(({ kind }) => kind === abi.OUTPUT_SEND || kind === abi.OUTPUT_FORWARD);
}

interface Played {
  before: string;
  sent: Output[];
  reason: string;
}

async function requestPlay(world: World, network: Network, text: string): Promise<Played> {
  const packet = { realm: 0, source: network.terminal, sourcePort: PORT, destination: network.service, destinationPort: PORT, labels: {} };
  const outcome = await world.datagram({ ...packet, payload: bytesOf(text) });
  return { before: text, sent: sends(outcome.outputs), reason: outcome.reason };
}

/** Opens the way with a request that has the response's top Via, then lets the response come back by it. */
async function responsePlay(world: World, network: Network, text: string): Promise<Played> {
  const via = /^(?:Via|v)[ \t]*:[ \t]*(SIP\/2\.0\/\w+[ \t]+)([^;,\s]+)/im.exec(text)!;
  const probe = `OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP ${via[2]};branch=z9hG4bKprobe\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: probe\r\nCSeq: 1 OPTIONS\r\n\r\n`;
  const opened = (await requestPlay(world, network, probe)).sent[0]!;
  const ours = text.replace(via[0], via[0].replace(via[2]!, `${opened.local}:${opened.localPort}`));
  const packet = { realm: 1, source: network.server, sourcePort: PORT, destination: opened.local, destinationPort: opened.localPort, labels: {} };
  const outcome = await world.datagram({ ...packet, payload: bytesOf(ours) });
  return { before: ours, sent: sends(outcome.outputs), reason: outcome.reason };
}

function verdictOf({ before, sent }: Played): string {
  if (sent.length === 0) return "dropped";
  const after = sent[0]!.payload;
  if (after === before) return "untouched";
  return after.split("\r\n").length < before.split("\r\n").length - 1 ? "trimmed" : "translated";
}

describe.skipIf(folder === undefined)(`torture messages${why}`, () => {
  test.each(rows.map((row) => [`${row.place} ${row.name}`, row] as [string, Expected]))("%s", async (_, row) => {
    const network = row.place.startsWith("RFC 5118") ? IP6 : IP4;
    const text = tortureRead(folder!, row);
    const world = await World.boot(engines, await imageOf(network.config, "torture"), START);
    const played = await (/^SIP\//i.test(text) ? responsePlay : requestPlay)(world, network, text);
    const shown = `torture.md:${row.line} (${played.reason})\n${played.sent.map(({ payload }) => payload).join("\n----\n")}`;
    expect(verdictOf(played), shown).toBe(row.verdict);
    expect(played.sent.length, shown).toBeLessThanOrEqual(1);
    if (row.verdict === "translated" || row.verdict === "trimmed") {
      expect(translationProblems(played.before, played.sent[0]!.payload, row.verdict === "trimmed"), shown).toEqual([]);
    }
  });
});

test("a translation that changes another line is found", () => {
  const before = "INVITE sip:a SIP/2.0\r\nVia: x;\r\n y\r\nTo: <sip:b>\r\nl: 3\r\n\r\nc=1";
  expect(translationProblems(before, before.replace("y", "z").replace("c=1", "c=2").replace("l: 3", "l: 4"), false)).toEqual([]);
  expect(translationProblems(before, before.replace("sip:b", "sip:c"), false)).toHaveLength(1);
  expect(translationProblems(before, `${before}\r\nm=2`, false)).toHaveLength(2);
});
