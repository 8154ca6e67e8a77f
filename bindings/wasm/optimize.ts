/*
 * What is done to the core after its compiler: functions that are small, or called from one place, move to their callers,
 * then conditions become branches (thread.ts). A fifth of the time of a 764-byte INVITE goes away in V8.
 */

import binaryen from "assemblyscript/binaryen";
import { expressionRead, expressionWrite } from "./expression.ts";
import { conditionsThread } from "./thread.ts";

/* Sizes, in Binaryen's nodes, up to which a function is copied to its callers: whatever it is, when it is small, when it has one caller. */
const INLINE_ALWAYS_MAX = 2;
const INLINE_MAX = { speed: 110, size: 30 };
const INLINE_ONE_CALLER_MAX = 100000;

/** What an engine has, beside vectors, which are for its speed: C is made for any processor. */
const { BulkMemory, BulkMemoryOpt, MutableGlobals, SignExt, SIMD128 } = binaryen.Features as unknown as Record<string, number>;
const FEATURES = BulkMemory! | BulkMemoryOpt! | MutableGlobals! | SignExt!;
const FEATURES_OF = { speed: FEATURES | SIMD128!, size: FEATURES };

function settings(aim: Aim): void {
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  binaryen.setAlwaysInlineMaxSize(INLINE_ALWAYS_MAX);
  binaryen.setFlexibleInlineMaxSize(INLINE_MAX[aim]);
  binaryen.setOneCallerInlineMaxSize(INLINE_ONE_CALLER_MAX);
  binaryen.setAllowInliningFunctionsWithLoops(true);
  binaryen.setLowMemoryUnused(true);
}

/** V8 is given its inlining; C compilers do their own, and routers have little memory. */
export type Aim = keyof typeof INLINE_MAX;

/** Takes a module and gives it back faster, or as fast as can be when it is to be small. Throws when what came out is not valid. */
export function wasmOptimize(binary: Uint8Array, aim: Aim): Uint8Array {
  const module = binaryen.parseText(expressionWrite(conditionsThread(expressionRead(inlined(binary, aim)))));
  module.setFeatures(FEATURES_OF[aim]);
  module.runPasses(["merge-blocks", "remove-unused-names", "vacuum"]);
  if (!module.validate()) throw new Error("jump threading made a module that is not valid");
  const made = module.emitBinary();
  module.dispose();
  return made;
}

function inlined(binary: Uint8Array, aim: Aim): string {
  const module = binaryen.readBinary(binary);
  module.setFeatures(FEATURES_OF[aim]);
  settings(aim);
  module.optimize();
  const text = module.emitText();
  module.dispose();
  return text;
}
