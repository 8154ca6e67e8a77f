/*
 * Packet rings of hosts/linux between two interfaces in a network namespace of its own, where that is allowed.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { release } from "node:os";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SHIM } from "../../shim.ts";

const NETNS = `culvert-ring-${process.pid}`;
const MAC = "02000000000b";
/** Has the kernel programs where frames come in (TCX)? */
const [MAJOR, MINOR] = release().split(".").map(Number) as [number, number];
const WITHHOLDS = MAJOR > 6 || (MAJOR === 6 && MINOR >= 6);

function ip(...words: string[]): void {
  execFileSync("ip", words, { stdio: "pipe" });
}

/** Why there can be none here, or "". */
function refusal(): string {
  if (!existsSync(SHIM)) return `${SHIM} was not built`;
  if (process.getuid?.() !== 0) return "network namespaces want root";
  try {
    ip("netns", "add", NETNS);
    return "";
  } catch (error) {
    return `no network namespace can be made (${(error as Error).message.split("\n")[0]})`;
  }
}

const refused = refusal();

/** What a probe saw, run in the namespace. */
async function seenBy(probe: string): Promise<Record<string, unknown>> {
  const outfile = `dist/test/unit/${probe}.js`;
  const alias = { "#abi": "./dist/abi.js" };
  await build({ entryPoints: [`test/unit/hosts/${probe}.ts`], bundle: true, outfile, format: "esm", platform: "node", packages: "external", alias });
  return JSON.parse(execFileSync("ip", ["netns", "exec", NETNS, process.execPath, outfile], { encoding: "utf8" })) as Record<string, unknown>;
}

/** Why nothing can be diverted here, or "". */
function undivertable(): string {
  const old = MAJOR < 5 || (MAJOR === 5 && MINOR < 18);
  if (old) return `Linux 5.18 diverts frames, and this is ${release()}`;
  return spawnSync("ethtool", ["--version"]).error ? "ethtool is not installed" : "";
}

const undiverted = undivertable();

