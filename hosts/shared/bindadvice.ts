/*
 * What a person can do about a socket that could not be opened. `protocol` is UDP, or what a listener takes.
 */

import { endpointText } from "./address.ts";
import type { SystemError } from "./runtime.ts";

/** Why, and the remedy, by the system's code. Deno gives the code of some errors in the name only. */
const ADVICE: Record<string, string> = {
  EADDRINUSE: "another program uses this address and port (`ss -ltunp` names it); stop it or choose another port",
  EADDRNOTAVAIL:
    "the address is not one of this machine's; add it to an interface, or for a service address that is elsewhere " +
    "run `culvert router --apply` as root, once, with this configuration",
  EACCES: "ports below 1024 need the right to bind them (CAP_NET_BIND_SERVICE)",
  ENOSPC: "batched sockets and packet mode have room for 32 addresses; use fewer of them",
  EMFILE: "too many open files; raise the limit (`ulimit -n`, LimitNOFILE= in systemd)",
  EAFNOSUPPORT: "this machine does not speak this version of IP",
  EINVAL: "the address cannot be bound; a link-local one (fe80::) would need an interface, so give a global one",
};

const NAMES: Record<string, string> = { AddrInUse: "EADDRINUSE", AddrNotAvailable: "EADDRNOTAVAIL", PermissionDenied: "EACCES" };

export function errorCode(error: SystemError): string {
  return error.code ?? NAMES[error.name] ?? /\bE[A-Z]{4,}\b/.exec(error.message)?.[0] ?? error.name;
}

/** Is this about opening a listener, and not about one of its connections? */
export function isBindError(error: SystemError): boolean {
  return ADVICE[errorCode(error)] !== undefined;
}

export function bindAdvice(error: SystemError, protocol: string, address: string, port: number): string {
  const code = errorCode(error);
  return `cannot open ${protocol} ${endpointText(address, port)}: ${ADVICE[code] ?? error.message} (${code})`;
}
