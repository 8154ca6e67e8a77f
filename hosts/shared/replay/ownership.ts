/*
 * Which addresses are ours, E's or a server's, and so which realm a recorded packet came in from.
 */

import type { Address } from "../address.ts";
import type { Config, Service } from "../config.ts";
import { addressesOf } from "../config/realm.ts";

/** A UDP endpoint on the wire. */
export interface Endpoint {
  address: Address;
  port: number;
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address.text === b.address.text;
}

export class Ownership {
  readonly #config: Config;

  constructor(config: Config) {
    this.#config = config;
  }

  /** The service whose E:e this is. */
  service(endpoint: Endpoint): Service | undefined {
    return this.#config.services.find((service) => sameEndpoint(service, endpoint));
  }

  /** Is this the address of a server, or of a service, which a server is recorded as where there was no Culvert? */
  isServing(address: Address): boolean {
    return this.#config.services.some((service) => [service, ...service.servers].some((each) => each.address.text === address.text));
  }

  /** Realm of the pool that this address and port of ours belong to, -1 for none. */
  poolRealm(endpoint: Endpoint): number {
    const { address, port } = endpoint;
    return this.#config.pools.find((pool) => pool.address.text === address.text && pool.ports.first <= port && port <= pool.ports.last)?.realm ?? -1;
  }

  /** Realm that has this address as one of ours, -1 for none. */
  ourRealm(endpoint: Endpoint): number {
    const pool = this.poolRealm(endpoint);
    if (pool >= 0) return pool;
    return this.#config.realms.findIndex((realm) => addressesOf([realm]).some((address) => address.text === endpoint.address.text));
  }

  /** Realm that a packet came in from: said by what it was sent to, then by who sent it; else from a terminal. */
  ingressRealm(source: Endpoint, destination: Endpoint): number {
    const service = this.service(destination);
    if (service) return service.access;
    const ours = this.ourRealm(destination);
    if (ours >= 0) return ours;
    const server = this.#config.services.find((each) => each.servers.some((one) => one.address.text === source.address.text));
    if (server) return server.core;
    return Math.max(
      0,
      this.#config.realms.findIndex((realm) => realm.kind === "access"),
    );
  }
}
