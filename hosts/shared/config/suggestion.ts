/*
 * "Did you mean …?": the known word nearest to the one written.
 */

import { closest, distance } from "fastest-levenshtein";

/** The nearest of `known`, if it is near enough to be what was meant: a third of its letters may differ, at least two. */
export function suggestionFind(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const lower = word.toLowerCase();
  const nearest = closest(
    lower,
    known.map((name) => name.toLowerCase()),
  );
  const found = known.find((name) => name.toLowerCase() === nearest)!;
  const allowed = Math.max(2, Math.ceil(found.length / 3));
  return distance(lower, nearest) <= Math.min(allowed, word.length - 1 || 1) ? found : undefined;
}

/** "; did you mean "x"?", or what there is to choose from. */
export function suggestionText(word: string, known: readonly string[]): string {
  const found = suggestionFind(word, known);
  if (found !== undefined) return `; did you mean "${found}"?`;
  return known.length > 0 ? `; known: ${known.join(", ")}` : "";
}
