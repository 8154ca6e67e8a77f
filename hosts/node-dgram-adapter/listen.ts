/*
 * Opens a bound socket, synchronously. dgram binds on the spot when its `lookup` answers on the spot, and
 * emits a failure ("error") while `bind` still runs; both hold for Node 20 and are checked by the tests.
 */

import { createSocket, type Socket, type SocketOptions } from "node:dgram";
import { lookup as resolve } from "node:dns";
import { isIP } from "node:net";
import { DatagramSocket } from "./socket.ts";

export interface ListenOptions {
  transport: "udp";
  /** An IP literal or "localhost"; "0.0.0.0" when absent, as in Deno. */
  hostname?: string;
  port: number;
  reuseAddress?: boolean;
  /** Beyond Deno: datagrams kept for `receive()`; more are dropped and counted in `dropped`. Default 1024. */
  queueLimit?: number;
  /** Beyond Deno: receive buffer of the kernel in bytes, as far as it allows. */
  receiveBufferBytes?: number;
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/** Names of Deno's error classes, by the system's codes. */
const ERROR_NAMES: Record<string, string> = {
  EADDRINUSE: "AddrInUse",
  EADDRNOTAVAIL: "AddrNotAvailable",
  EACCES: "PermissionDenied",
  EPERM: "PermissionDenied",
};

/** IP literals without the detour over DNS, which would put every send off to a later turn. */
function lookup(hostname: string, ...rest: unknown[]): void {
  const callback = rest.at(-1) as LookupCallback;
  const family = isIP(hostname);
  if (family) callback(null, hostname, family);
  else resolve(hostname, callback);
}

function literal(hostname: string): string {
  if (hostname === "localhost") return "127.0.0.1";
  if (isIP(hostname)) return hostname;
  throw new TypeError(`listenDatagram: "${hostname}" is not an IP address; names cannot be bound without waiting, so give the address`);
}

/** Binds now or throws the system's error under Deno's name. */
function bind(socket: Socket, hostname: string, port: number): void {
  let failure: NodeJS.ErrnoException | undefined;
  const note = (error: NodeJS.ErrnoException): void => {
    failure = error;
  };
  socket.on("error", note);
  socket.bind({ address: hostname, port, exclusive: true });
  socket.off("error", note);
  if (!failure) return;
  socket.close();
  failure.name = ERROR_NAMES[failure.code ?? ""] ?? failure.name;
  throw failure;
}

export function listenDatagram(options: ListenOptions): DatagramSocket {
  const hostname = literal(options.hostname ?? "0.0.0.0");
  const settings: SocketOptions = { type: isIP(hostname) === 6 ? "udp6" : "udp4", reuseAddr: options.reuseAddress ?? false, lookup };
  if (options.receiveBufferBytes) settings.recvBufferSize = options.receiveBufferBytes;
  const socket = createSocket(settings);
  bind(socket, hostname, options.port);
  return new DatagramSocket(socket, options.queueLimit ?? 1024);
}
