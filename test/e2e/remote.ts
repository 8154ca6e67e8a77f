/*
 * A host of the lab that sends what it is told (remotehost.ts): the legitimate parties where a test speaks for them, and the
 * outsider, a third host on the access side, in a namespace of its own that is made and removed here.
 */

import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import type { Lab } from "./lab.ts";
import { Program, run } from "./process.ts";
import type { Datagram, Order } from "./remotehost.ts";

export const OUTSIDER = "198.51.100.66";
const OUTSIDER_NETNS = "vl-tx";

type Spray = Extract<Order, { spray: unknown }>["spray"];

export class Remote {
  /** Called with each datagram that comes. */
  heard: (datagram: Datagram) => void = () => undefined;
  private orders = 0;
  private readonly waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();

  private constructor(
    private readonly program: Program,
    private readonly control: Socket,
  ) {
    createInterface({ input: control }).on("line", (line) => this.take(JSON.parse(line) as Datagram | { done: number; error?: string }));
  }

  static async start(lab: Lab, netns: string, seconds: number): Promise<Remote> {
    const script = join(lab.folder, "remotehost.mjs");
    await build({ entryPoints: ["test/e2e/remotehost.ts"], bundle: true, platform: "node", format: "esm", outfile: script, logLevel: "warning" });
    const path = join(lab.folder, `${netns}.sock`);
    const program = new Program(process.execPath, [script, path], { seconds, netns });
    await program.until(/READY/, 10);
    const control = connect(path);
    await new Promise((resolve) => control.once("connect", resolve));
    return new Remote(program, control);
  }

  private take(line: Datagram | { done: number; error?: string }): void {
    if (!("done" in line)) return this.heard(line);
    const waiter = this.waiting.get(line.done);
    this.waiting.delete(line.done);
    if (line.error === undefined) waiter?.resolve();
    else waiter?.reject(new Error(line.error));
  }

  private order(what: { send: Datagram[] } | { spray: Spray }): Promise<void> {
    const id = this.orders++;
    this.control.write(`${JSON.stringify({ id, ...what })}\n`);
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  /** Sends, and is done when all have left. */
  send(...datagrams: Datagram[]): Promise<void> {
    return this.order({ send: datagrams });
  }

  spray(spray: Spray): Promise<void> {
    return this.order({ spray });
  }

  async stop(): Promise<void> {
    this.control.destroy();
    await this.program.stop();
  }
}

async function ip(...args: string[]): Promise<void> {
  const { code, output } = await run("ip", args, { seconds: 10 });
  if (code !== 0) throw new Error(`ip ${args.join(" ")}: ${output}`);
}

/** Puts the outsider into the network of the NATs; he may send from the addresses `forged` as from his own. */
export async function outsiderJoin(lab: Lab, seconds: number, forged: string[] = []): Promise<Remote> {
  await outsiderLeave();
  await ip("netns", "add", OUTSIDER_NETNS);
  await ip("link", "add", "eth0", "netns", OUTSIDER_NETNS, "type", "veth", "peer", "name", "pubx", "netns", "vl-px");
  await ip("-n", "vl-px", "link", "set", "pubx", "master", "pub", "up");
  await ip("-n", OUTSIDER_NETNS, "addr", "add", `${OUTSIDER}/24`, "dev", "eth0");
  await ip("-n", OUTSIDER_NETNS, "link", "set", "eth0", "up");
  await ip("-n", OUTSIDER_NETNS, "route", "add", "default", "via", "198.51.100.1");
  await ip("-n", OUTSIDER_NETNS, "link", "set", "lo", "up");
  for (const address of forged) {
    await ip("-n", OUTSIDER_NETNS, "route", "add", "local", address, "dev", "lo", "table", "local");
    // What would be sent to a private address shall be seen on the wire, and not end for want of a route.
    if (address.startsWith("10.")) await ip("-n", "vl-px", "route", "add", address, "via", OUTSIDER);
  }
  return Remote.start(lab, OUTSIDER_NETNS, seconds);
}

export async function outsiderLeave(): Promise<void> {
  await run("ip", ["netns", "del", OUTSIDER_NETNS], { seconds: 10 });
}
