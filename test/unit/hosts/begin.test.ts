import { expect, test } from "vitest";
import { coreBegin } from "../../../hosts/shared/begin.ts";
import { configRead } from "../../../hosts/shared/config.ts";
import { configure } from "../../../hosts/shared/configure.ts";
import * as abi from "../../../hosts/shared/core.ts";
import { fakeLog } from "./fakelog.ts";

const TEXT = `
realms: { access: { address: 192.0.2.1, ports: { media: 20000-20999 } }, core: { address: 10.9.0.2, ports: { signal: 10000-10999, media: 20000-20999 } } }
services: { voice: { address: 203.0.113.5, servers: [10.9.0.10] } }
capacity: { terminals: 100 }
`;

async function opened(): Promise<abi.Core> {
  const { config } = configRead(TEXT, "culvert.yaml");
  const core = await abi.coreOpen({ kind: "js" }, config!.capacity, new Uint8Array(abi.KEY_BYTES).fill(7));
  configure(core, config!);
  return core;
}

/** Memory that another process left, and a core that is to go on with it. */
async function left(): Promise<abi.Core> {
  const [before, core] = [await opened(), await opened()];
  expect(before.boot(1000)).toBe(0);
  core.memory.bytes.set(before.memory.bytes);
  return core;
}

const begin = (core: abi.Core, log = fakeLog()): { restored: boolean; warnings: string[]; causes: unknown[] } => {
  const restored = coreBegin(
    core,
    true,
    () => 2000,
    () => undefined,
    log,
  );
  const warned = log.lines.filter(({ level }) => level === "warn");
  return { restored, warnings: warned.map(({ message }) => message), causes: warned.map(({ fields }) => fields.cause) };
};

test("a core goes on with what another left", async () => {
  expect(begin(await left())).toEqual({ restored: true, warnings: [], causes: [] });
});

test.each([
  ["of another version", (core: abi.Core) => (core.memory.words[abi.HEADER_ABI >> 2] = abi.ABI_VERSION - 1), "image"],
  ["whose tables are elsewhere", (core: abi.Core) => (core.memory.words[abi.SLABS >> 2]! += 64), "image"],
  ["with other pools", (core: abi.Core) => (core.memory.words[(abi.POOL_STATES + abi.POOL_FIRST) >> 2]! += 2), "config"],
  ["as another worker's", (core: abi.Core) => (core.memory.words[(abi.POOL_STATES + abi.POOL_WHOLE) >> 2]! += 2), "config"],
])("memory %s is refused with a reason, and the core boots", async (_, damage, cause) => {
  const core = await left();
  damage(core);
  const { restored, warnings, causes } = begin(core);
  expect(restored).toBe(false);
  expect(warnings).toEqual([expect.stringMatching(/refuses the saved state/)]);
  expect(causes).toEqual([expect.stringMatching(cause)]);
  expect(core.input(abi.KIND_TIMEOUT, 0, 3000)).toBe(abi.VERDICT_ABSORBED);
});

test("a core that traps over it boots as well", async () => {
  const core = await left();
  let trapped = false;
  const trapping: abi.Core = {
    ...core,
    input: (kind, len, now) => {
      trapped ||= kind === abi.KIND_RESTORE;
      if (kind === abi.KIND_RESTORE) throw new Error("unreachable");
      return core.input(kind, len, now);
    },
  };
  expect(begin(trapping)).toMatchObject({ restored: false, causes: [expect.stringMatching(/unreachable/)] });
  expect(trapped).toBe(true);
});
