/*
 * Jump threading changes how a module decides and nothing else: each function gives the same before and after, and
 * does the same on its way.
 */

import binaryen from "assemblyscript/binaryen";
import { describe, expect, test } from "vitest";
import { expressionRead, expressionWrite } from "../../../bindings/wasm/expression.ts";
import { conditionsThread } from "../../../bindings/wasm/thread.ts";

const AND = (a: string, b: string): string => `(if (result i32) ${a} (then ${b}) (else (i32.const 0)))`;
const OR = (a: string, b: string): string => `(if (result i32) ${a} (then (i32.const 1)) (else ${b}))`;
const LESS = (name: string, value: number): string => `(i32.lt_s (local.get $${name}) (i32.const ${value}))`;
const NOT = (a: string): string => `(i32.eqz ${a})`;

/** Writes the value to memory on the way: a condition that is or is not made leaves a mark. */
const MARK = (at: number, a: string): string => `(block (result i32) (i32.store8 (i32.const ${at}) (i32.const 1)) ${a})`;

const CONDITIONS: Record<string, string> = {
  "a && b": AND(LESS("a", 1), LESS("b", 1)),
  "a || b": OR(LESS("a", 1), LESS("b", 1)),
  "!(a && b)": NOT(AND(LESS("a", 1), LESS("b", 1))),
  "!a && b": `(if (result i32) ${LESS("a", 1)} (then (i32.const 0)) (else ${LESS("b", 1)}))`,
  "!a || b": `(if (result i32) ${LESS("a", 1)} (then ${LESS("b", 1)}) (else (i32.const 1)))`,
  "a ? b : c": `(if (result i32) ${LESS("a", 1)} (then ${LESS("b", 1)}) (else ${LESS("c", 1)}))`,
  "a && b && c": AND(LESS("a", 1), AND(LESS("b", 1), LESS("c", 1))),
  "(a || b) && !(b && c)": AND(OR(LESS("a", 1), LESS("b", 1)), NOT(AND(LESS("b", 1), LESS("c", 1)))),
  "a number, not a truth": AND("(local.get $a)", "(local.get $b)"),
  "a & b": `(i32.and ${LESS("a", 1)} ${LESS("b", 1)})`,
  "a | b": `(i32.or ${LESS("a", 1)} ${LESS("b", 1)})`,
  "bits of a and b": "(i32.and (local.get $a) (local.get $b))",
  "a & (b, kept)": `(i32.and ${LESS("a", 1)} (i32.lt_s (local.tee $kept (local.get $b)) (i32.const 1)))`,
  "a && b, both marked": AND(MARK(0, LESS("a", 1)), MARK(1, LESS("b", 1))),
  "a | b, the second marked": `(i32.or ${LESS("a", 1)} ${MARK(1, LESS("b", 1))})`,
};

function moduleText(condition: string): string {
  const params = "(param $a i32) (param $b i32) (param $c i32) (result i32) (local $kept i32)";
  const answer = "(i32.add (local.get $kept) (i32.const 10))";
  return `(module (memory (export "memory") 1)
    (func (export "if") ${params} (if ${condition} (then (i32.store8 (i32.const 2) (i32.const 1)))) ${answer})
    (func (export "value") ${params} (i32.add ${answer} (if (result i32) ${condition} (then (i32.const 100)) (else (i32.const 200)))))
    (func (export "else") ${params} (if ${condition} (then (local.set $kept (i32.const 5))) (else (i32.store8 (i32.const 3) (i32.const 1)))) ${answer})
    (func (export "leave") ${params} (block $out (br_if $out ${condition}) (i32.store8 (i32.const 4) (i32.const 1))) ${answer}))`;
}

type Run = (name: string, args: number[]) => string;

async function open(text: string): Promise<Run> {
  const module = binaryen.parseText(text);
  expect(module.validate()).toBeTruthy();
  const { exports: made } = await WebAssembly.instantiate(await WebAssembly.compile(module.emitBinary() as Uint8Array<ArrayBuffer>), {});
  const exports = made as unknown as Record<string, (...args: number[]) => number> & { memory: WebAssembly.Memory };
  return (name, args) => {
    const marks = new Uint8Array(exports.memory.buffer, 0, 8).fill(0);
    return `${exports[name]!(...args)} ${marks.join("")}`;
  };
}

describe("jump threading", () => {
  test.each(Object.entries(CONDITIONS))("%s", async (_name, condition) => {
    const text = moduleText(condition);
    const threaded = expressionWrite(conditionsThread(expressionRead(text)));
    const [before, after] = [await open(text), await open(threaded)];
    for (const name of ["if", "value", "else", "leave"]) {
      for (const a of [0, 1, 2]) for (const b of [0, 1, 2]) for (const c of [0, 1]) expect(after(name, [a, b, c])).toBe(before(name, [a, b, c]));
    }
  });

  test("a condition of two comparisons makes no number", () => {
    const threaded = expressionWrite(conditionsThread(expressionRead(moduleText(CONDITIONS["a && b"]!))));
    expect(threaded).toContain("br_if");
    expect(threaded).not.toContain("(if");
  });

  test("text that is not one list is refused", () => {
    for (const text of ["", "(a", "a)", "(a) (b)", "a"]) expect(() => expressionRead(text)).toThrow();
  });
});
