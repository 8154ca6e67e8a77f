/*
 * Runs a configuration: in this process, or in several workers of which each has a part (SPEC A1).
 */

import type { Config } from "../config.ts";
import { WORKERS_MOST } from "../config/schema.ts";
import { workersFit } from "../config/workers.ts";
import type { Log } from "../log.ts";
import { type ProxyRequest, proxyStart } from "../proxy.ts";
import type { Host } from "../runtime.ts";
import { secretKey, secretMake, secretText } from "../secret.ts";
import { configPart } from "./share.ts";
import { Supervisor } from "./supervisor.ts";
import type { Workforce } from "./workforce.ts";

/** As much memory as a shim looks at when it is opened only to be asked. */
const PROBE_BYTES = 8;

interface Running {
  stop(): Promise<void>;
}

/** Why there cannot be several here, or undefined. */
function obstacle(config: Config, host: Host): string | undefined {
  if (!host.workforce) return `on ${host.runtime.name} there is one`;
  if (config.interfaces.some(({ receive }) => receive === "xdp")) return "`receive: xdp` gives frames to one";
  if (config.io === "portable") return "they share ports by batched sockets, and `io:` is portable";
  const shim = host.runtime.shim(new ArrayBuffer(PROBE_BYTES));
  if (typeof shim === "string") return `they share ports by batched sockets: ${shim}`;
  shim.close();
  return undefined;
}

/** How many workers it is to be: with `auto` one for each processor, or what is possible. Throws when a number that is wanted is not. */
export function workersCount(config: Config, host: Host, log: Log): number {
  const { count } = config.workers;
  const wanted = count === "auto" ? Math.min(WORKERS_MOST, host.workforce?.processors ?? 1, ...config.pools.map(workersFit)) : count;
  const cause = wanted > 1 ? obstacle(config, host) : undefined;
  if (cause === undefined) return Math.max(1, wanted);
  if (count !== "auto") throw new Error(`workers: ${count} cannot be had: ${cause}; say \`workers: 1\` or auto`);
  log.warn({ processors: wanted }, `one worker: ${cause}`);
  return 1;
}

async function supervise({ config, directory, kind, host, log }: ProxyRequest, workforce: Workforce, count: number): Promise<Running> {
  const key = config.secret === undefined ? secretMake(false, host, log) : await secretKey(config.secret, directory, host);
  const keyed = { ...config, secret: secretText(key) };
  const tasks = Array.from({ length: count }, (_, index) => ({ config: configPart(keyed, { index, count, by: config.workers.by }), directory, kind }));
  const supervisor = new Supervisor(tasks, workforce, host.runtime, log);
  await supervisor.start();
  log.info({ workers: count, by: config.workers.by }, "up");
  return supervisor;
}

/** Throws what a person can read when that is impossible. */
export async function workersStart(request: ProxyRequest): Promise<Running> {
  const count = workersCount(request.config, request.host, request.log);
  return await (count > 1 ? supervise(request, request.host.workforce!, count) : proxyStart(request));
}
