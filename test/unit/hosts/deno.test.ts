/*
 * The Deno host's own files under Node, over @deno/shim-deno and node-dgram-adapter (SPEC H3).
 */

import { writeFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Deno as shim } from "@deno/shim-deno";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { listenDatagram } from "../../../hosts/node-dgram-adapter/index.ts";
import { freePort, peer, registerAnswer, registerRequest } from "./register.ts";

const listeners: Record<string, () => void> = {};
let args: string[] = [];
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "culvert-"));
  const overrides = {
    listenDatagram,
    get args() {
      return args;
    },
    addSignalListener: (signal: string, listener: () => void) => void (listeners[signal] = listener),
    removeSignalListener: (signal: string) => void delete listeners[signal],
    stdout: { isTerminal: () => false },
    exitCode: 0,
  };
  vi.stubGlobal("Deno", new Proxy(shim, { get: (target, key) => (key in overrides ? Reflect.get(overrides, key) : Reflect.get(target, key)) }));
});

afterAll(async () => {
  vi.unstubAllGlobals();
  await rm(directory, { recursive: true });
});

test("hosts/deno/main.ts runs a proxy: a REGISTER and its answer pass, a signal ends it", async () => {
  const [terminal, terminalPort] = await peer("127.0.0.4");
  const [registrar, registrarPort] = await peer("127.0.0.3");
  const port = await freePort("127.0.0.1");
  const file = join(directory, "culvert.yaml");
  await writeFile(
    file,
    `
realms: { access: { address: 127.0.0.1, ports: { media: 20000-29999 } }, core: { address: 127.0.0.2 } }
services: { voice: { address: "127.0.0.1:${port}", servers: ["127.0.0.3:${registrarPort}"] } }
secret: 000102030405060708090a0b0c0d0e0f
log: { level: error }
`,
  );
  args = ["run", "-c", file, "--core", "js"];
  await import("../../../hosts/deno/main.ts");

  terminal.send(registerRequest("127.0.0.1", `127.0.0.4:${terminalPort}`), "127.0.0.1", port);
  const request = await registrar.receive();
  expect(request.address).toBe("127.0.0.2");
  registrar.send(registerAnswer(request.text), request.address, request.port);
  const answer = await terminal.receive();
  expect(answer.text).toContain(`Contact: <sip:alice@127.0.0.4:${terminalPort}>`);

  listeners.SIGTERM!();
  expect(Object.keys(listeners)).toEqual([]);
  const again = listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
  again.close();
});
