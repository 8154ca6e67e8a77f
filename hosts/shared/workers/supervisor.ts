/*
 * Starts workers and keeps them going. One that ends is started again and does not concern the others: they share nothing. Only at the
 * start one that cannot be ends them all, since that is a mistake that a person should see.
 */

import type { Log } from "../log.ts";
import type { Runtime } from "../runtime.ts";
import type { Task, Worker, Workforce } from "./workforce.ts";

/** A worker that ends sooner than this after its start is started again after a pause, twice as long each time. */
const STEADY_MS = 10_000;
const PAUSE_LEAST_MS = 100;
const PAUSE_MOST_MS = 10_000;
/** State is saved by then. */
const STOP_MOST_MS = 10_000;

/** What a worker's place is at. */
interface Post {
  readonly index: number;
  readonly task: Task;
  worker: Worker | undefined;
  startedAt: number;
  pauseMs: number;
  timer: unknown;
}

export class Supervisor {
  readonly #posts: Post[];
  readonly #workforce: Workforce;
  readonly #runtime: Runtime;
  readonly #log: Log;
  /** Workers that are not up yet, at the start. */
  #waiting: number;
  #stopping = false;
  #settled = { up: (): void => undefined, failed: (_: Error): void => undefined, ended: (): void => undefined };

  constructor(tasks: Task[], workforce: Workforce, runtime: Runtime, log: Log) {
    this.#posts = tasks.map((task, index) => ({ index, task, worker: undefined, startedAt: 0, pauseMs: 0, timer: undefined }));
    this.#waiting = tasks.length;
    this.#workforce = workforce;
    this.#runtime = runtime;
    this.#log = log;
  }

  /** Done when all are up. Throws why one is not; then none is left. */
  async start(): Promise<void> {
    try {
      await new Promise<void>((up, failed) => {
        Object.assign(this.#settled, { up, failed });
        for (const post of this.#posts) this.#begin(post);
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  #begin(post: Post): void {
    post.timer = undefined;
    post.startedAt = this.#runtime.now();
    post.worker = this.#workforce.start(post.task, {
      onUp: () => {
        if (this.#waiting > 0 && --this.#waiting === 0) this.#settled.up();
      },
      onFailure: (message) => this.#fail(post, message),
      onEnd: (how) => this.#end(post, how),
    });
  }

  #fail(post: Post, message: string): void {
    if (this.#waiting > 0) this.#settled.failed(new Error(message));
    else this.#log.error({ worker: post.index }, `a worker cannot start: ${message}`);
  }

  #end(post: Post, how: string): void {
    post.worker = undefined;
    if (this.#stopping) {
      if (!this.#posts.some(({ worker }) => worker)) this.#settled.ended();
    } else if (this.#waiting > 0) {
      this.#settled.failed(new Error(`worker ${post.index} ended before it was up (${how})`));
    } else {
      this.#again(post, how);
    }
  }

  /** It is replaced, at once if it has gone well for a while. */
  #again(post: Post, how: string): void {
    const steady = this.#runtime.now() - post.startedAt >= STEADY_MS;
    const pauseMs = steady ? 0 : post.pauseMs;
    post.pauseMs = steady ? 0 : Math.min(PAUSE_MOST_MS, Math.max(PAUSE_LEAST_MS, pauseMs * 2));
    this.#log.error({ worker: post.index, how, pauseMs }, "a worker ended, and is started again; calls of the others go on");
    post.timer = this.#runtime.setTimer(pauseMs, () => this.#begin(post));
  }

  /** Ends all of them; done when none is left. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { timer } of this.#posts) if (timer !== undefined) this.#runtime.clearTimer(timer);
    const working = this.#posts.flatMap(({ worker }) => worker ?? []);
    if (working.length === 0) return;
    const bound = this.#runtime.setTimer(STOP_MOST_MS, () => {
      for (const { worker } of this.#posts) worker?.kill();
    });
    await new Promise<void>((ended) => {
      this.#settled.ended = ended;
      for (const worker of working) worker.stop();
    });
    this.#runtime.clearTimer(bound);
  }
}
