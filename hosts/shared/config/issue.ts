/*
 * Turns what the schema found into sentences with a place and a remedy.
 */

import type { z } from "zod";
import type { Path, Report } from "./problem.ts";
import { schemaJson } from "./schema.ts";
import { suggestionText } from "./suggestion.ts";

type Issue = z.core.$ZodIssue;
type JsonSchema = Record<string, unknown>;

const KINDS: Record<string, string> = {
  string: "text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list in brackets",
  record: "a mapping of names",
  object: "a mapping",
};

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<string | number, unknown> | null | undefined)?.[step], root);
}

function step(schema: JsonSchema, key: string | number): JsonSchema | undefined {
  const alternatives = (schema.anyOf as JsonSchema[] | undefined) ?? [schema];
  for (const one of alternatives) {
    const properties = one.properties as Record<string, JsonSchema> | undefined;
    const next = typeof key === "number" ? one.items : (properties?.[key] ?? one.additionalProperties);
    if (next && typeof next === "object") return next as JsonSchema;
  }
  return undefined;
}

/** The keys that may stand in the mapping at `path`. */
function knownKeys(path: Path): string[] {
  let schema: JsonSchema | undefined = schemaJson();
  for (const key of path) schema = schema && step(schema, key);
  const alternatives = (schema?.anyOf as JsonSchema[] | undefined) ?? (schema ? [schema] : []);
  return alternatives.flatMap((one) => Object.keys((one.properties as object | undefined) ?? {}));
}

function typeText(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a mapping" : typeof value === "string" ? "text" : `a ${typeof value}`;
}

function reportType(report: Report, path: Path, expected: string, value: unknown): void {
  const wanted = KINDS[expected] ?? expected;
  if (value === undefined) report.error(path, `is missing; it must be ${wanted}`);
  else if (expected === "string" && typeof value === "number") report.error(path, "must be text, and YAML reads this as a number; put it in quotes");
  else report.error(path, `must be ${wanted}, and is ${typeText(value)}`);
}

/** A value outside the words that are allowed. */
function reportWord(report: Report, path: Path, values: readonly unknown[], value: unknown): void {
  const known = values.map(String);
  if (value === undefined) report.error(path, `is missing; it must be one of ${known.join(", ")}`);
  else if (known.length === 1) report.error(path, `can only be ${known[0]}; leave the key away otherwise`);
  else report.error(path, `"${String(value)}" is not one of ${known.join(", ")}${suggestionText(String(value), known).replace(/^; known.*/, "")}`);
}

/** When the value is of the kind of just one branch, that branch says best what is wrong. */
function reportUnion(report: Report, issue: Extract<Issue, { code: "invalid_union" }>, path: Path, root: unknown): void {
  const ofAnotherKind = (error: Issue): boolean => error.path.length === 0 && (error.code === "invalid_type" || error.code === "invalid_value");
  const branches = issue.errors.filter((errors) => !errors.some(ofAnotherKind));
  const branch = branches.length === 1 ? branches[0] : undefined;
  if (!branch) return report.error(path, issue.message);
  for (const inner of branch) issueReport(report, { ...inner, path: [...path, ...inner.path] as PropertyKey[] }, root);
}

export function issueReport(report: Report, issue: Issue, root: unknown): void {
  const path = issue.path as (string | number)[];
  const value = valueAt(root, path);
  switch (issue.code) {
    case "unrecognized_keys":
      for (const key of issue.keys) report.errorAtKey([...path, key], `unknown key${suggestionText(key, knownKeys(path))}`);
      return;
    case "invalid_key":
      return report.errorAtKey(path, issue.issues[0]?.message ?? issue.message);
    case "invalid_type":
      return reportType(report, path, issue.expected, value);
    case "invalid_value":
      return reportWord(report, path, issue.values, value);
    case "invalid_union":
      return reportUnion(report, issue, path, root);
    case "too_small":
      return report.error(path, issue.origin === "array" || issue.origin === "string" ? "must not be empty" : `must be at least ${issue.minimum}`);
    case "too_big":
      return report.error(path, `must be at most ${issue.maximum}`);
    default:
      return report.error(path, issue.message);
  }
}
