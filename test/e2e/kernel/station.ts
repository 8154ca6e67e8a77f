/*
 * A network namespace with sockets in it, as the cases use it: agent.ts runs there and is driven from here.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import type { Order, Place, Report } from "./agent.ts";

const AGENT = "dist/test/e2e/agent.js";
const OPEN_MS = 5000;
const STEP_MS = 2;

/** What arrived at a socket. */
export interface Arrival {
  from: Place;
  stream: number;
  data: string;
}

/** A socket there; what arrives at it waits in `arrived`. */
export class Port {
  readonly at: Place;
  readonly arrived: Arrival[] = [];
  state: "opening" | "open" | string = "opening";
  readonly #id: number;
  readonly #order: (order: Order) => void;

  constructor(id: number, at: Place, order: (order: Order) => void) {
    this.#id = id;
    this.at = at;
    this.#order = order;
  }

  /** `stream`: the connection of a listener that it goes out on. */
  send(to: Place, data: string, stream = 0): void {
    this.#order({ do: "send", id: stream === 0 ? this.#id : stream, to, data });
  }

  close(): void {
    this.#order({ do: "close", id: this.#id });
  }
}

export class Station {
  readonly #child: ChildProcess;
  readonly #ports = new Map<number, Port>();
  #last = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (report: Report) => this.#take(report));
  }

  /** What runs in a namespace, as one file. */
  static async built(): Promise<void> {
    await build({ entryPoints: ["test/e2e/kernel/agent.ts"], outfile: AGENT, bundle: true, platform: "node", format: "esm", logLevel: "warning" });
  }

  static start(netns: string): Station {
    // Over IPC it ends with this process, however that ends.
    return new Station(spawn("ip", ["netns", "exec", netns, process.execPath, resolve(AGENT)], { stdio: ["ignore", "inherit", "inherit", "ipc"] }));
  }

  stop(): Promise<void> {
    return new Promise((done) => {
      this.#child.once("exit", () => done());
      this.#child.disconnect();
    });
  }

  #take(report: Report): void {
    const port = this.#ports.get(report.id);
    if (port === undefined) return;
    if (report.is === "open") port.state = "open";
    else if (report.is === "failed") port.state = report.why;
    else port.arrived.push(report);
  }

  /** Opens a socket; one that cannot be opened has the reason as its state. */
  async open(how: "bind" | "listen" | "connect", at: Place, to: Place = at): Promise<Port> {
    const id = ++this.#last;
    const port = new Port(id, at, (order) => void this.#child.send(order));
    this.#ports.set(id, port);
    this.#child.send(how === "connect" ? { do: how, id, at, to } : { do: how, id, at });
    for (let waited = 0; port.state === "opening" && waited < OPEN_MS; waited += STEP_MS) await sleep(STEP_MS);
    return port;
  }
}
