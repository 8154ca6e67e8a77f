/*
 * The pump on batched sockets: by a shim that only notes, and by hosts/linux itself on loopback where it is built and allowed.
 */

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { nodeHost } from "../../../hosts/node/host.ts";
import { nodeRuntime } from "../../../hosts/node/runtime.ts";
import { shimOpen } from "../../../hosts/node/shim.ts";
import { addressParse } from "../../../hosts/shared/address.ts";
import { Batch } from "../../../hosts/shared/batch.ts";
import { configRead } from "../../../hosts/shared/config.ts";
import * as abi from "../../../hosts/shared/core.ts";
import { Pump } from "../../../hosts/shared/pump.ts";
import { type Proxy, proxyStart } from "../../../hosts/shared/proxy.ts";
import { type Host, PORT_SIGNALING, type Shim } from "../../../hosts/shared/runtime.ts";
import { SHIM, shimRefused } from "../../shim.ts";
import { certificatesNone } from "./certificates.ts";
import { fakeCore } from "./fakecore.ts";
import { fakeLog } from "./fakelog.ts";
import { fakeRuntime } from "./fakeruntime.ts";
import { freePort, peer, registerAnswer, registerRequest } from "./register.ts";

const PORT = 20_000;

function wordsOf(address: string): Int32Array {
  return new Int32Array(addressParse(address)!.bytes.slice().buffer);
}

