import { expect, test } from "vitest";
import { nodeHost } from "../../../hosts/node/host.ts";
import { nodeRuntime } from "../../../hosts/node/runtime.ts";
import { configRead } from "../../../hosts/shared/config.ts";
import * as abi from "../../../hosts/shared/core.ts";
import { proxyStart } from "../../../hosts/shared/proxy.ts";
import type { Host, Shim } from "../../../hosts/shared/runtime.ts";
import { readFile } from "node:fs/promises";
import { fakeLog } from "./fakelog.ts";

const CONFIGURATION = `
interfaces: { eth1: { peer: eth0, receive: xdp }, eth0: { mac: 02:00:00:00:00:09, mtu: 9000 } }
realms:
  access: { interface: eth1, media: 203.0.113.21 }
  core: { interface: eth0, vlan: 7, address: 10.9.0.2, nextHop: 02:00:00:00:00:fe }
services: { voice: { address: 203.0.113.20, servers: [10.9.0.10], transports: { tcp: false } } }
rules: [{ vlan: 7, proxy: voice }]
secret: 000102030405060708090a0b0c0d0e0f
`;

/** A shim whose interfaces have MTU 1400 and are down; `refused` is opened with an errno. */
function shimFake(refused = ""): { shim: Shim; done: string[] } {
  const done: string[] = [];
  const exchange = new Int32Array(abi.SLOT_MAX + 4);
  const name = (): string =>
    Buffer.from(exchange.buffer, abi.SLOT_MAX * 4, 16)
      .toString("latin1")
      .replace(/\0.*/s, "");
  let rings = 0;
  const shim: Shim = {
    exchange,
    ring: (wanted) => {
      done.push(`ring ${name()} ${wanted}`);
      if (name() === refused) return -19;
      exchange.set([0x00000002, 0x0100, 1400, 0], abi.SLOT_MAX);
      return rings++;
    },
    lost: () => 0,
    pace: (milliseconds) => void done.push(`pace ${milliseconds}`),
    bind: () => 0,
    unbind: () => 0,
    others: () => 0,
    listen: () => 0,
    receive: () => 0,
    lay: () => 0,
    send: () => 0,
    failure: () => 0,
    code: () => "ENODEV",
    watch: () => void done.push("watch"),
    close: () => void done.push("close"),
  };
  return { shim, done };
}

function hostOf(shim: Shim | string): Host {
  return { ...nodeHost, runtime: { ...nodeRuntime, shim: () => shim }, coreBinary: () => readFile("dist/core.wasm") };
}

const request = (shim: Shim | string, log = fakeLog()) =>
  ({ config: configRead(CONFIGURATION, "c").config!, directory: "", kind: "js", host: hostOf(shim), log }) as const;

test("rings are opened in the order of the interfaces; what the configuration does not say, the machine does", async () => {
  const { shim, done } = shimFake();
  const log = fakeLog();
  const proxy = await proxyStart(request(shim, log));
  expect(done).toEqual(["pace 2", "ring eth1 3", "ring eth0 1", "watch"]);
  const { words, bytes } = proxy.core.memory;
  expect(words[abi.CONFIG_INTERFACES >> 2]).toBe(2);
  const macs = [0, 1].map((i) => Buffer.from(bytes.slice(abi.INTERFACES + i * abi.INTERFACE_SIZE + abi.INTERFACE_ADDRESS).subarray(0, 6)).toString("hex"));
  expect(macs).toEqual(["020000000001", "020000000009"]);
  expect([0, 1].map((i) => words[(abi.INTERFACES + i * abi.INTERFACE_SIZE + abi.INTERFACE_MTU) >> 2])).toEqual([1400, 1400]);
  expect(log.at("warn")).toEqual(["interface eth1 is down; frames come and go when it is up", "interface eth0 is down; frames come and go when it is up"]);
  expect(log.at("info")).toContain("frames leave by eth1 through a packet socket: AF_XDP, which costs less, cannot be had there");
  expect(log.at("info")).toContain("frames of eth1 are read whole; those that are not for Culvert go on by eth0");
  proxy.stop();
});

test("an interface that is not there ends the start, in words", async () => {
  const { shim, done } = shimFake("eth0");
  await expect(proxyStart(request(shim))).rejects.toThrow(
    "interfaces.eth0: its frames cannot be read: this machine has no such interface (`ip link` lists them) (ENODEV)",
  );
  expect(done).toEqual(["pace 2", "ring eth1 3", "ring eth0 1", "close"]);
});

test("so do missing rights: packet mode has nothing to fall back on", async () => {
  const why = "it wants the rights CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF (EPERM)";
  await expect(proxyStart(request(why))).rejects.toThrow(`\`interfaces:\` (packet mode) cannot be had: ${why}`);
});
