/*
 * The portable subset of core/ (DESIGN 4): what the TypeScript and the AssemblyScript compiler read differently,
 * or one of them not at all. machine.ts and machine.asc.ts are the seam and stand outside; abi.ts is not in the WASM.
 */

import { type Finding, findingsOf, type Source } from "./source.ts";

interface Ban {
  pattern: RegExp;
  message: string;
}

const BANS: Ban[] = [
  { pattern: />>>\s*0\b/g, message: "asc keeps >>> 0 signed; use ltu" },
  { pattern: />>>\s*(?![1-9])\S+/g, message: ">>> wants a constant of 1 or more" },
  { pattern: /(?<!\/)[\w)\]]\s*\*\s*[\w(]+/g, message: "use mul(a, b)" },
  { pattern: /[\w)\]]\s*[/%]=?\s*(?!\d+\)\s*\|\s*0\b)[\w(]+/g, message: "divide by a constant only, and as (a / 10) | 0" },
  { pattern: /\*\*|\*=/g, message: "use mul(a, b)" },
  { pattern: /\b0x[89a-f][0-9a-f]{7}\b(?!\s*\|\s*0)/gi, message: "a literal of 2^31 or more needs | 0" },
  {
    pattern: /(?:[:<|]\s*|\bas\s+)(?:number|u8|u16|u32|u64|i8|i16|i64|f32|f64|usize|isize|bool|any|unknown|object|string)\b/g,
    message: "only i32 and boolean are types here",
  },
  { pattern: /\b(?:const|let)\s+\w+\s*=/g, message: "every const and let has a type" },
  { pattern: /\bvar\b/g, message: "const or let" },
  { pattern: /\bnew\b/g, message: "nothing is allocated" },
  { pattern: /[\w)]\[|=\s*\[|\(\s*\[/g, message: "no arrays" },
  { pattern: /=>/g, message: "no closures" },
  {
    pattern: /\b(?:try|catch|throw|class|async|await|yield|typeof|instanceof|delete|undefined|null|in|of|enum|namespace|this|with|arguments)\b/g,
    message: "not in the portable subset",
  },
  { pattern: /\b(?:const|let)\s*[[{]/g, message: "no destructuring" },
  { pattern: /\?\?|\?\./g, message: "no ?? and ?." },
  { pattern: /\bas\s+const\b/g, message: "no as const" },
  { pattern: /^\s*[A-Za-z_]\w*:\s*(?:for|while|do|\{)/gm, message: "no labels" },
  { pattern: /\bimport\s+type\b|\bimport\s*\*/g, message: "import names" },
  { pattern: /^export\s*(?:\*|\{[^}]*\})\s*from\b/gm, message: "import, then export" },
  { pattern: /\bfor\s*\(\s*;\s*;\s*\)|\bwhile\s*\(\s*(?:true|1)\s*\)/g, message: "every loop has a visible bound" },
  { pattern: /\bMath\b|\bDate\b|\bcrypto\b|\bprocess\b|\bconsole\b|\bglobalThis\b/g, message: "the core knows no global" },
  { pattern: /^\s*@\w+/gm, message: "no decorators outside the seam" },
  { pattern: /^export\s+(?:const|let)\s+\w+\s*:\s*boolean/gm, message: "no exported boolean" },
  { pattern: /^(?:export\s+)?let\b/gm, message: "state lives in memory" },
  { pattern: /\b(?:setTimeout|setInterval|performance)\b/g, message: "the core reads no clock" },
];

/** A product of constants is folded by both compilers. */
const CONSTANT_PRODUCT = /(?:\([A-Z0-9_ +-]+\)|\b[A-Z0-9_]+)\s*\*\s*[A-Z0-9_]+\b(?!\()/g;

/** Import statements quote their paths; anything else in quotes is a string. */
const STRING = /["'`]/g;

export function portableFindings(sources: Source[]): Finding[] {
  return sources
    .filter(({ path }) => path.startsWith("core/") && !/\/(?:machine(?:\.asc)?|abi|i32\.d)\.ts$/.test(path))
    .flatMap((source) => {
      const statements = source.code
        .replace(/^import\b[^;]*;/gm, (found) => found.replace(/[^\n]/g, " "))
        .replace(CONSTANT_PRODUCT, (found) => found.replace("*", " "));
      const bare: Source = { ...source, code: statements };
      const imports = source.code.match(/^import\s+type\b|^import\s*\*/gm) ?? [];
      return [
        ...BANS.flatMap(({ pattern, message }) => findingsOf(bare, pattern, message)),
        ...findingsOf(bare, STRING, "no strings"),
        ...imports.map((found) => ({ path: source.path, line: 1, message: `import names: ${found}` })),
      ];
    });
}
