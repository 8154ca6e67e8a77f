/*
 * Workers as processes of Node: this very program, told by a channel what to do.
 */

import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Task, Worker, WorkerWatcher, Workforce } from "../shared/workers/workforce.ts";

/** What a worker says. */
export type Report = "up" | { failed: string };

/** What it hears: its task, then that it is to end. */
export type Order = Task | "stop";

/** Beside what is built with it: dist/node.js. */
const PROGRAM = fileURLToPath(new URL("node.js", import.meta.url));

function start(task: Task, watcher: WorkerWatcher): Worker {
  // By "advanced" bytes stay bytes. Output is this process's: lines of several come whole, since each is one write.
  const child = fork(PROGRAM, ["worker"], { serialization: "advanced" });
  // One that is gone is told nothing; its end is heard of by "exit".
  const tell = (order: Order): void => void child.send(order, () => undefined);
  child.on("error", (error) => {
    watcher.onFailure(error.message);
    // A process that was never there does not exit.
    if (child.pid === undefined) watcher.onEnd("it could not be started");
  });
  child.on("message", (report: Report) => (report === "up" ? watcher.onUp() : watcher.onFailure(report.failed)));
  child.on("exit", (code, signal) => watcher.onEnd(signal ?? `exit code ${code}`));
  tell(task);
  return { stop: () => tell("stop"), kill: () => void child.kill("SIGKILL") };
}

export const nodeWorkforce: Workforce = {
  get processors() {
    return availableParallelism();
  },
  start,
};
