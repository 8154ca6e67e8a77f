/*
 * What was on a wire: tcpdump writes it, tshark (an independent SIP and SDP decoder) reads it.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { Program, run } from "./process.ts";

const HANDED_ON_MS = 1100;

export class Capture {
  readonly path: string;
  readonly #tcpdump: Program;

  private constructor(path: string, tcpdump: Program) {
    this.path = path;
    this.#tcpdump = tcpdump;
  }

  /** Starts capturing, in a namespace or outside of them; returns once packets are seen. */
  static async start(netns: string | undefined, device: string, path: string, filter: string, seconds: number): Promise<Capture> {
    const tcpdump = new Program("tcpdump", ["-i", device, "-s", "0", "-U", "-B", "8192", "-w", path, filter], {
      seconds,
      ...(netns === undefined ? {} : { netns }),
    });
    await tcpdump.until(/listening on/, 10);
    return new Capture(path, tcpdump);
  }

  /** The kernel hands on what it has once a second, so that is waited for. */
  async stop(): Promise<void> {
    await sleep(HANDED_ON_MS);
    await this.#tcpdump.stop();
  }

  /** Number of packets that match a capture filter. */
  async count(filter = ""): Promise<number> {
    const { output } = await run("tcpdump", ["-n", "-q", "-r", this.path, ...(filter === "" ? [] : [filter])], { seconds: 60 });
    return output.split("\n").filter((line) => /^\d\d:/.test(line)).length;
  }

  /** Values of tshark fields, one row for each packet that the display filter lets through; a field may hold several. `options`: preferences, and what is at which port. */
  async fields(filter: string, names: string[], options: string[] = []): Promise<string[][]> {
    const wanted = names.flatMap((name) => ["-e", name]);
    const { code, output } = await run(
      "tshark",
      ["-n", ...options, "-r", this.path, "-Y", filter, "-T", "fields", "-E", "separator=|", "-E", "aggregator=,", ...wanted],
      {
        seconds: 120,
      },
    );
    if (code !== 0) throw new Error(`tshark: ${output.slice(-2000)}`);
    return output
      .split("\n")
      .filter((line) => line.includes("|") || names.length === 1)
      .map((line) => line.split("|"));
  }
}
