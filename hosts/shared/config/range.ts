/*
 * Inclusive ranges of ports: "10000-19999", "5060" or 5060. Invariant: 0 <= first <= last <= 65535.
 */

export interface PortRange {
  first: number;
  last: number;
}

export const ANY_PORT: PortRange = { first: 0, last: 65535 };

export function rangeParse(value: number | string): PortRange | undefined {
  const parts = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(String(value).trim());
  if (!parts) return undefined;
  const first = Number(parts[1]);
  const last = parts[2] === undefined ? first : Number(parts[2]);
  return first <= last && last <= 65535 ? { first, last } : undefined;
}

export function rangeText(range: PortRange): string {
  return range.first === range.last ? String(range.first) : `${range.first}-${range.last}`;
}

export function rangeSize(range: PortRange): number {
  return range.last - range.first + 1;
}

export function rangesOverlap(a: PortRange, b: PortRange): boolean {
  return a.first <= b.last && b.first <= a.last;
}

export function rangeCovers(wide: PortRange, narrow: PortRange): boolean {
  return wide.first <= narrow.first && narrow.last <= wide.last;
}

/** Part `index` of `count` equal parts, each starting at an even port. */
export function rangePart(range: PortRange, index: number, count: number): PortRange {
  const size = Math.floor(rangeSize(range) / count / 2) * 2;
  const first = range.first + index * size;
  return { first, last: first + size - 1 };
}
