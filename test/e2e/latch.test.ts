/*
 * Latching over real sockets (CONFORMANCE 72 to 75): a terminal behind a NAT, somebody beside the server, and a third host that
 * sends from its own address and forges others, to the ports of calls at every moment of theirs, under each policy. What came
 * of it is read from the wires, and must be what the table of core/relay/README.md says, as it is in the simulator.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { admissionRead, POLICIES } from "../sim/admission.ts";
import type { Policy } from "../sim/scene.ts";
import { Capture } from "./capture.ts";
import { Culvert, nodeHost } from "./culvert.ts";
import { Lab, PROXY_ACCESS, PROXY_CORE, SERVER } from "./lab.ts";
import { OUTSIDER, outsiderJoin, outsiderLeave, Remote } from "./remote.ts";
import { file, lab, program, scenario } from "./requirement.ts";
import { farPort, HOME, NAT, reportHex, rtpHex, SERVER_PORT, Speakers, SpokenCall, terminalPort } from "./spoken.ts";

/** By the names that the table has: the source that he writes in an attack on a call. */
const ATTACKERS: [string, (call: number) => [string, number]][] = [
  ["a stranger, from his own address", () => [OUTSIDER, 6666]],
  ["forges the address of another house", () => ["198.51.100.12", 4000]],
  ["forges a private address and port, behind NAT those in SDP", (call) => [HOME, terminalPort(call)]],
  ["forges that address, another port", () => [HOME, 6666]],
  ["forges the address that signaling comes from, or shares it", () => [NAT, 6666]],
  ["on the path, forges all that he sees", (call) => [NAT, terminalPort(call)]],
];
const MOMENTS = ["first, many", "locked", "refreshed", "resumed", "ended"];
/** In a row between two packets of the terminal: fewer than a rival needs, so that nothing depends on the machine's pace. */
const FEW = 3;
const MANY = 6;
const RECOVERY = 20;
/** Longer than a holder may be silent. */
const HOLD_MS = 400;
const needs = [...lab(), ...["kamailio", "tshark"].map(program), file(nodeHost)];

interface Attack {
  attacker: string;
  moment: string;
  call: SpokenCall;
  source: [string, number];
}

/** Everything that a port pair may be sent, with what is seen of the victim's own stream copied. */
async function strike({ call, source: [address, port] }: Attack, outsider: Remote, packets: number): Promise<void> {
  const to = `${PROXY_ACCESS}:${call.port}`;
  const rtcp = { from: `${address}:${port + 1}`, to: `${PROXY_ACCESS}:${call.port + 1}` };
  const rtp = { from: `${address}:${port}`, to };
  for (let i = 0; i < packets; i++) await outsider.send({ ...rtp, hex: rtpHex(call.sequence + i, 1, "attack") }, { ...rtcp, hex: reportHex(1, "attack") });
  for (const hex of [rtpHex(9, 0x66, "attack"), reportHex(0x66, "attack"), `0001000021${"12".repeat(15)}`, `16fe${"00".repeat(30)}`, "ff".repeat(40), "80", ""])
    await outsider.send({ ...rtp, hex }, { ...rtcp, hex });
}

/** Brings a call to the moment; the media that goes on meanwhile belongs to it. */
async function bring({ call, moment }: Attack): Promise<void> {
  await call.invite();
  if (moment === "first, many") return;
  if (moment === "ended") return call.end();
  await call.talk(10);
  if (moment === "refreshed") await call.invite();
  if (moment !== "resumed") return;
  await call.invite("inactive");
  await sleep(HOLD_MS);
  await call.invite();
}

function isOnPath({ attacker }: Attack): boolean {
  return attacker.startsWith("on the path");
}

async function play(attack: Attack, outsider: Remote): Promise<void> {
  const { call, moment } = attack;
  await bring(attack);
  const flows = moment === "locked" || moment === "refreshed";
  for (let round = 0; round < (flows ? 3 : 1); round++) {
    if (flows) await call.talk(1);
    await strike(attack, outsider, flows ? FEW : MANY);
    // Where he forges all, what is sent there before the terminal sends makes its NAT take another port.
    if (!isOnPath(attack)) await call.farTalk();
  }
  if (moment === "ended") return;
  for (let i = 0; i < RECOVERY; i++) {
    await sleep(20);
    await call.talk(1);
  }
  await call.farTalk();
  await call.talk(1, "last");
}

