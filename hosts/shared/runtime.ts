/*
 * What a host supplies: sockets, a clock, a timer, random bytes. Node and Deno each have one of these, and
 * a test has a third. Invariant: `listen` and `close` take effect before they return; nothing here waits.
 */

/** Takes one datagram. The data is the receiver's only during the call. */
export type PacketReceiver = (data: Uint8Array, address: string, port: number) => void;

/** Hears of what went wrong after the fact; `code` is the system's (ENETUNREACH), where there is one. */
export type FailureReceiver = (error: SystemError) => void;

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

export interface Runtime {
  readonly name: string;
  /** A bound UDP socket, or a SystemError thrown. */
  listen(request: ListenRequest): Socket;
  /** Monotonic milliseconds. */
  now(): number;
  setTimer(delayMs: number, callback: () => void): unknown;
  clearTimer(timer: unknown): void;
  /** Fills the bytes with random ones and returns them. */
  randomFill(bytes: Uint8Array): Uint8Array;
}

/** What the command line needs beyond that. */
export interface Host {
  readonly runtime: Runtime;
  readFile(path: string): Promise<Uint8Array>;
  /** The WebAssembly core that was built with this host. */
  coreBinary(): Promise<Uint8Array>;
  /** Is standard output a terminal that a person reads? */
  readonly terminal: boolean;
  /** Calls back once, on the first signal to end; a second signal ends the process at once. */
  onStop(callback: (signal: string) => void): void;
  setExitCode(code: number): void;
}
