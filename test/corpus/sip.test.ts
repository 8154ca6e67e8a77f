/*
 * Every SIP capture of the corpus goes through the core: nothing traps, only what the edits say is changed, JavaScript
 * and WebAssembly write the same file, and an independent dissector finds nothing wrong that was right before.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Capture, CapturedPacket } from "../../hosts/shared/capture/capture.ts";
import { captureRead, captureWrite } from "../../hosts/shared/capture/file.ts";
import { configRead, problemText, type Config } from "../../hosts/shared/config.ts";
import { type CoreSource, VERDICT_FORWARDED, VERDICT_RELAYED, VERDICT_TRANSLATED } from "../../hosts/shared/core.ts";
import { fateOf } from "../../hosts/shared/replay/fate.ts";
import type { Observation } from "../../hosts/shared/replay/observation.ts";
import { Ownership } from "../../hosts/shared/replay/ownership.ts";
import { Replay, type Step } from "../../hosts/shared/replay/replay.ts";
import { RuleTexts } from "../../hosts/shared/replay/ruletext.ts";
import { sipSplit } from "../../hosts/shared/replay/siptext.ts";
import { Summary, type SummaryRecord } from "../../hosts/shared/replay/summary.ts";
import { capturesOf, corpusMissing, corpusPath } from "./corpus.ts";
import { configDerive } from "./derive.ts";
import { complaintsOf, dissectorMissing } from "./dissector.ts";

const captures = capturesOf("sip", ["sip", "rtp", "tagged", "h248"]);
const TIMEOUT_MS = 20_000;

/** Captures with messages that no decoder can take, and what is wrong with them. */
const FAULTS: Record<string, Record<string, number>> = {
  /* IPv6 without brackets in Via (RFC 5118 4.1). */
  "sip/sip-ipv6-udp.pcap": { via: 3 },
  /* A request INVITE1 with a CSeq of INVITE. */
  "sip/sip-malformed-register.pcap": { cseq: 1 },
};

let folder: string;
let wasm: CoreSource;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "culvert-corpus-"));
  wasm = { kind: "wasm", binary: readFileSync(join("dist", "core.wasm")) };
});

afterAll(() => rmSync(folder, { recursive: true }));

function load(name: string, rules = ""): { capture: Capture; config: Config; text: string } {
  const capture = captureRead(readFileSync(join(corpusPath, name)));
  const text = configDerive(capture, rules);
  const { config, problems } = configRead(text, "derived.yaml");
  if (!config) throw new Error(problems.map(problemText).join("\n"));
  return { capture, config, text };
}

interface Played {
  steps: Step[];
  bytes: Uint8Array;
  summary: SummaryRecord;
}

async function play(source: CoreSource, { capture, config, text }: ReturnType<typeof load>): Promise<Played> {
  const replay = await Replay.open(source, config, capture, { asRecorded: true });
  const rules = new RuleTexts(config, text, "derived.yaml");
  const summary = new Summary(capture.packets.length, capture.cut, (rule) => rules.label(rule));
  const steps = [...replay.steps()];
  for (const step of steps) summary.add(step);
  const packets: CapturedPacket[] = steps.flatMap((step) => step.written);
  const bytes = Buffer.concat([...captureWrite({ ...capture, interfaces: replay.interfaces, packets }, capture.format)]);
  return { steps, bytes, summary: summary.finish(replay.loss) };
}

/** The payload with the edits applied, up to the end of the message (RFC 3261 18.3). */
function spliced(payload: Uint8Array, { edits, end }: Observation): string {
  const text = Buffer.from(payload).toString("latin1");
  let result = "";
  let from = 0;
  for (const edit of edits) {
    expect(edit.at).toBeGreaterThanOrEqual(from);
    expect(text.slice(edit.at, edit.end)).toBe(edit.before);
    result += text.slice(from, edit.at) + edit.after;
    from = edit.end;
  }
  return result + text.slice(from, end);
}

/** An address with or without port, an SDP address, digits, nothing, a token, or a whole ICE, altc or ANAT line. */
const EDITABLE =
  /^(?:\[[0-9a-f:.]+\](?::\d+)?|[0-9a-f]*(?::[0-9a-f.]*)+|\d+(?:\.\d+){3}(?:\s*:\s*\d+)?|IP[46] [0-9a-f:.]+|\d*|;cvt=[a-z0-9]+|a=(?:candidate|ice-|remote-candidates|end-of-candidates|altc|group:ANAT)[^\n]*\n)$/i;

type DatagramStep = Extract<Step, { kind: "datagram" }>;

/** Everything is sent from E:e or from a port of a pool. */
function localCheck(step: Step, config: Config): void {
  if (step.kind !== "datagram" && step.kind !== "timeout") return;
  const ownership = new Ownership(config);
  for (const output of step.outcome.outputs) {
    if (output.kind !== "send") continue;
    const ours = ownership.service(output.local) !== undefined || ownership.poolRealm(output.local) >= 0;
    expect(ours, `sent from ${output.local.address.text}:${output.local.port}, which is not ours`).toBe(true);
  }
}

/**
 * What the terminal gets has the very headers that it got in the recording. Apart from what is meant to differ: sealed
 * addresses, what the server saw of the terminal (`received`, `rport`), the Vias below the top one, which nobody
 * restores (CONFORMANCE 15), and the length of a changed body.
 */
