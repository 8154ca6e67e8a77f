/*
 * What a run finds out against the core: a property by name, and what exactly was seen.
 */

/** The property that breaks when the core throws. */
export const TRAP = "trap";

export class CoreFault extends Error {
  constructor(
    readonly property: string,
    detail: string,
  ) {
    super(`${property}: ${detail}`);
  }
}

/**
 * Plays seeds from 1 to `most` until one breaks `property`; other properties may break on the way. Returns that seed, or undefined.
 * Throws when the core traps, unless that is the property, or the play itself fails: then nothing is said about the property.
 */
export async function seedFind(property: string, most: number, play: (seed: number) => unknown): Promise<number | undefined> {
  for (let seed = 1; seed <= most; seed++) {
    try {
      await play(seed);
    } catch (error) {
      if (!(error instanceof CoreFault)) throw error;
      if (error.property === property) return seed;
      if (error.property === TRAP) throw error;
    }
  }
  return undefined;
}

/** A message as a report shows it: what cannot be printed is escaped. */
export function bytesShow(bytes: string | Buffer, most = 3000): string {
  const text = (typeof bytes === "string" ? bytes : bytes.toString("latin1")).slice(0, most);
  return text.replace(/[^\x20-\x7e\n]/g, (char) => (char === "\r" ? "\\r" : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`));
}
