/*
 * The other side of listeners under test: certificates for them, and what they show.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { afterAll, afterEach } from "vitest";
import type { StreamTransport } from "../../../../hosts/shared/config/settled.ts";
import type { CertifiedKey, Runtime, ServerTls, Stream, StreamListener, StreamReceiver } from "../../../../hosts/shared/runtime.ts";
import { certificateMake } from "../../../certificate.ts";
import { freePort } from "../register.ts";

export const HOST = "127.0.0.1";
export const openssl = spawnSync("openssl", ["version"]).status === 0;

/** A folder for the certificates of a file of tests. */
export function folderMake(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `culvert-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A listener of one kind under test, on a port of its own each time; closed after the test. */
export class Tested {
  port = 0;
  listener: StreamListener | undefined;

  /** Transports: without certificates, and with them. */
  constructor(
    private readonly open: Runtime["listenStream"],
    private readonly transports: [StreamTransport, StreamTransport],
  ) {
    afterEach(() => {
      this.listener?.close();
      this.listener = undefined;
    });
  }

  /** Returns what it will have heard of failures. */
  async listen(onStream: (stream: Stream) => StreamReceiver | undefined, tls?: ServerTls): Promise<Error[]> {
    const failures: Error[] = [];
    this.port = await freePort(HOST);
    const transport = this.transports[tls ? 1 : 0];
    this.listener = this.open({ address: HOST, port: this.port, transport, media: false, tls, onStream, onFailure: (error) => void failures.push(error) });
    return failures;
  }
}

/** A new certificate for a name and for HOST, its own authority. */
export function certified(folder: string, name: string): CertifiedKey {
  const { certificate, key } = certificateMake(folder, name, [`DNS:${name}`, `IP:${HOST}`]);
  return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
}

export function material(folder: string, name: string, more: Partial<ServerTls> = {}): ServerTls {
  return { ...certified(folder, name), names: {}, clients: undefined, ...more };
}

/** Common name of the certificate that a listener shows for a name. */
export function shown(port: number, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: HOST, port, servername, rejectUnauthorized: false }, () => {
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      resolve(String(CN));
    });
    socket.on("error", reject);
  });
}
