/*
 * Culvert under test: writes its configuration, runs it in vl-px or on loopback, and reads what it holds.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { type Lab, PROXY_ACCESS, PROXY_CORE, SERVER } from "./lab.ts";
import { Program, run } from "./process.ts";
import { file } from "./requirement.ts";

/** The built command-line programs; CULVERT_ARGS adds options to their `run`, such as the core to use. */
export const nodeHost = resolve("dist/node.js");
export const denoHost = resolve("dist/deno.js");

export const NODE = [process.execPath, nodeHost];
const deno = resolve("node_modules/.bin/deno");
export const denoNeeds = [file(denoHost), file(deno)];

/** Deno's, with no more rights than sockets need, and those given. */
export function denoCommand(...rights: string[]): string[] {
  return [deno, "run", "--allow-net", "--allow-read", "--allow-env", "--unstable-net", ...rights, denoHost];
}

/** Both, and what must be there for them. */
export const hosts = [
  { name: "node", command: NODE, needs: [file(nodeHost)] },
  { name: "deno", command: denoCommand(), needs: denoNeeds },
];

/** What the last line of a start says. */
const READY = /"msg":"up"/;
const NETNS = "vl-px";

export interface Configuration {
  realms: Record<string, Record<string, unknown>>;
  services: Record<string, Record<string, unknown>>;
  [key: string]: unknown;
}

/** E is the servers' own address: Culvert stands in the way and takes it over. */
export function labConfiguration(folder: string): Configuration {
  return {
    realms: {
      access: { interface: "pub", media: PROXY_ACCESS, nat: "auto" },
      core: { interface: "srv", address: PROXY_CORE, media: PROXY_CORE },
    },
    services: { voice: { address: SERVER, servers: [SERVER] } },
    control: join(folder, "culvert.sock"),
  };
}

/** Both realms on loopback: what `culvert demo` does. */
export function loopbackConfiguration(folder: string, port: number, server: string, address = "127.0.0.1"): Configuration {
  return {
    realms: {
      access: { address, media: address },
      core: { address, media: address },
    },
    services: { voice: { address: `${address}:${port}`, servers: [server] } },
    control: join(folder, "culvert.sock"),
  };
}

/** `culvert router --apply` in a namespace; what an earlier configuration of the folder set up there is replaced. */
export async function interceptionApply(folder: string, configuration: Configuration, netns: string): Promise<void> {
  const path = join(folder, "culvert.yaml");
  writeFileSync(path, stringify(configuration));
  const args = [nodeHost, "router", "--apply", "-c", path, "--record", join(folder, "router.json")];
  const { code, output } = await run(process.execPath, args, { seconds: 30, netns });
  if (code !== 0) throw new Error(`culvert router: ${output}`);
}

export class Culvert {
  readonly program: Program;
  readonly folder: string;

  private constructor(program: Program, folder: string) {
    this.program = program;
    this.folder = folder;
  }

  static async start(
    folder: string,
    configuration: Configuration,
    command: string[],
    seconds: number,
    netns?: string,
    options: string[] = [],
  ): Promise<Culvert> {
    const path = join(folder, "culvert.yaml");
    writeFileSync(path, stringify(configuration));
    const [executable, ...args] = [...command, "run", "-c", path, ...options, ...(process.env.CULVERT_ARGS ?? "").split(" ").filter((arg) => arg !== "")];
    const program = new Program(executable!, args, { seconds, cwd: folder, ...(netns === undefined ? {} : { netns }) });
    await program.until(READY, 20);
    return new Culvert(program, folder);
  }

  /** Makes vl-px intercept what the configuration says, as an administrator would, and runs Culvert in it. */
  static async inLab(lab: Lab, seconds: number, change: (configuration: Configuration) => void = () => undefined, host = NODE): Promise<Culvert> {
    const configuration = labConfiguration(lab.folder);
    change(configuration);
    const text = stringify(configuration);
    if (text !== lab.intercepted) await interceptionApply(lab.folder, configuration, NETNS);
    lab.intercepted = text;
    return Culvert.start(lab.folder, configuration, host, seconds, NETNS);
  }

  /** What it said last, for the message of a failed test. */
  get tail(): string {
    return `\n--- culvert:\n${this.program.output.slice(-4000)}`;
  }

  /** How often an event was logged. */
  events(name: string): number {
    return this.program.output.split(`"event":"${name}"`).length - 1;
  }

  /** Lines of the log, as they are written in JSON, that have this text. */
  logged<T>(text: string): T[] {
    return this.program.output
      .split("\n")
      .filter((line) => line.includes(text))
      .map((line) => JSON.parse(line) as T);
  }

  /** Processes of its workers, the first one's first. */
  get workers(): number[] {
    const { pid } = this.program;
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
  }

  /** Open file descriptors. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.program.pid}/fd`).length;
  }

  async stop(): Promise<void> {
    const { code, output } = await this.program.stop();
    if (code !== 0) throw new Error(`culvert ended with ${code}\n${output.slice(-4000)}`);
  }
}
