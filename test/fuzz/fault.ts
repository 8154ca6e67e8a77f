/*
 * What a run finds out against the core: a property by name, and what exactly was seen.
 */

export class CoreFault extends Error {
  constructor(
    readonly property: string,
    detail: string,
  ) {
    super(`${property}: ${detail}`);
  }
}

/** A message as a report shows it: what cannot be printed is escaped. */
export function bytesShow(bytes: string | Buffer, most = 3000): string {
  const text = (typeof bytes === "string" ? bytes : bytes.toString("latin1")).slice(0, most);
  return text.replace(/[^\x20-\x7e\n]/g, (char) => (char === "\r" ? "\\r" : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`));
}
