/*
 * Scenario 6: media and addresses only where they belong. While two user agents behind NAT call each other,
 * an independent decoder looks at both wires: no private address in anything that routes towards the core
 * side, none of the other home's towards a terminal, and no packet addressed to one.
 *
 * Identity (From, To, Call-ID, the o= line) is left alone by design and not looked at.
 */

import { join } from "node:path";
import { describe, expect } from "vitest";
import { Capture } from "./capture.ts";
import { Culvert, nodeHost } from "./culvert.ts";
import { PRIVATE, exposures } from "./exposure.ts";
import { Lab, SERVER } from "./lab.ts";
import { file, lab, program, scenario } from "./requirement.ts";

const needs = [...lab(), ...["baresip", "kamailio", "python3", "tshark"].map(program)];
const HOME_A = "10.11.0.10";
const HOME_B = "10.12.0.10";

interface Wires {
  code: number;
  output: string;
  /** What the servers' side and the terminals' side of vl-px carried. */
  core: Capture;
  access: Capture;
}

async function look(withCulvert: boolean, judge: (wires: Wires) => Promise<void>): Promise<void> {
  const made = await Lab.up({ nat: "cone" });
  try {
    const culvert = withCulvert ? await Culvert.inLab(made, 60) : undefined;
    const core = await Capture.start("vl-sv", "eth0", join(made.folder, "core.pcap"), "ip", 90);
    const access = await Capture.start("vl-px", "pub", join(made.folder, "access.pcap"), "ip", 90);
    const { code, output } = await made.script("baresip/pair.sh", ["vl-ta", "vl-tb", SERVER, "14"], 40);
    await Promise.all([core.stop(), access.stop()]);
    await judge({ code, output: output + (culvert?.tail ?? ""), core, access });
    await culvert?.stop();
  } finally {
    await made.down();
  }
}

const quoted = (address: string): RegExp => new RegExp(`(?:^|[^\\d.])${address.replaceAll(".", "\\.")}(?!\\d)`);

describe("no address leaves its side", () => {
  scenario("control: without Culvert private addresses reach the server", needs, 90, async () => {
    await look(false, async ({ core }) => {
      expect((await exposures(core, "sip", PRIVATE)).length).toBeGreaterThan(3);
      expect(await core.count("dst net 10.0.0.0/8")).toBeGreaterThan(0);
    });
  });

  scenario("with Culvert none does", [...needs, file(nodeHost)], 120, async () => {
    await look(true, async ({ code, output, core, access }) => {
      expect(code, output).toBe(0);
      expect(await exposures(core, "sip", PRIVATE), output).toEqual([]);
      expect(await core.count("dst net 10.0.0.0/8")).toBe(0);
      expect(await access.count("dst net 10.0.0.0/8")).toBe(0);
      expect(await exposures(access, "sip && ip.dst == 198.51.100.12", quoted(HOME_A)), output).toEqual([]);
      expect(await exposures(access, "sip && ip.dst == 198.51.100.11", quoted(HOME_B)), output).toEqual([]);
    });
  });

  scenario("media goes between Culvert and the terminals only", [...needs, file(nodeHost)], 120, async () => {
    await look(true, async ({ code, output, core, access }) => {
      expect(code, output).toBe(0);
      // Both users are ours: their media turns round in Culvert and never reaches the server.
      expect(await core.count("udp and not port 5060")).toBe(0);
      const direct = "udp and ((src host 198.51.100.11 and dst host 198.51.100.12) or (src host 198.51.100.12 and dst host 198.51.100.11))";
      expect(await access.count(direct)).toBe(0);
    });
  });
});
