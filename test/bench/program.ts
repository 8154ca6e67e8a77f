/*
 * What a bench needs of the machine.
 */

import { spawnSync } from "node:child_process";

/** Of these programs, those that cannot be run here. */
export function missing(programs: string[]): string[] {
  return programs.filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0);
}
