/*
 * Connections between a core and a runtime, neither of them real: what each is told.
 */

import { beforeEach, expect, test } from "vitest";
import { configRead } from "../../../hosts/shared/config.ts";
import * as abi from "../../../hosts/shared/core.ts";
import { Pump } from "../../../hosts/shared/pump.ts";
import { certificatesNone } from "./certificates.ts";
import { type FakeCore, fakeCore, type FakeOutput } from "./fakecore.ts";
import { fakeLog } from "./fakelog.ts";
import { type FakeRuntime, fakeRuntime } from "./fakeruntime.ts";

const config = configRead(
  `
realms: { access: { address: 192.0.2.1 }, core: { address: 10.9.0.2 } }
services: { voice: { address: 203.0.113.5, servers: [10.9.0.10] } }
`,
  "culvert.yaml",
).config!;

const HANDLE = 0x100003;
const C: [string, number] = ["10.9.0.2", 10_000];
const D: [string, number] = ["10.9.0.10", 5060];
const DIAL: FakeOutput = { kind: abi.OUTPUT_DIAL, realm: 1, local: C, remote: D, value: HANDLE, detail: abi.TRANSPORT_TCP };
const SEND: FakeOutput = { kind: abi.OUTPUT_SEND, realm: 1, local: C, remote: D, value: HANDLE, payload: "OPTIONS" };
const HANG: FakeOutput = { kind: abi.OUTPUT_HANG, value: HANDLE };

let core: FakeCore;
let runtime: FakeRuntime;
let pump: Pump;

function field(offset: number): number {
  return core.memory.words[(abi.INPUT + offset) >> 2]!;
}

/** An input that gives these outputs. */
function run(...outputs: FakeOutput[]): void {
  core.next(outputs);
  runtime.deliver("203.0.113.5", 5060, "x", "198.51.100.7", 40_000);
}

beforeEach(() => {
  core = fakeCore();
  runtime = fakeRuntime();
  pump = new Pump(core, runtime, config, certificatesNone(config), fakeLog());
  pump.start();
});

test("a connection to E:e is told to the core, its bytes until all are taken, its end once", () => {
  core.result = HANDLE;
  const receiver = runtime.connect("203.0.113.5", 5060, "198.51.100.7", 41_000)!;
  expect(core.inputs.at(-1)).toMatchObject({ kind: abi.KIND_OPEN, realm: 0, source: ["198.51.100.7", 41_000], destination: ["203.0.113.5", 5060] });
  expect([field(abi.PACKET_PROTOCOL), field(abi.PACKET_TRANSPORT), field(abi.PACKET_CONNECTION)]).toEqual([6, abi.TRANSPORT_TCP, 0]);
  core.result = 3;
  receiver.onData?.(new TextEncoder().encode("abcdefgh"));
  const streams = core.inputs.filter(({ kind }) => kind === abi.KIND_STREAM).map(({ payload }) => payload);
  expect(streams).toEqual(["abcdefgh", "defgh", "gh"]);
  expect(field(abi.PACKET_CONNECTION)).toBe(HANDLE);
  receiver.onClose();
  receiver.onClose();
  expect(core.inputs.filter(({ kind }) => kind === abi.KIND_CLOSE)).toHaveLength(1);
  expect(pump.streams.size).toBe(0);
});

test("whom the core refuses nobody receives", () => {
  core.result = abi.fault(abi.REASON_STRANGER, 0);
  expect(runtime.connect("203.0.113.5", 5060, "198.51.100.7", 41_000)).toBeUndefined();
  expect(pump.streams.totals).toMatchObject({ accepted: 0, refused: 1 });
});

test("a fault while bytes are taken closes the connection", () => {
  core.result = HANDLE;
  const receiver = runtime.connect("203.0.113.5", 5060, "198.51.100.7", 41_000)!;
  core.result = abi.fault(abi.REASON_NOT_SIP, 0);
  core.next([HANG]);
  receiver.onData?.(new TextEncoder().encode("junk"));
  expect(runtime.done).toEqual(["1 close"]);
  receiver.onClose();
  expect(core.inputs.some(({ kind }) => kind === abi.KIND_CLOSE)).toBe(false);
});

test("what is sent on a dialled connection goes to it; that it is up is told with its port", () => {
  run(DIAL, SEND);
  expect(runtime.dialled).toMatchObject([{ localAddress: "10.9.0.2", address: "10.9.0.10", port: 5060, transport: "tcp" }]);
  expect(runtime.done).toEqual(["1 send OPTIONS"]);
  runtime.dialled[0]!.onOpen(43_000);
  expect(core.inputs.at(-1)).toMatchObject({ kind: abi.KIND_OPEN });
  expect([field(abi.PACKET_CONNECTION), field(abi.PACKET_DESTINATION_PORT)]).toEqual([HANDLE, 43_000]);
  run(HANG);
  expect(runtime.done.at(-1)).toBe("1 close");
  run(SEND);
  expect(pump.totals).toMatchObject({ sent: 1, noSocket: 1 });
});

