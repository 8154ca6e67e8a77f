/*
 * What a host supplies: sockets, connections, a clock, a timer, random bytes. Node and Deno each have one of these, and
 * a test has a third. Invariant: `listen` and `close` take effect before they return; nothing here waits, and no receiver
 * is called before a call of ours has returned.
 */

import type { StreamTransport } from "./config/settled.ts";
import type { Share } from "./workers/share.ts";
import type { Workforce } from "./workers/workforce.ts";

/** Takes one datagram. The data is the receiver's only during the call. */
export type PacketReceiver = (data: Uint8Array, address: string, port: number) => void;

/** Hears of what went wrong after the fact; `code` is the system's (ENETUNREACH), where there is one. `times`: 1 unless it is said. */
export type FailureReceiver = (error: SystemError, times?: number) => void;

export interface SystemError extends Error {
  code?: string | undefined;
}

export interface Socket {
  /** Sends to an IP literal and forgets. The payload is the caller's again on return. Never throws. */
  send(payload: Uint8Array, address: string, port: number): void;
  close(): void;
}

export interface ListenRequest {
  /** IP literal. */
  address: string;
  port: number;
  /** Signaling comes in bursts, from all terminals or for all calls of one, so the kernel's buffer should be large. */
  signal: boolean;
  onPacket: PacketReceiver;
  onFailure: FailureReceiver;
}

/** A connection: TCP or TLS, whose bytes come as they come, or a WebSocket, of which each call is one message. */
export interface Stream {
  /** Sends, once the connection is up. The payload is the caller's again on return. Returns the bytes that wait here. Never throws. */
  send(payload: Uint8Array): number;
  /** Sends what waits, then closes. The receiver hears no more. */
  close(): void;
  /** Closes at once; the receiver hears of it. */
  abort(): void;
  /**
   * What comes on either of two connections for media goes out on the other from now on, no faster than that takes it, and so does
   * its end (half close). The receivers hear when each is closed both ways.
   */
  join(other: Stream): void;
}

export interface StreamReceiver {
  /** The data is the receiver's only during the call. Without it nothing is read until the connection is joined with another. */
  onData?(data: Uint8Array): void;
  /** Once, after which nothing comes; with what went wrong, if something did. */
  onClose(error?: SystemError): void;
}

/** PEM texts. */
export interface CertifiedKey {
  certificate: string;
  key: string;
}

export interface ServerTls extends CertifiedKey {
  names: Record<string, CertifiedKey>;
  /** Authorities of client certificates, which are asked for when they are given. */
  clients: string | undefined;
}

export interface ClientTls {
  authorities: string | undefined;
  /** Name in the server's certificate; its address otherwise. */
  name: string | undefined;
  certified: CertifiedKey | undefined;
}

export interface StreamListenRequest {
  /** IP literal. */
  address: string;
  port: number;
  transport: StreamTransport;
  /** Are they for media, to be joined? */
  media: boolean;
  /** For tls and wss. */
  tls: ServerTls | undefined;
  /** Descriptor of a listener that is open there already, and is closed with this one. */
  descriptor?: number | undefined;
  /** A connection is up: who takes it, or undefined for nobody. */
  onStream(stream: Stream, address: string, port: number): StreamReceiver | undefined;
  /** Something went wrong with the listener, or with a connection that is not up yet. */
  onFailure: FailureReceiver;
}

export interface StreamListener {
  /** New certificates, for connections from now on. Throws what is wrong with them; then those before stay. */
  renew(tls: ServerTls): void;
  close(): void;
}

export interface DialRequest {
  /** IP literals. */
  localAddress: string;
  address: string;
  port: number;
  transport: StreamTransport;
  /** Is it for media, to be joined? */
  media: boolean;
  tls: ClientTls | undefined;
  /** The connection is up, at this port of ours. */
  onOpen(localPort: number): void;
  receiver: StreamReceiver;
}

/** Bits of what a port of the shim is for: signaling, which comes in bursts; other workers too; an address that need not be this machine's. */
export const PORT_SIGNALING = 1;
export const PORT_SHARED = 2;
export const PORT_TRANSPARENT = 4;

