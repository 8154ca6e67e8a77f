/*
 * Certificates as node:tls wants them. What Deno's node:tls has of its own is met here: it takes any text for a certificate
 * until the first handshake fails, so certificates are checked before, and of two contexts for a name it keeps the first, so
 * names are looked up here.
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import type { CertifiedKey, ServerTls } from "../shared/runtime.ts";

const HANDSHAKE_MS = 10_000;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Throws what is wrong with a text of certificates, or with the key of the first of them; Node says what it does not take besides. */
export function certificateCheck(certificates: string, key?: string): void {
  const [first] = (certificates.match(CERTIFICATE) ?? []).map((each) => new X509Certificate(each));
  if (!first) throw new Error("there is no certificate in it, or not in PEM");
  if (key === undefined) return;
  if (!first.checkPrivateKey(createPrivateKey(key))) throw new Error("the key belongs to another certificate");
  createSecureContext({ cert: certificates, key });
}

export function contextOptions(certified: CertifiedKey | undefined, authorities: string | undefined): SecureContextOptions {
  return { ...(certified && { cert: certified.certificate, key: certified.key }), ...(authorities === undefined ? {} : { ca: authorities }) };
}

/** The contexts for names that clients ask for (RFC 6066 3). */
function namesOf({ names, clients }: ServerTls): Map<string, SecureContext> {
  return new Map(Object.entries(names).map(([name, certified]) => [name.toLowerCase(), createSecureContext(contextOptions(certified, clients))]));
}

/** Of the name, or of the names that differ in the first label. */
function contextOf(names: Map<string, SecureContext>, name: string): SecureContext | undefined {
  const asked = name.toLowerCase();
  return names.get(asked) ?? names.get(asked.replace(/^[^.]*/, "*"));
}

export interface Secured<S> {
  server: S;
  /** Other certificates, for connections from now on. */
  renew(material: ServerTls): void;
}

/** Why a handshake failed: of a certificate that it does not take the runtime says no more than that the socket is gone. */
function failureOf(error: Error, { authorizationError }: TLSSocket): Error {
  if (!authorizationError) return error;
  return new Error(`a client's certificate is not vouched for by \`clients\` (${String(authorizationError)})`);
}

/** A server that shows these certificates, and asks clients for theirs when there are authorities for them; handshakes that fail are told to `onFailure`. */
export function securedServer<S extends Server>(material: ServerTls, make: (options: TlsOptions) => S, onFailure: (error: Error) => void): Secured<S> {
  const mutual = material.clients !== undefined;
  let names = namesOf(material);
  const server = make({
    ...contextOptions(material, material.clients),
    requestCert: mutual,
    rejectUnauthorized: mutual,
    handshakeTimeout: HANDSHAKE_MS,
    SNICallback: (name, done) => done(null, contextOf(names, name)),
  });
  server.on("tlsClientError", (error, socket) => onFailure(failureOf(error, socket)));
  return {
    server,
    renew(next) {
      const renewed = namesOf(next);
      server.setSecureContext(contextOptions(next, next.clients));
      names = renewed;
    },
  };
}
