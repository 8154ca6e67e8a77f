/*
 * Scenario 15: while two user agents behind NATs call each other, a third host sends media to every port of the relay, SIP that is
 * cut and damaged, and REGISTERs for the one who is called. Both go on hearing each other, nothing of his media is sent on,
 * and nothing grows. Then Culvert is killed in the middle of a call, and comes back.
 * That calls which are up go on then is shown by restart.test.ts.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { capturesOf, corpusMissing, corpusPath, messagesOf } from "../corpus/corpus.ts";
import { damage } from "../fuzz/damage.ts";
import { Random } from "../unit/core/random.ts";
import { Capture } from "./capture.ts";
import { type Configuration, Culvert, nodeHost } from "./culvert.ts";
import { Lab, PROXY_ACCESS, SERVER } from "./lab.ts";
import { type Ended, run } from "./process.ts";
import { OUTSIDER, outsiderJoin, outsiderLeave, type Remote } from "./remote.ts";
import { file, lab, labPath, program, scenario } from "./requirement.ts";
import { sipp, sippRun } from "./sipp.ts";

const needs = [...lab(), ...["baresip", "kamailio", "python3", "tshark", "sipsak"].map(program), file(nodeHost)];
/** Few, so that one who guesses hits all of them all the time. */
const PORTS = { first: 20_000, last: 20_015 };
const HOMES = ["10.11.0.10", "10.12.0.10"];
/** RTP ports of the lab's user agents: one of them stands in SDP. */
const HOME_PORTS = Array.from({ length: 58 }, (_, i) => 16_384 + 2 * i);
const PAIR_SECONDS = 8;
const MARK = "outsider";
const SEED = 15;
const MIB = 1 << 20;
/** Resident memory is looked at in stretches of this length; at most so many until the program is compiled and its buffers made. */
const STRETCH_MS = 2000;
const STRETCHES = 12;
const SETTLED = MIB / 4;
const AGAIN_S = 3;
const scripts = join(labPath, "sipp");

/** RTP, and media of every other kind, all marked. */
const RTP = ["8000000100000000000000", "80c9000100000000000000"].map(marked);
const OTHERS = ["000100082112a442000000", "16fefd0000000000000000", "ff"].map(marked);

function marked(header: string): string {
  return `${header}66${Buffer.from(MARK).toString("hex").repeat(4)}`;
}

/** Messages of real captures and of the standards, cut and damaged. */
async function sipPayloads(): Promise<string[]> {
  const random = new Random(SEED);
  const texts = messagesOf(["sip"]).map(({ payload }) => Buffer.from(payload).toString("latin1"));
  for (const name of capturesOf("sip", ["sip"]).filter((path) => /odd|malformed|outside/.test(path))) {
    const { output } = await run("tshark", ["-r", join(corpusPath, name), "-Y", "sip && udp", "-T", "fields", "-e", "udp.payload"], { seconds: 30 });
    for (const line of output.split("\n")) if (/^[\da-f]+$/.test(line)) texts.push(Buffer.from(line, "hex").toString("latin1"));
  }
  const damaged = texts.flatMap((text) => [text.slice(0, random.below(text.length)), damage(text, random)]);
  return damaged.filter(({ length }) => length > 0 && length < 9000).map((text) => Buffer.from(text, "latin1").toString("hex"));
}

