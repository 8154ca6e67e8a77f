/*
 * The network lab of ../shared/lab: terminals behind real NATs, a routed box for Culvert (vl-px) and a
 * registrar that knows nothing of NAT (vl-sv). Namespaces are made for a scenario and removed after it.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Program, run, stopAll } from "./process.ts";
import { labPath } from "./requirement.ts";

/** E, and the address of the server: the servers stay as they are, Culvert takes E over in vl-px. */
export const SERVER = "203.0.113.20";
export const PROXY_CORE = "203.0.113.1";
export const PROXY_ACCESS = "198.51.100.1";

export interface LabOptions {
  /** cone: ports kept; sym: a new port for each peer; none: plain routing. */
  nat: "cone" | "sym" | "none";
  /** Both homes use 10.11.0.x. */
  overlap?: boolean;
  /** Lifetime of a UDP mapping in the NATs. */
  mappingSeconds?: number;
  /** The registrar asks for a password (digest). */
  authenticate?: boolean;
}

const SERVER_SECONDS = 900;
const BUSY_SECONDS = 120;

/** Waits until nobody else works in namespaces of these names. What is left over after that is taken down. */
async function idle(): Promise<void> {
  for (let waited = 0; waited < BUSY_SECONDS; waited++) {
    const { code, output } = await run("ip", ["netns", "pids", "vl-sv"], { seconds: 10 });
    if (code !== 0 || output.trim() === "") return;
    await sleep(1000);
  }
}

export class Lab {
  /** Recordings, captures and logs of this scenario. */
  readonly folder: string;
  readonly env: Record<string, string>;
  /** The configuration that vl-px was last set up for. */
  intercepted = "";

  private constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "culvert-e2e-"));
    this.env = { W: this.folder };
  }

  static async up(options: LabOptions): Promise<Lab> {
    await idle();
    const made = new Lab();
    const env = { NAT: options.nat, ...(options.mappingSeconds === undefined ? {} : { NATTMO: String(options.mappingSeconds) }) };
    const up = await run("bash", [join(labPath, "netns-nat.sh"), "up", options.overlap === true ? "overlap" : "2"], { seconds: 30, env });
    if (up.code !== 0) throw new Error(`lab: ${up.output}`);
    const server = new Program("bash", [join(labPath, "server.sh"), options.authenticate === true ? "auth" : "unaware", String(SERVER_SECONDS)], {
      seconds: SERVER_SECONDS + 10,
      env: made.env,
    });
    await server.until(/READY/, 10);
    return made;
  }

  /** Runs a lab script to its end. */
  script(path: string, args: string[], seconds: number, env: Record<string, string> = {}): ReturnType<typeof run> {
    return run("bash", [join(labPath, path), ...args], { seconds, env: { ...this.env, ...env }, cwd: this.folder });
  }

  /** Ends everything that was started in it and removes it. */
  async down(): Promise<void> {
    await stopAll();
    await run("bash", [join(labPath, "netns-nat.sh"), "down"], { seconds: 30 });
    if (process.env.CULVERT_KEEP !== "1") rmSync(this.folder, { recursive: true, force: true });
  }
}
