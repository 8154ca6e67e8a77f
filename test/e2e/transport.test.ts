/*
 * Transports that differ on the two sides, on loopback, by both hosts: sipp by TCP to a server that knows UDP, by UDP to one
 * that knows TCP, a browser's telephone (sip.js) by WebSocket, secure and not, that calls and is called, and TLS on both
 * sides with certificates of all four.
 */

import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import tls from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { Softswitch } from "../../hosts/demo/softswitch.ts";
import { certificateMake, type Pem } from "../certificate.ts";
import { registerAnswer, registerRequest } from "../unit/hosts/register.ts";
import { Browser } from "./browser.ts";
import { Culvert, hosts, loopbackConfiguration } from "./culvert.ts";
import { stopAll } from "./process.ts";
import { program, scenario } from "./requirement.ts";
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
async function culvertStart(command: string[], server: string, service: Record<string, unknown>): Promise<void> {
  const configuration = loopbackConfiguration(folder, PORT, server);
  Object.assign(configuration.services["voice"]!, service);
  culvert = await Culvert.start(folder, configuration, command, 60);
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

/** What an end with a certificate of its own wants to see of the other. */
function pemOf(own: Pem, other: Pem): tls.SecureContextOptions {
  return { cert: readFileSync(own.certificate), key: readFileSync(own.key), ca: readFileSync(other.certificate) };
}

describe.each(hosts)("transports that differ, $name", ({ command, needs }) => {
  scenario("TCP terminals, a server that knows UDP", [program("sipp"), ...needs], 60, async () => {
    await culvertStart(command, `${ADDRESS}:${softswitch.port}`, { coreTransport: "udp" });
    const options = caller("t1", "echo");
    const { code, output } = await sippRun(options);
    expect(code, output.slice(-2000) + culvert.tail).toBe(0);
    expect(sippFigures(options)).toMatchObject({ successful: 10, failed: 0 });
  });

  scenario("UDP terminals, a server that knows TCP", [program("sipp"), ...needs], 60, async () => {
    const uas = sipp({ scenario: "uas", local: ADDRESS, port: 15680, mediaPort: 17700, seconds: 40, folder, transport: "t1" });
    await culvertStart(command, `${ADDRESS}:15680`, { coreTransport: "tcp" });
    const options = caller("u1", "anybody");
    const { code, output } = await sippRun(options);
    await uas.stop();
    expect(code, output.slice(-2000) + culvert.tail).toBe(0);
    expect(sippFigures(options)).toMatchObject({ successful: 10, failed: 0 });
  });

  scenario("a browser by WebSocket", [program("sipp"), ...needs], 60, async () => {
    await culvertStart(command, `${ADDRESS}:${softswitch.port}`, { coreTransport: "udp", transports: { ws: PORT + 20 } });
    await browserCalls(`ws://${ADDRESS}:${PORT + 20}`);
  });

  scenario("a browser by secure WebSocket", [program("sipp"), program("openssl"), ...needs], 60, async () => {
    const tls = certificateMake(folder, "localhost", ["IP:127.0.0.1"]);
    await culvertStart(command, `${ADDRESS}:${softswitch.port}`, { coreTransport: "udp", transports: { wss: PORT + 21, tls: false }, tls });
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    await browserCalls(`wss://${ADDRESS}:${PORT + 21}`);
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  });

  scenario("TLS to a server with TLS, each with a certificate that the other asks for", [program("openssl"), ...needs], 40, async () => {
    const [culverts, terminals, servers, ours] = ["culvert", "terminal", "server", "core"].map((name) => certificateMake(folder, name, ["IP:127.0.0.1"])) as [
      Pem,
      Pem,
      Pem,
      Pem,
    ];
    const registrar = tls.createServer({ ...pemOf(servers, ours), requestCert: true }, (socket) => {
      socket.on("data", (data) => socket.write(registerAnswer(data.toString())));
    });
    await once(registrar.listen(0, ADDRESS), "listening");
    const { port } = registrar.address() as { port: number };
    await culvertStart(command, `${ADDRESS}:${port}`, {
      tls: { ...culverts, clients: terminals.certificate },
      transports: { tls: PORT + 22 },
      coreTransport: "tls",
      coreTls: { ...ours, authorities: servers.certificate },
    });
    const terminal = tls.connect({ host: ADDRESS, port: PORT + 22, ...pemOf(terminals, culverts) });
    await once(terminal, "secureConnect");
    const own = `${ADDRESS}:${terminal.localPort}`;
    terminal.write(registerRequest(`${ADDRESS}:${PORT + 22}`, own).replace("SIP/2.0/UDP", "SIP/2.0/TLS"));
    const [answer] = (await once(terminal, "data")) as [Buffer];
    expect(answer.toString(), culvert.tail).toMatch(/^SIP\/2.0 200 /);
    expect(answer.toString()).toContain(`Contact: <sip:alice@${own}>`);
    terminal.destroy();
    registrar.close();
  });
});
