/*
 * What is wrong with a configuration, said to the person who wrote it: file, line, column, cause, remedy.
 */

export type Path = readonly (string | number)[];

export interface Problem {
  severity: "error" | "warning";
  file: string;
  /** From 1; 0 when the problem has no place in the text. */
  line: number;
  column: number;
  message: string;
}

/** services.voice.servers[0] */
export function pathText(path: Path): string {
  return path.map((step, i) => (typeof step === "number" ? `[${step}]` : i > 0 ? `.${step}` : step)).join("");
}

/** "culvert.yaml:7:5: error: …", the form that editors and compilers share. */
export function problemText(problem: Problem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file;
  return `${place}: ${problem.severity}: ${problem.message}`;
}

/** Where in the text a path stands. */
export interface Locator {
  locate(path: Path, part: "key" | "value"): { line: number; column: number };
}

/** Collects problems against one document. */
export class Report {
  readonly problems: Problem[] = [];
  readonly #file: string;
  readonly #locator: Locator;

  constructor(file: string, locator: Locator) {
    this.#file = file;
    this.#locator = locator;
  }

  #add(severity: Problem["severity"], path: Path, part: "key" | "value", message: string): void {
    const label = pathText(path);
    const text = label ? `${label}: ${message}` : message;
    this.problems.push({ severity, file: this.#file, ...this.#locator.locate(path, part), message: text });
  }

  /** The value at `path` is wrong. */
  error(path: Path, message: string): void {
    this.#add("error", path, "value", message);
  }

  /** The key at `path` is wrong. */
  errorAtKey(path: Path, message: string): void {
    this.#add("error", path, "key", message);
  }

  warn(path: Path, message: string): void {
    this.#add("warning", path, "value", message);
  }

  get failed(): boolean {
    return this.problems.some((problem) => problem.severity === "error");
  }

  /** In the order of the text. */
  sorted(): Problem[] {
    return [...this.problems].sort((a, b) => a.line - b.line || a.column - b.column);
  }
}
