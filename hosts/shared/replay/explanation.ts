/*
 * What was done to one SIP message and why (SPEC O2): the rule, the direction, every mention before and after.
 */

import { Buffer } from "node:buffer";
import { endpointText } from "../address.ts";
import type { Config } from "../config.ts";
import { faultPosition, faultReason, INPUT, PACKET_PAYLOAD, REASON_OTHERWISE_DISCARD, REASON_OTHERWISE_FORWARD } from "../core.ts";
import { reasonName } from "../names.ts";
import { type Fate, fateOf } from "./fate.ts";
import type { Outcome } from "./feed.ts";
import type { Edit, Mention, Observation } from "./observation.ts";
import type { Step } from "./replay.ts";
import type { RuleText, RuleTexts } from "./ruletext.ts";
import { sipSplit } from "./siptext.ts";
import { mentionReason, messageName, roleName, spellingName } from "./wording.ts";

export interface MentionRecord {
  role: string;
  spelling: string;
  /** Line (from 1) of the message and byte (from 0) of the payload. */
  line: number;
  at: number;
  before: string;
  after: string;
  changed: boolean;
  reason: string;
}

export interface ExplanationRecord {
  packet: number;
  message: string;
  from: string;
  to: string;
  realm: string;
  direction: "access to core" | "core to access" | "none";
  /** Where it was recorded to go, when it was mirrored. */
  recorded: { from: string; to: string } | undefined;
  rule: RuleText | undefined;
  fate: Fate;
  reason: string;
  /** Byte of the payload that a decoding fault stands at. */
  faultAt: number | undefined;
  sent: { from: string; to: string; bytes: number }[];
  mentions: MentionRecord[];
}

type DatagramStep = Extract<Step, { kind: "datagram" }>;

function lineOf(payload: string, at: number): number {
  return payload.slice(0, at).split("\n").length;
}

function mentionExplain(mention: Mention, payload: string, inbound: boolean): MentionRecord {
  return {
    role: roleName(mention.role),
    spelling: spellingName(mention),
    line: lineOf(payload, mention.at),
    at: mention.at,
    before: mention.text,
    after: mention.after,
    changed: mention.changed,
    reason: mentionReason(mention, inbound),
  };
}

/** An edit beside the mentions. */
function editExplain(edit: Edit, payload: string): MentionRecord {
  const { at, before, after } = edit;
  return {
    role: "beside a mention",
    spelling: "text",
    line: lineOf(payload, at),
    at,
    before,
    after,
    changed: true,
    reason: "what the new address needs around it",
  };
}

function mentionsExplain(observation: Observation, payload: string, inbound: boolean): MentionRecord[] {
  const mentions = observation.mentions.map((mention) => mentionExplain(mention, payload, inbound));
  const others = observation.edits.filter((edit) => !edit.mentioned).map((edit) => editExplain(edit, payload));
  return [...mentions, ...others].sort((a, b) => a.at - b.at);
}

/** Did the rules have nothing to say? Then `otherwise` did. */
function isUnruled({ reason }: Outcome): boolean {
  return reason === REASON_OTHERWISE_FORWARD || reason === REASON_OTHERWISE_DISCARD;
}

/** Explains one step; undefined when it is no SIP message. */
export function explain(step: Step, config: Config, rules: RuleTexts): ExplanationRecord | undefined {
  if (step.kind !== "datagram") return undefined;
  const { fed, recorded, outcome, realm } = step;
  if (!outcome.observation && !sipSplit(fed.payload)) return undefined;
  const kind = config.realms[realm]?.kind;
  const proxied = outcome.observation !== undefined;
  const inbound = kind === "access";
  const payload = Buffer.from(fed.payload).toString("latin1");
  const direction = inbound ? "access to core" : "core to access";
  return {
    packet: step.packet,
    message: messageName(fed.payload, outcome.observation),
    from: endpointText(fed.source.text, fed.sourcePort),
    to: endpointText(fed.destination.text, fed.destinationPort),
    realm: config.realms[realm]?.name ?? String(realm),
    direction: proxied ? direction : "none",
    recorded: step.mirrored && {
      from: endpointText(recorded.source.text, recorded.sourcePort),
      to: endpointText(recorded.destination.text, recorded.destinationPort),
    },
    rule: outcome.rule >= 0 || isUnruled(outcome) ? rules.find(outcome.rule) : undefined,
    fate: fateOf(outcome),
    reason: reasonName(outcome.verdict < 0 ? faultReason(outcome.verdict) : outcome.reason),
    faultAt: outcome.verdict < 0 ? Math.max(0, faultPosition(outcome.verdict) - INPUT - PACKET_PAYLOAD) : undefined,
    sent: sentOf(step),
    mentions: outcome.observation ? mentionsExplain(outcome.observation, payload, inbound) : [],
  };
}

function sentOf(step: DatagramStep): ExplanationRecord["sent"] {
  return step.outcome.outputs.flatMap((output) => {
    if (output.kind !== "send" && output.kind !== "forward") return [];
    const { local, remote, payload } = output;
    return [{ from: endpointText(local.address.text, local.port), to: endpointText(remote.address.text, remote.port), bytes: payload.length }];
  });
}

/** How before and after are made to stand out. */
export interface Paint {
  strong(text: string): string;
  before(text: string): string;
  after(text: string): string;
  faint(text: string): string;
}

/** Control characters of a hostile message must not reach the terminal. */
function visible(text: string): string {
  return text.replace(/[^ -~]/g, (character) =>
    character === "\r" ? "\\r" : character === "\n" ? "\\n" : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function mentionText(mention: MentionRecord, paint: Paint): string {
  const place = paint.faint(`line ${mention.line}, byte ${mention.at}, ${mention.spelling}`);
  const before = visible(mention.before);
  const value = mention.changed ? `${paint.before(before)} -> ${paint.after(visible(mention.after) || "(removed)")}` : before;
  return `    ${mention.role.padEnd(18)} ${value}\n${" ".repeat(23)}${place}${paint.faint(`; ${mention.reason}`)}`;
}

/** The explanation as people read it. */
export function explanationText(record: ExplanationRecord, rules: RuleTexts, paint: Paint): string {
  const fault = record.faultAt === undefined ? "" : ` at byte ${record.faultAt}`;
  const rule = record.rule ? rules.label(record.rule.number - 1) : "a port of ours: the terminal that it belongs to";
  return [
    `${paint.strong(`#${record.packet} ${visible(record.message)}`)}  ${record.from} -> ${record.to}`,
    ...(record.recorded ? [paint.faint(`  recorded as ${record.recorded.from} -> ${record.recorded.to}`)] : []),
    `  ${record.direction === "none" ? `realm ${record.realm}` : `${record.direction}, realm ${record.realm}`}; ${rule}`,
    `  ${paint.strong(record.fate)}${record.reason === record.fate ? "" : `: ${record.reason}`}${fault}`,
    ...record.sent.map(({ from, to, bytes }) => `  sent ${from} -> ${to}, ${bytes} bytes`),
    ...record.mentions.map((mention) => mentionText(mention, paint)),
  ].join("\n");
}