/** Batched sockets and packet rings for one core's memory: hosts/linux. Results are numbers; negative ones an errno. */
export interface Shim {
  /** Addresses in memory of records to be sent, SLOT_MAX of them; behind them the four words of an address, or of an interface's name. */
  readonly exchange: Int32Array;
  /** Opens a port of the address in `exchange`; `uses` has PORT_* bits. */
  bind(port: number, uses: number): number;
  unbind(port: number): number;
  /** Ports of the address in `exchange` that other workers have: rings need not hear what is for them. */
  others(first: number, last: number): number;
  /** A listener at a port of the address in `exchange`; `uses` has PORT_* bits. Returns its descriptor, the caller's from now on. */
  listen(port: number, uses: number): number;
  /**
   * Opens a ring on the interface in `exchange`, before `watch`: the n-th is queue n + 2. Returns its index; its hardware address, its
   * MTU and bits (1: it is up, 2: frames leave by AF_XDP) stand in `exchange` then. `wanted`: 1 to hear frames that are for others, 2 for UDP by AF_XDP.
   */
  ring(wanted: number): number;
  /** Frames lost since this was asked last; asked when `receive` adds 512. */
  lost(): number;
  /** Has queues that fill fast be looked at after so many milliseconds, 0 for at once; before `watch`. */
  pace(milliseconds: number): void;
  /** Fills slots. A ring: with frames, until there are none; 256 alone is one, longer than a slot, at INPUT. A socket: returns how many, fewer than SLOT_MAX when there are no more, and 256 more when one goes on beyond its slot. */
  receive(queue: number): number;
  /** Lays what came for a slot at INPUT, in its whole length. */
  lay(slot: number): number;
  /** Sends the first records in `exchange`. Returns how many could not be sent. */
  send(n: number): number;
  /** errno of the last send that failed. */
  failure(): number;
  /** Name of an errno. */
  code(errno: number): string;
  /** Calls back in later turns, as long as a queue has packets. */
  watch(onReadable: (queue: number) => void): void;
  close(): void;
}

export interface Runtime {
  readonly name: string;
  /** Opens batched sockets, for one of several workers or for the only one, or says why there are none. */
  shim(memory: ArrayBuffer, share?: Share): Shim | string;
  /** A bound UDP socket, or a SystemError thrown. */
  listen(request: ListenRequest): Socket;
  /** Throws what is wrong with a text of certificates, or with the key of the first of them. */
  certificateCheck(certificates: string, key?: string): void;
  /** A listener; that it could not be opened may be heard of later, by onFailure. Throws what is wrong with its certificates. */
  listenStream(request: StreamListenRequest): StreamListener;
  dial(request: DialRequest): Stream;
  /** Monotonic milliseconds. */
  now(): number;
  setTimer(delayMs: number, callback: () => void): unknown;
  clearTimer(timer: unknown): void;
  /** Calls back when all that is ready in this turn of the event loop has been read; absent where the runtime cannot tell. */
  afterTurn?(callback: () => void): void;
  /** Fills the bytes with random ones and returns them. */
  randomFill(bytes: Uint8Array): Uint8Array;
}

/** A file that only its owner can read and write. */
export interface PrivateFile {
  /** What stands there, less of it at the end of the file. */
  read(at: number, len: number): Promise<Uint8Array>;
  write(at: number, bytes: Uint8Array): Promise<void>;
  /** Puts a file that was created in the place of the one before. */
  publish(): Promise<void>;
  close(): Promise<void>;
}

/** What the command line needs beyond that. */
export interface Host {
  readonly runtime: Runtime;
  /** Where there can be several processes. */
  readonly workforce?: Workforce;
  readFile(path: string): Promise<Uint8Array>;
  /** A file to be read, or undefined where there is none. Throws when others than its owner may read or write it. */
  privateOpen(path: string): Promise<PrivateFile | undefined>;
  /** A new file, to be published at `path`. */
  privateCreate(path: string): Promise<PrivateFile>;
  /** Milliseconds since 1970, by the clock of the day. */
  wall(): number;
  /** Are these the same bytes? As fast as the machine can tell. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** The WebAssembly core that was built with this host; `soon`: calls are up that wait for it, so it is to run before it runs fast. */
  coreBinary(soon: boolean): Promise<Uint8Array>;
  /** Is standard output a terminal that a person reads? */
  readonly terminal: boolean;
  /** Calls back once, on the first signal to end; a second signal ends the process at once. */
  onStop(callback: (signal: string) => void): void;
  setExitCode(code: number): void;
}