/** REGISTERs for b as a real one would be, to take its calls and to take all its places. */
function registerPayloads(): string[] {
  return [`<sip:b@${OUTSIDER}:5060>`, "*"].map((contact, i) => {
    const lines = [
      `REGISTER sip:${SERVER} SIP/2.0`,
      `Via: SIP/2.0/UDP ${OUTSIDER}:5060;branch=z9hG4bKx${i};rport`,
      `From: <sip:b@${SERVER}>;tag=x`,
      `To: <sip:b@${SERVER}>`,
      `Call-ID: x@${OUTSIDER}`,
      `CSeq: ${i + 1} REGISTER`,
      `Contact: ${contact}`,
      `Expires: ${contact === "*" ? 0 : 600}`,
      "Content-Length: 0",
    ];
    return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`).toString("hex");
  });
}

/** Media to every port for a while: RTP as fast as it goes until the call is up, to be there before its own. */
async function mediaSend(outsider: Remote, culvert: Culvert, forMs: number): Promise<void> {
  const own = `${OUTSIDER}:6666`;
  const forged = HOMES.flatMap((home) => HOME_PORTS.map((port) => `${home}:${port}`));
  const end = Date.now() + forMs;
  const to = { to: PROXY_ACCESS, ...PORTS };
  while (culvert.events("call-answered") === 0 && Date.now() < end) await outsider.spray({ ...to, from: [own], payloads: RTP, eachMs: 3, forMs: 300 });
  await outsider.spray({ ...to, from: [own, ...forged], payloads: [...RTP, ...OTHERS], eachMs: 100, forMs: end - Date.now() });
}

/** REGISTERs and what is damaged, once the call is up. */
async function sipSend(outsider: Remote, made: Lab, culvert: Culvert, damaged: string[], forMs: number): Promise<void> {
  const end = Date.now() + forMs;
  while (culvert.events("call-answered") === 0 && Date.now() < end) await sleep(100);
  const left = end - Date.now();
  const to = { to: SERVER, first: 5060, last: 5060, forMs: left };
  await Promise.all([
    outsider.spray({ ...to, from: [`${OUTSIDER}:5060`], payloads: registerPayloads(), eachMs: 500 }),
    outsider.spray({ ...to, from: [5061, 5062].map((port) => `${OUTSIDER}:${port}`), payloads: damaged, eachMs: 5 }),
    run("sipsak", ["-R", "-t", "50", "-s", `sip:b@${SERVER}`], { seconds: Math.max(1, left / 1000), netns: "vl-tx", cwd: made.folder }),
  ]);
}

/** Smallest resident set of a stretch of time: what comes and goes with the garbage of JavaScript is not in it. */
async function residentLeast(culvert: Culvert, forMs: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (const end = Date.now() + forMs; Date.now() < end; await sleep(100))
    least = Math.min(least, Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${culvert.program.pid}/status`, "utf8"))?.[1]) * 1024);
  return least;
}

/** The same once it has not grown twice in a row: memory of V8 comes in steps, and what grows for ever never gets there. */
async function residentSettled(culvert: Culvert): Promise<number> {
  let before = await residentLeast(culvert, STRETCH_MS);
  for (let i = 0, flat = 0; i < STRETCHES; i++) {
    const now = await residentLeast(culvert, STRETCH_MS);
    flat = now - before < SETTLED ? flat + 1 : 0;
    if (flat === 2) return now;
    before = now;
  }
  throw new Error(`still growing after ${STRETCHES} times ${STRETCH_MS} ms: ${before} bytes`);
}

/** How often a marked packet was seen. */
async function marks(capture: Capture): Promise<number> {
  return (await capture.fields(`frame contains "${MARK}"`, ["ip.src", "ip.dst"])).length;
}

interface Siege {
  pair: Ended;
  culvert: Culvert;
  /** Goes on with it for a while. */
  attack: (forMs: number) => Promise<unknown>;
  /** Marked packets at either terminal; media that was sent to the outsider. */
  sentOn: number;
  stolen: number;
}

/** A call under siege, by a configuration; then what `after` looks at. */
async function siege(
  seconds: number,
  damaged: string[],
  change: (configuration: Configuration) => void,
  after: (siege: Siege) => Promise<void>,
): Promise<void> {
  const made = await Lab.up({ nat: "cone" });
  try {
    const outsider = await outsiderJoin(made, 90, HOMES);
    const culvert = await Culvert.inLab(made, 90, (configuration) => {
      for (const realm of Object.values(configuration.realms)) realm.ports = { media: `${PORTS.first}-${PORTS.last}` };
      change(configuration);
    });
    const at = (netns: string, filter: string): Promise<Capture> => Capture.start(netns, "eth0", join(made.folder, `${netns}.pcap`), filter, 60);
    const terminals = await Promise.all(["vl-ta", "vl-tb"].map((netns) => at(netns, "udp")));
    const stolen = await at("vl-tx", `udp and src host ${PROXY_ACCESS} and src portrange ${PORTS.first}-${PORTS.last}`);
    const calling = made.script("baresip/pair.sh", ["vl-ta", "vl-tb", SERVER, String(seconds)], seconds + 20);
    const attack = (forMs: number): Promise<unknown> =>
      Promise.all([mediaSend(outsider, culvert, forMs), ...(damaged.length === 0 ? [] : [sipSend(outsider, made, culvert, damaged, forMs)])]);
    await attack(seconds * 1000);
    const pair = await calling;
    await sleep(1200);
    await Promise.all([...terminals, stolen].map((capture) => capture.stop()));
    const seen = await Promise.all(terminals.map(marks));
    await after({ pair, culvert, attack, sentOn: seen[0]! + seen[1]!, stolen: await stolen.count() });
  } finally {
    await outsiderLeave();
    await made.down();
  }
}

