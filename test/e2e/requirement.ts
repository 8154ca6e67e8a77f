/*
 * What a scenario needs of the machine. A missing thing skips it with the reason stated, or fails it when
 * CULVERT_STRICT_SKIPS=1 (continuous integration, where everything must be there).
 */

import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { test } from "vitest";

/** "" when it is there, else what is missing. */
export type Requirement = string;

/** The tree that holds the lab scripts; it is kept beside the repository. */
export const shared = resolve(process.env.CULVERT_SHARED ?? "../shared");
export const labPath = join(shared, "lab");

const ADMIN = ["/usr/sbin", "/sbin"];

export function program(name: string): Requirement {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), ...ADMIN]) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return "";
    } catch {
      // Not in this folder.
    }
  }
  return `program ${name}`;
}

export function file(path: string): Requirement {
  return existsSync(path) ? "" : `file ${path}`;
}

export function root(): Requirement {
  return process.getuid?.() === 0 ? "" : "root";
}

export function lab(): Requirement[] {
  return [root(), ...["ip", "nft", "tcpdump"].map(program), existsSync(labPath) ? "" : "the lab scripts (../shared/lab or CULVERT_SHARED)"];
}

/** A test that runs when everything it needs is there, under `npm run e2e`: that holds the lock on the machine. */
export function scenario(name: string, needs: Requirement[], seconds: number, body: () => Promise<void>): void {
  if (process.env.CULVERT_E2E !== "1") {
    test.skip(`${name} [skipped: run by npm run e2e]`, () => undefined);
    return;
  }
  const missing = [...new Set(needs)].filter((need) => need !== "").join(", ");
  const options = { timeout: seconds * 1000 };
  if (missing === "") test(name, options, body);
  else if (process.env.CULVERT_STRICT_SKIPS === "1") test(name, () => Promise.reject(new Error(`missing: ${missing}`)));
  else test.skip(`${name} [skipped: missing ${missing}]`, () => undefined);
}
