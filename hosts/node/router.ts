/*
 * `culvert router`: sets up how packets for the service addresses get here, takes it back, or prints it, for this machine
 * or for the router in the network (SPEC I4).
 */

import { type Command, Option } from "commander";
import { configFor, EXIT_CONFIG, EXIT_FAILURE } from "../shared/command.ts";
import { type Plan, planMake } from "../shared/router/plan.ts";
import { PolicyError } from "../shared/router/policy.ts";
import { type Target, TARGETS, targetPrint } from "../shared/router/print.ts";
import { type Machine, type Outcome, Setup } from "../shared/router/setup.ts";
import type { Host } from "../shared/runtime.ts";
import { nodeHost } from "./host.ts";
import { machineIsOurs, machineOpen } from "./machine.ts";

const RECORD = "/run/culvert/router.json";

interface RouterOptions {
  config: string;
  apply?: true;
  remove?: true;
  print?: Target | true;
  record: string;
}

type Action = "apply" | "remove";

/** The machine to change, which a test has another of. */
export interface Access {
  open(record: string): Machine;
  /** May this process change it? */
  isOurs(): Promise<boolean>;
}

function outcomeShow(action: Action, { changes, unchanged, warnings }: Outcome): void {
  for (const change of changes) console.log(change);
  for (const warning of warnings) console.error(`culvert: ${warning}`);
  const place = action === "apply" ? "in place already" : "not there";
  const steps = (n: number): string => `${n} ${n === 1 ? "step" : "steps"}`;
  console.log(`culvert router: ${changes.length === 0 ? "nothing to do" : `${steps(changes.length)} done`}, ${steps(unchanged)} ${place}`);
}

async function change(action: Action, plan: Plan, record: string, host: Host, machine: Access): Promise<void> {
  for (const note of plan.notes) console.log(note);
  if (!(await machine.isOurs())) {
    console.error(`culvert: routing can be changed by root only: run \`sudo culvert router --${action}\` once; \`culvert run\` does not need root after that`);
    host.setExitCode(EXIT_FAILURE);
    return;
  }
  const setup = new Setup(machine.open(record));
  const outcome = await (action === "apply" ? setup.apply(plan) : setup.remove(plan));
  outcomeShow(action, outcome);
  if (outcome.warnings.length > 0) host.setExitCode(EXIT_FAILURE);
}

/** The one thing that is asked for; undefined after saying that it is not one. */
function actionOf(options: RouterOptions, host: Host): Action | Target | undefined {
  const given = [options.apply && "apply", options.remove && "remove", options.print && (options.print === true ? "linux" : options.print)].filter(Boolean);
  if (given.length === 1) return given[0] as Action | Target;
  console.error("culvert: say what to do: one of --apply, --remove and --print");
  host.setExitCode(EXIT_CONFIG);
  return undefined;
}

async function router(options: RouterOptions, host: Host, machine: Access): Promise<void> {
  const action = actionOf(options, host);
  const config = action && (await configFor(options.config, host));
  if (!config) return;
  try {
    if (action === "apply" || action === "remove") await change(action, planMake(config), options.record, host, machine);
    else process.stdout.write(targetPrint(config, action));
  } catch (error) {
    console.error(`culvert: ${(error as Error).message}`);
    host.setExitCode(error instanceof PolicyError ? EXIT_CONFIG : EXIT_FAILURE);
  }
}

export function registerRouter(program: Command, host: Host = nodeHost, machine: Access = { open: machineOpen, isOurs: machineIsOurs }): void {
  program
    .command("router")
    .description("set up how packets for the service addresses get here, or print how")
    .addOption(new Option("-c, --config <file>", "configuration file").default("culvert.yaml"))
    .option("--apply", "set it up on this machine; what is in place stays")
    .option("--remove", "take it back")
    .addOption(
      new Option("--print [for]", "print it: a shell script for this machine, or commands for the router of parallel mode").choices(TARGETS).preset("linux"),
    )
    .option("--record <file>", "where --apply notes what it did, for --remove", RECORD)
    .action((options: RouterOptions) => router(options, host, machine));
}
