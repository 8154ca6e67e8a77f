/*
 * Times as people write them ("20s", "500ms", "5m", 30 for seconds) in milliseconds.
 */

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Longest time: the core counts milliseconds in 31 bits, which end after 24 days. */
const LONGEST_MS = 7 * 86_400_000;

/** Milliseconds, 0 for "off", or undefined for what is no time. */
export function durationParse(value: number | string): number | undefined {
  if (value === "off") return 0;
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(String(value).trim());
  if (!parts) return undefined;
  const ms = Math.round(Number(parts[1]) * UNITS[parts[2] ?? "s"]!);
  return ms <= LONGEST_MS ? ms : undefined;
}

/** The shortest spelling: 90000 is "90s", 120000 is "2m". */
export function durationText(ms: number): string {
  if (ms === 0) return "off";
  for (const unit of ["h", "m", "s"]) {
    const size = UNITS[unit]!;
    if (ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
