/*
 * One thing to set up on a Linux machine: the command that does it, what takes it back, and how to see that it is there.
 * Nothing is executed here. Patterns are extended regular expressions, the same for `grep -E` and for JavaScript.
 */

export interface Command {
  program: "ip" | "nft" | "sysctl";
  args: string[];
  /** Standard input. */
  input?: string;
}

/** The step is there when a line of the command's output matches; with `absent`, when none does. */
export interface Check {
  command: Command;
  pattern: string;
  absent?: true;
}

/** A command, or settings whose earlier values are to be written back. */
export type Undo = { kind: "command"; command: Command } | { kind: "restore"; keys: string[] };

export interface Step {
  /** For people. */
  about: string;
  apply: Command;
  undo: Undo;
  check: Check;
  /** Whoever finds it in place may take it away: nobody else makes such a thing. */
  ours: boolean;
}

export type Family = 4 | 6;
export const FAMILIES: readonly Family[] = [4, 6];

/** Tags our rules and routes (rtm_protocol, an unassigned number): what has it is ours. */
export const PROTOCOL = 67;

/** Text as a pattern that matches just this text. */
export function patternOf(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

export function commandOf(program: Command["program"], ...args: string[]): Command {
  return { program, args };
}

/** What was found by `check`: is the step there? */
export function checkHolds(check: Check, output: string): boolean {
  const pattern = new RegExp(check.pattern);
  return output.split("\n").some((line) => pattern.test(line)) === (check.absent === undefined);
}

/** The name of a setting: with slashes where a part of it, such as eth0.100, has a dot. */
export function settingKey(...parts: string[]): string {
  return parts.join(parts.some((part) => part.includes(".")) ? "/" : ".");
}

/** Writing `key` changes `also` as well. */
export function settingStep(about: string, key: string, value: string, also: string[] = []): Step {
  return {
    about,
    apply: commandOf("sysctl", "-qw", `${key}=${value}`),
    undo: { kind: "restore", keys: [key, ...also] },
    check: { command: commandOf("sysctl", "-n", key), pattern: `^${patternOf(value)}$` },
    ours: false,
  };
}

/** Writes earlier values back, the first key first: it changes the others. */
export function settingRestore(keys: string[], values: string[]): Command {
  return commandOf("sysctl", "-qw", ...keys.map((key, i) => `${key}=${values[i]!}`));
}

/** What a routing rule looks at. */
export interface Selector {
  from?: string;
  to?: string;
  /** "0x1/0x1" */
  mark?: string;
  /** Where it comes in; "lo" is what this machine sends itself. */
  device?: string;
}

function selectorWords({ from, to, mark, device }: Selector): string[] {
  const words = [device ? ["iif", device] : [], from ? ["from", from] : [], to ? ["to", to] : [], mark ? ["fwmark", mark] : []];
  return words.flat();
}

/** As `ip rule show` prints it. */
function selectorShown({ from, to, mark, device }: Selector): string {
  return [`from ${from ?? "all"}`, to && `to ${to}`, mark && `fwmark ${mark}`, device && `iif ${device}`].filter(Boolean).join(" ");
}

/** A rule of policy routing; `action` is written as `ip rule show` prints it. */
export function ruleStep(about: string, family: Family, preference: number, selector: Selector, action: string[]): Step {
  const words = ["pref", String(preference), ...selectorWords(selector), ...action, "protocol", String(PROTOCOL)];
  const shown = patternOf(`${selectorShown(selector)} ${action.join(" ")} proto ${PROTOCOL}`);
  return {
    about,
    apply: commandOf("ip", `-${family}`, "rule", "add", ...words),
    undo: { kind: "command", command: commandOf("ip", `-${family}`, "rule", "del", ...words) },
    check: { command: commandOf("ip", `-${family}`, "rule", "show"), pattern: `^${preference}:.${shown}` },
    ours: true,
  };
}

/** A route; `words` are its type, if it has one, its destination and where it leads. */
export function routeStep(about: string, family: Family, table: string, words: string[], shown: string): Step {
  const route = [...words, "table", table, "proto", String(PROTOCOL)];
  return {
    about,
    apply: commandOf("ip", `-${family}`, "route", "add", ...route),
    undo: { kind: "command", command: commandOf("ip", `-${family}`, "route", "del", ...route) },
    check: { command: commandOf("ip", `-${family}`, "route", "show", "table", table), pattern: `^${patternOf(shown)}.* proto ${PROTOCOL}( |$)` },
    ours: true,
  };
}

/** A route to this machine itself. */
export function localRouteStep(about: string, family: Family, table: string, destination: string): Step {
  return routeStep(about, family, table, ["local", destination, "dev", "lo"], `local ${destination} dev lo`);
}

/** A service address on an interface, in use by nobody unless he asks for it: no route, no source address, no search for duplicates. */
export function addressStep(about: string, family: Family, address: string, device: string): Step {
  const host = `${address}/${family === 4 ? 32 : 128}`;
  const kept = family === 4 ? ["scope", "host"] : ["nodad", "noprefixroute", "preferred_lft", "0"];
  return {
    about,
    apply: commandOf("ip", `-${family}`, "addr", "add", host, "dev", device, ...kept),
    undo: { kind: "command", command: commandOf("ip", `-${family}`, "addr", "del", host, "dev", device) },
    check: { command: commandOf("ip", `-${family}`, "addr", "show", "dev", device), pattern: ` ${patternOf(host)} ` },
    ours: false,
  };
}

/** What comes first in every Linux: the table of local addresses. It is taken away from there, and put back by `undo`. */
export function localRuleStep(about: string, family: Family): Step {
  return {
    about,
    apply: commandOf("ip", `-${family}`, "rule", "del", "pref", "0", "lookup", "local"),
    undo: { kind: "command", command: localRuleRestore(family) },
    check: { command: commandOf("ip", `-${family}`, "rule", "show"), pattern: "^0:.from all lookup local", absent: true },
    ours: true,
  };
}

export function localRuleRestore(family: Family): Command {
  return commandOf("ip", `-${family}`, "rule", "add", "pref", "0", "lookup", "local", "protocol", "kernel");
}
