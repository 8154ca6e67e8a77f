import { expect, test } from "vitest";
import { configRead } from "../../../hosts/shared/config.ts";
import * as abi from "../../../hosts/shared/core.ts";
import { countersRead, eventName, reasonName, verdictName } from "../../../hosts/shared/names.ts";
import { Pump } from "../../../hosts/shared/pump.ts";
import { Statistics } from "../../../hosts/shared/statistics.ts";
import { certificatesNone } from "./certificates.ts";
import { fakeCore } from "./fakecore.ts";
import { fakeLog } from "./fakelog.ts";
import { fakeRuntime } from "./fakeruntime.ts";

const config = configRead(
  "{ realms: { access: { address: 192.0.2.1 }, core: { address: 10.9.0.2 } }, services: { a: { address: 203.0.113.5, servers: [10.9.0.10] } } }",
  "culvert.yaml",
).config!;

test("numbers of the contract have names", () => {
  expect(reasonName(abi.REASON_RULE_FORWARD)).toBe("rule-forward");
  expect(reasonName(abi.FAULT_CONTENT_LENGTH)).toBe("content-length");
  expect(reasonName(127)).toBe("reason-127");
  expect(verdictName(abi.VERDICT_RELAYED)).toBe("relayed");
  expect(verdictName(abi.fault(abi.FAULT_CSEQ, 12))).toBe("cseq");
  expect(eventName(abi.EVENT_CALL_ENDED)).toBe("call-ended");
});

test("what happened since the last time, at level debug; the totals at the end", () => {
  const core = fakeCore();
  const runtime = fakeRuntime();
  const log = fakeLog("debug");
  const pump = new Pump(core, runtime, config, certificatesNone(config), log);
  pump.start();
  const statistics = new Statistics(pump, core.memory, runtime, log);
  statistics.start();
  const count = (reason: number, times: number): void => void (core.memory.words[(abi.COUNTERS >> 2) + reason] = times);

  count(abi.REASON_TRANSLATED, 5);
  runtime.advance(10_000);
  runtime.advance(10_000);
  count(abi.REASON_TRANSLATED, 7);
  count(abi.REASON_STUN, -1);
  runtime.advance(10_000);
  expect(log.lines.map((line) => line.fields)).toEqual([
    { sockets: 1, translated: 5 },
    { sockets: 1, translated: 2, stun: 0xffffffff },
  ]);

  expect(countersRead(core.memory)).toEqual({ translated: 7, stun: 0xffffffff });
  statistics.stop();
  expect(log.lines.at(-1)).toEqual({ level: "info", fields: { reasons: { translated: 7, stun: 0xffffffff } }, message: "stopped" });
  runtime.advance(60_000);
  expect(log.lines).toHaveLength(3);
});

test("quiet below debug", () => {
  const runtime = fakeRuntime();
  const log = fakeLog("info");
  const core = fakeCore();
  new Statistics(new Pump(core, runtime, config, certificatesNone(config), log), core.memory, runtime, log).start();
  expect(runtime.timersStarted).toBe(0);
});
