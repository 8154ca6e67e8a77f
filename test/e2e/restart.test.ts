/*
 * Killed (SIGKILL) in the middle of calls with media, and started again with the state that was saved (SPEC T4): media is back in
 * both directions of every call within 2 s, their BYEs reach the far side, and in the end everything is given back.
 */

import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { Capture } from "./capture.ts";
import { type Configuration, Culvert, denoCommand, denoNeeds, NODE, nodeHost } from "./culvert.ts";
import { Lab, PROXY_ACCESS, SERVER } from "./lab.ts";
import { file, lab, labPath, program, type Requirement, scenario } from "./requirement.ts";
import { type SippOptions, sipp, sippFigures, sippRun } from "./sipp.ts";

const RATE = 8;
const CALLS = 80;
/** The first call has been up for so long when the proxy is killed, and calls go on being placed. */
const KILLED_AFTER_MS = 7000;
const BACK_WITHIN_S = 2;
/** What is up by then is established: INVITE, 180, 200 after 100 ms, ACK. */
const SETUP_S = 0.5;
/** In place of 32 s, which a call's ports and then its binding would be waited for. */
const LINGER = "4s";
/** One that was answered unseen is over 32 s after its BYE; then it lingers, and so does its binding; and room to spare. */
const GIVEN_BACK_S = 60;
/** What the lab plays lasts 3 s. */
const PLAYS = 5;
const PLAYED_MS = 15_000;
const SOUND = "/usr/share/sip-tester/g711a.pcap";
const RECORD_HEADER = 16;
const needs = [...lab(), ...["sipp", "kamailio", "tshark"].map(program), file(SOUND), file(nodeHost)];
const scripts = join(labPath, "sipp");

/** The sound several times in a row, as a capture. */
function soundMake(path: string): void {
  const once = readFileSync(SOUND);
  const micros = (at: number): number => once.readUInt32LE(at) * 1e6 + once.readUInt32LE(at + 4);
  const records: [number, Buffer][] = [];
  for (let at = 24; at < once.length; at += RECORD_HEADER + once.readUInt32LE(at + 8))
    records.push([micros(at), once.subarray(at, at + RECORD_HEADER + once.readUInt32LE(at + 8))]);
  const shifted = Array.from({ length: PLAYS }, (_, i) => i).flatMap((i) =>
    records.map(([time, record]) => {
      const copy = Buffer.from(record);
      const at = time - records[0]![0] + i * (PLAYED_MS / PLAYS) * 1000;
      copy.writeUInt32LE(Math.floor(at / 1e6), 0);
      copy.writeUInt32LE(at % 1e6, 4);
      return copy;
    }),
  );
  writeFileSync(path, Buffer.concat([once.subarray(0, 24), ...shifted]));
}

/** The lab's scenario with the longer sound. */
function longer(folder: string, name: string): string {
  const sound = join(folder, "sound.pcap");
  if (!existsSync(sound)) soundMake(sound);
  const path = join(folder, `long_${name}`);
  const text = readFileSync(join(scripts, name), "utf8");
  writeFileSync(path, text.replaceAll(SOUND, sound).replace('milliseconds="3000"', `milliseconds="${PLAYED_MS}"`));
  return path;
}

/** When a terminal was sent media, by the port of ours that it came from, in seconds since 1970. */
async function heardOf(capture: Capture): Promise<Map<string, number[]>> {
  const heard = new Map<string, number[]>();
  for (const [time, port] of await capture.fields(`udp && ip.src == ${PROXY_ACCESS}`, ["frame.time_epoch", "udp.srcport"]))
    heard.set(port!, [...(heard.get(port!) ?? []), Number(time)]);
  return heard;
}

/** Seconds from `killed` until each stream that was up then is heard again; infinite for one that is not. */
function silences(heard: Map<string, number[]>, killed: number): number[] {
  const up = [...heard.values()].filter((times) => times.some((time) => time < killed - SETUP_S));
  return up.map((times) => (times.find((time) => time > killed + 0.05) ?? Number.POSITIVE_INFINITY) - killed);
}

/** A way in and out, of a host. */
interface Way {
  name: string;
  io: string;
  interfaces?: Record<string, object>;
  host: string[];
  needs?: Requirement[];
  /** Is it waited for that everything is given back? The core does that, in the same way for all. */
  patient?: boolean;
}

