/*
 * The I/O shim as the build made it for this machine.
 */

import { resolve } from "node:path";
import { shimOpen } from "../hosts/node/shim.ts";

export const SHIM = resolve("dist", `${process.platform}-${process.arch}`, "shim.node");

/** Why it cannot be had here, or "". */
export function shimRefused(): string {
  const shim = shimOpen(SHIM, new ArrayBuffer(1 << 20));
  if (typeof shim === "string") return shim;
  shim.watch(() => undefined);
  shim.close();
  return "";
}
