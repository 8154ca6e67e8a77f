/*
 * What each latch policy lets in, as a table: of the attacks that were played, and what must hold whatever the table says.
 */

import { CoreFault } from "../fuzz/fault.ts";
import { MOMENTS, type Result, type Row } from "./attack.ts";
import type { Kind, Policy, Setting } from "./scene.ts";

export const POLICIES: Policy[] = ["source", "strict", "any"];
export const KINDS: Kind[] = ["auto", "open", "always", "never"];
const WORDS: Record<Kind, string> = { auto: "auto", open: "auto, none there", always: "always", never: "never" };

/** "P" passes, "D" diverts, "S" silences. */
function cellText({ passes, diverts, silences }: Result): string {
  return `${passes ? "P" : ""}${diverts ? "D" : ""}${silences ? "S" : ""}` || "·";
}

/** One policy: a row for each attacker and each group of `nat` that is alike. */
export function admissionText(played: [Kind, Row[]][]): string {
  const head = ["who", "`nat`", ...MOMENTS.map(({ name }) => name)];
  const lines = [head, head.map(() => "---")];
  for (const [i, { attacker }] of played[0]![1].entries()) {
    const alike = new Map<string, Kind[]>();
    for (const [kind, rows] of played) {
      const cells = rows[i]!.results.map(cellText).join(" | ");
      alike.set(cells, [...(alike.get(cells) ?? []), kind]);
    }
    for (const [cells, kinds] of alike) lines.push([attacker.name, kinds.length === KINDS.length ? "all" : kinds.map((kind) => WORDS[kind]).join("; "), cells]);
  }
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/**
 * What must hold (SPEC R2). In the default policy somebody who has nothing to do with the call gets nothing and brings nothing;
 * nobody but who sits on the path gets between those who are talking, nor at a call that is late or has ended. Under no
 * policy does one who forges a port of ours, or comes at a locked latch from where it was not signalled.
 */
export function admissionCheck({ policy, kind }: Setting, rows: Row[]): void {
  for (const { attacker, results } of rows) {
    for (const [i, result] of results.entries()) {
      const moment = MOMENTS[i]!;
      const onPath = attacker.name.includes("on the path");
      const signalled = policy === "strict" && attacker.name.includes("in SDP");
      const safe =
        attacker.name.includes("of ours") ||
        (policy === "source" && (attacker.off || (!onPath && (moment.flows || ["pause", "late", "ended"].includes(moment.name))))) ||
        (["locked", "pause"].includes(moment.name) && !onPath && !signalled);
      const cell = cellText(result);
      if (safe && cell !== "·") throw new CoreFault("admitted", `latch ${policy}, nat ${kind}: ${attacker.name}, ${moment.name}: ${cell}`);
    }
  }
}

/** The rows of a policy as a table says them, for one `nat`: attacker, moment, cell. */
export function admissionRead(document: string, policy: Policy, kind: Kind): Map<string, Map<string, string>> {
  const part = document.slice(document.indexOf(`### \`latch: ${policy}\``)).split("\n### ")[0]!;
  const [head, , ...rows] = part
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.slice(2, -2).split(" | "));
  const told = new Map<string, Map<string, string>>();
  for (const [name, kinds, ...cells] of rows) {
    if (kinds !== "all" && !kinds!.split("; ").includes(WORDS[kind])) continue;
    told.set(name!, new Map(cells.map((cell, i) => [head![i + 2]!, cell])));
  }
  return told;
}