const WAYS: Way[] = [
  { name: "portable sockets", io: "portable", host: NODE, patient: true },
  { name: "batched sockets", io: "batched", host: NODE },
  { name: "packet rings", io: "batched", interfaces: { pub: {}, srv: {} }, host: NODE },
  {
    name: "sockets of Deno",
    io: "portable",
    host: denoCommand("--allow-write"),
    needs: denoNeeds,
  },
];

function start({ io, interfaces, host }: Way, lab: Lab): Promise<Culvert> {
  const change = (configuration: Configuration): void => {
    configuration.io = io;
    if (interfaces) configuration["interfaces"] = interfaces;
    configuration.capacity = { terminals: 1000, calls: 6000 };
    for (const realm of Object.values(configuration.realms)) Object.assign(realm, { linger: LINGER });
    configuration.state = { file: join(lab.folder, "state") };
  };
  return Culvert.inLab(lab, 150, change, host);
}

async function restart(way: Way): Promise<void> {
  const made = await Lab.up({ nat: "cone" });
  try {
    const first = await start(way, made);
    const callee = { remote: `${SERVER}:5060`, port: 5060, netns: "vl-tb", folder: made.folder };
    const registered = await sippRun({ ...callee, scenario: join(scripts, "register.xml"), user: "b", calls: 1, seconds: 10 });
    expect(registered.code, registered.output.slice(-1000)).toBe(0);
    const idle = first.descriptors;
    const captures = await Promise.all(
      ["vl-ta", "vl-tb"].map((netns) => Capture.start(netns, "eth0", join(made.folder, `${netns}.pcap`), `udp and src host ${PROXY_ACCESS}`, 60)),
    );
    const uas = sipp({ ...callee, scenario: longer(made.folder, "uas.xml"), mediaPort: 6000, seconds: 100, extra: ["-aa"] });
    const caller: SippOptions = {
      ...callee,
      netns: "vl-ta",
      scenario: longer(made.folder, "uac_rtp.xml"),
      user: "b",
      mediaPort: 6000,
      calls: CALLS,
      rate: RATE,
      seconds: 60,
    };
    const calling = sippRun(caller);
    while (first.events("call-answered") < 2 && first.program.isRunning) await sleep(20);
    await sleep(KILLED_AFTER_MS);
    const killed = Date.now() / 1000;
    first.program.signal("SIGKILL");
    await first.program.ended;
    const second = await start(way, made);
    const up = Date.now() / 1000;
    expect(second.program.output).toMatch(/goes on with the state that was saved/);
    expect(statSync(join(made.folder, "state")).mode & 0o777).toBe(0o600);
    const { output } = await calling;
    await sleep(1000);
    await Promise.all([uas, ...captures].map((one) => one.stop()));
    const figures = sippFigures(caller);
    const quiet = (await Promise.all(captures.map(heardOf))).map((heard) => silences(heard, killed));
    const resumed = /[^\n]*goes on with the state[^\n]*/.exec(second.program.output)?.[0];
    console.log(
      `${way.name}: up ${(up - killed).toFixed(2)} s after it was killed, heard again after ${Math.max(...quiet.flat()).toFixed(2)} s at most\n${resumed}`,
    );
    const report = `${JSON.stringify({ figures, quiet })}\n${output.slice(-1500)}${second.tail}`;
    const established = Math.floor((RATE * KILLED_AFTER_MS) / 1000 / 2);
    for (const ofSide of quiet) {
      expect(ofSide.length, report).toBeGreaterThan(established);
      expect(Math.max(...ofSide), report).toBeLessThan(BACK_WITHIN_S);
    }
    expect(figures.failed, report).toBeLessThanOrEqual(Math.ceil(RATE * (SETUP_S + up - killed)));
    expect(figures.successful, report).toBe(CALLS - figures.failed);
    console.log(`${quiet[0]!.length} calls went on, ${JSON.stringify(figures)}`);
    for (let waited = 0; way.patient && waited < GIVEN_BACK_S && second.descriptors > idle; waited++) await sleep(1000);
    if (way.patient) expect(second.descriptors, `descriptors, idle ${idle}${second.tail}`).toBeLessThanOrEqual(idle);
    await second.stop();
    expect(second.program.output.includes('"framed":'), "by frames").toBe(way.interfaces !== undefined);
    console.log(/[^\n]*state saved[^\n]*/.exec(second.program.output)?.[0]);
  } finally {
    await made.down();
  }
}

describe("killed under load and started again", () => {
  for (const way of WAYS) scenario(`${way.name}: calls that are up go on`, [...needs, ...(way.needs ?? [])], 200, () => restart(way));
});
