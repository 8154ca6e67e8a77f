/*
 * A machine of the network with `culvert router` and Culvert on it. Set-up is root's; Culvert runs as nobody, without a
 * single capability. After it, the machine must be what it was before.
 */

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { stringify } from "yaml";
import { type Configuration, Culvert, nodeHost } from "../culvert.ts";
import { must } from "../process.ts";
import { GATEWAY, type Netns, netnsOf, PROXY, REGISTRAR, SERVER, stateOf, within } from "./network.ts";

export type ProxyName = "p1" | "p2";

/** What terminals send to. */
export interface Services {
  registrar: string;
  4: string;
  6: string;
}

/** The servers' own addresses. */
export const TAKEN_OVER: Services = { registrar: REGISTRAR, ...SERVER };
/** Addresses that nobody has. */
export const INVENTED: Services = { registrar: "203.0.113.5", 4: "203.0.113.6", 6: "fd00:99::6" };

/** Culvert as a user without any rights; transparent sockets take some. */
const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"];

export function configurationOf(proxy: ProxyName, interfaces: string[], services: Services, interception: Record<string, unknown>): Configuration {
  const own = PROXY[proxy];
  const access = (family: 4 | 6) => ({ kind: "access", interface: interfaces, media: own[family] });
  const core = (family: 4 | 6) => ({ kind: "core", interface: "net", address: own[family] });
  const service = (address: string, server: string, family: "" | "6") => ({ address, servers: [server], access: `access${family}`, core: `core${family}` });
  return {
    realms: { access: access(4), core: core(4), access6: access(6), core6: core(6) },
    services: {
      registrar: service(services.registrar, REGISTRAR, ""),
      plain: service(services[4], SERVER[4], ""),
      plain6: service(services[6], SERVER[6], "6"),
    },
    interception,
  };
}

/** The router sends what comes from t2 to p2, or to p1. */
export function parallelTo(proxy: ProxyName, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { mode: "parallel", router: { terminals: ["to-t2"], proxy: `to-${proxy}` }, ...more };
}

/** Ways back by configuration instead of the main table. */
export const RETURNS = {
  returns: [
    { via: GATEWAY.p2[4], interface: "net", to: "10.5.0.0/24" },
    { via: GATEWAY.p2[6], to: "fd00:5::/64" },
  ],
};

export class Box {
  readonly name: ProxyName;
  readonly folder: string;
  readonly #configuration: Configuration;
  readonly #before = new Map<Netns, string>();
  #culvert: Culvert | undefined;

  constructor(name: ProxyName, root: string, configuration: Configuration) {
    this.name = name;
    this.folder = join(root, name);
    this.#configuration = configuration;
    mkdirSync(this.folder, { recursive: true });
    chmodSync(this.folder, 0o755);
    writeFileSync(join(this.folder, "culvert.yaml"), stringify(configuration));
  }

  get tail(): string {
    return this.#culvert?.tail ?? "";
  }

  #command(args: string[]): string[] {
    return [process.execPath, nodeHost, "router", ...args, "-c", join(this.folder, "culvert.yaml"), "--record", join(this.folder, "router.json")];
  }

  /** `culvert router` here. */
  router(...args: string[]): Promise<string> {
    const [file, ...rest] = this.#command(args);
    return must(within(this.name, file!, ...rest));
  }

  /** Prints a script and runs it where it is for. */
  async script(target: string, where: Netns, action: "apply" | "remove"): Promise<string> {
    const path = join(this.folder, `${target}.sh`);
    await must(within(this.name, "sh", "-c", '"$@" >"$0"', path, ...this.#command(["--print", target])));
    return must(within(where, "env", `CULVERT_STATE=${join(this.folder, `${target}.kept`)}`, "sh", path, action));
  }

  get #needsRouter(): boolean {
    return (this.#configuration["interception"] as { router?: unknown }).router !== undefined;
  }

  async up(): Promise<void> {
    for (const name of [this.name, "rt"] as const) this.#before.set(name, await stateOf(name));
    await this.router("--apply");
    if (this.#needsRouter) await this.script("linux-router", "rt", "apply");
    await this.start();
  }

  async start(): Promise<void> {
    const { kind } = this.#configuration["interception"] as { kind?: string };
    const user = kind === "tproxy" ? [] : NOBODY;
    this.#culvert = await Culvert.start(this.folder, this.#configuration, [...user, process.execPath, nodeHost], 100, netnsOf(this.name));
  }

  async kill(): Promise<void> {
    this.#culvert?.program.signal("SIGKILL");
    await this.#culvert?.program.ended;
  }

  async down(): Promise<void> {
    await this.kill();
    if (this.#needsRouter) await this.script("linux-router", "rt", "remove");
    await this.router("--remove");
    for (const [name, before] of this.#before) expect(await stateOf(name)).toBe(before);
  }
}
