/*
 * Expected bytes with placeholders. {name} is a number and {token:name} a word that the core chose: bound where
 * it is first met, the same ever after; {name+1} is the number after it. In what is sent in they must have been bound before.
 */

import { VectorError } from "./step.ts";
import { lengthFill } from "./text.ts";

export type Names = Map<string, string>;

const PLACEHOLDER = /\{(token:)?([a-z][A-Za-z0-9]*)(\+1)?\}/g;

function quote(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** Replaces bound placeholders; with `strict`, an unbound one is an error. */
export function namesFill(template: string, names: Names, strict: boolean): string {
  return template.replace(PLACEHOLDER, (whole, kind: string | undefined, name: string, next: string | undefined) => {
    const value = names.get((kind ?? "") + name);
    if (value === undefined && strict) throw new VectorError(`${whole} is not bound yet`);
    return value === undefined ? whole : next ? String(Number(value) + 1) : value;
  });
}

function groupOf(kind: string, name: string, next: boolean, seen: Set<string>): string {
  const key = (kind ? "t_" : next ? "p_" : "n_") + name;
  if (seen.has(key)) return `\\k<${key}>`;
  seen.add(key);
  return `(?<${key}>${kind ? "[A-Za-z0-9_.~-]+" : "\\d+"})`;
}

/** Takes what the placeholders of `template` are in `actual`; nothing when it does not fit. */
function bind(template: string, actual: string, names: Names): boolean {
  const seen = new Set<string>();
  let pattern = "";
  let end = 0;
  for (const found of template.matchAll(PLACEHOLDER)) {
    pattern += quote(template.slice(end, found.index)) + groupOf(found[1] ?? "", found[2]!, found[3] !== undefined, seen);
    end = found.index + found[0].length;
  }
  const match = new RegExp(`^${pattern}${quote(template.slice(end))}$`, "s").exec(actual);
  if (!match) return false;
  const groups = Object.entries(match.groups ?? {});
  for (const [key, value] of groups) if (!key.startsWith("p_")) names.set((key.startsWith("t_") ? "token:" : "") + key.slice(2), value);
  return groups.every(([key, value]) => !key.startsWith("p_") || Number(names.get(key.slice(2))) + 1 === Number(value));
}

/** Does `actual` fit `template`? Binds its placeholders when it does. */
export function patternMatch(template: string, actual: string, names: Names): boolean {
  const filled = namesFill(template, names, false);
  if (!filled.includes("auto")) return bind(filled, actual, names);
  // The length of the body is only known with the placeholders in it filled: bind them with the length open.
  const open = new Map(names);
  const length = /^((?:Content-Length|l)[ \t]*:[ \t]*)auto\b/im;
  if (!bind(filled.replace(length, "$1{autoLength}"), actual, open)) return false;
  open.delete("autoLength");
  if (lengthFill(namesFill(filled, open, true)) !== actual) return false;
  for (const [name, value] of open) names.set(name, value);
  return true;
}
