/*
 * What the router of the network runs: Linux with its SIP helper, Linux without, or Culvert.
 */

import { join } from "node:path";
import { type Configuration, Culvert, interceptionApply, NODE } from "../culvert.ts";
import { ROUTER, serverAddress } from "./network.ts";
import { must, run } from "../process.ts";

export type Router = "bare" | "kernel" | "culvert";

const NAT = "test/e2e/kernel/nat.nft";
const ALG = "test/e2e/kernel/alg.nft";

/** Both families, in the way of what goes to the server. */
function configuration(folder: string): Configuration {
  return {
    realms: {
      access: { interface: "in", media: "10.1.0.1", keepalive: "off" },
      core: { address: "203.0.113.1", media: "203.0.113.1" },
      access6: { kind: "access", interface: "in", media: "fd00:1::1", keepalive: "off" },
      core6: { kind: "core", address: "2001:db8:2::1", media: "2001:db8:2::1" },
    },
    services: {
      voice: { address: serverAddress("ipv4"), servers: [serverAddress("ipv4")], access: "access", core: "core" },
      voice6: { address: serverAddress("ipv6"), servers: [serverAddress("ipv6")], access: "access6", core: "core6" },
    },
    control: join(folder, "culvert.sock"),
  };
}

async function culvertStart(folder: string, seconds: number): Promise<() => Promise<void>> {
  await interceptionApply(folder, configuration(folder), ROUTER);
  const culvert = await Culvert.start(folder, configuration(folder), NODE, seconds, ROUTER);
  return () => culvert.stop();
}

/** Packets forwarded in connections that the helper expected. */
async function expectedPackets(): Promise<number> {
  const { output } = await run("nft", ["list", "chain", "inet", "alg", "forward"], { seconds: 10, netns: ROUTER });
  return Number(/"sip" counter packets (\d+)/.exec(output)?.[1] ?? 0);
}

async function kernelStart(): Promise<() => Promise<void>> {
  await must(run("nft", ["-f", ALG], { seconds: 10, netns: ROUTER }));
  return async () => {
    if ((await expectedPackets()) === 0) throw new Error("the helper expected no media: it was not at work");
  };
}

/** Starts it; what is returned ends it, and fails when it was not what it was taken for. */
export async function routerStart(router: Router, folder: string, seconds: number): Promise<() => Promise<void>> {
  if (router === "culvert") return culvertStart(folder, seconds);
  await must(run("nft", ["-f", NAT], { seconds: 10, netns: ROUTER }));
  return router === "kernel" ? kernelStart() : async () => undefined;
}
