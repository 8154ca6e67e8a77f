/*
 * A configuration as the memory that every build of the core boots with: written once, by the hosts' own code,
 * into a JavaScript core, and copied. The key is fixed, so that ports and tokens are the same in every run.
 */

import * as abi from "#abi";
import { type Config, configRead, problemText } from "../../hosts/shared/config.ts";
import { configure } from "../../hosts/shared/configure.ts";
import { coreOpen, REGION_RULES, RULE_SIZE } from "../../hosts/shared/core.ts";
import { configPart } from "../../hosts/shared/workers/share.ts";
import { PAGE } from "../parity/engine.ts";
import { VectorError } from "./step.ts";

export interface Image {
  config: Config;
  memory: Uint8Array;
  /** Where the rules stand, and how many bytes they are. */
  rules: number;
  rulesSize: number;
}

const KEY = Uint8Array.from({ length: 16 }, (_, i) => 17 * i + 3);

/** What vectors need and no more: small tables make small memories, which are compared after each input. */
const CAPACITY = "capacity: { terminals: 16, bindings: 32, registrations: 32, calls: 16, flows: 32, connections: 16, blocks: 64, rules: 64 }\n";

const images = new Map<string, Promise<Image>>();

/** WebAssembly begins with that many pages, so the others get them too. */
const PAGES_LEAST = 16;

function padded(memory: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Math.max(memory.length, PAGES_LEAST * PAGE));
  bytes.set(memory);
  return bytes;
}

/** Of several workers the one is played that a comment in the configuration names, `# worker 1`, or the first. */
function workerOf(config: Config, text: string): Config {
  const { count, by } = config.workers;
  const index = Number(/^# worker (\d+)$/m.exec(text)?.[1] ?? 0);
  return typeof count === "number" && count > 1 ? configPart(config, { index, count, by }) : config;
}

/** Makes an image that nobody asks for again. */
export async function imageMake(text: string, file: string): Promise<Image> {
  const whole = /^capacity:/m.test(text) ? text : text + CAPACITY;
  const { config, problems } = configRead(whole, file);
  if (!config) throw new VectorError(problems.map(problemText).join("\n"));
  const played = workerOf(config, whole);
  const core = await coreOpen({ kind: "js" }, played.capacity, KEY);
  configure(core, played, true);
  return { config: played, memory: padded(core.memory.bytes), rules: core.region(REGION_RULES), rulesSize: played.rules.length * RULE_SIZE };
}

/** Where a host writes the configuration: from, and how many bytes. */
export function configurationAreas(rules: number, rulesSize: number): (readonly [number, number])[] {
  return [
    [abi.CONFIG_REALMS, 20],
    [abi.CONFIG_INTERFACES, 4],
    [abi.CONFIG_WORKERS, 4],
    [abi.LINKS, abi.WIRE - abi.LINKS],
    [abi.REALMS, abi.SERVICES - abi.REALMS],
    [abi.SERVICES, abi.SERVICE_MAX * abi.SERVICE_SIZE],
    [rules, rulesSize],
  ];
}

export function imageOf(text: string, file: string): Promise<Image> {
  const known = images.get(text) ?? imageMake(text, file);
  images.set(text, known);
  return known;
}