describe("a batch", () => {
  const buffer = new ArrayBuffer(abi.TABLES);
  const memory = { bytes: new Uint8Array(buffer), words: new Int32Array(buffer), view: new DataView(buffer) };
  /** What `receive` gives, one after the other. */
  let arriving: number[];
  /** What was done, in order. */
  let done: string[];
  let readable: (queue: number) => void;
  let takes: number[];
  let result: number;
  let stopping: boolean;
  let batch: Batch;
  const setting = { tracing: false };

  /** The mark of the packet in a slot: its source port. */
  const mark = (slot: number): number => (abi.SLOTS + slot * abi.SLOT_SIZE + abi.PACKET_SOURCE_PORT) >> 2;
  const note = (what: string, gives: number): number => {
    done.push(what);
    return gives;
  };
  const shim: Shim = {
    exchange: new Int32Array(abi.SLOT_MAX + 4),
    bind: (port, signal) => note(`bind ${port} ${signal}`, result),
    unbind: (port) => note(`unbind ${port}`, 0),
    others: () => 0,
    listen: (port) => note(`listen ${port}`, result),
    receive: () => {
      const n = arriving.shift() ?? 0;
      for (let i = 0; i < (n & 255); i++) {
        memory.words[mark(i)] = i;
        memory.words[(abi.SLOTS + i * abi.SLOT_SIZE + abi.PACKET_DESTINATION_PORT) >> 2] = PORT + i;
      }
      return n;
    },
    lay: (slot) => note(`lay ${slot}`, 0),
    send: (n) => note(`send ${[...shim.exchange.subarray(0, n)].join(" ")}`, n === 3 ? 1 : 0),
    ring: () => 0,
    lost: () => 5,
    pace: () => {},
    failure: () => -90,
    code: (errno) => ({ [-28]: "ENOSPC", [-98]: "EADDRINUSE", [-99]: "EADDRNOTAVAIL", [-90]: "EMSGSIZE" })[errno] ?? "unknown",
    watch: (onReadable) => void (readable = onReadable),
    close: () => void done.push("close"),
  };

  beforeEach(() => {
    [arriving, done, takes, result, stopping, setting.tracing] = [[], [], [], 0, false, false];
    batch = new Batch(shim, {
      memory,
      realmOf: (_, port) => (port === PORT + 1 ? -1 : 3),
      input: (kind, n) => {
        const marks = Array.from({ length: n }, (_, i) => memory.words[mark(i)]);
        if (kind === abi.KIND_FRAME) done.push(`frame of ${n}`);
        else done.push(`${kind === abi.KIND_FRAMES ? "frames" : "take"} ${marks.join(" ")}`);
        if (stopping) batch.stop();
        return takes.shift() ?? n;
      },
      single: () => void done.push("single"),
      get tracing() {
        return setting.tracing;
      },
      received: (n) => void done.push(`received ${n}`),
      lost: (n) => void done.push(`lost ${n}`),
      failed: (n, error) => void done.push(`failed ${n} ${error.code}`),
    });
  });

  test("is taken by one input; who sent to a closed port is left out", () => {
    arriving = [4];
    readable(0);
    expect(done).toEqual(["received 4", "take 0 2 3"]);
    expect(memory.words[(abi.SLOTS + abi.PACKET_REALM) >> 2]).toBe(3);
  });

  test("what the core does not take at once is handed in again", () => {
    arriving = [5];
    takes = [1, 2];
    readable(0);
    expect(done).toEqual(["received 5", "take 0 2 3 4", "take 2 3 4", "take 4"]);
  });

  test("a fault ends the batch", () => {
    arriving = [5];
    takes = [-1];
    readable(0);
    expect(done).toEqual(["received 5", "take 0 2 3 4"]);
  });

  test("full batches are read on, but not for ever", () => {
    arriving = Array<number>(100).fill(abi.SLOT_MAX);
    readable(0);
    expect(100 - arriving.length).toBe(16);
  });

  test("is not read on once it is stopped", () => {
    arriving = [abi.SLOT_MAX, abi.SLOT_MAX];
    takes = [-1];
    stopping = true;
    readable(0);
    expect(arriving).toHaveLength(1);
  });

  test("a datagram that is longer than a slot, and all while tracing, go one by one", () => {
    arriving = [3 | 256];
    readable(0);
    expect(done).toEqual(["received 3", "lay 0", "single", "lay 2", "single"]);
    [done, arriving, setting.tracing] = [[], [1], true];
    readable(0);
    expect(done).toEqual(["received 1", "lay 0", "single"]);
  });

  test("sends what waits at once, at the latest when there are 64, and before a port is closed", () => {
    batch.add(7);
    batch.add(8);
    expect(done).toEqual([]);
    batch.flush();
    batch.flush();
    expect(done.splice(0)).toEqual(["send 7 8"]);
    for (let i = 0; i < 65; i++) batch.add(i);
    expect(done.splice(0)).toEqual([`send ${Array.from({ length: 64 }, (_, i) => i).join(" ")}`]);
    batch.close(wordsOf("192.0.2.1"), PORT);
    expect(done).toEqual(["send 64", `unbind ${PORT}`]);
    expect([...shim.exchange.subarray(abi.SLOT_MAX)]).toEqual([...wordsOf("192.0.2.1")]);
  });

  test("counts what could not be sent", () => {
    for (const at of [1, 2, 3]) batch.add(at);
    batch.flush();
    expect(done).toEqual(["send 1 2 3", "failed 1 EMSGSIZE"]);
  });

  test("frames of a ring are taken until there are none, one that is longer than a slot alone", () => {
    arriving = [3, 256, 2];
    memory.words[(abi.INPUT + abi.PACKET_LEN) >> 2] = 1910;
    takes = [1];
    readable(3);
    expect(done).toEqual(["received 3", "frames 0 1 2", "frames 1 2", "received 1", "frame of 1910", "received 2", "frames 0 1"]);
  });

  test("a ring is read on for a while, and lost frames are told of", () => {
    arriving = [512, 1];
    readable(2);
    expect(done.splice(0)).toEqual(["lost 5"]);
    arriving = Array<number>(100).fill(1 | 512);
    readable(2);
    expect(100 - arriving.length).toBe(16);
    expect(done.slice(0, 3)).toEqual(["lost 5", "received 1", "frames 0"]);
  });

  test("where frames are read, an address that is not the machine's needs no socket, and one for which there is no room is refused", () => {
    memory.words[abi.CONFIG_INTERFACES >> 2] = 2;
    result = -99;
    expect(batch.open(wordsOf("203.0.113.5"), PORT, PORT_SIGNALING)).toBe(true);
    result = -28;
    expect(() => batch.open(wordsOf("192.0.2.2"), PORT, 0)).toThrow(expect.objectContaining({ code: "ENOSPC" }));
    memory.words[abi.CONFIG_INTERFACES >> 2] = 0;
    result = -99;
    expect(() => batch.open(wordsOf("203.0.113.5"), PORT, PORT_SIGNALING)).toThrow(expect.objectContaining({ code: "EADDRNOTAVAIL" }));
  });

  test("is stopped once", () => {
    batch.stop();
    batch.stop();
    expect(done).toEqual(["close"]);
  });

  test("a port that the core gives back is closed, one that is refused is told to it", () => {
    const text = "realms: { access: { address: 192.0.2.1 }, core: { address: 10.9.0.2 } }\nservices: { voice: { address: 203.0.113.5, servers: [10.9.0.10] } }";
    const [core, runtime, config] = [fakeCore(), fakeRuntime(), configRead(text, "c").config!];
    const pump = new Pump(core, runtime, config, certificatesNone(config), fakeLog(), shim);
    const local: [string, number] = ["10.9.0.2", PORT];
    const bind = { kind: abi.OUTPUT_BIND, realm: 1, local };
    core.next([bind, { kind: abi.OUTPUT_UNBIND, local }], 500);
    pump.start();
    expect(done).toEqual(["bind 5060 1", `bind ${PORT} 0`, `unbind ${PORT}`]);
    expect(pump.sockets).toBe(1);
    result = -98;
    core.next([bind]);
    runtime.advance(500);
    expect(core.refused).toEqual([PORT]);
    pump.stop();
  });

  test("what the core frames or lets go on leaves with the rest; what is the stack's is only counted", () => {
    const text = "realms: { access: { address: 192.0.2.1 }, core: { address: 10.9.0.2 } }\nservices: { voice: { address: 203.0.113.5, servers: [10.9.0.10] } }";
    const [core, runtime, config] = [fakeCore(), fakeRuntime(), configRead(text, "c").config!];
    const pump = new Pump(core, runtime, config, certificatesNone(config), fakeLog(), shim);
    core.next([{ kind: abi.OUTPUT_FRAME }, { kind: abi.OUTPUT_BRIDGE }, { kind: abi.OUTPUT_STACK }], 500);
    pump.start();
    expect(done.slice(-1)).toEqual([`send ${abi.OUTPUTS} ${abi.OUTPUTS}`]);
    expect(pump.totals).toMatchObject({ framed: 1, bridged: 1, handed: 1, sent: 0 });
    pump.stop();
  });

  test("opens a port, says that there is no room for its address, or throws what the system says", () => {
    expect(batch.open(wordsOf("192.0.2.1"), PORT, PORT_SIGNALING)).toBe(true);
    result = -28;
    expect(batch.open(wordsOf("192.0.2.2"), PORT, 0)).toBe(false);
    result = -98;
    expect(() => batch.open(wordsOf("192.0.2.1"), PORT, 0)).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
    expect(done).toEqual([`bind ${PORT} 1`, `bind ${PORT} 0`, `bind ${PORT} 0`]);
  });
});