describe.skipIf(refused !== "")(`packet rings${refused === "" ? "" : ` [skipped: ${refused}]`}`, () => {
  let seen: Record<string, unknown>;

  beforeAll(async () => {
    ip("-n", NETNS, "link", "add", "name", "near", "mtu", "9000", "type", "veth", "peer", "name", "far", "address", "02:00:00:00:00:0b", "mtu", "9000");
    for (const name of ["near", "far"]) ip("-n", NETNS, "link", "set", name, "addrgenmode", "none");
    for (const name of ["lo", "near", "far"]) ip("-n", NETNS, "link", "set", name, "up");
    ip("-n", NETNS, "addr", "add", "10.99.0.2/24", "dev", "far");
    ip("-n", NETNS, "neigh", "add", "10.99.0.1", "lladdr", "02:00:00:00:00:0a", "nud", "permanent", "dev", "far");
    seen = await seenBy("ringprobe");
  });

  afterAll(() => ip("netns", "del", NETNS));

  test("are opened by the interface's name, say what the machine knows of it, and each has AF_XDP that can", () => {
    // The second ring of one interface finds its queue taken, and sends by a packet socket.
    expect(seen.opened).toEqual({ a: 0, b: 0, device: { mac: MAC, mtu: 9000, bits: 3 }, none: "ENODEV", lo: "EOPNOTSUPP", again: 1, taken: 1, xdp: 2 });
  });

  test("frames come as they were sent, tags aside; our own are not heard, and one that is too long is refused", () => {
    expect(seen.passing).toEqual({ failed: 0, n: 2, same: true, tags: [0, 0x8100a064 | 0], own: 0, unknown: 1 - 90 });
  });

  test("a burst is read to its end, in order", () => {
    expect(seen.burst).toEqual({ counts: [64, 64, 64, 8], inOrder: true });
  });

  test("a frame longer than a slot comes alone, whether the ring has room for it or not", () => {
    const results = [
      [1, 60],
      [256, 1910],
      [1, 60],
      [256, 9014],
      [0, 60],
    ];
    expect(seen.long).toEqual({ results, same: true });
  });

  test("a checksum that the stack left to the network card is told of", () => {
    expect(seen.partial).toEqual({ flags: 1, text: "hello" });
  });

  test("a frame beyond the MTU that is yet to be cut goes on with what was said of it; one that the core made is refused", () => {
    expect(seen.segments).toEqual({ failed: 0, got: 256, kept: true, flags: 0, same: true, made: 1 });
  });

  test("what a ring hears, batched sockets do not, nor does the stack what is for a port of ours", () => {
    // An older kernel has its stack look for a socket.
    expect(seen.deaf).toEqual({ bound: 0, ring: 2, socket: 0, stack: WITHHOLDS ? 1 : 2 });
  });

  test("what finds no room is told of with the next frame, and the ring goes on", () => {
    expect(seen.flood).toEqual({ got: 4096, after: 1 | 512, lost: 6000 - 4096, asked: 0 });
  });

  test("an interface that was down is heard again, and what could not leave meanwhile does not come late", () => {
    expect(seen.watching).toEqual({ heard: [1, 3, 6, 7], last: 3000, down: 1, away: 2 });
  });

  test("of several workers each hears what may be its own: of ports, by the hash of a terminal, and what takes a core to tell", async () => {
    ip("-n", NETNS, "-6", "addr", "add", "2001:db8::2/64", "dev", "far", "nodad");
    const both = ["media of 1 in two", "media of 1 behind a label", "a fragment", "the last one", "IP options", "an IPv6 extension", "ICMP"];
    const heard = (await seenBy("divideprobe")) as Record<"address" | "port", Record<string, number[]>>;
    const whose = (by: "address" | "port", workers: string): string[] =>
      Object.entries(heard[by]).flatMap(([name, who]) => (who.join() === workers && !both.includes(name) ? [name] : []));
    const terminals = (name: string, prefix: string, last: (number | string)[]): string[] => last.map((one) => `${name} ${prefix}${one}`);
    for (const by of ["address", "port"] as const) for (const name of both) expect([by, name, heard[by][name]]).toEqual([by, name, [0, 1]]);
    const four = "198.51.100.";
    const six = "2001:db8:2::";
    // What is for nobody the first hears, and who might be asked to take it by a rule.
    expect(whose("address", "0")).toEqual([
      ...["media of 0", "TCP", "ESP", "ARP", "no packet"],
      ...terminals("SIP", four, [8, 12, 15]),
      ...terminals("SIP", six, [10, 13, 16, 17]),
      ...terminals("elsewhere", four, [8, 12, 15]),
    ]);
    const ports = ["media of 1", "media of 1, by IPv6"];
    expect(whose("address", "1")).toEqual([...ports, "an idle port of 1", "media of 1 in a VLAN", ...terminals("SIP", four, [9, 10, 11, 13, 14])]);
    expect(whose("address", "0,1")).toEqual([...terminals("SIP", six, [11, 12, 14, 15]), ...terminals("elsewhere", four, [9, 10, 11, 13, 14])]);
    expect(whose("port", "1")).toEqual([...ports, "media of 1 in a VLAN", ...terminals("SIP", four, [9, 13, 14, 15])]);
    // The first knows that it is another's, and who that is does not know the port.
    expect(whose("port", "")).toEqual(["an idle port of 1"]);
  });

  describe.skipIf(undiverted !== "")(`with receive: xdp${undiverted === "" ? "" : ` [skipped: ${undiverted}]`}`, () => {
    let diverted: Record<string, unknown>;

    beforeAll(async () => {
      diverted = await seenBy("xdpprobe");
    });

    test("it is refused where tags would be hidden, and where somebody has it", () => {
      expect(diverted.opened).toEqual({ hidden: "EPROTO", far: 0, bits: 3, near: 0, taken: "EBUSY", tap: 0 });
      expect(diverted.bound).toEqual([0, "EADDRNOTAVAIL", "EADDRNOTAVAIL"]);
    });

    test("UDP for ports of ours is seen by nobody else; fragments, tags and what is for others come as ever", () => {
      const ofStack = [1, 4, 5];
      expect(diverted.ways).toEqual({ failed: 0, seen: [0, 1, 2, 3, 4, 5], tapped: [1, 3, 4, 5], stack: ofStack.length, socket: 0 });
    });

    test("a checksum that the stack left to the network card is told of, also at an address that no interface has", () => {
      expect(diverted.partial).toEqual({ bound: "EADDRNOTAVAIL", flags: 1, text: "hello" });
    });

    test("what finds no room is told of, and the ring goes on", () => {
      expect(diverted.flood).toEqual({ got: 2048, lost: 6000 - 2048, after: 1 });
    });

    test("the host is called for either way, and a port that is closed is the stack's again", () => {
      expect(diverted.watching).toEqual({ open: [7000, 7002], closed: [7000], stack: 1 });
    });
  });
});