test("media: nothing is read until the two are joined, and the core hears of their ends alone", () => {
  const at: [string, number] = ["192.0.2.1", 20_000];
  run({ kind: abi.OUTPUT_BIND, realm: 0, local: at, value: abi.TRANSPORT_TCP, detail: abi.POOL_MEDIA });
  expect(runtime.listeners.get("192.0.2.1 20000")).toMatchObject({ media: true });
  core.result = HANDLE;
  core.next([{ ...DIAL, value: HANDLE + 1, partner: HANDLE }]);
  const accepted = runtime.connect(...at, "198.51.100.7", 41_000)!;
  expect(accepted.onData).toBeUndefined();
  expect(runtime.dialled).toMatchObject([{ address: "10.9.0.10", media: true }]);
  expect(runtime.dialled[0]!.receiver.onData).toBeUndefined();
  expect(runtime.done).toEqual([]);
  runtime.dialled[0]!.onOpen(43_000);
  expect(runtime.done).toEqual(["1 join 2"]);
  core.next([HANG]);
  runtime.dialled[0]!.receiver.onClose();
  expect(core.inputs.at(-1)).toMatchObject({ kind: abi.KIND_CLOSE, payload: "" });
  expect(runtime.done).toEqual(["1 join 2", "1 close"]);
  expect(pump.streams.size).toBe(0);
  run({ kind: abi.OUTPUT_UNBIND, realm: 0, local: at, value: abi.TRANSPORT_TCP, detail: abi.POOL_MEDIA });
  expect(runtime.listeners.has("192.0.2.1 20000")).toBe(false);
});

test("what a server did not take is handed back, but not what it did", () => {
  run(DIAL, SEND, SEND);
  runtime.dialled[0]!.receiver.onClose(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
  expect(core.inputs.at(-1)).toMatchObject({ kind: abi.KIND_CLOSE, payload: "OPTIONSOPTIONS" });
  expect(pump.streams.totals).toMatchObject({ dialled: 1, unreached: 1 });
  run(DIAL, SEND);
  runtime.dialled[1]!.onOpen(43_000);
  runtime.dialled[1]!.receiver.onClose();
  expect(core.inputs.at(-1)).toMatchObject({ kind: abi.KIND_CLOSE, payload: "" });
  expect(pump.streams.totals).toMatchObject({ dialled: 2, unreached: 1 });
});

test("what a server refuses after a handshake of TLS is handed back, but not from one that has said something", () => {
  const secure = { ...DIAL, detail: abi.TRANSPORT_TLS };
  run(secure, SEND);
  runtime.dialled[0]!.onOpen(43_000);
  run(SEND);
  runtime.dialled[0]!.receiver.onClose(Object.assign(new Error("bad certificate"), { code: "ERR_SSL_TLSV13_ALERT" }));
  expect(core.inputs.at(-1)).toMatchObject({ kind: abi.KIND_CLOSE, payload: "OPTIONSOPTIONS" });
  expect(pump.streams.totals).toMatchObject({ dialled: 1, unreached: 1 });
  run(secure, SEND);
  runtime.dialled[1]!.onOpen(43_000);
  core.result = 7;
  runtime.dialled[1]!.receiver.onData?.(new TextEncoder().encode("SIP/2.0"));
  runtime.dialled[1]!.receiver.onClose();
  expect(core.inputs.at(-1)).toMatchObject({ kind: abi.KIND_CLOSE, payload: "" });
  expect(pump.streams.totals).toMatchObject({ dialled: 2, unreached: 1 });
});

test("a server that takes no connection in time is given up, and what was for it is handed back", () => {
  run(DIAL, SEND);
  runtime.advance(9_999);
  expect(core.inputs.at(-1)).not.toMatchObject({ kind: abi.KIND_CLOSE });
  runtime.advance(1);
  expect(core.inputs.at(-1)).toMatchObject({ kind: abi.KIND_CLOSE, payload: "OPTIONS" });
  expect(runtime.done).toEqual(["1 send OPTIONS", "1 abort"]);
  expect(pump.streams.totals).toMatchObject({ dialled: 1, unreached: 1 });
  const inputs = core.inputs.length;
  runtime.dialled[0]!.onOpen(43_000);
  runtime.dialled[0]!.receiver.onClose();
  expect(core.inputs).toHaveLength(inputs);
  run(DIAL);
  runtime.dialled[1]!.onOpen(43_000);
  runtime.advance(20_000);
  expect(core.inputs.filter(({ kind }) => kind === abi.KIND_CLOSE)).toHaveLength(1);
});

test("who does not read is cut off", () => {
  runtime.waiting = 2 ** 21;
  run(DIAL, SEND);
  expect(runtime.done).toEqual(["1 send OPTIONS", "1 abort"]);
  expect(pump.streams.totals.choked).toBe(1);
});

test("C:c takes connections where the core wants it", () => {
  run({ kind: abi.OUTPUT_BIND, realm: 1, local: C, value: abi.TRANSPORT_TCP, detail: abi.POOL_SIGNAL });
  expect([...runtime.listeners.keys()]).toEqual(["203.0.113.5 5060", "10.9.0.2 10000"]);
  run({ kind: abi.OUTPUT_UNBIND, realm: 1, local: C, value: abi.TRANSPORT_TCP, detail: abi.POOL_SIGNAL });
  expect([...runtime.listeners.keys()]).toEqual(["203.0.113.5 5060"]);
  pump.stop();
  expect(runtime.listeners.size).toBe(0);
});
