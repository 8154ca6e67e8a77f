/*
 * The other side of listeners under test: certificates for them, and what they show.
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import tls from "node:tls";
import type { CertifiedKey, ServerTls } from "../../../../hosts/shared/runtime.ts";
import { certificateMake } from "../../../certificate.ts";

export const HOST = "127.0.0.1";
export const openssl = spawnSync("openssl", ["version"]).status === 0;

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
