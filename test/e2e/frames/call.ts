/*
 * The traffic of packet mode: calls of sipp whose INVITE comes in fragments, with media that the server sends back; and
 * Culvert that carries them.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { SHIM } from "../../shim.ts";
import { Capture } from "../capture.ts";
import { type Configuration, Culvert, NODE, nodeHost } from "../culvert.ts";
import { stopAll } from "../process.ts";
import { file, program, root } from "../requirement.ts";
import { sipp, sippRun } from "../sipp.ts";
import { type Addresses, type Netns, netnsOf, networkDown } from "./network.ts";

const RECORDINGS = "/usr/share/sip-tester";
export const needs = [root(), ...["ip", "sipp", "tcpdump", "tshark", "python3"].map(program), file(nodeHost), file(SHIM), file(RECORDINGS)];
const CALLER = resolve("test/e2e/router/caller.xml");
/** Makes an INVITE of more than 3000 bytes. */
const PADDING = "x".repeat(2600);
const PORT = 5062;
const MEDIA = 25_062;
/** Of 33 packets a second, for a second and a half; sipp is slow to begin. */
export const MEDIA_LEAST = 10;
/** Where captures and logs of a file go. */
export let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "culvert-frames-"));
});

afterEach(async () => {
  await stopAll();
  if (process.env.CULVERT_E2E === "1") await networkDown();
});

afterAll(() => {
  if (process.env.CULVERT_KEEP !== "1") rmSync(folder, { recursive: true, force: true });
});

export function start(configuration: Configuration, host = NODE): Promise<Culvert> {
  return Culvert.start(folder, configuration, host, 100, netnsOf("px"));
}

/** What it counted, each of its workers, once it is stopped. */
export async function allTotalsOf(culvert: Culvert): Promise<Record<string, number>[]> {
  await culvert.stop();
  return culvert.logged('"msg":"stopped"');
}

/** The same of one that has no workers. */
export async function totalsOf(culvert: Culvert): Promise<Record<string, number>> {
  const all = await allTotalsOf(culvert);
  expect(all).toHaveLength(1);
  return all[0]!;
}

/** A server that sends media back. */
export function serve({ server }: Addresses): void {
  const netns = netnsOf("sv");
  sipp({ scenario: "uas", local: server, port: 5060, mediaPort: 30_000, seconds: 60, folder, netns, extra: ["-rtp_echo", "-aa", "-mi", server] });
}

export interface Called {
  code: number;
  output: string;
  /** What the terminal saw. */
  capture: Capture;
}

/** A call from a terminal, which plays a recording. */
export async function call(netns: Netns, { terminal, service }: Addresses, recording = "g711a.pcap", seconds = 10): Promise<Called> {
  const own = join(folder, netns);
  mkdirSync(own, { recursive: true });
  const path = join(own, "caller.xml");
  writeFileSync(path, readFileSync(CALLER, "utf8").replace("g711a.pcap", recording));
  const capture = await Capture.start(netnsOf(netns), "eth0", join(own, "seen.pcap"), "udp or ip6 proto 44", 40);
  const ended = await sippRun({
    scenario: path,
    remote: `${service.includes(":") ? `[${service}]` : service}:5060`,
    user: "anybody",
    local: terminal,
    port: PORT,
    mediaPort: MEDIA,
    calls: 1,
    seconds,
    folder: own,
    netns: netnsOf(netns),
    extra: ["-mi", terminal, "-key", "pad", PADDING, "-timeout_error"],
  });
  await capture.stop();
  return { ...ended, capture };
}

/** Media packets of a payload type that the terminal got: the byte stands in the UDP payload, or behind an IPv6 header and that of UDP. */
export function media({ capture }: Called, type: number): Promise<number> {
  return capture.count(`udp and dst port ${MEDIA} and (udp[9] & 0x7f = ${type} or (ip6 and ip6[49] & 0x7f = ${type}))`);
}

/** Everything by frames: nothing was sent by a socket, and nothing went wrong. */
export function expectFramed(totals: Record<string, number>): void {
  expect(totals).not.toHaveProperty("sent");
  for (const fault of ["sendFailed", "bindFailed", "noSocket", "trapped", "lost"]) expect(totals).not.toHaveProperty(fault);
  expect(totals["framed"]).toBeGreaterThan(2 * MEDIA_LEAST);
}

/** Every checksum of the packets that a display filter lets through is there and right: tshark computes them. Returns of how many datagrams. */
export async function expectSums(capture: Capture, filter: string): Promise<number> {
  const options = ["-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"];
  const sums = await capture.fields(`(${filter}) and udp`, ["udp.checksum.status", "ip.checksum.status"], options);
  expect(new Set(sums.map(([udp]) => udp)), "UDP").toEqual(new Set(["1"]));
  expect(
    sums.every(([, ip]) => ip === "1" || ip === ""),
    "IP",
  ).toBe(true);
  return sums.length;
}
