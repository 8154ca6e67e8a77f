/*
 * Cuts what wasm2c (npm wabt 1.0.39) makes of the core down to its functions: the generated prelude, the
 * instance and the type tables go, bindings/c/wasm.h takes their place. Also writes the numbers of the
 * contract as a C header.
 *
 * Invariant: the core keeps no state outside its linear memory. A global, a data segment, a table or an
 * import would be such state, and is refused here.
 */

/** The last line of the prelude stands behind this macro's definition. */
const PRELUDE_LAST = "#define WEAK_FUNC_DECL(func, fallback)";

/** Functions of the instance, which culvert_open replaces. */
const INSTANCE_FUNCTIONS = [
  "static void init_globals(",
  "static void init_memories(",
  "static void init_data_instances(",
  "void wasm2c_culvert_instantiate(",
  "void wasm2c_culvert_free(",
  "wasm_rt_func_type_t wasm2c_culvert_get_func_type(",
  "wasm_rt_memory_t* w2c_culvert_memory(",
];

const HEADER = `/*
 * The functions of the core, made from dist/core.wasm by wasm2c; a part of bindings/c/culvert.c. Do not edit.
 */

`;

function refuseState(raw: string, header: string): void {
  const instance = /typedef struct w2c_culvert \{\n([\s\S]*?)\} w2c_culvert;/.exec(header)?.[1];
  if (instance?.trim() !== "wasm_rt_memory_t w2c_memory;") throw new Error(`the core has state outside its memory: ${instance?.trim() ?? "no instance"}`);
  if (raw.includes("data_segment_data_")) throw new Error("the core has a data segment: its memory must start as zeros");
}

/** The lines behind the prelude. */
function bodyLines(raw: string): string[] {
  const at = raw.lastIndexOf(PRELUDE_LAST);
  const end = at < 0 ? -1 : raw.indexOf("\n#endif\n", at);
  if (end < 0) throw new Error("wasm2c's prelude has changed: its end was not found");
  return raw.slice(end + "\n#endif\n".length).split("\n");
}

/** Leaves out the preprocessor blocks for Segue, type tables and the instance's functions. */
function linesKept(lines: string[]): string[] {
  const kept: string[] = [];
  let blocks = 0;
  let skipping = false;
  for (const line of lines) {
    if (line.startsWith("#if")) blocks++;
    if (blocks === 0 && INSTANCE_FUNCTIONS.some((start) => line.startsWith(start)) && line.endsWith("{")) skipping = true;
    if (blocks === 0 && !skipping && !line.startsWith("FUNC_TYPE_T(") && line !== "/* export: 'memory' */") kept.push(line);
    if (line.startsWith("#endif")) blocks--;
    if (line === "}") skipping = false;
  }
  return kept;
}

/** The core as one C file to include after wasm.h. `raw` and `header` are what wasm2c wrote with `-n culvert`. */
export function sourceCut(raw: string, header: string): string {
  refuseState(raw, header);
  const body = linesKept(bodyLines(raw)).join("\n");
  return (HEADER + body)
    .replaceAll("instance->w2c_memory.pages", "(instance->w2c_memory.size / CULVERT_PAGE)")
    .replace(/^(u32|u64|void) (w2c_culvert_\w+\(w2c_culvert\* instance)/gm, "static $1 $2")
    .replace(/\n{3,}/g, "\n\n");
}

/** The exported numbers of dist/abi.js as `#define CULVERT_…`. */
export function constantsWrite(abi: Record<string, unknown>): string {
  const lines = Object.entries(abi)
    .filter((entry): entry is [string, number] => typeof entry[1] === "number" && /^[A-Z][A-Z0-9_]*$/.test(entry[0]))
    .map(([name, value]) => `#define CULVERT_${name} ${value}`);
  return `/* The numbers of the contract, from core/memory by way of dist/abi.js. Do not edit. */\n#ifndef CULVERT_CONSTANTS_H\n#define CULVERT_CONSTANTS_H\n\n${lines.join("\n")}\n\n#endif\n`;
}
