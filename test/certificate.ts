/*
 * Certificates for tests, made by openssl: valid for two days, each its own authority.
 */

import { execFileSync } from "node:child_process";
import { join } from "node:path";

export interface Pem {
  certificate: string;
  key: string;
}

/** Paths of a new key and a certificate for these subject alternative names, such as "IP:127.0.0.1" or "DNS:sip.example.com". */
export function certificateMake(folder: string, name: string, alternatives: string[]): Pem {
  const pem = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) };
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${alternatives.join()}`];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", pem.key];
  execFileSync("openssl", ["req", "-x509", "-days", "2", ...key, "-out", pem.certificate, ...subject], { stdio: "ignore" });
  return pem;
}