function restoredCheck({ packet, recorded, mirrored, realm, outcome }: DatagramStep, config: Config): void {
  const [output] = outcome.outputs.filter((each) => each.kind === "send");
  if (mirrored !== "signaling" || config.realms[realm]!.kind !== "core" || outcome.verdict !== VERDICT_TRANSLATED || output?.kind !== "send") return;
  const [was, is] = [sipSplit(recorded.payload)!, sipSplit(output.payload)!];
  const topVia = is.headers.findIndex((header) => header.name === "via");
  const first = (line: string): string => (/^v(?:ia)?\s*:/i.test(line) ? line.split(",")[0]! : line);
  const plain = (line: string): string => first(line).replace(/;(?:received|rport)=[^;,\s]+/gi, "");
  expect(is.headers).toHaveLength(was.headers.length);
  for (const [i, { name, line }] of is.headers.entries()) {
    if (name === "content-length" || line.includes(";cvt=") || (name === "via" && i !== topVia)) continue;
    expect(plain(line), `packet ${packet}`).toBe(plain(was.headers[i]!.line));
  }
}

function stepCheck(step: DatagramStep): void {
  const { outcome, fed } = step;
  const sent = outcome.outputs.flatMap((output) => (output.kind === "send" || output.kind === "forward" ? [output.payload] : []));
  if (outcome.verdict === VERDICT_TRANSLATED) {
    expect(sent).toHaveLength(1);
    expect(Buffer.from(sent[0]!).toString("latin1")).toBe(spliced(fed.payload, outcome.observation!));
    for (const edit of outcome.observation!.edits) expect(edit.before).toMatch(EDITABLE);
  }
  if (outcome.verdict === VERDICT_RELAYED || outcome.verdict === VERDICT_FORWARDED || outcome.verdict < 0) {
    for (const payload of sent) expect(Buffer.compare(payload, fed.payload)).toBe(0);
  }
}

describe.skipIf(corpusMissing !== "")(`SIP captures${corpusMissing && ` [skipped: missing ${corpusMissing}]`}`, () => {
  test("there are some", () => expect(captures.length).toBeGreaterThan(20));

  test.each(captures)("%s", { timeout: TIMEOUT_MS }, async (name) => {
    const loaded = load(name);
    const [left, right] = await Promise.all([play({ kind: "js" }, loaded), play(wasm, loaded)]);
    expect(right.summary).toEqual(left.summary);
    expect(Buffer.compare(left.bytes, right.bytes), "JavaScript and WebAssembly write the same file").toBe(0);
    const recorded = new Set(loaded.capture.packets.map((packet) => packet.bytes));
    for (const step of left.steps) {
      localCheck(step, loaded.config);
      if (step.kind === "passed") expect(step.written.every((packet) => recorded.has(packet.bytes))).toBe(true);
      if (step.kind !== "datagram") continue;
      stepCheck(step);
      restoredCheck(step, loaded.config);
    }
    expect(Object.fromEntries(Object.entries(left.summary.faults).map(([reason, { packets }]) => [reason, packets]))).toEqual(FAULTS[name] ?? {});
    if (process.env.CULVERT_SHOW) console.log(name, JSON.stringify(left.summary));
  });
});

const unjudged = corpusMissing || dissectorMissing;

describe.skipIf(unjudged !== "")(`SIP captures, judged by tshark${unjudged && ` [skipped: missing ${unjudged}]`}`, () => {
  test.each(captures)("%s", { timeout: TIMEOUT_MS }, async (name) => {
    const loaded = load(name);
    const { steps, bytes } = await play(wasm, loaded);
    const recorded = new Set(loaded.capture.packets.map((packet) => packet.bytes));
    if (steps.every((step) => step.written.every((packet) => recorded.has(packet.bytes)))) return;
    const written = join(folder, basename(name));
    writeFileSync(written, bytes);
    const [before, after] = await Promise.all([complaintsOf(join(corpusPath, name)), complaintsOf(written)]);
    for (const kind of ["malformed", "errors", "checksums"] as const) {
      const known: Record<string, number> = before[kind];
      for (const [key, n] of Object.entries(after[kind])) expect(n, `${kind}: ${key}`).toBeLessThanOrEqual(known[key] ?? 0);
    }
  });
});

describe.skipIf(corpusMissing !== "")("labels", () => {
  test.each([
    ["tagged/sip-call-dot1q.pcap", "vlan: 100", true],
    ["tagged/sip-call-dot1q.pcap", "vlan: 101", false],
    ["tagged/sip-call-mpls-one-label.pcap", "mpls: 1024", true],
    ["tagged/sip-call-mpls-one-label.pcap", "mpls: 1025", false],
  ])("%s with a rule for %s", async (name, label, matches) => {
    const { steps, summary } = await play(wasm, load(name, `rules: [{ ${label}, proxy: s0 }]`));
    expect(summary.fates.translated ?? 0).toBe(matches ? 12 : 0);
    const translated = steps.filter((step) => step.kind === "datagram" && fateOf(step.outcome) === "translated");
    const labelled = load(name).capture.packets[0]!.bytes.subarray(12, 18);
    for (const step of translated) expect(Buffer.compare(step.written[0]!.bytes.subarray(12, 18), labelled)).toBe(0);
  });
});
