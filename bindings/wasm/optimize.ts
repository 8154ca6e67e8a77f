/*
 * What is done to the core after its compiler: functions that are small, or called from one place, move to their callers,
 * then conditions become branches (thread.ts). A fifth of the time of a 764-byte INVITE goes away in V8.
 */

import binaryen from "assemblyscript/binaryen";
import { expressionRead, expressionWrite } from "./expression.ts";
import { conditionsThread } from "./thread.ts";

/** A round of inlining: the size, in Binaryen's nodes, up to which a function is copied to its callers, and to its only caller. */
interface Round {
  max: number;
  oneCallerMax: number;
}

/** V8 is given its inlining, first of what is small, then of what that has made; C compilers do their own, and routers have little memory. */
const ROUNDS = {
  speed: [
    { max: 65, oneCallerMax: 80 },
    { max: 200, oneCallerMax: 100000 },
  ],
  size: [{ max: 50, oneCallerMax: 100000 }],
};

/** What the module is made for. */
export type Aim = keyof typeof ROUNDS;

/*
 * Binaryen's passes, each by its name. Its own `optimize` optimises functions again after each thing that is inlined into
 * them, which takes twice the time; here that is done once after each round.
 */
const START = ["duplicate-function-elimination", "memory-packing", "once-reduction"];
const BRANCHES = ["remove-unused-brs", "remove-unused-names", "merge-blocks"];
const ORDER = ["reorder-locals", "coalesce-locals", "reorder-locals", "vacuum"];
const SHORT = [
  ...["optimize-instructions", "dce", ...BRANCHES, "precompute", "simplify-locals-notee-nostructure", "vacuum"],
  ...["reorder-locals", "coalesce-locals", "simplify-locals", ...ORDER, ...BRANCHES],
];
const INLINE = ["simplify-globals", "inlining"];
const LONG = [
  ...["ssa-nomerge", "dce", "remove-unused-names", "remove-unused-brs", "remove-unused-names", "optimize-instructions"],
  ...["optimize-added-constants-propagate", "precompute", "pick-load-signs", "code-pushing", "simplify-locals-nostructure", "vacuum"],
  ...["reorder-locals", "remove-unused-brs", "coalesce-locals", "local-cse", "simplify-locals", "vacuum", ...ORDER, "code-folding"],
  ...["merge-blocks", ...BRANCHES, "precompute-propagate", "optimize-instructions", "rse", "vacuum"],
];
/** C compilers do the rest themselves. */
const LAST = { speed: LONG, size: SHORT };
const END = ["dae-optimizing", "duplicate-function-elimination", "simplify-globals-optimizing", "remove-unused-module-elements", "directize"];

/** The least that is inlined always: a function of one instruction. */
const INLINE_ALWAYS_MAX = 2;

/** What an engine has. C is made for any processor, so that there are no vectors of 16 bytes in what it is made of. */
const { BulkMemory, BulkMemoryOpt, MutableGlobals, SignExt, SIMD128 } = binaryen.Features as unknown as Record<string, number>;
const FEATURES_SIZE = BulkMemory! | BulkMemoryOpt! | MutableGlobals! | SignExt!;
const FEATURES = FEATURES_SIZE | SIMD128!;

function settings(): void {
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  binaryen.setAlwaysInlineMaxSize(INLINE_ALWAYS_MAX);
  binaryen.setAllowInliningFunctionsWithLoops(true);
  binaryen.setLowMemoryUnused(true);
}

function roundRun(module: binaryen.Module, round: Round): void {
  binaryen.setFlexibleInlineMaxSize(round.max);
  binaryen.setOneCallerInlineMaxSize(round.oneCallerMax);
  module.runPasses([...SHORT, ...INLINE]);
}

/** Takes a module and gives it back faster, or as fast as can be when it is to be small. Throws when what came out is not valid. */
export function wasmOptimize(binary: Uint8Array, aim: Aim): Uint8Array {
  const module = binaryen.readBinary(binary);
  module.setFeatures(FEATURES);
  settings();
  vectorsAnswer(module, aim === "speed" ? 1 : 0);
  module.setFeatures(aim === "speed" ? FEATURES : FEATURES_SIZE);
  module.runPasses(START);
  for (const round of ROUNDS[aim]) roundRun(module, round);
  module.runPasses([...LAST[aim], ...END]);
  return aim === "speed" ? threaded(module) : written(module);
}

/** Says whether there are vectors, which machine.asc.ts asks the one global that may change: what the core knows is in its memory. */
function vectorsAnswer(module: binaryen.Module, answer: number): void {
  const globals = Array.from({ length: module.getNumGlobals() }, (_, i) => binaryen.getGlobalInfo(module.getGlobalByIndex(i)));
  for (const { name } of globals.filter(({ mutable }) => mutable)) {
    module.removeGlobal(name);
    module.addGlobal(name, binaryen.i32, false, module.i32.const(answer));
  }
  module.runPasses(["simplify-globals", "precompute", "vacuum"]);
}

/** C compilers thread jumps themselves. */
function threaded(module: binaryen.Module): Uint8Array {
  const made = binaryen.parseText(expressionWrite(conditionsThread(expressionRead(module.emitText()))));
  module.dispose();
  made.setFeatures(FEATURES);
  made.runPasses(["merge-blocks", "remove-unused-names", "vacuum"]);
  return written(made);
}

function written(module: binaryen.Module): Uint8Array {
  if (!module.validate()) throw new Error("the optimiser made a module that is not valid, or that wants what its engine does not have");
  const binary = module.emitBinary();
  module.dispose();
  return binary;
}
