import { afterEach, expect, test } from "vitest";
import { nodeHost } from "../../../hosts/node/host.ts";
import { configRead } from "../../../hosts/shared/config.ts";
import { type Proxy, proxyStart } from "../../../hosts/shared/proxy.ts";
import type { Host } from "../../../hosts/shared/runtime.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakeLog, fakeLog } from "./fakelog.ts";
import { freePort, peer, registerAnswer, registerRequest } from "./register.ts";

const host: Host = { ...nodeHost, coreBinary: () => readFile("dist/core.wasm") };
let proxy: Proxy | undefined;

afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

test.each(["js", "wasm"] as const)("a REGISTER and its answer pass through real sockets and the %s core", async (kind) => {
  const [terminal, terminalPort] = await peer("127.0.0.4");
  const [registrar, registrarPort] = await peer("127.0.0.3");
  const port = await freePort("127.0.0.1");
  const text = `
realms: { access: { address: 127.0.0.1, ports: { media: 20000-29999 } }, core: { address: 127.0.0.2 } }
services: { voice: { address: "127.0.0.1:${port}", servers: ["127.0.0.3:${registrarPort}"] } }
secret: 000102030405060708090a0b0c0d0e0f
`;
  const log = fakeLog();
  proxy = await proxyStart({ config: configRead(text, "culvert.yaml").config!, directory: "", kind, host, log });
  expect(log.at("info").join("\n")).toContain(`service voice: 127.0.0.1:${port} (udp, tcp ${port}) is proxied to 127.0.0.3:${registrarPort} (access to core)`);

  terminal.send(registerRequest("127.0.0.1", `127.0.0.4:${terminalPort}`), "127.0.0.1", port);
  const request = await registrar.receive();
  expect(request.address).toBe("127.0.0.2");
  expect(request.text).toContain(`Contact: <sip:alice@127.0.0.2:${request.port}`);

  registrar.send(registerAnswer(request.text), request.address, request.port);
  const answer = await terminal.receive();
  expect([answer.address, answer.port]).toEqual(["127.0.0.1", port]);
  expect(answer.text).toContain("SIP/2.0 200 OK");
  expect(answer.text).toContain(`Contact: <sip:alice@127.0.0.4:${terminalPort}>`);
  expect(proxy.pump.totals).toMatchObject({ received: 2, sendFailed: 0, noSocket: 0, trapped: 0 });
});

