import { beforeEach, describe, expect, test } from "vitest";
import { configRead } from "../../../hosts/shared/config.ts";
import * as abi from "../../../hosts/shared/core.ts";
import { Pump } from "../../../hosts/shared/pump.ts";
import { certificatesNone } from "./certificates.ts";
import { type FakeCore, fakeCore, type FakeOutput } from "./fakecore.ts";
import { type FakeLog, fakeLog } from "./fakelog.ts";
import { type FakeRuntime, fakeRuntime } from "./fakeruntime.ts";

const config = configRead(
  `
realms: { access: { address: 192.0.2.1 }, core: { address: 10.9.0.2 } }
services: { voice: { address: 203.0.113.5, servers: [10.9.0.10] } }
`,
  "culvert.yaml",
).config!;

const C: [string, number] = ["10.9.0.2", 10_000];
const D: [string, number] = ["10.9.0.10", 5060];
const BIND: FakeOutput = { kind: abi.OUTPUT_BIND, realm: 1, local: C };
const SEND: FakeOutput = { kind: abi.OUTPUT_SEND, realm: 1, local: C, remote: D, payload: "REGISTER" };

let core: FakeCore;
let runtime: FakeRuntime;
let log: FakeLog;
let pump: Pump;

/** A packet from a terminal to E:e. */
function arrive(data = "x"): void {
  runtime.deliver("203.0.113.5", 5060, data, "198.51.100.7", 40_000);
}

/** One input that gives these outputs. */
function run(...outputs: FakeOutput[]): void {
  core.next(outputs);
  arrive();
}

beforeEach(() => {
  core = fakeCore();
  runtime = fakeRuntime();
  log = fakeLog();
  pump = new Pump(core, runtime, config, certificatesNone(config), log);
});

