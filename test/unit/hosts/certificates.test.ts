/*
 * Certificates that are read again while running, and who is shown which: terminals the one of the service, servers that
 * connect to a Contact port the one for the core side.
 */

import { afterEach, expect, test } from "vitest";
import { Certificates } from "../../../hosts/shared/certificates.ts";
import { configRead } from "../../../hosts/shared/config.ts";
import * as abi from "../../../hosts/shared/core.ts";
import { Pump } from "../../../hosts/shared/pump.ts";
import type { Host } from "../../../hosts/shared/runtime.ts";
import { type FakeCore, fakeCore, type FakeOutput } from "./fakecore.ts";
import { type FakeLog, fakeLog } from "./fakelog.ts";
import { type FakeRuntime, fakeRuntime } from "./fakeruntime.ts";

const ACCESS = "tls: { certificate: voice.pem, key: /keys/voice.pem }";
const CORE = "coreTransport: tls\n    coreTls: { authorities: roots.pem, certificate: core.pem, key: core.key }";
const E = "203.0.113.5 5061";
const C = "10.9.0.2 10000";
const BIND: FakeOutput = { kind: abi.OUTPUT_BIND, realm: 1, local: ["10.9.0.2", 10_000], value: abi.TRANSPORT_TLS, detail: abi.POOL_SIGNAL };
const UNBIND: FakeOutput = { ...BIND, kind: abi.OUTPUT_UNBIND };
const DIAL: FakeOutput = { kind: abi.OUTPUT_DIAL, service: 0, remote: ["10.9.0.10", 5061], value: 0x100003, detail: abi.TRANSPORT_TLS };

let files: Map<string, string>;
let core: FakeCore;
let runtime: FakeRuntime;
let log: FakeLog;
let certificates: Certificates;
let pump: Pump | undefined;

afterEach(() => {
  pump?.stop();
  pump = undefined;
});

/** A proxy with this of a service, over files in a map. */
async function start(service: string): Promise<void> {
  files = new Map(["/etc/voice.pem", "/keys/voice.pem", "/etc/core.pem", "/etc/core.key", "/etc/roots.pem"].map((path) => [path, `first ${path}`]));
  const text = `
realms: { access: { address: 192.0.2.1 }, core: { address: 10.9.0.2 } }
services:
  voice:
    address: 203.0.113.5
    servers: [10.9.0.10]
    ${service}
`;
  const config = configRead(text, "culvert.yaml").config!;
  const readFile = async (path: string): Promise<Uint8Array> => {
    const content = files.get(path);
    if (content === undefined) throw new Error("ENOENT: no such file");
    return new TextEncoder().encode(content);
  };
  [core, runtime, log] = [fakeCore(), fakeRuntime(), fakeLog()];
  certificates = new Certificates(config, "/etc/", { runtime, readFile } as unknown as Host, log);
  await certificates.load();
  pump = new Pump(core, runtime, config, certificates, log);
  pump.start();
}

function run(...outputs: FakeOutput[]): void {
  core.next(outputs);
  runtime.deliver("203.0.113.5", 5060, "x", "198.51.100.7", 40_000);
}

/** A minute later, when the files have been read again. */
async function minutePass(): Promise<void> {
  const before = runtime.timersStarted;
  runtime.advance(60_000);
  await expect.poll(() => runtime.timersStarted).toBe(before + 1);
}

test("a renewed certificate is passed on within a minute, a broken one is not", async () => {
  await start(ACCESS);
  expect(runtime.listeners.get(E)!.tls).toMatchObject({ certificate: "first /etc/voice.pem", key: "first /keys/voice.pem" });
  await minutePass();
  expect(runtime.done).toEqual([]);

  files.set("/etc/voice.pem", "second");
  await minutePass();
  expect(runtime.done).toEqual([`${E} renew second`]);
  files.delete("/etc/voice.pem");
  await minutePass();
  files.set("/etc/voice.pem", "junk");
  await minutePass();
  expect(log.at("warn")).toEqual([
    "the certificates stay as they are: the certificate /etc/voice.pem cannot be read: ENOENT: no such file",
    "the certificates stay as they are: the certificate voice.pem cannot be used: there is no certificate in it",
  ]);
  expect(runtime.done).toHaveLength(1);
  expect(JSON.stringify(log.lines)).not.toContain("first /keys");
});

test("a file that is missing at the start is said with its name", async () => {
  await start("");
  files.clear();
  await expect(start(ACCESS.replace("voice.pem", "other.pem"))).rejects.toThrow("the certificate /etc/other.pem cannot be read");
});

test("servers are shown the certificate for the core side", async () => {
  await start(`${ACCESS}\n    ${CORE}`);
  run(BIND);
  expect(runtime.listeners.get(C)!.tls).toMatchObject({ certificate: "first /etc/core.pem", key: "first /etc/core.key" });
});

test("a listener that is closed hears of no new certificate, one that is open once", async () => {
  await start(`${ACCESS}\n    ${CORE}`);
  for (let i = 0; i < 3; i++) run(BIND, UNBIND);
  run(BIND);
  files.set("/etc/core.pem", "second");
  await minutePass();
  expect(runtime.done).toEqual([`${C} renew second`]);
  run(UNBIND);
  files.set("/etc/core.pem", "third");
  await minutePass();
  expect(runtime.done).toHaveLength(1);
});

test("connections to servers are dialled with what their files say now", async () => {
  await start(CORE);
  run(DIAL);
  files.set("/etc/roots.pem", "other roots");
  files.set("/etc/core.pem", "second");
  await minutePass();
  run(DIAL);
  expect(runtime.dialled.map(({ tls }) => [tls?.authorities, tls?.certified?.certificate])).toEqual([
    ["first /etc/roots.pem", "first /etc/core.pem"],
    ["other roots", "second"],
  ]);
});

test("once stopped nothing is read again", async () => {
  await start(ACCESS);
  const before = runtime.timersStarted;
  runtime.advance(60_000);
  certificates.stop();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(runtime.timersStarted).toBe(before);
});
