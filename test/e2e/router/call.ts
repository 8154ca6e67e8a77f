/*
 * The traffic of a topology: sipp calls by UDP and TCP over IPv4 and IPv6, each with an INVITE that UDP carries in fragments
 * and with media that the server sends back; a telephone (baresip) that registers with Kamailio and calls another one.
 */

import { join, resolve } from "node:path";
import { baresip } from "../baresip.ts";
import { Capture } from "../capture.ts";
import type { Program } from "../process.ts";
import { type Heard, heardBy } from "../recording.ts";
import { sipp, sippRun } from "../sipp.ts";
import { netnsOf, PHONE, REGISTRAR, SERVER, TERMINAL } from "./network.ts";

export type Family = 4 | 6;
export type Terminal = "t1" | "t2";

interface Kind {
  family: Family;
  transport: "u1" | "t1";
  /** Of the caller's signaling; media is above, and sipp takes four ports for it. */
  port: number;
}

const KINDS: Kind[] = [
  { family: 4, transport: "u1", port: 5062 },
  { family: 4, transport: "t1", port: 5072 },
  { family: 6, transport: "u1", port: 5082 },
  { family: 6, transport: "t1", port: 5092 },
];
const MEDIA = 20_000;
/** Makes an INVITE of more than 3000 bytes. */
const PADDING = "x".repeat(2600);
const SCENARIO = resolve("test/e2e/router/caller.xml");
const HEARD_SECONDS = 6;

/** Servers that answer and send media back, for as long as the tests take. */
export function serversStart(folder: string, seconds: number): Program[] {
  return KINDS.map(({ family, transport, port }) =>
    sipp({
      scenario: "uas",
      local: SERVER[family],
      port: 5060,
      mediaPort: MEDIA + port,
      transport,
      seconds,
      folder,
      netns: netnsOf("sv"),
      extra: ["-rtp_echo", "-aa", "-mi", SERVER[family]],
    }),
  );
}

export interface Called {
  name: string;
  code: number;
  /** Media packets that came back to the caller. */
  media: number;
  output: string;
}

async function call(terminal: Terminal, to: string, kind: Kind, folder: string, seconds: number): Promise<Called> {
  const { family, transport, port } = kind;
  const own = TERMINAL[terminal][family];
  const remote = `${family === 6 ? `[${to}]` : to}:5060`;
  const name = `${terminal}-${family}-${transport}`;
  const mediaPort = MEDIA + port;
  const capture = await Capture.start(netnsOf(terminal), "eth0", join(folder, `${name}.pcap`), `udp and dst host ${own} and dst port ${mediaPort}`, 30);
  const ended = await sippRun({
    scenario: SCENARIO,
    remote,
    user: "anybody",
    local: own,
    port,
    mediaPort,
    transport,
    calls: 1,
    seconds,
    folder,
    netns: netnsOf(terminal),
    extra: ["-mi", own, "-key", "pad", PADDING, "-timeout_error"],
  });
  await capture.stop();
  return { name, ...ended, media: await capture.count() };
}

/** A call of each kind at once, to the service addresses. */
export function calls(
  terminal: Terminal,
  to: Record<Family, string>,
  folder: string,
  { families = [4, 6], transports = ["u1", "t1"], seconds = 8 } = {},
): Promise<Called[]> {
  const kinds = KINDS.filter(({ family, transport }) => families.includes(family) && transports.includes(transport));
  return Promise.all(kinds.map((kind) => call(terminal, to[kind.family], kind, folder, seconds)));
}

/** What the terminal's telephone and the one beside the registrar heard of each other. */
export async function telephones(terminal: Terminal, registrar: string, folder: string): Promise<{ heard: Heard[]; output: string }> {
  const own = TERMINAL[terminal][4];
  const called = join(folder, `called-${terminal}`);
  const caller = join(folder, `caller-${terminal}`);
  const shared = { registerEvery: 60 };
  const answering = baresip({
    ...shared,
    folder: called,
    user: `b${terminal}`,
    server: REGISTRAR,
    listen: `${PHONE}:${terminal === "t1" ? 5070 : 5080}`,
    device: PHONE,
    toneHz: 880,
    seconds: HEARD_SECONDS + 1,
    netns: netnsOf("sv"),
  });
  await answering.until(/registered successfully|200 OK/, 5);
  const calling = baresip({
    ...shared,
    folder: caller,
    user: `a${terminal}`,
    server: registrar,
    listen: `${own}:5070`,
    device: own,
    toneHz: 440,
    seconds: HEARD_SECONDS,
    dial: `sip:b${terminal}@${registrar}`,
    netns: netnsOf(terminal),
  });
  const ended = await Promise.all([answering.ended, calling.ended]);
  return { heard: [heardBy(caller, 880), heardBy(called, 440)], output: ended.map(({ output }) => output.slice(-2000)).join("\n") };
}
