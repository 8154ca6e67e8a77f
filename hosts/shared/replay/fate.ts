/*
 * What became of one input, in one word.
 */

import { VERDICT_ABSORBED, VERDICT_ANSWERED, VERDICT_DISCARDED, VERDICT_FORWARDED, VERDICT_RELAYED, VERDICT_TRANSLATED } from "../core.ts";
import type { Outcome } from "./feed.ts";

/** `passed` is payload byte-identical, whatever the addresses; a fault ends in passed or dropped, as the service says. */
export type Fate = "translated" | "relayed" | "answered" | "absorbed" | "passed" | "dropped";

const FATES: Record<number, Fate> = {
  [VERDICT_FORWARDED]: "passed",
  [VERDICT_TRANSLATED]: "translated",
  [VERDICT_RELAYED]: "relayed",
  [VERDICT_ANSWERED]: "answered",
  [VERDICT_ABSORBED]: "absorbed",
  [VERDICT_DISCARDED]: "dropped",
};

export function fateOf(outcome: Outcome): Fate {
  const sent = outcome.outputs.some((output) => output.kind === "send" || output.kind === "forward");
  return FATES[outcome.verdict] ?? (sent ? "passed" : "dropped");
}
