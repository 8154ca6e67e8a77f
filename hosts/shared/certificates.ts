/*
 * Certificates and keys of the services, read from their files at the start and again while running: whoever listens is
 * told when they have changed, so that a renewed certificate needs no restart. A file that cannot be read or does not fit
 * leaves what was there in force.
 * Invariant: no key is ever logged.
 */

import type { Certificate, Config, Service } from "./config/settled.ts";
import type { Log } from "./log.ts";
import type { CertifiedKey, ClientTls, Host, Runtime, ServerTls } from "./runtime.ts";

const CHECK_MS = 60_000;

type Renewal = (tls: ServerTls) => void;

interface Loaded {
  server: ServerTls | undefined;
  core: ClientTls | undefined;
}

export class Certificates {
  readonly #config: Config;
  readonly #directory: string;
  readonly #host: Host;
  readonly #log: Log;
  readonly #loaded: Loaded[] = [];
  readonly #renewals: { service: number; renew: Renewal }[] = [];
  #timer: unknown;

  constructor(config: Config, directory: string, host: Host, log: Log) {
    this.#config = config;
    this.#directory = directory;
    this.#host = host;
    this.#log = log;
  }

  /** Reads them all. Throws what a person can read when one is missing. */
  async load(): Promise<void> {
    for (const service of this.#config.services) this.#loaded.push(await this.#read(service));
    if (this.#loaded.some(({ server }) => server)) this.#arm(this.#host.runtime);
  }

  /** What terminals of a service are shown; `renew` is called when it changes. */
  ofService(service: number, renew: Renewal): ServerTls | undefined {
    const server = this.#loaded[service]?.server;
    if (server) this.#renewals.push({ service, renew });
    return server;
  }

  /** For connections to a service's servers. */
  ofCore(service: number): ClientTls | undefined {
    return this.#loaded[service]?.core;
  }

  /** The service whose certificate is shown to servers that connect to this address of ours; -1 for none. */
  coreService(address: string): number {
    return this.#config.services.findIndex(
      ({ core, coreTls }) => coreTls?.certificate !== undefined && this.#config.realms[core]!.addresses.some(({ text }) => text === address),
    );
  }

  stop(): void {
    if (this.#timer !== undefined) this.#host.runtime.clearTimer(this.#timer);
  }

  #arm(runtime: Runtime): void {
    this.#timer = runtime.setTimer(CHECK_MS, () => {
      void this.#renew().finally(() => this.#arm(runtime));
    });
  }

  /** Reads them again, and passes on what is new. */
  async #renew(): Promise<void> {
    for (const [index, service] of this.#config.services.entries()) {
      const before = this.#loaded[index]!;
      const after = await this.#read(service).catch((error: Error) => this.#keep(error));
      if (!after?.server || JSON.stringify(after) === JSON.stringify(before)) continue;
      this.#loaded[index] = after;
      for (const renewal of this.#renewals) if (renewal.service === index) this.#pass(renewal.renew, after.server, service.name);
    }
  }

  #keep(error: Error): undefined {
    this.#log.warn({}, `the certificates stay as they are: ${error.message}`);
  }

  #pass(renew: Renewal, tls: ServerTls, service: string): void {
    try {
      renew(tls);
      this.#log.info({ service }, "new certificates are in use");
    } catch (error) {
      this.#log.warn({ service }, `the new certificates are not used: ${(error as Error).message}`);
    }
  }

  async #text(path: string, what: string): Promise<string> {
    const whole = path.startsWith("/") ? path : this.#directory + path;
    try {
      return new TextDecoder().decode(await this.#host.readFile(whole));
    } catch (error) {
      throw new Error(`the ${what} ${whole} cannot be read: ${(error as Error).message}`, { cause: error });
    }
  }

  async #certified({ certificate, key }: Certificate): Promise<CertifiedKey> {
    return { certificate: await this.#text(certificate, "certificate"), key: await this.#text(key, "key") };
  }

  async #read({ tls, coreTls }: Service): Promise<Loaded> {
    const names: Record<string, CertifiedKey> = {};
    for (const [name, files] of Object.entries(tls?.names ?? {})) names[name] = await this.#certified(files);
    const clients = tls?.clients === undefined ? undefined : await this.#text(tls.clients, "list of authorities");
    const server = tls && { ...(await this.#certified(tls)), names, clients };
    const authorities = coreTls?.authorities === undefined ? undefined : await this.#text(coreTls.authorities, "list of authorities");
    const { certificate, key, name } = coreTls ?? {};
    const certified = certificate !== undefined && key !== undefined ? await this.#certified({ certificate, key }) : undefined;
    return { server, core: coreTls && { authorities, name, certified } };
  }
}
