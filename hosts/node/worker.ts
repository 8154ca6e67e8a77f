/*
 * One of several workers, as `culvert run` starts it: does its task until it is told to end, or until who started it is gone.
 */

import { once } from "node:events";
import type { Command } from "commander";
import { EXIT_CONFIG, EXIT_FAILURE } from "../shared/command.ts";
import { logOpen } from "../shared/log.ts";
import { proxyStart } from "../shared/proxy.ts";
import type { Host } from "../shared/runtime.ts";
import type { Task } from "../shared/workers/workforce.ts";
import { nodeHost } from "./host.ts";
import type { Order, Report } from "./workforce.ts";

/** Done when it is on its way, or there is nobody to hear it. */
function report(what: Report): Promise<void> {
  return new Promise((resolve) => void process.send!(what, () => resolve()));
}

/** The first order is the task. */
async function taskTake(): Promise<Task> {
  const [task] = (await once(process, "message")) as [Task];
  return task;
}

/** It is told to end, or who would tell it is gone. */
function ending(): Promise<void> {
  return new Promise((resolve) => {
    process.on("message", (order: Order) => order === "stop" && resolve());
    process.on("disconnect", resolve);
  });
}

async function work(host: Host): Promise<void> {
  if (!process.send) {
    console.error("culvert: a worker is started by `culvert run` alone");
    host.setExitCode(EXIT_CONFIG);
    return;
  }
  // Who started it says when it is over, though a terminal tells all processes of a group.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => undefined);
  const over = ending();
  const { config, directory, kind } = await taskTake();
  const log = logOpen(config.log, host.terminal, { worker: config.workers.index });
  try {
    const proxy = await proxyStart({ config, directory, kind, host, log });
    await report("up");
    await over;
    await proxy.stop();
  } catch (error) {
    await report({ failed: (error as Error).message });
    host.setExitCode(EXIT_FAILURE);
  }
  if (process.connected) process.disconnect();
}

/** Not for people. */
export function registerWorker(program: Command, host: Host = nodeHost): void {
  program.command("worker", { hidden: true }).action(() => work(host));
}
