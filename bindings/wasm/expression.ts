/*
 * S-expressions, the text form of WebAssembly (Core Specification 6.3): an atom, or a list of them.
 */

export type Expression = string | Expression[];

/** White space and comments, or a parenthesis, a string, an atom. */
const TOKEN = /(?:\s+|;;[^\n]*|\(;[\s\S]*?;\))*([()]|"(?:[^"\\]|\\.)*"|[^\s()"]+)/y;

/** The one list that the text is. */
export function expressionRead(text: string): Expression[] {
  const open: Expression[][] = [[]];
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found; found = TOKEN.exec(text)) {
    const token = found[1]!;
    if (token === "(") open.push([]);
    else if (token === ")") {
      const closed = open.pop()!;
      if (open.length === 0) throw new Error("the text has a closing parenthesis too many");
      open.at(-1)!.push(closed);
    } else open.at(-1)!.push(token);
  }
  const [all] = open[0]!;
  if (open.length !== 1 || open[0]!.length !== 1 || !Array.isArray(all)) throw new Error("the text is not one list");
  return all;
}

export function expressionWrite(expression: Expression): string {
  return typeof expression === "string" ? expression : `(${expression.map(expressionWrite).join(" ")})`;
}
