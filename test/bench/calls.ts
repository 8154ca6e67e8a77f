/*
 * Many calls at once, with media both ways, through a running Culvert on loopback: none may fail, no packet may go astray,
 * and everything must be given back. Not a matter of speed: CALLS (1,000) calls, each with PACKETS (5) RTP packets a second
 * and way, for SECONDS (60). Ends with exit code 1 when anything is missing.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Calls } from "./call.ts";

const CALLS = Number(process.env.CALLS ?? 1000);
const PACKETS = Number(process.env.PACKETS ?? 5);
const SECONDS = Number(process.env.SECONDS ?? 60);
const RATE = 50;
const PORT = 5760;
/** A second is cut into so many turns, in each of which a part of the calls sends. */
const TURNS = 20;
/** After the linger of 32 s (64*T1). */
const BACK_WITHIN_S = 45;
const LEAST = 0.99;

const folder = mkdtempSync(join(tmpdir(), "culvert-calls-"));
const calls = await Calls.open(CALLS);
const config = join(folder, "culvert.yaml");
writeFileSync(
  config,
  `
realms:
  access: { address: 127.0.0.1, ports: { media: "20000-25999" } }
  core: { address: 127.0.0.1, ports: { signal: "10000-10999", media: "26000-31999" } }
services:
  voice: { address: "127.0.0.1:${PORT}", servers: ["${calls.server}"] }
capacity: { terminals: 100, calls: ${CALLS}, flows: ${CALLS} }
log: { level: info, format: json }
`,
);
const culvert = spawn(process.execPath, ["dist/node.js", "run", "-c", config], { stdio: ["ignore", "pipe", "inherit"] });
let log = "";
culvert.stdout.on("data", (data: Buffer) => (log += data.toString()));
while (!log.includes('"msg":"up"')) await sleep(50);

function descriptors(): number {
  return readdirSync(`/proc/${culvert.pid}/fd`).length;
}

/** CPU time of Culvert in seconds. */
function cpu(): number {
  const fields = readFileSync(`/proc/${culvert.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function media(seconds: number): Promise<void> {
  const begun = Date.now();
  for (let turn = 0; turn < seconds * TURNS; turn++) {
    const share = (CALLS * PACKETS) / TURNS;
    for (let k = Math.floor(turn * share); k < Math.floor((turn + 1) * share); k++) {
      const { caller, callee } = calls.calls[k % CALLS]!;
      caller.send();
      callee.send();
    }
    await sleep(Math.max(1, begun + ((turn + 1) * 1000) / TURNS - Date.now()));
  }
}

const idle = descriptors();
for (let i = 0; i < CALLS; i++) {
  calls.begin(i, PORT);
  if (i % 5 === 4) await sleep(5000 / RATE);
}
await sleep(2000);
const before = cpu();
await media(SECONDS);
const busy = (cpu() - before) / SECONDS;
await sleep(1000);
const open = descriptors();
for (let i = 0; i < CALLS; i++) {
  calls.end(i);
  if (i % 5 === 4) await sleep(5000 / RATE);
}
let waited = 0;
for (; waited < BACK_WITHIN_S && descriptors() > idle; waited++) await sleep(1000);
const left = descriptors() - idle;
const sent = calls.calls.reduce((sum, { caller, callee }) => sum + caller.sent + callee.sent, 0);
const received = calls.calls.reduce((sum, { caller, callee }) => sum + caller.received + callee.received, 0);
const deaf = calls.calls.filter(({ caller, callee }) => caller.received < LEAST * callee.sent || callee.received < LEAST * caller.sent).length;
culvert.kill("SIGTERM");
await new Promise((resolve) => culvert.on("exit", resolve));
calls.close();
rmSync(folder, { recursive: true });

const { answered, ended, failed, repeated } = calls.totals;
console.log(
  `${CALLS} calls at once for ${SECONDS} s, ${PACKETS} packets a second each way: ${answered} answered, ${ended} ended, ${failed} failed, ${repeated} messages repeated`,
);
console.log(`${sent} packets sent, ${received} arrived; ${deaf} calls with less than ${LEAST * 100} %; ${(100 * busy).toFixed(0)} % of a processor`);
console.log(`descriptors: ${idle} idle, ${open} with all calls up, ${idle + left} ${waited} s after the last BYE`);
const fine = answered === CALLS && ended === CALLS && failed === 0 && deaf === 0 && left === 0;
if (!fine) console.log(log.split("\n").slice(-5).join("\n"));
process.exitCode = fine ? 0 : 1;
