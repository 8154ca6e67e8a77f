/*
 * Transports that differ on the two sides, on loopback: sipp by TCP to a server that knows UDP, by UDP to one that knows
 * TCP, and a browser's telephone (sip.js) by WebSocket, secure and not, that calls and is called.
 */

import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { Softswitch } from "../../hosts/demo/softswitch.ts";
import { certificateMake } from "../certificate.ts";
import { Browser } from "./browser.ts";
import { Culvert, loopbackConfiguration, nodeHost } from "./culvert.ts";
import { stopAll } from "./process.ts";
import { file, program, scenario } from "./requirement.ts";
import { type SippOptions, sipp, sippFigures, sippRun } from "./sipp.ts";

const ADDRESS = "127.0.0.1";
const PORT = 5660;
const folder = join(tmpdir(), `culvert-transport-${process.pid}`);
let softswitch: Softswitch;
let culvert: Culvert;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  softswitch = await Softswitch.start({ address: ADDRESS, port: 0, media: { first: 40_000, last: 44_999 }, log: () => undefined });
});

afterEach(() => culvert.stop());

afterAll(async () => {
  await stopAll();
  await softswitch.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Culvert in front of a server, with what the service says beyond that. */
async function culvertStart(server: string, service: Record<string, unknown>): Promise<void> {
  const configuration = loopbackConfiguration(folder, PORT, server);
  Object.assign(configuration.services["voice"]!, service);
  culvert = await Culvert.start(folder, configuration, [process.execPath, nodeHost], 60);
}

function caller(transport: "u1" | "t1", user: string): SippOptions {
  return {
    scenario: "uac",
    remote: `${ADDRESS}:${PORT}`,
    user,
    local: ADDRESS,
    port: 15662,
    mediaPort: 17600,
    calls: 10,
    rate: 10,
    seconds: 25,
    folder,
    transport,
  };
}

/** Registers, calls the echo and hears itself, is called by sipp. */
async function browserCalls(url: string): Promise<void> {
  const browser = new Browser("ann", `${ADDRESS}:${PORT}`, url);
  await browser.register();
  const session = await browser.call(`sip:echo@${ADDRESS}:${PORT}`);
  await sleep(1000);
  expect(browser.audios[0]!.heard, culvert.tail).toBeGreaterThan(25);
  await session.bye();
  const options = { ...caller("u1", "ann"), calls: 1 };
  const { code, output } = await sippRun(options);
  expect(code, output.slice(-2000) + culvert.tail).toBe(0);
  expect(browser.audios).toHaveLength(2);
  await browser.stop();
}

describe("transports that differ", () => {
  scenario("TCP terminals, a server that knows UDP", [program("sipp"), file(nodeHost)], 60, async () => {
    await culvertStart(`${ADDRESS}:${softswitch.port}`, { coreTransport: "udp" });
    const options = caller("t1", "echo");
    const { code, output } = await sippRun(options);
    expect(code, output.slice(-2000) + culvert.tail).toBe(0);
    expect(sippFigures(options)).toMatchObject({ successful: 10, failed: 0 });
  });

  scenario("UDP terminals, a server that knows TCP", [program("sipp"), file(nodeHost)], 60, async () => {
    const uas = sipp({ scenario: "uas", local: ADDRESS, port: 15680, mediaPort: 17700, seconds: 40, folder, transport: "t1" });
    await culvertStart(`${ADDRESS}:15680`, { coreTransport: "tcp" });
    const options = caller("u1", "anybody");
    const { code, output } = await sippRun(options);
    await uas.stop();
    expect(code, output.slice(-2000) + culvert.tail).toBe(0);
    expect(sippFigures(options)).toMatchObject({ successful: 10, failed: 0 });
  });

  scenario("a browser by WebSocket", [program("sipp"), file(nodeHost)], 60, async () => {
    await culvertStart(`${ADDRESS}:${softswitch.port}`, { coreTransport: "udp", transports: { ws: PORT + 20 } });
    await browserCalls(`ws://${ADDRESS}:${PORT + 20}`);
  });

  scenario("a browser by secure WebSocket", [program("sipp"), program("openssl"), file(nodeHost)], 60, async () => {
    const tls = certificateMake(folder, "localhost", ["IP:127.0.0.1"]);
    await culvertStart(`${ADDRESS}:${softswitch.port}`, { coreTransport: "udp", transports: { wss: PORT + 21, tls: false }, tls });
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    await browserCalls(`wss://${ADDRESS}:${PORT + 21}`);
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  });
});
