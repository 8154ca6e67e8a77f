/*
 * stunnel: TLS for a program that has none, as a client or as a server.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Pem } from "../certificate.ts";
import { Program } from "./process.ts";

export interface StunnelOptions {
  /** Of its configuration, and in messages. */
  name: string;
  folder: string;
  /** Where it listens, connects from and connects to: a client listens for plain TCP, a server connects with it. */
  address: string;
  port: number;
  to: number;
  /** What it shows; a server has to. */
  own: Pem | undefined;
  /** Certificate of who may be at the other end; nobody else is spoken to, nor who shows none. */
  trusted: string;
  /** What a client asks for (SNI) and must find in the certificate; undefined makes it a server. */
  asks?: string;
  seconds: number;
}

function configuration({ name, address, port, to, own, trusted, asks }: StunnelOptions): string {
  return [
    "foreground = yes",
    "syslog = no",
    "debug = info",
    "pid =",
    `[${name}]`,
    `accept = ${address}:${port}`,
    `connect = ${address}:${to}`,
    `local = ${address}`,
    ...(own === undefined ? [] : [`cert = ${own.certificate}`, `key = ${own.key}`]),
    `CAfile = ${trusted}`,
    "verifyChain = yes",
    ...(asks === undefined ? [] : ["client = yes", `sni = ${asks}`, `checkHost = ${asks}`]),
    "",
  ].join("\n");
}

/** Runs it in the foreground; returns once it listens. */
export async function stunnel(options: StunnelOptions): Promise<Program> {
  const path = join(options.folder, `${options.name}.conf`);
  writeFileSync(path, configuration(options));
  const program = new Program("stunnel", [path], { seconds: options.seconds });
  await program.until(/Accepting new connections/, 10);
  return program;
}
