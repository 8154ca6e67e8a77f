/*
 * The command line that every host has: `culvert run` and `culvert check`.
 * Exit codes: 0 fine, 1 wrong configuration or usage, 2 failure while starting or running.
 */

import { Command, Option } from "commander";
import { version } from "../../package.json";
import { type Config, configRead, type ConfigReading, problemText } from "./config.ts";
import type { CoreKind } from "./core.ts";
import { logOpen } from "./log.ts";
import type { Host } from "./runtime.ts";
import { workersStart } from "./workers/start.ts";

export const EXIT_CONFIG = 1;
export const EXIT_FAILURE = 2;

interface RunOptions {
  config: string;
  core: CoreKind;
}

/** Reads a configuration file; problems with the file itself are problems like any other. */
export async function configLoad(file: string, host: Host): Promise<ConfigReading> {
  try {
    return configRead(new TextDecoder().decode(await host.readFile(file)), file);
  } catch (error) {
    const message = `cannot be read: ${(error as Error).message}; give another file with -c`;
    return { config: undefined, problems: [{ severity: "error", file, line: 0, column: 0, message }] };
  }
}

/** The configuration, or undefined with its problems printed and the exit code set. */
export async function configFor(file: string, host: Host): Promise<Config | undefined> {
  const { config, problems } = await configLoad(file, host);
  for (const problem of problems) console.error(problemText(problem));
  if (!config) host.setExitCode(EXIT_CONFIG);
  return config;
}

async function run(options: RunOptions, host: Host): Promise<void> {
  const config = await configFor(options.config, host);
  if (!config) return;
  const log = logOpen(config.log, host.terminal);
  const directory = options.config.replace(/[^/]*$/, "");
  try {
    const running = await workersStart({ config, directory, kind: options.core, host, log });
    host.onStop((signal) => {
      log.info({ signal }, "stopping");
      void running.stop();
    });
  } catch (error) {
    console.error(`culvert: ${(error as Error).message}`);
    host.setExitCode(EXIT_FAILURE);
  }
}

async function check(options: { config: string }, host: Host): Promise<void> {
  const config = await configFor(options.config, host);
  if (!config) return;
  const counts = [
    [config.realms.length, "realm"],
    [config.services.length, "service"],
    [config.rules.length, "rule"],
  ] as const;
  console.log(`${options.config}: fine, ${counts.map(([n, noun]) => `${n} ${noun}${n === 1 ? "" : "s"}`).join(", ")}`);
}

/** The program; a host registers what it has beyond this. */
export function commandLine(host: Host): Command {
  const program = new Command("culvert").description("Transparent VoIP signaling and media proxy").version(version);
  const file = () => new Option("-c, --config <file>", "configuration file").default("culvert.yaml");
  program
    .command("run")
    .description("run the proxy")
    .addOption(file())
    .addOption(new Option("--core <kind>", "which build of the core").choices(["wasm", "js"]).default("wasm"))
    .action((options: RunOptions) => run(options, host));
  program
    .command("check")
    .description("check a configuration file")
    .addOption(file())
    .action((options: { config: string }) => check(options, host));
  return program;
}

/** Runs the program; what nobody foresaw ends with its stack and exit code 2. */
export async function commandRun(program: Command, words: string[], host: Host): Promise<void> {
  try {
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    console.error(`culvert: ${(error as Error).stack}`);
    host.setExitCode(EXIT_FAILURE);
  }
}
