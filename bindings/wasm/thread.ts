/*
 * Jump threading. What is written `if (a && b)` reaches WebAssembly as a number, 0 or 1, that is made of two comparisons
 * and then compared with 0. C compilers see through that; V8 (of Node 20) does not, and makes the number: some six
 * instructions for each condition. Here each such condition becomes one branch for each of its comparisons.
 *
 * Invariant: the same comparisons decide, in the same order, except that one that no longer matters is not made; only
 * one that does nothing but load and calculate may stay unmade.
 */

import type { Expression } from "./expression.ts";

const ACTION = /^(?:call|br|return|unreachable|local\.(?:set|tee)|global\.set|memory\.|i(?:32|64)\.(?:store|div|rem))/;
const COMPARISON = /^i(?:32|64)\.(?:eqz|eq|ne|[lg][te]_[su])$/;

/** An `if` in its parts. */
interface If {
  label: string | undefined;
  result: Expression[] | undefined;
  condition: Expression[];
  whenTrue: Expression[];
  whenFalse: Expression[] | undefined;
}

function ifRead(expression: Expression[]): If {
  const rest = expression.slice(1);
  const label = typeof rest[0] === "string" ? (rest.shift() as string) : undefined;
  const result = rest[0]![0] === "result" ? (rest.shift() as Expression[]) : undefined;
  const [condition, whenTrue, whenFalse] = rest as Expression[][];
  return { label, result, condition: condition!, whenTrue: whenTrue!.slice(1), whenFalse: whenFalse?.slice(1) };
}

/** A condition that is one of two others, chosen by a third: `a && b` and `a || b` among them. */
interface Choice {
  condition: Expression[];
  whenTrue: Expression[];
  whenFalse: Expression[];
}

function choiceRead(expression: Expression[]): Choice | undefined {
  if (expression[0] !== "if") return undefined;
  const { label, result, condition, whenTrue, whenFalse } = ifRead(expression);
  if (label !== undefined || !result || whenTrue.length !== 1 || whenFalse?.length !== 1) return undefined;
  return { condition, whenTrue: whenTrue[0] as Expression[], whenFalse: whenFalse[0] as Expression[] };
}

function isConstant(expression: Expression[], value: number): boolean {
  return expression[0] === "i32.const" && expression[1] === String(value);
}

/** Is the value 0 or 1, and nothing else? */
function isTruth(expression: Expression[]): boolean {
  if (isConstant(expression, 0) || isConstant(expression, 1) || COMPARISON.test(expression[0] as string)) return true;
  if (isPair(expression)) return true;
  const choice = choiceRead(expression);
  return choice !== undefined && isTruth(choice.whenTrue) && isTruth(choice.whenFalse);
}

/** Does the expression do anything but load and calculate? */
function acts(expression: Expression): boolean {
  return typeof expression !== "string" && (ACTION.test(expression[0] as string) || expression.some(acts));
}

/** `a & b` or `a | b` of two truths, the second of which may stay unmade. */
function isPair(expression: Expression[]): boolean {
  const [operator, a, b] = expression as [string, Expression[], Expression[]];
  return (operator === "i32.and" || operator === "i32.or") && isTruth(a) && isTruth(b) && !acts(b);
}

function isCompound(condition: Expression[]): boolean {
  if (condition[0] === "i32.eqz") return isCompound(condition[1] as Expression[]);
  return isPair(condition) || choiceRead(condition) !== undefined;
}

/** Threads the conditions of one module. */
class Threader {
  #labels = 0;

  #label(): string {
    return `$thread${this.#labels++}`;
  }

  /** Both must hold: leaves for `target` when they do (`sense`), or when they do not. */
  #both(a: Expression[], aSense: boolean, b: Expression[], bSense: boolean, target: string, sense: boolean): Expression[] {
    if (!sense) return [...this.#branch(a, target, !aSense), ...this.#branch(b, target, !bSense)];
    const fail = this.#label();
    return [["block", fail, ...this.#branch(a, fail, !aSense), ...this.#branch(b, target, bSense)]];
  }

  #choice({ condition, whenTrue, whenFalse }: Choice, target: string, sense: boolean): Expression[] {
    if (isConstant(whenFalse, 0)) return this.#both(condition, true, whenTrue, true, target, sense);
    if (isConstant(whenTrue, 0)) return this.#both(condition, false, whenFalse, true, target, sense);
    if (isConstant(whenTrue, 1)) return this.#both(condition, false, whenFalse, false, target, !sense);
    if (isConstant(whenFalse, 1)) return this.#both(condition, true, whenTrue, false, target, !sense);
    const end = this.#label();
    const other = this.#label();
    const first: Expression[] = ["block", other, ...this.#branch(condition, other, false), ...this.#branch(whenTrue, target, sense), ["br", end]];
    return [["block", end, first, ...this.#branch(whenFalse, target, sense)]];
  }

  /** Statements that leave for `target` when the condition is what `sense` says. */
  #branch(condition: Expression[], target: string, sense: boolean): Expression[] {
    const [operator, a, b] = condition as [string, Expression[], Expression[]];
    if (operator === "i32.eqz") return this.#branch(a, target, !sense);
    if (isPair(condition)) return operator === "i32.and" ? this.#both(a, true, b, true, target, sense) : this.#both(a, false, b, false, target, !sense);
    const choice = choiceRead(condition);
    if (choice) return this.#choice(choice, target, sense);
    return [["br_if", target, sense ? condition : ["i32.eqz", condition]]];
  }

  #if(expression: Expression[]): Expression[] {
    const { label, result, condition, whenTrue, whenFalse } = ifRead(expression);
    if (!isCompound(condition)) return expression;
    const end = label ?? this.#label();
    if (!whenFalse) return ["block", end, ...this.#branch(condition, end, false), ...whenTrue];
    const other = this.#label();
    const last: Expression[] = result ? [...whenTrue.slice(0, -1), ["br", end, whenTrue.at(-1)!]] : [...whenTrue, ["br", end]];
    return ["block", end, ...(result ? [result] : []), ["block", other, ...this.#branch(condition, other, false), ...last], ...whenFalse];
  }

  thread(expression: Expression): Expression {
    if (typeof expression === "string") return expression;
    const inner = expression.map((one) => this.thread(one));
    if (inner[0] === "if") return this.#if(inner);
    const leaves = inner[0] === "br_if" && inner.length === 3 && isCompound(inner[2] as Expression[]);
    return leaves ? ["block", this.#label(), ...this.#branch(inner[2] as Expression[], inner[1] as string, true)] : inner;
  }
}

/** A module whose conditions are branches. */
export function conditionsThread(module: Expression[]): Expression {
  return new Threader().thread(module);
}
