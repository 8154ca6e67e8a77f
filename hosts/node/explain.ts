/*
 * `culvert explain in.pcap`: for every SIP message which rule it meets, what is changed in it and why (SPEC O2).
 */

import { styleText } from "node:util";
import { type Command, InvalidArgumentError } from "commander";
import { reasonName } from "../shared/names.ts";
import { type ExplanationRecord, explain, explanationText, type Paint } from "../shared/replay/explanation.ts";
import { fateOf } from "../shared/replay/fate.ts";
import type { Step } from "../shared/replay/replay.ts";
import type { Host } from "../shared/runtime.ts";
import { nodeHost } from "./host.ts";
import { type OfflineOptions, offlineOpen, offlineOptions, offlineRun, UsageError } from "./offline.ts";

interface ExplainCommandOptions extends OfflineOptions {
  packet?: number;
  json: boolean;
}

const PLAIN: Paint = { strong: (text) => text, before: (text) => text, after: (text) => text, faint: (text) => text };
const COLOURED: Paint = {
  strong: (text) => styleText("bold", text),
  before: (text) => styleText("red", text),
  after: (text) => styleText("green", text),
  faint: (text) => styleText("dim", text),
};

function paintFor(host: Host): Paint {
  return host.terminal && !process.env.NO_COLOR ? COLOURED : PLAIN;
}

function packetNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("packets are numbered from 1, as in other tools.");
  return number;
}

/** What became of a packet that is no SIP message. */
function otherText(step: Step): string {
  if (step.kind === "passed") return `#${step.packet} is not for the core (${step.why}): passed untouched`;
  if (step.kind === "left") return `#${step.packet} was sent by a Culvert when this was recorded: left out`;
  if (step.kind === "timeout") return "";
  return `#${step.packet} is not SIP: ${fateOf(step.outcome)}, ${reasonName(step.outcome.reason)}`;
}

async function explainAll(input: string, options: ExplainCommandOptions, host: Host): Promise<void> {
  const { config, capture, replay, rules } = await offlineOpen(input, options, host);
  const { packet } = options;
  if (packet !== undefined && packet > capture.packets.length) throw new UsageError(`there is no packet ${packet}: ${input} has ${capture.packets.length}`);
  const records: ExplanationRecord[] = [];
  let found = packet === undefined;
  const paint = paintFor(host);
  for (const step of replay.steps()) {
    if (packet !== undefined && (step.kind === "timeout" || step.packet !== packet)) continue;
    found = true;
    const record = explain(step, config, rules);
    if (options.json && record) records.push(record);
    else if (record) console.log(`${explanationText(record, rules, paint)}\n`);
    else if (packet !== undefined && !options.json) console.log(otherText(step));
  }
  if (!found && !options.json) console.log(`#${packet} is a fragment of a datagram: see the packet that completes it`);
  if (options.json) console.log(JSON.stringify(records, undefined, 2));
}

export function registerExplain(program: Command, host: Host = nodeHost): void {
  const command = program
    .command("explain")
    .description("say for every SIP message of a capture which rule it meets, what changes and why")
    .argument("<capture>", "pcap or pcapng file")
    .option("--packet <number>", "only this packet, numbered from 1", packetNumber)
    .option("--json", "print as JSON", false);
  for (const option of offlineOptions()) command.addOption(option);
  command.action((input: string, options: ExplainCommandOptions) => offlineRun(host, () => explainAll(input, options, host)));
}
