import { expect, test } from "vitest";
import { nodeHost } from "../../../hosts/node/host.ts";
import type { Host } from "../../../hosts/shared/runtime.ts";
import { secretKey, secretMake } from "../../../hosts/shared/secret.ts";
import { fakeLog } from "./fakelog.ts";
import { fakeRuntime } from "./fakeruntime.ts";

const files: Record<string, string> = {
  "/etc/culvert/hex": "000102030405060708090a0b0c0d0e0f\n",
  "/etc/culvert/long": "correct horse battery staple\n",
  "/etc/culvert/short": "hunter2\n",
};
const host: Host = {
  ...nodeHost,
  runtime: fakeRuntime(),
  readFile: async (path) => {
    if (files[path] === undefined) throw new Error("ENOENT");
    return new TextEncoder().encode(files[path]);
  },
};

const COUNTING = Uint8Array.from({ length: 16 }, (_, i) => i);
const read = (secret: string) => secretKey(secret, "/etc/culvert/", host);

test("hex digits, in the file or out of another one, are the key", async () => {
  expect(await read("000102030405060708090A0B0C0D0E0F")).toEqual(COUNTING);
  expect(await read("hex")).toEqual(COUNTING);
  expect(await read("/etc/culvert/hex")).toEqual(COUNTING);
});

test("other content is hashed to a key", async () => {
  const key = await read("long");
  expect(key).toHaveLength(16);
  expect(key).toEqual(await read("long"));
});

test("nothing is a random key, with a warning unless it is saved", () => {
  const log = fakeLog();
  expect(secretMake(true, host, log)).toEqual(new Uint8Array(16).fill(7));
  expect(log.at("warn")).toHaveLength(0);
  expect(secretMake(false, host, log)).toEqual(new Uint8Array(16).fill(7));
  expect(log.at("warn")).toHaveLength(1);
});

test("a file that is missing or too short is refused without repeating its content", async () => {
  await expect(read("nowhere")).rejects.toThrow(/nowhere.*openssl/);
  const refused = await read("short").catch((error: Error) => error.message);
  expect(refused).toMatch(/fewer than 16 bytes/);
  expect(refused).not.toContain("hunter2");
});
