/*
 * Real programs under test: each is started in its own process group, bounded in time, and ended by the
 * pid that it was started with. What still runs when the test process ends is ended then.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

export interface ProgramOptions {
  /** Longest life. */
  seconds: number;
  /** Network namespace to run in. */
  netns?: string;
  cwd?: string;
  env?: Record<string, string>;
  /** End with SIGINT as Ctrl-C does, instead of SIGTERM. */
  interrupt?: boolean;
}

export interface Ended {
  /** Exit code, -1 after a signal. */
  code: number;
  output: string;
}

const OUTPUT_MAX = 4 << 20;
const KILL_AFTER_MS = 5000;
const running = new Set<Program>();

process.on("exit", killAll);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "disconnect"]) process.once(signal, () => process.exit(1));

function killAll(): void {
  for (const program of running) program.signal("SIGKILL");
}

/** Ends what a scenario left running, whichever way it ended. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((program) => program.stop()));
}

export class Program {
  readonly command: string;
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #options: ProgramOptions;
  #output = "";

  constructor(command: string, args: string[], options: ProgramOptions) {
    const [file, argv] = options.netns === undefined ? [command, args] : ["ip", ["netns", "exec", options.netns, command, ...args]];
    this.command = `${command} ${args.join(" ")}`;
    this.#options = options;
    this.#child = spawn(file, argv, {
      cwd: options.cwd,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
    });
    const keep = (data: Buffer): void => void (this.#output = (this.#output + data.toString("latin1")).slice(-OUTPUT_MAX));
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
    running.add(this);
    const bound = setTimeout(() => void this.stop(), options.seconds * 1000);
    this.ended = new Promise((resolve) => {
      const end = (code: number): void => {
        clearTimeout(bound);
        running.delete(this);
        resolve({ code, output: this.#output });
      };
      this.#child.once("error", (error) => {
        this.#output += error.message;
        end(-1);
      });
      this.#child.once("close", (code) => end(code ?? -1));
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get output(): string {
    return this.#output;
  }

  get isRunning(): boolean {
    return running.has(this);
  }

  /** Signals the program and what it started: its process group is its own. */
  signal(name: NodeJS.Signals): void {
    try {
      if (this.pid > 0) process.kill(-this.pid, name);
    } catch {
      // It has ended already.
    }
  }

  /** Ends it: politely, then for certain. */
  async stop(): Promise<Ended> {
    this.signal(this.#options.interrupt === true ? "SIGINT" : "SIGTERM");
    const kill = setTimeout(() => this.signal("SIGKILL"), KILL_AFTER_MS);
    const ended = await this.ended;
    clearTimeout(kill);
    return ended;
  }

  /** Waits until the output matches. Throws when the program ends or `seconds` pass before. */
  async until(pattern: RegExp, seconds: number): Promise<void> {
    for (const end = Date.now() + seconds * 1000; !pattern.test(this.#output); await sleep(50)) {
      if (this.isRunning && Date.now() < end) continue;
      throw new Error(`${this.command}: no ${pattern} ${this.isRunning ? `in ${seconds} s` : "before it ended"}\n${this.#output.slice(-4000)}`);
    }
  }
}

/** Runs a program to its end. */
export function run(command: string, args: string[], options: ProgramOptions): Promise<Ended> {
  return new Program(command, args, options).ended;
}

/** What it said. Throws that when it failed. */
export async function must(what: Promise<Ended>): Promise<string> {
  const { code, output } = await what;
  if (code !== 0) throw new Error(output);
  return output;
}
