/*
 * What several workers are to who starts them: processes that are given a task, say when they are up, and end.
 */

import type { Config } from "../config.ts";
import type { CoreKind } from "../core.ts";

/** What one worker does; made of what can be told to another process. */
export interface Task {
  /** Its part. The secret is in it: not for arguments, environments and logs. */
  config: Config;
  /** Directory of the configuration file, "" or ending in "/". */
  directory: string;
  kind: CoreKind;
}

/** Hears of a worker: that it is up or that it cannot be, and then once that it has ended. */
export interface WorkerWatcher {
  onUp(): void;
  onFailure(message: string): void;
  /** `how`: its exit code or signal. */
  onEnd(how: string): void;
}

export interface Worker {
  /** Asks it to end. */
  stop(): void;
  /** Ends it at once. */
  kill(): void;
}

/** The processes that a host can start. */
export interface Workforce {
  /** Processors that there are for this process. */
  readonly processors: number;
  start(task: Task, watcher: WorkerWatcher): Worker;
}