type Row = { source: string; destination: string; text: string };

async function rows(capture: Capture): Promise<Row[]> {
  const fields = await capture.fields("udp", ["ip.src", "udp.srcport", "ip.dst", "udp.dstport", "udp.payload"]);
  return fields.map(([source, sourcePort, destination, port, hex]) => ({
    source: `${source}:${sourcePort}`,
    destination: `${destination}:${port}`,
    text: Buffer.from((hex ?? "").replaceAll(":", ""), "hex").toString("latin1"),
  }));
}

/** What an attack achieved, in the letters of the table, by what was on the wires. */
function cellOf(attack: Attack, heard: boolean, core: Row[], access: Row[]): string {
  const { call, moment, source } = attack;
  const places = (address: string, port: number): string[] => [`${address}:${port}`, `${address}:${port + 1}`];
  const arrived = core.filter(({ destination, source: from }) => from.startsWith(PROXY_CORE) && places(SERVER, farPort(call.id)).includes(destination));
  const passes = arrived.some(({ text }) => !/(ter|last)\|\d+$/.test(text));
  const diverted = access.some(
    ({ source: from, destination, text }) => from.startsWith(PROXY_ACCESS) && text.endsWith(`far|${call.id}`) && places(...source).includes(destination),
  );
  const silenced = heard && moment !== "ended" && !arrived.some(({ text }) => text.endsWith(`last|${call.id}`));
  return `${passes ? "P" : ""}${diverted && !isOnPath(attack) ? "D" : ""}${silenced ? "S" : ""}` || "·";
}

/** Every attack under one policy. Gives the cells by attacker and moment. */
async function attacksRun(made: Lab, policy: Policy, speakers: Speakers, outsider: Remote): Promise<Map<string, Map<string, string>>> {
  const culvert = await Culvert.inLab(made, 60, ({ realms, services }) => {
    realms.access!.latch = policy;
    services.voice!.servers = [`${SERVER}:${SERVER_PORT}`];
  });
  const captures = await Promise.all([
    Capture.start("vl-sv", "eth0", join(made.folder, `${policy}-core.pcap`), "udp", 60),
    Capture.start("vl-px", "pub", join(made.folder, `${policy}-access.pcap`), "udp", 60),
  ]);
  const attacks = ATTACKERS.flatMap(([attacker, place], i) =>
    MOMENTS.map((moment, j): Attack => {
      const id = i * MOMENTS.length + j;
      return { attacker, moment, call: new SpokenCall(speakers, id), source: place(id) };
    }),
  );
  await Promise.all(attacks.map((attack) => play(attack, outsider)));
  // The recorder gets what was seen a second later.
  await sleep(1500);
  await Promise.all(captures.map((capture) => capture.stop()));
  await culvert.stop();
  const [core, access] = (await Promise.all(captures.map(rows))) as [Row[], Row[]];
  const cells = new Map<string, Map<string, string>>(ATTACKERS.map(([attacker]) => [attacker, new Map()]));
  for (const attack of attacks) cells.get(attack.attacker)!.set(attack.moment, cellOf(attack, policy !== "strict", core, access));
  return cells;
}

describe("a third host against the media of calls", () => {
  scenario("what each policy admits is what the table says", needs, 120, async () => {
    const made = await Lab.up({ nat: "cone" });
    try {
      const outsider = await outsiderJoin(made, 100, [NAT, "198.51.100.12", HOME]);
      const speakers = new Speakers(await Remote.start(made, "vl-ta", 100), await Remote.start(made, "vl-sv", 100));
      await speakers.listen();
      const table = readFileSync("core/relay/README.md", "utf8");
      for (const policy of POLICIES) {
        const cells = await attacksRun(made, policy, speakers, outsider);
        const told = admissionRead(table, policy, "auto");
        const expected = ATTACKERS.map(([attacker]) => [attacker, new Map(MOMENTS.map((moment) => [moment, told.get(attacker)?.get(moment)]))] as const);
        expect(cells, `latch: ${policy}`).toEqual(new Map(expected));
      }
    } finally {
      await outsiderLeave();
      await made.down();
    }
  });
});
