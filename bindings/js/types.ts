/*
 * Declarations for the JavaScript core as built: dist/core.js and dist/abi.js, for programs that link it themselves.
 */

/** The contract of core/README.md, which both builds of the core have. */
export const CORE_TYPES = `/** The translation core; core/README.md has the contract. */
export interface Core {
  /** Starts with the configuration in memory at \`now\` milliseconds, which may wrap. Returns 0 or a fault (negative). */
  boot(now: number): number;
  /** Address of a region, REGION_*. */
  region(id: number): number;
  /** One input of KIND_* with \`len\` bytes or slots. Returns VERDICT_* or a fault (negative). */
  input(kind: number, len: number, now: number): number;
  /** Address of the next output record; the last one is an OUTPUT_TIMEOUT. */
  output(): number;
}

/** A core over this memory, which must be as large as region(REGION_END) of its capacities says. */
export declare function createCore(memory: ArrayBuffer): Core;
`;

/** What takes a fault (a negative result) apart; the other functions beside the numbers are the core's own. */
const FAULT = ["faultPosition", "faultReason"];

/** The numbers of the contract, with their values. */
export function abiTypes(abi: Record<string, unknown>): string {
  const numbers = Object.entries(abi).filter(([, value]) => typeof value === "number");
  const lines = numbers.map(([name, value]) => `export declare const ${name}: ${value};`);
  return `${[...lines, ...FAULT.map((name) => `export declare function ${name}(fault: number): number;`)].join("\n")}\n`;
}
