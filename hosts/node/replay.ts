/*
 * `culvert replay in.pcap -o out.pcap`: what the proxy would have done to a capture, as a capture (SPEC O2).
 */

import { realpath, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import type { Capture, CapturedPacket, CaptureFormat } from "../shared/capture/capture.ts";
import { captureWrite } from "../shared/capture/file.ts";
import { Summary, summaryText } from "../shared/replay/summary.ts";
import type { Host } from "../shared/runtime.ts";
import { nodeHost } from "./host.ts";
import { type OfflineOptions, offlineOpen, offlineOptions, offlineRun, UsageError } from "./offline.ts";

interface ReplayCommandOptions extends OfflineOptions {
  output: string;
  json: boolean;
}

/** Bytes that are written at once. */
const CHUNK = 1 << 20;
const EXTENSIONS: Record<string, CaptureFormat> = { pcap: "pcap", cap: "pcap", dmp: "pcap", pcapng: "pcapng", ntar: "pcapng" };

/** As the name says; as the input was, when it says nothing. */
function formatOf(path: string, capture: Capture): CaptureFormat {
  return EXTENSIONS[/\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ""] ?? capture.format;
}

/** Small pieces put together to larger ones. */
function* chunks(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for (const piece of pieces) {
    waiting.push(piece);
    size += piece.length;
    if (size < CHUNK) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    size = 0;
  }
  yield Buffer.concat(waiting);
}

async function sameFile(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([a, b].map((path) => realpath(path).catch(() => undefined)));
  return left !== undefined && left === right;
}

async function replay(input: string, options: ReplayCommandOptions, host: Host): Promise<void> {
  if (await sameFile(input, options.output)) throw new UsageError(`${options.output} is the capture that is read: give another name with -o`);
  const { capture, replay, rules } = await offlineOpen(input, options, host);
  const summary = new Summary(capture.packets.length, capture.cut, (rule) => rules.label(rule));
  const packets: CapturedPacket[] = [];
  for (const step of replay.steps()) {
    summary.add(step);
    for (const packet of step.written) packets.push(packet);
  }
  const written: Capture = { ...capture, interfaces: replay.interfaces, packets };
  await writeFile(options.output, chunks(captureWrite(written, formatOf(options.output, capture))));
  const record = summary.finish(replay.loss);
  console.log(options.json ? JSON.stringify(record, undefined, 2) : summaryText(record));
}

export function registerReplay(program: Command, host: Host = nodeHost): void {
  const command = program
    .command("replay")
    .description("run a capture through the proxy and write what would have been sent")
    .argument("<capture>", "pcap or pcapng file")
    .requiredOption("-o, --output <file>", "where to write; .pcap or .pcapng")
    .option("--json", "print the summary as JSON", false);
  for (const option of offlineOptions()) command.addOption(option);
  command.action((input: string, options: ReplayCommandOptions) => offlineRun(host, () => replay(input, options, host)));
}
