/*
 * This Linux machine for `culvert router`: runs ip, nft and sysctl, and keeps the record of what was done.
 */

import { execFile } from "node:child_process";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Done, Machine, Result } from "../shared/router/setup.ts";
import type { Command } from "../shared/router/step.ts";

/** Where these programs are when PATH does not say it, as for cron and some service managers. */
const ADMIN = "/usr/local/sbin:/usr/sbin:/sbin";
const COMMAND_MS = 20_000;
const OUTPUT_MOST = 64 << 20;
/** Bit of CAP_NET_ADMIN in a set of capabilities. */
const NET_ADMIN = 12n;

const PACKAGES: Record<Command["program"], string> = { ip: "iproute2", nft: "nftables", sysctl: "procps" };

function codeOf(error: (Error & { code?: number | string | null }) | null, program: Command["program"]): number {
  if (error?.code === "ENOENT") throw new Error(`there is no program ${program}; install ${PACKAGES[program]}`);
  return typeof error?.code === "number" ? error.code : error ? -1 : 0;
}

/** Never through a shell. */
function run({ program, args, input }: Command): Promise<Result> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: "C", PATH: `${process.env.PATH ?? ""}:${ADMIN}` };
    const child = execFile(program, args, { env, timeout: COMMAND_MS, maxBuffer: OUTPUT_MOST }, (error, output, stderr) => {
      try {
        resolve({ code: codeOf(error, program), output, error: stderr });
      } catch (missing) {
        reject(missing);
      }
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input ?? "");
  });
}

/** The record is one JSON file, replaced whole. */
class NodeMachine implements Machine {
  readonly #path: string;
  readonly run = run;

  constructor(path: string) {
    this.#path = path;
  }

  async recordRead(): Promise<Done[] | undefined> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    try {
      return (JSON.parse(text) as { done: Done[] }).done;
    } catch {
      throw new Error(`${this.#path} is no record of \`culvert router\`; remove it and try again`);
    }
  }

  async recordWrite(done: Done[]): Promise<void> {
    if (done.length === 0) return rm(this.#path, { force: true });
    await mkdir(dirname(this.#path), { recursive: true });
    await writeFile(`${this.#path}.new`, `${JSON.stringify({ done }, undefined, 2)}\n`, { mode: 0o600 });
    await rename(`${this.#path}.new`, this.#path);
  }
}

export function machineOpen(record: string): Machine {
  return new NodeMachine(record);
}

/** May this process change routing and settings? */
export async function machineIsOurs(): Promise<boolean> {
  if (process.geteuid?.() === 0) return true;
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> NET_ADMIN) & 1n) === 1n;
}
