/*
 * A YAML text with the place of everything in it.
 */

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type Document } from "yaml";
import type { Locator, Path, Problem } from "./problem.ts";

interface Position {
  line: number;
  column: number;
}

/** An explanation for the mistake that people make with IPv6 in YAML: brackets are a list there. */
function syntaxHint(message: string, line: string): string {
  return /\[[0-9a-f:]*::?[0-9a-f:]*\]/i.test(line) ? `${message}; quote an IPv6 address with brackets: "[2001:db8::1]:5060"` : message;
}

export class YamlDocument implements Locator {
  readonly #document: Document;
  readonly #lines = new LineCounter();
  readonly #text: string;
  readonly #file: string;

  constructor(text: string, file: string) {
    // Pretty errors quote the text, which may hold a secret.
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    this.#text = text;
    this.#file = file;
  }

  #position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** What is wrong with the YAML itself. */
  problems(): Problem[] {
    const { errors, warnings } = this.#document;
    return [...errors, ...warnings].map((problem) => {
      const position = this.#position(problem.pos[0]);
      const line = this.#text.split("\n")[position.line - 1] ?? "";
      const severity = problem.name === "YAMLWarning" ? "warning" : "error";
      return { severity, file: this.#file, ...position, message: `not YAML: ${syntaxHint(problem.message, line)}` };
    });
  }

  value(): unknown {
    return this.#document.toJS();
  }

  #child(node: Node | null, step: string | number): { key: Node | null; value: Node | null } | undefined {
    const held = isAlias(node) ? (node.resolve(this.#document) ?? null) : node;
    if (isMap(held)) {
      const pair = held.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step)) as Pair<Node, Node> | undefined;
      return pair && { key: pair.key, value: pair.value };
    }
    if (!isSeq(held)) return undefined;
    const item = held.items[Number(step)] as Node | undefined;
    return item && { key: item, value: item };
  }

  /** Place of the value or key at `path`; of the nearest thing around it when it is not there. */
  locate(path: Path, part: "key" | "value"): Position {
    let node: Node | null = this.#document.contents;
    let at: Node | null = node;
    for (const [i, step] of path.entries()) {
      const child = this.#child(node, step);
      if (!child) break;
      at = part === "value" && i === path.length - 1 ? (child.value ?? child.key) : child.key;
      node = child.value;
    }
    return this.#position(at?.range?.[0] ?? 0);
  }
}
