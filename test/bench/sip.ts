/*
 * What a SIP call costs through Culvert beside other proxies, by the lab's perf_sip.py: one run with a bare relay (yard, the
 * yardstick), Kamailio and Kamailio with rtpengine, each proxy pinned to one processor. Wants root (a namespace of its own),
 * sipp, Kamailio, rtpengine, a C compiler and the lab. Arguments: npm run bench -- sip, with RATES, SECONDS and IO (Culvert's way
 * of input and output; the fastest if not given) from the environment.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { missing } from "./program.ts";

const NAMESPACE = `cv-bench${process.pid}`;
const PROGRAMS = ["ip", "sipp", "kamailio", "rtpengine", "taskset", "cc", "python3"];

/** SDP rewritten, four media ports opened for each call and closed a second after it. */
const CONFIG = `
realms:
  access: { address: 127.0.0.1, ports: { media: "20000-39999" }, linger: 1s }
  core: { address: 127.0.0.1, ports: { signal: "11000-12999", media: "40000-59999" } }
services:
  voice: { address: "127.0.0.1:5060", servers: ["127.0.0.1:5070"] }
capacity: { calls: 10000, flows: 10000 }
secret: 000102030405060708090a0b0c0d0e0f
log: { level: error }
io: ${process.env.IO ?? "auto"}
`;

function run(): void {
  const shared = resolve(process.env.CULVERT_SHARED ?? "../shared");
  const perf = join(shared, "lab/perf");
  const work = mkdtempSync(join(tmpdir(), "culvert-bench-"));
  writeFileSync(join(work, "bench.yaml"), CONFIG);
  execFileSync("cc", ["-O2", "-o", join(work, "yard"), join(perf, "yard.c")]);
  execFileSync("ip", ["netns", "add", NAMESPACE]);
  try {
    execFileSync("ip", ["-n", NAMESPACE, "link", "set", "lo", "up"]);
    const peer = `node ${resolve("dist/node.js")} run -c ${join(work, "bench.yaml")}`;
    const rates = process.env.RATES ?? "1000,1500,2000";
    const seconds = process.env.SECONDS ?? "8";
    const command = ["netns", "exec", NAMESPACE, "sh", "-c", `ulimit -n 65536; exec ${join(perf, "perf_sip.py")} ${rates} ${seconds} yard,tm,rtpengine,peer`];
    execFileSync("ip", command, { stdio: "inherit", env: { ...process.env, W: work, PEER_CMD: peer } });
  } finally {
    execFileSync("ip", ["netns", "del", NAMESPACE]);
  }
}

const absent = missing(PROGRAMS);
if (absent.length > 0 || process.getuid?.() !== 0)
  console.log(`skipped: wants root and ${PROGRAMS.join(", ")}${absent.length > 0 ? `; ${absent.join(", ")} missing` : ""}`);
else run();
