/*
 * Certificates as Node wants them.
 */

import type { SecureContextOptions, Server } from "node:tls";
import type { CertifiedKey, ServerTls } from "../shared/runtime.ts";

export function contextOptions({ certificate, key }: CertifiedKey): SecureContextOptions {
  return { cert: certificate, key };
}

export function serverOptions(material: ServerTls): SecureContextOptions {
  return { ...contextOptions(material), ...(material.clients === undefined ? {} : { ca: material.clients }) };
}

/** Do clients have to show a certificate? */
export function clientOptions(material: ServerTls): { requestCert: boolean; rejectUnauthorized: boolean } {
  const mutual = material.clients !== undefined;
  return { requestCert: mutual, rejectUnauthorized: mutual };
}

export function namesAdd(server: Server, material: ServerTls): void {
  for (const [name, certified] of Object.entries(material.names)) server.addContext(name, contextOptions(certified));
}

/** New certificates, for connections from now on. */
export function serverRenew(server: Server, material: ServerTls): void {
  server.setSecureContext(serverOptions(material));
  namesAdd(server, material);
}