test("an offer has the ports that the machine opens, not one that another program has", async () => {
  const [terminal, terminalPort] = await peer("127.0.0.4");
  const [server, serverPort] = await peer("127.0.0.3");
  const [, taken] = await peer("127.0.0.2");
  const port = await freePort("127.0.0.1");
  const first = (taken & -2) - 2;
  const text = `
realms:
  access: { address: 127.0.0.1, ports: { media: 20000-29999 } }
  core: { address: 127.0.0.2, ports: { signal: 10000-10999, media: ${first}-${first + 3} } }
services: { voice: { address: "127.0.0.1:${port}", servers: ["127.0.0.3:${serverPort}"] } }
secret: 000102030405060708090a0b0c0d0e0f
`;
  proxy = await proxyStart({ config: configRead(text, "culvert.yaml").config!, directory: "", kind: "wasm", host, log: fakeLog() });
  const invite = (call: number): string => {
    const head = registerRequest("127.0.0.1", `127.0.0.4:${terminalPort}`).replaceAll("REGISTER", "INVITE").replace("one@", `${call}@`);
    const body = ["v=0", "o=- 1 1 IN IP4 127.0.0.4", "s=-", "c=IN IP4 127.0.0.4", "t=0 0", "m=audio 4000 RTP/AVP 0", ""].join("\r\n");
    return head.replace(/Content-Length: 0\r\n\r\n/, `Content-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  };
  terminal.send(invite(1), "127.0.0.1", port);
  expect((await server.receive()).text).toContain(`m=audio ${first} RTP/AVP 0`);
  terminal.send(invite(2), "127.0.0.1", port);
  expect((await terminal.receive()).text).toContain("SIP/2.0 503 ");
  expect(proxy.pump.totals.noSocket).toBe(0);
});

test("over IPv6, with one address of ours in both realms", async () => {
  const [terminal, terminalPort] = await peer("::1");
  const [registrar, registrarPort] = await peer("::1");
  const port = await freePort("::1");
  const text = `
realms: { access: { address: "::1", ports: { media: 20000-20999 } }, core: { address: "::1", ports: { media: 21000-21999 } } }
services: { voice: { address: "[::1]:${port}", servers: ["[::1]:${registrarPort}"] } }
secret: 000102030405060708090a0b0c0d0e0f
`;
  const log = fakeLog();
  proxy = await proxyStart({ config: configRead(text, "culvert.yaml").config!, directory: "", kind: "wasm", host, log });
  terminal.send(registerRequest("[::1]", `[::1]:${terminalPort}`), "::1", port);
  const request = await registrar.receive();
  expect(request.text).toContain(`Contact: <sip:alice@[::1]:${request.port}`);
  registrar.send(registerAnswer(request.text), request.address, request.port);
  const answer = await terminal.receive();
  expect(answer.port).toBe(port);
  expect(answer.text).toContain(`Contact: <sip:alice@[::1]:${terminalPort}>`);
  expect(log.lines.find((line) => line.message === "registered")!.fields).toMatchObject({ terminal: `[::1]:${terminalPort}`, mappedPort: request.port });
});

test("without a secret it says what that costs", async () => {
  const port = await freePort("127.0.0.1");
  const text = `
realms: { access: { address: 127.0.0.1, ports: { media: 20000-29999 } }, core: { address: 127.0.0.2 } }
services: { voice: { address: "127.0.0.1:${port}", servers: [127.0.0.3] } }
`;
  const log = fakeLog();
  proxy = await proxyStart({ config: configRead(text, "culvert.yaml").config!, directory: "", kind: "js", host, log });
  expect(log.at("warn")).toEqual([expect.stringMatching(/no `secret:`.*openssl rand -hex 16/)]);
});

test.each(["js", "wasm"] as const)("started again it goes on with what was saved, with the %s core", async (kind) => {
  const folder = mkdtempSync(join(tmpdir(), "culvert-state-"));
  const [terminal, terminalPort] = await peer("127.0.0.4");
  const [registrar, registrarPort] = await peer("127.0.0.3");
  const port = await freePort("127.0.0.1");
  const text = (address: string): string => `
realms: { access: { address: 127.0.0.1, ports: { media: 20000-29999 } }, core: { address: ${address} } }
services: { voice: { address: "127.0.0.1:${port}", servers: ["127.0.0.3:${registrarPort}"] } }
state: { file: state }
`;
  const start = async (address: string): Promise<FakeLog> => {
    const log = fakeLog();
    proxy = await proxyStart({ config: configRead(text(address), "culvert.yaml").config!, directory: `${folder}/`, kind, host, log });
    return log;
  };
  try {
    expect((await start("127.0.0.2")).at("warn")).toEqual([]);
    terminal.send(registerRequest("127.0.0.1", `127.0.0.4:${terminalPort}`), "127.0.0.1", port);
    const request = await registrar.receive();
    registrar.send(registerAnswer(request.text), request.address, request.port);
    await terminal.receive();
    await proxy!.stop();

    const log = await start("127.0.0.2");
    const line = log.lines.find(({ message }) => message === "goes on with the state that was saved");
    expect(line?.fields).toMatchObject({ sockets: 2 });
    expect(JSON.stringify(log.lines)).not.toMatch(/0707070707/);
    const options = [
      "OPTIONS sip:alice@127.0.0.2:PORT SIP/2.0",
      "Via: SIP/2.0/UDP 127.0.0.3:SERVER;branch=z9hG4bK5",
      "From: <sip:r@x>;tag=1",
      "To: <sip:alice@x>",
    ];
    const message = [...options, "Call-ID: o", "CSeq: 1 OPTIONS", "Content-Length: 0", "", ""].join("\r\n");
    registrar.send(message.replace("PORT", String(request.port)).replace("SERVER", String(registrarPort)), request.address, request.port);
    expect((await terminal.receive()).text).toContain(`OPTIONS sip:alice@127.0.0.4:${terminalPort} SIP/2.0`);
    await proxy!.stop();

    expect((await start("127.0.0.5")).at("warn")).toEqual([expect.stringMatching(/saved state is not used.*ports or addresses/)]);
  } finally {
    await proxy?.stop();
    proxy = undefined;
    rmSync(folder, { recursive: true });
  }
});
