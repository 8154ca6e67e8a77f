/*
 * A module in the core's shape that does everything bindings/c/wasm.h offers: `input` runs every operation on
 * two operands that stand at 0 and 8 and stores what comes out from 4096 on; `boot`, `region` and `output`
 * are three ways into the checked edges (load, copy and fill where they are told to).
 */

const BOTH = ["add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr"];
const DIVISIONS = ["div_s", "div_u", "rem_s", "rem_u"];
const COMPARISONS = ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];
const COUNTS = ["clz", "ctz", "popcnt"];
const LOADS = ["i32.load", "i32.load8_s", "i32.load8_u", "i32.load16_s", "i32.load16_u"];
const WIDE_LOADS = ["i64.load", "i64.load8_s", "i64.load8_u", "i64.load16_s", "i64.load16_u", "i64.load32_s", "i64.load32_u"];
const STORES = ["i32.store", "i32.store8", "i32.store16"];
const WIDE_STORES = ["i64.store", "i64.store8", "i64.store16", "i64.store32"];

export const RESULTS = 4096;

/** Every operation as an expression that leaves an i64. */
function expressions(): string[] {
  const x32 = "(i32.load (i32.const 0))";
  const y32 = "(i32.load (i32.const 8))";
  const x64 = "(i64.load (i32.const 0))";
  const y64 = "(i64.load (i32.const 8))";
  const wide = (e: string): string => `(i64.extend_i32_s ${e})`;
  // A divisor of zero or the overflowing quotient would trap: odd divisors of one bit less do not.
  const safe32 = `(i32.or (i32.shr_u ${y32} (i32.const 1)) (i32.const 1))`;
  const safe64 = `(i64.or (i64.shr_u ${y64} (i64.const 1)) (i64.const 1))`;
  return [
    ...BOTH.map((op) => wide(`(i32.${op} ${x32} ${y32})`)),
    ...BOTH.map((op) => `(i64.${op} ${x64} ${y64})`),
    ...DIVISIONS.map((op) => wide(`(i32.${op} ${x32} ${safe32})`)),
    ...DIVISIONS.map((op) => `(i64.${op} ${x64} ${safe64})`),
    wide(`(i32.rem_s ${x32} (i32.const -1))`),
    ...COMPARISONS.map((op) => wide(`(i32.${op} ${x32} ${y32})`)),
    ...COMPARISONS.map((op) => wide(`(i64.${op} ${x64} ${y64})`)),
    ...COUNTS.map((op) => wide(`(i32.${op} ${x32})`)),
    ...COUNTS.map((op) => `(i64.${op} ${x64})`),
    wide(`(i32.eqz ${x32})`),
    wide(`(i64.eqz ${x64})`),
    wide(`(i32.extend8_s ${x32})`),
    wide(`(i32.extend16_s ${x32})`),
    `(i64.extend8_s ${x64})`,
    `(i64.extend16_s ${x64})`,
    `(i64.extend32_s ${x64})`,
    wide(`(i32.wrap_i64 ${x64})`),
    `(i64.extend_i32_u ${x32})`,
    `(select ${x64} ${y64} ${x32})`,
    ...[0, 1, 3, 5].flatMap((at) => [
      ...LOADS.map((op) => wide(`(${op} offset=1 (i32.const ${at}))`)),
      ...WIDE_LOADS.map((op) => `(${op} offset=2 (i32.const ${at}))`),
    ]),
    wide("(memory.size)"),
  ];
}

/** The module as WebAssembly text. */
export function probeText(): string {
  let at = RESULTS;
  const lines: string[] = [];
  for (const expression of expressions()) {
    lines.push(`(i64.store (i32.const ${at}) ${expression})`);
    at += 8;
  }
  for (const op of [...STORES, ...WIDE_STORES]) {
    const value = op.startsWith("i32") ? "(i32.load (i32.const 0))" : "(i64.load (i32.const 0))";
    lines.push(`(${op} offset=1 (i32.const ${at}) ${value})`);
    at += 16;
  }
  lines.push(`(memory.copy (i32.const ${at}) (i32.const ${RESULTS}) (i32.const 300))`);
  lines.push(`(memory.copy (i32.const ${at + 3}) (i32.const ${at}) (i32.const 200))`);
  lines.push(`(memory.fill (i32.const ${at + 400}) (i32.load (i32.const 0)) (i32.const 77))`);
  return `(module
    (memory (export "memory") 1 16)
    (func (export "input") (param i32 i32 i32) (result i32) ${lines.join("\n")} (i32.const ${at}))
    (func (export "boot") (param i32) (result i32) (i64.store offset=8 (local.get 0) (i64.const -1)) (i32.load8_u offset=7 (local.get 0)))
    (func (export "region") (param i32) (result i32)
      (memory.copy (local.get 0) (i32.const 0) (i32.const 64)) (memory.fill (local.get 0) (i32.const 0x1ff) (i32.const 16)) (i32.load (local.get 0)))
    (func (export "output") (result i32) (i32.div_s (i32.load (i32.const 0)) (i32.load (i32.const 8)))))`;
}
