/*
 * Stands in for node:os in the Deno bundle: pino asks for the host name as soon as it is loaded, which
 * would cost every user --allow-sys, and our log lines do not carry it.
 */

export function hostname(): string {
  return "";
}