const refused = shimRefused();
const LONG = "x".repeat(9000);

describe.skipIf(refused !== "")(`hosts/linux${refused === "" ? "" : ` [skipped: ${refused}]`}`, () => {
  const runtime = { ...nodeRuntime, shim: (memory: ArrayBuffer) => shimOpen(SHIM, memory) };
  const host: Host = { ...nodeHost, runtime, coreBinary: () => readFile("dist/core.wasm") };
  let proxy: Proxy | undefined;

  async function start(
    access: string,
    core: string,
    port: number,
    server: string,
    { kind = "wasm" as "js" | "wasm", io = "batched", signal = "22000-22999" } = {},
  ): Promise<Proxy> {
    const bracketed = (address: string): string => (address.includes(":") ? `[${address}]` : address);
    const text = `
realms: { access: { address: "${access}", ports: { media: 20000-20999 } }, core: { address: "${core}", ports: { signal: ${signal}, media: 21000-21999 } } }
services: { voice: { address: "${bracketed(access)}:${port}", servers: ["${server}"] } }
secret: 000102030405060708090a0b0c0d0e0f
io: ${io}
`;
    return await proxyStart({ config: configRead(text, "culvert.yaml").config!, directory: "", kind, host, log: fakeLog() });
  }

  afterEach(() => {
    proxy?.stop();
    proxy = undefined;
  });

  test.each([
    ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "js"],
    ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "wasm"],
    ["::1", "::1", "::1", "::1", "wasm"],
  ] as const)("a REGISTER and its answer pass by %s, longer than a slot and a frame too (%s, %s, %s, %s core)", async (access, core, server, from, kind) => {
    const [terminal, terminalPort] = await peer(from);
    const [registrar, registrarPort] = await peer(server);
    const port = await freePort(access);
    const text = (address: string, at: number): string => (address.includes(":") ? `[${address}]:${at}` : `${address}:${at}`);
    proxy = await start(access, core, port, text(server, registrarPort), { kind });
    for (const body of ["", LONG]) {
      terminal.send(
        registerRequest(access, text(from, terminalPort)).replace("Content-Length: 0\r\n\r\n", `Content-Length: ${body.length}\r\n\r\n${body}`),
        access,
        port,
      );
      const request = await registrar.receive();
      expect(request.address).toBe(core);
      expect(request.text.endsWith(`\r\n\r\n${body}`)).toBe(true);
      registrar.send(registerAnswer(request.text), request.address, request.port);
      const answer = await terminal.receive();
      expect([answer.address, answer.port]).toEqual([access, port]);
      expect(answer.text).toContain(`Contact: <sip:alice@${text(from, terminalPort)}>`);
    }
    expect(proxy.pump.totals).toMatchObject({ received: 4, sent: 4, sendFailed: 0, noSocket: 0, trapped: 0 });
  });

  test("a port that somebody else has cannot be opened, and a port is nobody's again when it is closed", async () => {
    const [, taken] = await peer("127.0.0.1");
    await expect(start("127.0.0.1", "127.0.0.2", taken, "127.0.0.3:5060")).rejects.toThrow(/another program uses this address and port/);
    const port = await freePort("127.0.0.1");
    proxy = await start("127.0.0.1", "127.0.0.2", port, "127.0.0.3:5060");
    proxy.stop();
    proxy = await start("127.0.0.1", "127.0.0.2", port, "127.0.0.3:5060");
  });

  test.each(["batched", "portable"])("a port that is refused is told to nobody, another is taken: %s", async (io) => {
    const [terminal, terminalPort] = await peer("127.0.0.4");
    const [registrar, registrarPort] = await peer("127.0.0.3");
    const request = { address: "127.0.0.2", signal: true, onPacket: () => undefined, onFailure: () => undefined };
    const held = Array.from({ length: 7 }, (_, i) => nodeRuntime.listen({ ...request, port: 22_001 + i }));
    const port = await freePort("127.0.0.1");
    proxy = await start("127.0.0.1", "127.0.0.2", port, `127.0.0.3:${registrarPort}`, { io, signal: "22000-22007" });
    terminal.send(registerRequest("127.0.0.1", `127.0.0.4:${terminalPort}`), "127.0.0.1", port);
    expect((await registrar.receive()).port).toBe(22_000);
    for (const socket of held) socket.close();
    expect(proxy.pump.totals).toMatchObject({ sent: 1, sendFailed: 0, noSocket: 0, trapped: 0 });
    expect(proxy.pump.totals.bindFailed).toBeGreaterThan(0);
  });

  test("a port that is not ours gets what is sent to it", async () => {
    const port = await freePort("127.0.0.1");
    proxy = await start("127.0.0.1", "127.0.0.2", port, "127.0.0.3:5060");
    const [other, otherPort] = await peer("127.0.0.1");
    const [terminal] = await peer("127.0.0.4");
    terminal.send("hello", "127.0.0.1", otherPort);
    expect((await other.receive()).text).toBe("hello");
    expect(proxy.pump.totals.received).toBe(0);
  });

  test("what comes fast, and is looked at by the clock, is all taken; so is what comes alone after it", async () => {
    const port = await freePort("127.0.0.1");
    const shim = shimOpen(SHIM, new ArrayBuffer(abi.TABLES)) as Shim;
    onTestFinished(() => shim.close());
    shim.exchange.set(wordsOf("127.0.0.1"), abi.SLOT_MAX);
    expect(shim.bind(port, 0)).toBe(0);
    let taken = 0;
    shim.watch((queue) => {
      for (let n = shim.receive(queue); n > 0; n = shim.receive(queue)) taken += n;
    });
    const [sender] = await peer("127.0.0.4");
    const sent = 30 * 64;
    for (let i = 0; i < sent; i++) {
      sender.send("media", "127.0.0.1", port);
      if (i % 64 === 63) await setTimeout(1);
    }
    await expect.poll(() => taken).toBe(sent);
    // By then it is no longer looked at by the clock.
    await setTimeout(50);
    sender.send("media", "127.0.0.1", port);
    await expect.poll(() => taken).toBe(sent + 1);
  });
});

