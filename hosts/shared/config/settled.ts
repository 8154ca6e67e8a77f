/*
 * A configuration with every default settled and every name resolved to an index: what configure.ts writes
 * into the core's memory and what the hosts run. Invariant: index in `realms`, `services`, `rules` is the
 * index that the core uses.
 */

import type { Address, Prefix } from "../address.ts";
import type { PortRange } from "./range.ts";

export interface Realm {
  name: string;
  kind: "access" | "core";
  /** Names of devices; empty: any. */
  interfaces: string[];
  /** Networks of the terminals, of an access realm. */
  terminals: Prefix[];
  addresses: Address[];
  media: Address;
  nat: "auto" | "never" | "always";
  keepaliveMs: number;
  inactivityMs: number;
  lingerMs: number;
  latch: "strict" | "source" | "any";
  latchWindowMs: number;
  link: Link;
}

/** An interface whose frames are read whole (packet mode). */
export interface Interface {
  name: string;
  /** Six bytes; where it is not said, the machine says it. */
  mac: Uint8Array | undefined;
  /** Index of the interface where frames go on that are not ours. */
  peer: number | undefined;
  mtu: number;
  vpn: number | undefined;
  receive: "packet" | "xdp";
}

/** A field of headers for signaling and for media; undefined keeps it. */
export interface Marks {
  signal: number | undefined;
  media: number | undefined;
}

/** What frames of a realm look like; undefined is any. */
export interface Link {
  /** Indices into `interfaces`; empty: any. */
  interfaces: number[];
  vlan: number | undefined;
  vlanOuter: number | undefined;
  mpls: number | undefined;
  mplsOuter: number | undefined;
  vpn: number | undefined;
  nextHop: Uint8Array | undefined;
  dscp: Marks;
  pcp: Marks;
  trafficClass: Marks;
}

export interface Pool {
  realm: number;
  kind: "signal" | "media";
  address: Address;
  ports: PortRange;
  /** The range of which several workers have a part each; absent where there is one. */
  whole?: PortRange;
}

/** How many processes share the work, and by what of a terminal. */
export interface Workers {
  count: number | "auto";
  by: "address" | "port";
  /** Which one of several this is, in the configuration of a worker. */
  index?: number;
}

export interface Server {
  address: Address;
  port: number;
}

/** Paths of PEM files, as written. */
export interface Certificate {
  certificate: string;
  key: string;
}

export interface ServiceTls extends Certificate {
  names: Record<string, Certificate>;
  clients: string | undefined;
}

export interface CoreTls {
  authorities: string | undefined;
  name: string | undefined;
  certificate: string | undefined;
  key: string | undefined;
}

export type StreamTransport = "tcp" | "tls" | "ws" | "wss";

export interface Service {
  name: string;
  access: number;
  core: number;
  address: Address;
  port: number;
  /** Ports of E for connections, 0 for none; that of TCP is `port`. */
  streams: Record<StreamTransport, number>;
  tls: ServiceTls | undefined;
  coreTransport: "same" | "udp" | "tcp" | "tls";
  coreTls: CoreTls | undefined;
  servers: Server[];
  dropUndecodable: boolean;
  hideOrigin: boolean;
  hide: boolean;
  /** "" for none. */
  domain: string;
  /** What terminals call themselves by, in lower case; ".example.com" for all below it. */
  names: string[];
  openCore: boolean;
  registeredOnly: boolean;
  whenFull: "answer" | "drop" | "pass";
  countHops: boolean;
  ice: "strip" | "relay" | "pass";
  /** 0 leaves the expiry as granted. */
  terminalExpiresSeconds: number;
}

/** undefined matches anything. */
export interface Rule {
  realm: number | undefined;
  vpn: number | undefined;
  vlan: number | undefined;
  vlanOuter: number | undefined;
  mpls: number | undefined;
  mplsOuter: number | undefined;
  protocol: number | undefined;
  from: Prefix | undefined;
  fromPort: PortRange;
  to: Prefix | undefined;
  toPort: PortRange;
  action: "proxy" | "forward" | "discard";
  /** Index of the service, for `proxy`. */
  service: number;
}

/** The way back of what is sent from a service address. */
export interface Return {
  via: Address;
  interface: string | undefined;
  to: Prefix | undefined;
}

/** The router of parallel mode; what is not known of it is a word in capitals. */
export interface Gateway {
  terminals: string[];
  proxy: string;
  nextHops: Address[];
  returns: Address[];
}

/** How packets for the service addresses get here. */
export interface Interception {
  mode: "serial" | "parallel" | "both";
  kind: "shadow" | "tproxy" | "local";
  device: string;
  fallback: "forward" | "drop";
  returns: Return[];
  preference: number;
  table: number;
  mark: number;
  router: Gateway;
}

/** How many records of each kind the core has room for. */
export interface Capacity {
  terminals: number;
  bindings: number;
  registrations: number;
  calls: number;
  flows: number;
  connections: number;
  blocks: number;
  /** Datagrams of which fragments have come; 0 without packet mode. */
  datagrams: number;
  ports: number;
  rules: number;
}

export interface Config {
  interfaces: Interface[];
  realms: Realm[];
  pools: Pool[];
  services: Service[];
  rules: Rule[];
  otherwise: "forward" | "discard";
  interception: Interception;
  capacity: Capacity;
  /** 32 hex digits or the path of a file; never logged. */
  secret: string | undefined;
  /** Where state is saved, as written, and how often. */
  state: { file: string; everyMs: number } | undefined;
  log: { level: "trace" | "debug" | "info" | "warn" | "error"; format: "auto" | "json" | "pretty" };
  control: string | undefined;
  workers: Workers;
  /** How packets come in and out. */
  io: "auto" | "portable" | "batched";
  /** How long packets may wait for others where very many come, 0 for not at all. */
  paceMs: number;
}
