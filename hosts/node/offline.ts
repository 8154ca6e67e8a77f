/*
 * What the offline commands share: a configuration, a capture and a core, opened with errors that people can read.
 */

import { Option } from "commander";
import { type Capture, CaptureError } from "../shared/capture/capture.ts";
import { captureRead } from "../shared/capture/file.ts";
import { EXIT_CONFIG, EXIT_FAILURE } from "../shared/command.ts";
import { type Config, configRead, problemText } from "../shared/config.ts";
import type { CoreKind, CoreSource } from "../shared/core.ts";
import { Replay } from "../shared/replay/replay.ts";
import { RuleTexts } from "../shared/replay/ruletext.ts";
import type { Host } from "../shared/runtime.ts";

export interface OfflineOptions {
  config: string;
  core: CoreKind;
  asRecorded: boolean;
}

export interface Offline {
  config: Config;
  rules: RuleTexts;
  capture: Capture;
  replay: Replay;
}

/** Something that the person at the terminal can put right. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The options of every offline command. */
export function offlineOptions(): Option[] {
  return [
    new Option("-c, --config <file>", "configuration file").default("culvert.yaml"),
    new Option("--core <kind>", "which build of the core").choices(["wasm", "js"]).default("wasm"),
    new Option("--as-recorded", "the capture was recorded without Culvert: make it what it would have been with it").default(true),
    new Option("--no-as-recorded", "take the capture as it is"),
  ];
}

async function fileRead(path: string, what: string, host: Host): Promise<Uint8Array> {
  try {
    return await host.readFile(path);
  } catch (error) {
    throw new UsageError(`the ${what} ${path} cannot be read: ${(error as Error).message}`);
  }
}

async function configLoad(path: string, host: Host): Promise<{ config: Config; text: string }> {
  const text = new TextDecoder().decode(await fileRead(path, "configuration", host));
  const { config, problems } = configRead(text, path);
  for (const problem of problems) console.error(problemText(problem));
  if (!config) throw new UsageError(`${path} has errors: put them right, then try again`);
  return { config, text };
}

async function captureLoad(path: string, host: Host): Promise<Capture> {
  const bytes = await fileRead(path, "capture", host);
  try {
    return captureRead(bytes);
  } catch (error) {
    if (error instanceof CaptureError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}

export async function offlineOpen(capturePath: string, options: OfflineOptions, host: Host): Promise<Offline> {
  const { config, text } = await configLoad(options.config, host);
  const capture = await captureLoad(capturePath, host);
  const source: CoreSource = options.core === "js" ? { kind: "js" } : { kind: "wasm", binary: await host.coreBinary(false) };
  const replay = await Replay.open(source, config, capture, { asRecorded: options.asRecorded });
  return { config, rules: new RuleTexts(config, text, options.config), capture, replay };
}

/** Runs a command; what went wrong is one line and an exit code. */
export async function offlineRun(host: Host, command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    console.error(`culvert: ${(error as Error).message}`);
    host.setExitCode(error instanceof UsageError || error instanceof CaptureError ? EXIT_CONFIG : EXIT_FAILURE);
  }
}