/** Windows in which each heard the other, of how many. */
function windows({ output }: Ended): [number, number][] {
  return [...output.matchAll(/windows (\d+)\/(\d+)/g)].map(([, good, all]) => [Number(good), Number(all)]);
}

describe("a hostile third host", () => {
  scenario("control: where what stands in SDP is believed, he gets in", needs, 90, async () => {
    await siege(
      PAIR_SECONDS - 2,
      [],
      ({ realms }) => void (realms.access!.latch = "strict"),
      async ({ sentOn, stolen, culvert }) => {
        // He speaks for both, and what he says as the one goes to the private address of the other, which is routed to him.
        expect(stolen, culvert.tail).toBeGreaterThan(0);
        console.log(`${sentOn} of his packets sent on, ${stolen} sent to him`);
      },
    );
  });

  scenario("a call goes on, nothing of his is sent on, nothing grows", [...needs, corpusMissing], 120, async () => {
    await siege(
      PAIR_SECONDS,
      await sipPayloads(),
      () => undefined,
      async ({ pair, culvert, attack, sentOn, stolen }) => {
        const report = pair.output + culvert.tail;
        expect(pair.code, report).toBe(0);
        expect(windows(pair), report).toHaveLength(2);
        for (const [good, all] of windows(pair)) expect(good, report).toBe(all);
        expect({ sentOn, stolen }).toEqual({ sentOn: 0, stolen: 0 });
        let over = false;
        const going = (async (): Promise<void> => {
          while (!over) await attack(STRETCH_MS);
        })();
        const before = await residentSettled(culvert);
        await sleep(STRETCH_MS);
        const growth = (await residentLeast(culvert, STRETCH_MS)) - before;
        over = true;
        await going;
        expect(culvert.program.isRunning, culvert.tail).toBe(true);
        expect(culvert.program.output).not.toMatch(/"trapped"|exception/);
        expect(growth, `${before} bytes before`).toBeLessThan(MIB);
        await culvert.stop();
        console.log(`${JSON.stringify(windows(pair))}; ${Math.round(before / 1024)} KiB resident, then ${Math.round(growth / 1024)} KiB more`);
        console.log(/"received":.*/.exec(culvert.program.output)?.[0]);
      },
    );
  });

  scenario(`killed in the middle of a call and started again: new calls within ${AGAIN_S} s`, [...needs, program("sipp")], 90, async () => {
    const made = await Lab.up({ nat: "cone" });
    try {
      const start = (): Promise<Culvert> => Culvert.inLab(made, 60, (configuration) => void (configuration.secret = "00112233445566778899aabbccddeeff"));
      const first = await start();
      void made.script("baresip/pair.sh", ["vl-ta", "vl-tb", SERVER, "30"], 40);
      // Both legs are up.
      while (first.events("call-answered") < 2 && first.program.isRunning) await sleep(50);
      await sleep(1000);
      first.program.signal("SIGKILL");
      await first.program.ended;
      const killed = Date.now();
      const second = await start();
      const callee = { remote: `${SERVER}:5060`, port: 5070, netns: "vl-tb", folder: made.folder };
      const registered = await sippRun({ ...callee, scenario: join(scripts, "register.xml"), user: "c", calls: 1, seconds: 5 });
      expect(registered.code, registered.output.slice(-1000) + second.tail).toBe(0);
      const uas = sipp({ ...callee, scenario: join(scripts, "uas.xml"), mediaPort: 6000, seconds: 30, extra: ["-aa"] });
      const caller = { remote: `${SERVER}:5060`, port: 5070, netns: "vl-ta", folder: made.folder };
      const called = sippRun({ ...caller, scenario: join(scripts, "uac_rtp.xml"), user: "c", mediaPort: 6000, calls: 1, seconds: 15 });
      while (second.events("call-answered") < 2 && Date.now() < killed + 20_000) await sleep(20);
      const answered = Date.now();
      const { code, output } = await called;
      expect(code, output.slice(-1000) + second.tail).toBe(0);
      expect(answered - killed, second.tail).toBeLessThan(AGAIN_S * 1000);
      console.log(`a new call is up ${((answered - killed) / 1000).toFixed(1)} s after the old process ended`);
      await uas.stop();
      await second.stop();
    } finally {
      await made.down();
    }
  });
});
