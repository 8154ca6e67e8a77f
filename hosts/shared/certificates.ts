/*
 * Certificates and keys of the services, read from their files at the start and again while running, so that a renewed
 * certificate needs no restart. A file that cannot be read or does not fit leaves what was there in force.
 * Invariant: what is given out is the same object until it changes, and fits. No key is ever logged.
 */

import type { Certificate, Config, Service } from "./config/settled.ts";
import type { Log } from "./log.ts";
import { pathFrom } from "./path.ts";
import type { CertifiedKey, ClientTls, Host, ServerTls } from "./runtime.ts";

const CHECK_MS = 60_000;

/** What a service shows to terminals, to servers that connect to it, and to servers that it connects to. */
interface Loaded {
  terminals: ServerTls | undefined;
  servers: ServerTls | undefined;
  dialled: ClientTls | undefined;
}

/** What was there before, if nothing has changed. */
function unchanged<T>(before: T, after: T): T {
  return JSON.stringify(before) === JSON.stringify(after) ? before : after;
}

export class Certificates {
  readonly #config: Config;
  readonly #directory: string;
  readonly #host: Host;
  readonly #log: Log;
  readonly #loaded: Loaded[] = [];
  #timer: unknown;
  #stopped = false;
  /** Called when something that may be shown has changed. */
  onRenewal: () => void = () => undefined;

  constructor(config: Config, directory: string, host: Host, log: Log) {
    this.#config = config;
    this.#directory = directory;
    this.#host = host;
    this.#log = log;
  }

  /** Reads them all. Throws what a person can read when one is missing or does not fit. */
  async load(): Promise<void> {
    for (const service of this.#config.services) this.#loaded.push(await this.#read(service));
    if (this.#config.services.some(({ tls, coreTls }) => tls ?? coreTls)) this.#arm();
  }

  /** What terminals of a service are shown. */
  ofTerminals(service: number): ServerTls | undefined {
    return this.#loaded[service]?.terminals;
  }

  /** What servers that connect to this address of ours are shown: of the first service there that has a certificate for them. */
  ofServers(address: string): ServerTls | undefined {
    const { realms, services } = this.#config;
    const has = (index: number): boolean => realms[services[index]!.core]!.addresses.some(({ text }) => text === address);
    return this.#loaded.find(({ servers }, index) => servers && has(index))?.servers;
  }

  /** For connections to a service's servers. */
  ofDialled(service: number): ClientTls | undefined {
    return this.#loaded[service]?.dialled;
  }

  stop(): void {
    this.#stopped = true;
    this.#host.runtime.clearTimer(this.#timer);
  }

  #arm(): void {
    if (!this.#stopped) this.#timer = this.#host.runtime.setTimer(CHECK_MS, () => void this.#renew().finally(() => this.#arm()));
  }

  /** Reads them again, and says so when something is new. */
  async #renew(): Promise<void> {
    for (const [index, service] of this.#config.services.entries()) {
      const before = this.#loaded[index]!;
      const after = unchanged(before, await this.#read(service, before).catch((error: Error) => this.#keep(error, before)));
      if (after === before || this.#stopped) continue;
      this.#loaded[index] = after;
      this.#log.info({ service: service.name }, "new certificates are in use");
      this.onRenewal();
    }
  }

  #keep(error: Error, before: Loaded): Loaded {
    this.#log.warn({}, `the certificates stay as they are: ${error.message}`);
    return before;
  }

  async #text(path: string, what: string): Promise<string> {
    const whole = pathFrom(this.#directory, path);
    try {
      return new TextDecoder().decode(await this.#host.readFile(whole));
    } catch (error) {
      throw new Error(`the ${what} ${whole} cannot be read: ${(error as Error).message}`, { cause: error });
    }
  }

  async #certificates(path: string, what: string, key?: string): Promise<string> {
    const text = await this.#text(path, what);
    try {
      this.#host.runtime.certificateCheck(text, key);
    } catch (error) {
      throw new Error(`the ${what} ${path} cannot be used: ${(error as Error).message}`, { cause: error });
    }
    return text;
  }

  async #certified(files: Certificate): Promise<CertifiedKey> {
    const key = await this.#text(files.key, "key");
    return { certificate: await this.#certificates(files.certificate, "certificate", key), key };
  }

  async #authorities(path: string | undefined): Promise<string | undefined> {
    return path === undefined ? undefined : this.#certificates(path, "list of authorities");
  }

  async #ofTerminals({ tls }: Service): Promise<ServerTls | undefined> {
    if (!tls) return undefined;
    const names: Record<string, CertifiedKey> = {};
    for (const [name, files] of Object.entries(tls.names)) names[name] = await this.#certified(files);
    return { ...(await this.#certified(tls)), names, clients: await this.#authorities(tls.clients) };
  }

  async #ofDialled({ coreTls }: Service): Promise<ClientTls | undefined> {
    if (!coreTls) return undefined;
    const { certificate, key, name } = coreTls;
    const certified = certificate !== undefined && key !== undefined ? await this.#certified({ certificate, key }) : undefined;
    return { authorities: await this.#authorities(coreTls.authorities), name, certified };
  }

  async #read(service: Service, before?: Loaded): Promise<Loaded> {
    const dialled = await this.#ofDialled(service);
    const servers = dialled?.certified && { ...dialled.certified, names: {}, clients: undefined };
    return { terminals: unchanged(before?.terminals, await this.#ofTerminals(service)), servers: unchanged(before?.servers, servers), dialled };
  }
}