describe("without batched sockets", () => {
  const config = (io: string) =>
    configRead(
      `realms: { access: { address: 127.0.0.1 }, core: { address: 127.0.0.2 } }\nservices: { voice: { address: "127.0.0.1:0", servers: [127.0.0.3] } }\nio: ${io}`.replace(
        ":0",
        ":5999",
      ),
      "c",
    ).config!;
  const host: Host = { ...nodeHost, coreBinary: () => readFile("dist/core.wasm"), runtime: { ...nodeRuntime, shim: () => "there is no compiler" } };

  test("auto says why, batched does not start", async () => {
    const log = fakeLog();
    const proxy = await proxyStart({ config: config("auto"), directory: "", kind: "js", host, log });
    proxy.stop();
    expect(log.at("info").join("\n")).toContain("each port has a socket of node: there is no compiler");
    const start = proxyStart({ config: config("batched"), directory: "", kind: "js", host, log });
    await expect(start).rejects.toThrow("io: batched cannot be had: there is no compiler");
  });

  test("where a realm wants DSCP, portable sockets say that they have none", async () => {
    const log = fakeLog();
    const marked = configRead(
      `realms: { access: { address: 127.0.0.1, dscp: { media: 46 } }, core: { address: 127.0.0.2 } }\nservices: { voice: { address: "127.0.0.1:5999", servers: [127.0.0.3] } }`,
      "c",
    ).config!;
    (await proxyStart({ config: marked, directory: "", kind: "js", host, log })).stop();
    const said = log.at("warn").filter((text) => text.includes("dscp"));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/realm access: `dscp:` has no effect, since sockets of node neither set nor show it/);
  });

  test("a file that is not there, or no library, is a reason", () => {
    expect(shimOpen("/nowhere/shim.node", new ArrayBuffer(8))).toMatch(/is not there/);
    expect(shimOpen(resolve("dist/core.wasm"), new ArrayBuffer(8))).toMatch(/cannot be loaded/);
  });
});