describe("start", () => {
  test("opens E:e, boots, and does what boot asks for", () => {
    core.next([BIND], 500);
    pump.start();
    expect(core.booted).toBe(1000);
    expect([...runtime.sockets.keys()]).toEqual(["203.0.113.5 5060", "10.9.0.2 10000"]);
    expect(runtime.sockets.get("203.0.113.5 5060")!.signal).toBe(true);
    runtime.advance(500);
    expect(core.inputs).toMatchObject([{ kind: abi.KIND_TIMEOUT, now: 1500 }]);
  });

  test("says what to do when E:e cannot be opened", () => {
    runtime.refuse.set("203.0.113.5", "EADDRNOTAVAIL");
    expect(() => pump.start()).toThrow(/cannot open UDP 203\.0\.113\.5:5060: the address is not one of this machine's; .*`culvert router --apply`/);
    expect(core.booted).toBeUndefined();
  });

  test("a core that refuses to boot leaves no socket open", () => {
    core.bootResult = abi.fault(abi.FAULT_CONFIG, 7);
    expect(() => pump.start()).toThrow(/config, position 7/);
    expect(runtime.sockets.size).toBe(0);
  });
});

describe("running", () => {
  beforeEach(() => pump.start());

  test("a packet is laid into the input slot", () => {
    arrive("INVITE");
    expect(core.inputs).toEqual([
      {
        kind: abi.KIND_DATAGRAM,
        now: 1000,
        realm: 0,
        source: ["198.51.100.7", 40_000],
        destination: ["203.0.113.5", 5060],
        labels: [-1, -1, -1],
        payload: "INVITE",
      },
    ]);
    expect(pump.totals.received).toBe(1);
  });

  test("bind, send in the same drain, then packets to it carry its realm", () => {
    run(BIND, SEND);
    expect(runtime.sent).toEqual([{ from: C[0], fromPort: C[1], to: D[0], toPort: D[1], data: "REGISTER" }]);
    core.next([]);
    runtime.deliver(...C, "200", ...D);
    expect(core.inputs.at(-1)).toMatchObject({ realm: 1, source: D, destination: C });
    expect(pump.sockets).toBe(2);
  });

  test("one port on two addresses is two sockets", () => {
    run(BIND, { ...BIND, local: ["10.9.0.3", 10_000] }, SEND, { ...SEND, local: ["10.9.0.3", 10_000] });
    expect(runtime.sent.map((sent) => sent.from)).toEqual(["10.9.0.2", "10.9.0.3"]);
    run({ kind: abi.OUTPUT_UNBIND, local: C });
    expect([...runtime.sockets.keys()]).toEqual(["203.0.113.5 5060", "10.9.0.3 10000"]);
  });

  test("a bind that fails is counted, told to the core and said once, sends from it too", () => {
    runtime.refuse.set(C[0], "EADDRINUSE");
    run(BIND, SEND, { ...BIND, local: [C[0], 10_002] });
    expect(pump.totals).toMatchObject({ bindFailed: 2, noSocket: 1, sent: 0 });
    expect(core.refused).toEqual([C[1], 10_002]);
    expect(log.at("warn")).toEqual([
      "cannot open UDP 10.9.0.2:10000: another program uses this address and port (`ss -ltunp` names it); stop it or choose another port (EADDRINUSE)",
      "nothing sent: there is no socket on this address and port",
    ]);
    runtime.advance(10_000);
    run(BIND);
    expect(log.lines.at(-1)!.fields).toMatchObject({ suppressed: 1 });
  });

  test("failed sends are counted and said once for each code", () => {
    const { onFailure } = runtime.sockets.get("203.0.113.5 5060")!;
    for (let i = 0; i < 5; i++) onFailure(Object.assign(new Error("send ENETUNREACH"), { code: "ENETUNREACH" }));
    onFailure(Object.assign(new Error("send EPERM"), { code: "EPERM" }));
    expect(pump.totals.sendFailed).toBe(6);
    expect(log.at("warn")).toEqual(["a packet could not be sent: send ENETUNREACH", "a packet could not be sent: send EPERM"]);
  });

  test("forward sends in the sender's name and takes answers from the other realm", () => {
    const forward: FakeOutput = { kind: abi.OUTPUT_FORWARD, realm: 0, local: ["198.51.100.7", 40_000], remote: ["203.0.113.5", 5060], payload: "raw" };
    run(forward, forward);
    expect(runtime.sent).toMatchObject([
      { from: "198.51.100.7", data: "raw" },
      { from: "198.51.100.7", data: "raw" },
    ]);
    core.next([]);
    runtime.deliver("198.51.100.7", 40_000, "back", "203.0.113.5", 5060);
    expect(core.inputs.at(-1)!.realm).toBe(1);
    expect(pump.totals.forwarded).toBe(2);
  });

  test("forward that the system refuses is counted, and said once", () => {
    runtime.refuse.set("198.51.100.7", "EADDRNOTAVAIL");
    const forward: FakeOutput = { kind: abi.OUTPUT_FORWARD, realm: 0, local: ["198.51.100.7", 40_000], remote: D, payload: "raw" };
    run(forward, forward, forward);
    expect(pump.totals).toMatchObject({ forwarded: 0, forwardFailed: 3 });
    expect(log.at("warn")).toHaveLength(1);
  });

  test("sockets on foreign addresses are bounded", () => {
    const outputs = (first: number): FakeOutput[] =>
      Array.from({ length: 1000 }, (_, i) => ({ kind: abi.OUTPUT_FORWARD, realm: 0, local: ["198.51.100.9", first + i], remote: D, payload: "" }));
    run(...outputs(1000));
    run(...outputs(2000));
    expect(pump.sockets).toBe(1 + 1024);
  });

  test("events become log lines with names", () => {
    run({ kind: abi.OUTPUT_EVENT, realm: abi.EVENT_CALL_STARTED, value: 77 }, { kind: abi.OUTPUT_EVENT, realm: abi.EVENT_FULL, detail: abi.REGION_CALLS });
    expect(log.lines).toMatchObject([
      { level: "info", message: "call-started", fields: { event: "call-started", call: 77, initiator: "core" } },
      { level: "warn", fields: { event: "full", table: "calls" }, message: "the table of calls is full: new work is refused; raise `capacity:`" },
    ]);
  });

  test("an exception in the core ends in a count; the next packet is taken", () => {
    core.trap = true;
    arrive();
    core.trap = false;
    run(BIND, SEND);
    expect(pump.totals).toMatchObject({ trapped: 1, received: 2, sent: 1 });
    expect(log.at("error")[0]).toMatch(/please report/i);
  });

  test("stop closes all, and nothing reaches the core any more", () => {
    core.next([BIND], 100);
    arrive();
    const { onPacket } = runtime.sockets.get("203.0.113.5 5060")!;
    const inputs = core.inputs.length;
    pump.stop();
    onPacket(new Uint8Array(1), "198.51.100.7", 1);
    runtime.advance(1000);
    expect(runtime.sockets.size).toBe(0);
    expect(core.inputs.length).toBe(inputs);
  });
});

test("at level trace each packet is a line", () => {
  log = fakeLog("trace");
  pump = new Pump(core, runtime, config, certificatesNone(config), log);
  pump.start();
  core.memory.words[abi.HEADER_REASON >> 2] = abi.REASON_KEEPALIVE;
  arrive("\r\n\r\n");
  expect(log.lines.at(-1)).toEqual({
    level: "trace",
    message: "forwarded",
    fields: { realm: "access", from: "198.51.100.7", fromPort: 40_000, to: "203.0.113.5", toPort: 5060, bytes: 4, reason: "keepalive" },
  });
});
