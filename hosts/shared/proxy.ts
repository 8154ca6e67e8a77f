/*
 * A running proxy out of a configuration: key, core, memory, sockets, in this order.
 */

import { endpointText } from "./address.ts";
import type { Config, Realm, Rule, Service } from "./config.ts";
import { Certificates } from "./certificates.ts";
import { durationText } from "./config/duration.ts";
import { rangeText } from "./config/range.ts";
import { configure } from "./configure.ts";
import { type Core, type CoreKind, coreOpen, type CoreSource, keyWrite } from "./core.ts";
import type { Log } from "./log.ts";
import { Pump } from "./pump.ts";
import { ringsOpen } from "./ring.ts";
import type { Host, Shim } from "./runtime.ts";
import { secretKey, secretMake } from "./secret.ts";
import { stateExists, statePut, stateRead } from "./state/reader.ts";
import { StateSaver } from "./state/saver.ts";
import { Statistics } from "./statistics.ts";

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

function poolText(config: Config, realm: number): string {
  const pools = config.pools.filter((pool) => pool.realm === realm);
  return pools.map((pool) => `${pool.kind} ${endpointText(pool.address.text, 0).replace(/0$/, rangeText(pool.ports))}`).join(", ");
}

function realmText(config: Config, realm: Realm, index: number): string {
  const keepalive = realm.kind === "access" ? `, NAT ${realm.nat}, keep-alive ${durationText(realm.keepaliveMs)}` : "";
  return `realm ${realm.name} (${realm.kind}): ${poolText(config, index)}${keepalive}`;
}

function serviceText(config: Config, service: Service): string {
  const servers = service.servers.map(({ address, port }) => endpointText(address.text, port)).join(", ");
  const names = `${config.realms[service.access]!.name} to ${config.realms[service.core]!.name}`;
  const streams = Object.entries(service.streams).filter(([, port]) => port > 0);
  const transports = ["udp", ...streams.map(([transport, port]) => `${transport} ${port}`)].join(", ");
  return `service ${service.name}: ${endpointText(service.address.text, service.port)} (${transports}) is proxied to ${servers} (${names})`;
}

/** What a rule asks for that plain sockets do not show. */
function labelsOf(rule: Rule): string[] {
  return (["vpn", "vlan", "mpls"] as const).filter((label) => rule[label] !== undefined);
}

function introduce(config: Config, core: Core, log: Log): void {
  config.realms.forEach((realm, index) => log.info({}, realmText(config, realm, index)));
  for (const service of config.services) log.info({}, serviceText(config, service));
  config.rules.forEach((rule, i) => {
    const labels = labelsOf(rule);
    if (labels.length > 0 && config.interfaces.length === 0)
      log.warn({ rule: i + 1 }, `rule ${i + 1} matches on ${labels.join(" and ")}, which plain sockets do not show: it cannot match here`);
  });
  log.info({ core: core.kind, memoryBytes: core.memory.bytes.length }, "up");
}

async function sourceOf(kind: CoreKind, host: Host, soon: boolean): Promise<CoreSource> {
  return kind === "js" ? { kind } : { kind, binary: await host.coreBinary(soon) };
}

/** Batched sockets, where the machine has them and the configuration does not say otherwise. */
function shimOpen(config: Config, core: Core, { runtime }: Host, log: Log): Shim | undefined {
  const shim = config.io === "portable" ? "the configuration wants it so" : runtime.shim(core.memory.bytes.buffer as ArrayBuffer);
  if (typeof shim !== "string") {
    log.info({ io: "batched" }, "packets come and go in batches");
    return shim;
  }
  if (config.interfaces.length > 0) throw new Error(`\`interfaces:\` (packet mode) cannot be had: ${shim}`);
  if (config.io === "batched") throw new Error(`io: batched cannot be had: ${shim}`);
  log.info({ io: "portable" }, `each port has a socket of ${runtime.name}: ${shim}`);
  return undefined;
}

/** Packet mode, where the configuration has interfaces. Returns it with what the machine says of them. */
function framesOpen(config: Config, shim: Shim | undefined, log: Log): Config {
  if (!shim || config.interfaces.length === 0) return config;
  try {
    return { ...config, interfaces: ringsOpen(shim, config.interfaces, log) };
  } catch (error) {
    shim.close();
    throw error;
  }
}

/** A path of the configuration; a relative one starts where the file is. */
function pathOf(path: string, directory: string): string {
  return path.startsWith("/") ? path : `${directory}${path}`;
}

/** Opens, configures and starts. Throws what a person can read when that is impossible. */
export async function proxyStart(request: ProxyRequest): Promise<Proxy> {
  const { directory, kind, host, log } = request;
  const began = host.runtime.now();
  const secret = request.config.secret === undefined ? undefined : await secretKey(request.config.secret, directory, host);
  const path = request.config.state && pathOf(request.config.state.file, directory);
  const core = await coreOpen(await sourceOf(kind, host, path !== undefined && (await stateExists(path, host))), request.config.capacity);
  const certificates = new Certificates(request.config, directory, host, log);
  await certificates.load();
  const shim = shimOpen(request.config, core, host, log);
  const config = framesOpen(request.config, shim, log);
  const saved = path === undefined ? undefined : await stateRead(path, core, config, secret, host, log);
  if (saved) statePut(core, saved);
  else keyWrite(core, secret ?? secretMake(config.state !== undefined, host, log));
  configure(core, config, config.interfaces.length > 0);
  const pump = new Pump(core, host.runtime, config, certificates, log, shim, saved?.clock);
  pump.start();
  const tookMs = Math.round(host.runtime.now() - began);
  if (saved && pump.restored) log.info({ sockets: pump.sockets, ageMs: Math.round(saved.ageMs), tookMs }, "goes on with the state that was saved");
  const setting = config.state && {
    core,
    config,
    host,
    log,
    path: pathOf(config.state.file, directory),
    everyMs: config.state.everyMs,
    clock: () => pump.clock(),
  };
  const saver = setting && (await StateSaver.start(setting));
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
