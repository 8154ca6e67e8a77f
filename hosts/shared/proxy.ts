/*
 * A running proxy out of a configuration: key, core, memory, sockets, in this order.
 */

import type { Config } from "./config.ts";
import { Certificates } from "./certificates.ts";
import { configure } from "./configure.ts";
import { type Core, type CoreKind, coreOpen, type CoreSource, keyWrite } from "./core.ts";
import { introduce } from "./introduction.ts";
import type { Log } from "./log.ts";
import { pathFrom } from "./path.ts";
import { Pump } from "./pump.ts";
import { othersTell, ringsOpen } from "./ring.ts";
import type { Host, Shim } from "./runtime.ts";
import { secretKey, secretMake } from "./secret.ts";
import { type Saved, stateExists, statePut, stateRead } from "./state/reader.ts";
import { StateSaver } from "./state/saver.ts";
import { Statistics } from "./statistics.ts";
import { shareOf } from "./workers/share.ts";

export interface Proxy {
  readonly core: Core;
  readonly pump: Pump;
  /** Stops intake, closes all sockets, logs the totals; done when state is saved. */
  stop(): Promise<void>;
}

export interface ProxyRequest {
  config: Config;
  /** Directory of the configuration file, "" or ending in "/": relative paths in it start there. */
  directory: string;
  kind: CoreKind;
  host: Host;
  log: Log;
}

async function sourceOf(kind: CoreKind, host: Host, soon: boolean): Promise<CoreSource> {
  return kind === "js" ? { kind } : { kind, binary: await host.coreBinary(soon) };
}

/** Batched sockets, where the machine has them and the configuration does not say otherwise. */
function shimOpen(config: Config, core: Core, { runtime }: Host, log: Log): Shim | undefined {
  const shim = config.io === "portable" ? "the configuration wants it so" : runtime.shim(core.memory.bytes.buffer as ArrayBuffer, shareOf(config));
  if (typeof shim !== "string") {
    log.info({ io: "batched" }, "packets come and go in batches");
    shim.pace(config.paceMs);
    return shim;
  }
  if (config.interfaces.length > 0) throw new Error(`\`interfaces:\` (packet mode) cannot be had: ${shim}`);
  if (config.io === "batched") throw new Error(`io: batched cannot be had: ${shim}`);
  if (config.interception.kind === "tproxy") throw new Error(`interception kind tproxy takes batched sockets, which cannot be had: ${shim}`);
  log.info({ io: "portable" }, `each port has a socket of ${runtime.name}: ${shim}`);
  for (const { name, link } of config.realms)
    if ((link.dscp.signal ?? link.dscp.media) !== undefined)
      log.warn({ realm: name }, `realm ${name}: \`dscp:\` has no effect, since sockets of ${runtime.name} neither set nor show it; batched sockets do`);
  return undefined;
}

/** Packet mode, where the configuration has interfaces. Returns it with what the machine says of them. */
function framesOpen(config: Config, shim: Shim | undefined, log: Log): Config {
  if (!shim || config.interfaces.length === 0) return config;
  try {
    othersTell(shim, config.pools);
    return { ...config, interfaces: ringsOpen(shim, config.interfaces, log) };
  } catch (error) {
    shim.close();
    throw error;
  }
}

/** Puts what was saved into the core's memory, or, where there is nothing, the key alone. */
async function memoryFill(core: Core, config: Config, path: string | undefined, { directory, host, log }: ProxyRequest): Promise<Saved | undefined> {
  const secret = config.secret === undefined ? undefined : await secretKey(config.secret, directory, host);
  const saved = path === undefined ? undefined : await stateRead(path, core, config, secret, host, log);
  if (saved) statePut(core, saved);
  else keyWrite(core, secret ?? secretMake(path !== undefined, host, log));
  return saved;
}

/** Opens, configures and starts. Throws what a person can read when that is impossible. */
export async function proxyStart(request: ProxyRequest): Promise<Proxy> {
  const { directory, kind, host, log } = request;
  const began = host.runtime.now();
  const path = request.config.state && pathFrom(directory, request.config.state.file);
  const core = await coreOpen(await sourceOf(kind, host, path !== undefined && (await stateExists(path, host))), request.config.capacity);
  const certificates = new Certificates(request.config, directory, host, log);
  await certificates.load();
  const shim = shimOpen(request.config, core, host, log);
  const config = framesOpen(request.config, shim, log);
  const saved = await memoryFill(core, config, path, request);
  configure(core, config, config.interfaces.length > 0);
  const pump = new Pump(core, host.runtime, config, certificates, log, shim, saved?.clock);
  pump.start();
  const tookMs = Math.round(host.runtime.now() - began);
  if (saved && pump.restored) log.info({ sockets: pump.sockets, ageMs: Math.round(saved.ageMs), tookMs }, "goes on with the state that was saved");
  const saver = path === undefined ? undefined : await StateSaver.start({ core, config, host, log, path, everyMs: config.state!.everyMs, clock: pump.clock });
  const statistics = new Statistics(pump, core.memory, host.runtime, log);
  statistics.start();
  introduce(config, core, log);
  const stop = async (): Promise<void> => {
    pump.stop();
    certificates.stop();
    statistics.stop();
    await saver?.stop();
  };
  return { core, pump, stop };
}
