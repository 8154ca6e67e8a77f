/*
 * `culvert replay` and `culvert explain` as commands: files in and out, text and JSON, mistakes and exit codes.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { registerExplain } from "../../../hosts/node/explain.ts";
import { nodeHost } from "../../../hosts/node/host.ts";
import { registerReplay } from "../../../hosts/node/replay.ts";
import { captureRead, captureWrite } from "../../../hosts/shared/capture/file.ts";
import { EXIT_CONFIG } from "../../../hosts/shared/command.ts";
import type { ExplanationRecord } from "../../../hosts/shared/replay/explanation.ts";
import type { Host } from "../../../hosts/shared/runtime.ts";
import { Recording, seen, sip } from "./recording.ts";

const CONFIG = `realms: { access: { media: 198.51.100.2 }, core: { address: 10.9.0.2 } }
services: { voice: { address: 203.0.113.5, servers: [10.9.0.10] } }
rules:
  - from: 192.0.2.66/32
    discard: true
  - { to: 203.0.113.5, toPort: 5060, proxy: voice }
`;
const TERMINAL = "192.0.2.1:41000";
const SERVICE = "203.0.113.5:5060";
const OPTIONS = sip(
  "OPTIONS sip:203.0.113.5 SIP/2.0",
  "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKo;rport",
  "From: <sip:a@b>;tag=1",
  "To: <sip:\x1b[31m@b>",
  "Call-ID: o",
  "CSeq: 1 OPTIONS",
  "Contact: <sip:a@10.0.0.9:5060>",
);
const ANSWER = sip(
  "SIP/2.0 200 OK",
  "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKo;rport=41000;received=192.0.2.1",
  "From: <sip:a@b>;tag=1",
  "To: <sip:a@b>;tag=2",
  "Call-ID: o",
  "CSeq: 1 OPTIONS",
);

let folder: string;
let printed: string[];
let complaints: string[];
let exitCode: number;
let host: Host;

const path = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "culvert-offline-"));
  const { capture } = new Recording()
    .udp(0, TERMINAL, SERVICE, OPTIONS)
    .udp(5, SERVICE, TERMINAL, ANSWER)
    .udp(10, "192.0.2.66:1", SERVICE, OPTIONS)
    .udp(15, "192.0.2.8:7", "192.0.2.9:7", "x");
  writeFileSync(path("in.pcap"), Buffer.concat([...captureWrite(capture, "pcap")]));
  writeFileSync(path("cut.pcap"), readFileSync(path("in.pcap")).subarray(0, -1));
  writeFileSync(path("text.pcap"), "not a capture at all");
  writeFileSync(path("good.yaml"), CONFIG);
  writeFileSync(path("bad.yaml"), CONFIG.replace("proxy: voice", "proxy: voce"));
});

afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(() => {
  [printed, complaints, exitCode] = [[], [], 0];
  host = { ...nodeHost, terminal: false, coreBinary: () => readFile(join("dist", "core.wasm")), setExitCode: (code) => void (exitCode = code) };
  vi.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
  vi.spyOn(console, "error").mockImplementation((text: string) => void complaints.push(text));
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function culvert(...words: string[]): Promise<string> {
  const program = new Command("culvert").exitOverride();
  registerReplay(program, host);
  registerExplain(program, host);
  await program.parseAsync(words, { from: "user" });
  return printed.join("\n");
}

describe("replay", () => {
  test.each(["wasm", "js"])("writes a capture and a summary (%s)", async (kind) => {
    const text = await culvert("replay", "-c", path("good.yaml"), "--core", kind, path("in.pcap"), "-o", path(`${kind}.pcap`));
    const packets = seen(captureRead(readFileSync(path(`${kind}.pcap`))).packets);
    expect(packets.map(({ to }) => to)).toEqual(["10.9.0.10:5060", TERMINAL, "192.0.2.9:7"]);
    expect(packets[1]!.text).toBe(ANSWER);
    expect(text).toContain("4 packets read, 4 UDP datagrams taken, 3 packets written");
    expect(text).toContain(`1  rule 2 (${path("good.yaml")}:6) { to: 203.0.113.5, toPort: 5060, proxy: voice }`);
    expect(text).toMatch(/Dropped:\n\s+1 {2}rule-discard/);
    expect([exitCode, complaints]).toEqual([0, []]);
  });

  test("both cores write the same file", () => {
    expect(readFileSync(path("wasm.pcap")).equals(readFileSync(path("js.pcap")))).toBe(true);
  });

  test("the extension says the format", async () => {
    await culvert("replay", "-c", path("good.yaml"), path("in.pcap"), "-o", path("out.pcapng"), "--json");
    expect(captureRead(readFileSync(path("out.pcapng"))).format).toBe("pcapng");
    expect(JSON.parse(printed.join("\n"))).toMatchObject({
      packets: 4,
      written: 3,
      mirrored: { signaling: 1 },
      messages: { OPTIONS: { translated: 1, dropped: 1 } },
    });
  });

  test("--no-as-recorded takes the capture as it is", async () => {
    await culvert("replay", "-c", path("good.yaml"), path("in.pcap"), "-o", path("out.pcap"), "--no-as-recorded", "--json");
    expect(JSON.parse(printed.join("\n"))).toMatchObject({ mirrored: { signaling: 0 }, passed: { "otherwise-forward": 2 } });
  });

  test("a capture that ends too early is used as far as it goes", async () => {
    expect(await culvert("replay", "-c", path("good.yaml"), path("cut.pcap"), "-o", path("out.pcap"))).toContain("ends in the middle of a packet");
  });

  test.each([
    ["no such capture", ["good.yaml", "missing.pcap"], /missing\.pcap cannot be read: .*ENOENT/],
    ["not a capture", ["good.yaml", "text.pcap"], /text\.pcap: the file begins with 6e6f7420.*is it a capture\?/],
    ["no such configuration", ["missing.yaml", "in.pcap"], /configuration .*missing\.yaml cannot be read/],
    ["a wrong configuration", ["bad.yaml", "in.pcap"], /bad\.yaml:6:\d+: error: .*no service "voce"/],
  ])("%s", async (_, [config, capture], message) => {
    await culvert("replay", "-c", path(config!), path(capture!), "-o", path("never.pcap"));
    expect(complaints.join("\n")).toMatch(message);
    expect(exitCode).toBe(EXIT_CONFIG);
  });

  test("the capture that is read is not written over", async () => {
    await culvert("replay", "-c", path("good.yaml"), path("in.pcap"), "-o", path("in.pcap"));
    expect(complaints.join("\n")).toMatch(/in\.pcap is the capture that is read: give another name/);
    expect(exitCode).toBe(EXIT_CONFIG);
  });
});

describe("explain", () => {
  test("says for every SIP message what was done and why", async () => {
    const text = await culvert("explain", "-c", path("good.yaml"), path("in.pcap"));
    expect(text).toContain(`#1 OPTIONS  ${TERMINAL} -> ${SERVICE}\n  access to core, realm access; rule 2 (${path("good.yaml")}:6)`);
    expect(text).toMatch(/Via {16}10\.0\.0\.9:5060 -> 10\.9\.0\.2:\d+\n +line 2, byte 50, IPv4; /);
    expect(text).toContain(`  recorded as ${SERVICE} -> ${TERMINAL}`);
    expect(text).toContain(
      `#3 OPTIONS  192.0.2.66:1 -> ${SERVICE}\n  realm access; rule 1 (${path("good.yaml")}:4) { from: 192.0.2.66, discard: true }\n  dropped: rule-discard`,
    );
    expect(text).not.toContain("#4");
    expect(text).not.toContain("\x1b");
  });

  test("as JSON", async () => {
    const records = JSON.parse(await culvert("explain", "-c", path("good.yaml"), path("in.pcap"), "--json")) as ExplanationRecord[];
    expect(records.map(({ packet, message, fate, rule }) => [packet, message, fate, rule?.number])).toEqual([
      [1, "OPTIONS", "translated", 2],
      [2, "200 OPTIONS", "translated", undefined],
      [3, "OPTIONS", "dropped", 1],
    ]);
    const via = records[0]!.mentions.find((mention) => mention.role === "Via")!;
    expect(via).toMatchObject({ spelling: "IPv4", line: 2, before: "10.0.0.9:5060", changed: true });
    expect(OPTIONS.slice(via.at, via.at + via.before.length)).toBe(via.before);
  });

  test("one packet, SIP or not", async () => {
    expect(await culvert("explain", "-c", path("good.yaml"), path("in.pcap"), "--packet", "2")).toMatch(/^#2 200 OPTIONS/);
    printed = [];
    expect(await culvert("explain", "-c", path("good.yaml"), path("in.pcap"), "--packet", "4")).toBe("#4 is not SIP: passed, otherwise-forward");
    await culvert("explain", "-c", path("good.yaml"), path("in.pcap"), "--packet", "5");
    expect(complaints.join("\n")).toMatch(/no packet 5: .*in\.pcap has 4/);
    expect(exitCode).toBe(EXIT_CONFIG);
  });

  test("colours on a terminal only", async () => {
    host = { ...host, terminal: true };
    vi.stubEnv("NO_COLOR", "");
    vi.stubEnv("FORCE_COLOR", "1");
    expect(await culvert("explain", "-c", path("good.yaml"), path("in.pcap"), "--packet", "1")).toContain("\x1b[32m10.9.0.2:");
    vi.unstubAllEnvs();
  });
});
