/*
 * What parallel mode asks of the router in the network (SPEC I3, I4): what is for a service goes to Culvert, and what Culvert
 * sends from a service address goes on to the terminals. Each vendor's printer says it in its own language.
 *
 * A later fragment of a datagram has no ports, and all fragments of a datagram must go the same way: those of UDP to a service
 * address all go to Culvert, which forwards what it does not take.
 */

import type { Address, Prefix } from "../address.ts";
import type { Config } from "../config.ts";
import { servicesCaught } from "./plan.ts";
import { streamPorts } from "./ruleset.ts";
import { FAMILIES, type Family } from "./step.ts";

export type Transport = "udp" | "tcp";

/** Packets of one service and transport. */
export interface Flow {
  address: Address;
  transport: Transport;
  port: number;
}

/** One IP version's part. */
export interface FamilyPolicy {
  family: Family;
  flows: Flow[];
  /** Service addresses, for fragments. */
  addresses: Address[];
  /** Networks of the terminals; empty: any. */
  terminals: Prefix[];
  /** Our address. */
  nextHop: Address;
  /** Where what we send from a service address goes; undefined: by destination. */
  returnHop: Address | undefined;
}

export interface Policy {
  families: FamilyPolicy[];
  /** The router's interfaces. */
  terminalPorts: string[];
  proxyPort: string;
  fallback: "forward" | "drop";
}

/** Thrown with what a person can do about it. */
export class PolicyError extends Error {
  override name = "PolicyError";
}

function flowsOf(config: Config, family: Family): Flow[] {
  const flows = servicesCaught(config)
    .filter(({ address }) => address.family === family)
    .flatMap((service) => [
      { address: service.address, transport: "udp" as const, port: service.port },
      ...streamPorts(service).map((port) => ({ address: service.address, transport: "tcp" as const, port })),
    ]);
  return flows.filter((flow, i) => flows.findIndex((other) => sameFlow(flow, other)) === i);
}

function sameFlow(a: Flow, b: Flow): boolean {
  return a.address.text === b.address.text && a.transport === b.transport && a.port === b.port;
}

export function policyMake(config: Config): Policy {
  const { mode, fallback, router } = config.interception;
  if (mode === "serial") {
    throw new PolicyError("nothing is asked of a router in serial mode, where packets pass through this machine; set `interception: { mode: parallel }`");
  }
  const families = FAMILIES.flatMap((family): FamilyPolicy[] => {
    const flows = flowsOf(config, family);
    const nextHop = router.nextHops.find((address) => address.family === family);
    if (flows.length === 0 || !nextHop) return [];
    const addresses = flows.map(({ address }) => address);
    return [
      {
        family,
        flows,
        addresses: addresses.filter(({ text }, i) => addresses.findIndex((other) => other.text === text) === i),
        terminals: config.realms.flatMap(({ terminals }) => terminals).filter(({ address }) => address.family === family),
        nextHop,
        returnHop: router.returns.find((address) => address.family === family),
      },
    ];
  });
  return { families, terminalPorts: router.terminals, proxyPort: router.proxy, fallback };
}

function fromEach<T>(things: T[], { terminals }: FamilyPolicy): { thing: T; terminal: Prefix | undefined }[] {
  const networks = terminals.length > 0 ? terminals : [undefined];
  return things.flatMap((thing) => networks.map((terminal) => ({ thing, terminal })));
}

/** Every combination of a flow and a network of terminals; undefined stands for any. */
export function flowsFrom(part: FamilyPolicy): { flow: Flow; terminal: Prefix | undefined }[] {
  return fromEach(part.flows, part).map(({ thing, terminal }) => ({ flow: thing, terminal }));
}

/** Every combination of a service address, whose UDP may come in fragments, and a network of terminals. */
export function fragmentsFrom(part: FamilyPolicy): { text: string; terminal: Prefix | undefined }[] {
  return fromEach(part.addresses, part).map(({ thing, terminal }) => ({ text: thing.text, terminal }));
}

/** Lines of a configuration as one text. */
export function linesText(lines: string[]): string {
  return `${lines.join("\n")}\n`;
}
