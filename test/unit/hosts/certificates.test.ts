/*
 * Certificates that are read again while running.
 */

import { expect, test } from "vitest";
import { Certificates } from "../../../hosts/shared/certificates.ts";
import { configRead } from "../../../hosts/shared/config.ts";
import type { Host } from "../../../hosts/shared/runtime.ts";
import { fakeLog } from "./fakelog.ts";
import { fakeRuntime } from "./fakeruntime.ts";

const config = configRead(
  `
realms: { access: { address: 192.0.2.1 }, core: { address: 10.9.0.2 } }
services:
  voice:
    address: 203.0.113.5
    servers: [10.9.0.10]
    tls: { certificate: voice.pem, key: /keys/voice.pem }
`,
  "culvert.yaml",
).config!;

/** A host whose files are in a map. */
function hostOf(files: Map<string, string>): Host & { runtime: ReturnType<typeof fakeRuntime> } {
  const readFile = async (path: string): Promise<Uint8Array> => {
    const text = files.get(path);
    if (text === undefined) throw new Error("ENOENT: no such file");
    return new TextEncoder().encode(text);
  };
  return { runtime: fakeRuntime(), readFile } as unknown as Host & { runtime: ReturnType<typeof fakeRuntime> };
}

test("a renewed certificate is passed on within a minute, a broken one is not", async () => {
  const files = new Map([
    ["/etc/voice.pem", "first"],
    ["/keys/voice.pem", "key"],
  ]);
  const host = hostOf(files);
  const log = fakeLog();
  const certificates = new Certificates(config, "/etc/", host, log);
  await certificates.load();
  const renewed: string[] = [];
  expect(certificates.ofService(0, ({ certificate }) => void renewed.push(certificate))).toMatchObject({ certificate: "first", key: "key" });
  host.runtime.advance(60_000);
  await expect.poll(() => host.runtime.timersStarted).toBe(2);
  expect(renewed).toEqual([]);

  files.set("/etc/voice.pem", "second");
  host.runtime.advance(60_000);
  await expect.poll(() => renewed).toEqual(["second"]);
  files.delete("/etc/voice.pem");
  await expect.poll(() => host.runtime.timersStarted).toBe(3);
  host.runtime.advance(60_000);
  await expect.poll(() => log.at("warn")).toEqual(["the certificates stay as they are: the certificate /etc/voice.pem cannot be read: ENOENT: no such file"]);
  expect(renewed).toEqual(["second"]);
  expect(JSON.stringify(log.lines)).not.toContain('key"');
  certificates.stop();
});

test("a file that is missing at the start is said with its name", async () => {
  const certificates = new Certificates(config, "/etc/", hostOf(new Map()), fakeLog());
  await expect(certificates.load()).rejects.toThrow("the certificate /etc/voice.pem cannot be read");
});
