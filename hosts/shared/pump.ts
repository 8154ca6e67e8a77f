/*
 * The drain loop between a core and sockets (DESIGN 2): one input, output() until OUTPUT_TIMEOUT, wait.
 * Invariant: inputs never nest, since sockets deliver in a later turn, but for KIND_REFUSED, which is meant to; a packet, a
 * failed send or even a trap in the core ends in a count and a log line, never in an exception to the runtime.
 */

import { AddressCache } from "./addresscache.ts";
import { Alarm } from "./alarm.ts";
import { Batch } from "./batch.ts";
import { coreBegin } from "./begin.ts";
import { bindAdvice, errorCode } from "./bindadvice.ts";
import type { Certificates } from "./certificates.ts";
import type { Config, Service } from "./config.ts";
import type { StreamTransport } from "./config/settled.ts";
import * as abi from "./core.ts";
import type { Core } from "./core.ts";
import { EndpointTable, type OpenEndpoint } from "./endpointtable.ts";
import { EventLog } from "./eventlog.ts";
import { ForeignEndpoints } from "./foreign.ts";
import { headerWrite, SLOT } from "./header.ts";
import type { Log } from "./log.ts";
import { verdictName } from "./names.ts";
import { Pace } from "./pace.ts";
import { COMPLAINT_INTERVAL_MS, RateLimit } from "./ratelimit.ts";
import { PORT_SHARED, PORT_SIGNALING, PORT_TRANSPARENT, type Runtime, type Shim, type Socket, type SystemError } from "./runtime.ts";
import { Streams } from "./streams.ts";
import { traceFields } from "./trace.ts";

/** Payload bytes that the input slot takes; no UDP datagram has more. */
const PAYLOAD_MOST = 65_535;
/** What an input that ended in an exception gives. */
const TRAPPED = -1;

/** Who has a port: this process alone, other workers too, or another machine, whose address it is. */
type Holder = "own" | "foreign";

export interface Totals {
  received: number;
  sent: number;
  forwarded: number;
  /** Frames that the core made, frames that went on as they were, and those that were the machine's own stack's. */
  framed: number;
  bridged: number;
  handed: number;
  /** Frames for which a ring had no room. */
  lost: number;
  /** Sends from a port whose socket could not be opened, or on a connection that is gone. */
  noSocket: number;
  bindFailed: number;
  sendFailed: number;
  forwardFailed: number;
  /** Inputs that ended in an exception. */
  trapped: number;
}

export class Pump {
  readonly totals: Totals = {
    received: 0,
    sent: 0,
    forwarded: 0,
    framed: 0,
    bridged: 0,
    handed: 0,
    lost: 0,
    noSocket: 0,
    bindFailed: 0,
    sendFailed: 0,
    forwardFailed: 0,
    trapped: 0,
  };
  readonly #core: Core;
  readonly #runtime: Runtime;
  readonly #config: Config;
  readonly #log: Log;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #cache = new AddressCache();
  readonly #endpoints = new EndpointTable();
  readonly #foreign = new ForeignEndpoints();
  readonly streams: Streams;
  readonly #alarm: Alarm;
  readonly #complaints = new RateLimit(COMPLAINT_INTERVAL_MS);
  readonly #events: EventLog;
  readonly #tracing: boolean;
  readonly #pace: Pace;
  /** Absent where each port has a socket of the runtime. */
  readonly #batch: Batch | undefined;
  /** How far the core's clock is ahead of the runtime's: it goes on where that of the process before was. */
  readonly #aheadMs: number;
  /** Does it go on with the memory of the process before? */
  restored: boolean;
  #stopped = false;
  /** The core's clock. */
  readonly clock = (): number => (this.#runtime.now() + this.#aheadMs) | 0;

  /** `clock`: what the core's clock is now, when its memory is that of a process before and the configuration is written. */
  constructor(core: Core, runtime: Runtime, config: Config, certificates: Certificates, log: Log, shim?: Shim, clock?: number) {
    this.#core = core;
    this.#runtime = runtime;
    this.#config = config;
    this.#log = log;
    this.restored = clock !== undefined;
    this.#aheadMs = clock === undefined ? 0 : clock - runtime.now();
    this.#words = core.memory.words;
    this.#bytes = core.memory.bytes;
    this.#pace = new Pace(runtime, shim ? 0 : config.paceMs);
    this.#alarm = new Alarm(runtime, () => this.#input(abi.KIND_TIMEOUT, 0));
    this.#events = new EventLog(core, log);
    this.streams = new Streams({
      memory: core.memory,
      runtime,
      cache: this.#cache,
      certificates,
      descriptor: (words, port) => (this.#serviceUses === 0 ? undefined : this.#batch?.listen(words, port, this.#serviceUses)),
      input: (kind, len) => (this.#stopped ? TRAPPED : this.#input(kind, len)),
      complain: (key, fields, message) => this.#complain(key, fields, message),
    });
    this.#tracing = log.isLevelEnabled("trace");
    if (shim) this.#batch = this.#batchMake(shim);
  }

  #batchMake(shim: Shim): Batch {
    return new Batch(shim, {
      memory: this.#core.memory,
      realmOf: (at, port) => this.#endpoints.find(this.#words, at, port)?.realm ?? -1,
      input: (kind, len) => (this.#stopped ? TRAPPED : this.#input(kind, len)),
      single: () => this.#takeInput(),
      tracing: this.#tracing,
      received: (n) => (this.totals.received += n),
      lost: (n) => this.#lost(n),
      failed: (n, error) => this.#sendFailed(n, error),
    });
  }

  /** Sockets that are open now. */
  get sockets(): number {
    return this.#endpoints.size;
  }

  /** Opens the service addresses and boots the core, or has it go on. Throws what a person can read when that is impossible. */
  start(): void {
    try {
      for (const [index, service] of this.#config.services.entries()) this.#serve(service, index);
      this.restored = coreBegin(this.#core, this.restored, this.clock, () => this.#drain(), this.#log);
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** What ports of services are for besides: all workers listen on them, and their address need not be on this machine. */
  get #serviceUses(): number {
    const { workers, interception } = this.#config;
    return (workers.index === undefined ? 0 : PORT_SHARED) | (interception.kind === "tproxy" ? PORT_TRANSPARENT : 0);
  }

  /** Opens what a service listens on. */
  #serve({ access, address, port, streams }: Service, index: number): void {
    this.#open(access, address.text, port, PORT_SIGNALING | this.#serviceUses);
    for (const [transport, streamPort] of Object.entries(streams) as [StreamTransport, number][]) {
      if (streamPort > 0) this.streams.serve(access, address.text, streamPort, transport, index);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.streams.stop();
    this.#alarm.clear();
    for (const endpoint of this.#endpoints) this.#close(endpoint);
    this.#batch?.stop();
  }

  /** Opens a port and enters it in the table; throws with advice. A foreign address has a socket of the runtime. */
  #open(realm: number, address: string, port: number, uses: number, holder: Holder = "own"): OpenEndpoint {
    const words = this.#cache.words(address)!;
    const endpoint: OpenEndpoint = { socket: undefined, realm, address, port, words, next: undefined };
    try {
      if (holder === "foreign" || !this.#batch?.open(words, port, uses)) endpoint.socket = this.#listen(endpoint, (uses & PORT_SIGNALING) !== 0);
    } catch (error) {
      throw new Error(bindAdvice(error as SystemError, "UDP", address, port), { cause: error });
    }
    this.#endpoints.add(endpoint);
    return endpoint;
  }

  #listen(endpoint: OpenEndpoint, signal: boolean): Socket {
    return this.#runtime.listen({
      address: endpoint.address,
      port: endpoint.port,
      signal,
      onPacket: (data, from, fromPort) => this.#receive(endpoint, data, from, fromPort),
      onFailure: (error, times = 1) => this.#sendFailed(times, error, endpoint),
    });
  }

  #close(endpoint: OpenEndpoint): void {
    this.#endpoints.remove(endpoint);
    if (endpoint.socket) endpoint.socket.close();
    else this.#batch!.close(endpoint.words, endpoint.port);
  }

  /** Says something at most once in a while; `key` tells complaints apart. */
  #complain(key: string, fields: object, message: string, level: "warn" | "error" = "warn"): void {
    const suppressed = this.#complaints.admit(key, this.#runtime.now());
    if (suppressed >= 0) this.#log[level](suppressed > 0 ? { ...fields, suppressed } : fields, message);
  }

  #receive(endpoint: OpenEndpoint, data: Uint8Array, address: string, port: number): void {
    const source = this.#cache.words(address);
    if (this.#stopped || !source || data.length > PAYLOAD_MOST) return;
    this.totals.received++;
    this.#pace.count();
    headerWrite(this.#words, abi.PROTOCOL_UDP, source, port, endpoint);
    this.#words[SLOT + (abi.PACKET_LEN >> 2)] = data.length;
    this.#bytes.set(data, abi.INPUT + abi.PACKET_PAYLOAD);
    this.#takeInput();
  }

  /** The datagram at INPUT. */
  #takeInput(): void {
    const verdict = this.#input(abi.KIND_DATAGRAM, this.#words[SLOT + (abi.PACKET_LEN >> 2)]!);
    if (this.#tracing) this.#log.trace(traceFields(this.#words, this.#cache, this.#config), verdictName(verdict));
  }

  /** One input and all that follows from it. Returns what the core does. */
  #input(kind: number, len: number): number {
    try {
      const verdict = this.#core.input(kind, len, this.clock());
      this.#drain();
      return verdict;
    } catch (error) {
      this.totals.trapped++;
      this.#batch?.flush();
      this.#complain("trap", { error: (error as Error).stack, kind, len }, "an input ended in an exception; it was dropped. Please report this", "error");
      return TRAPPED;
    }
  }

  #drain(): void {
    const words = this.#words;
    for (let n = 0; n <= abi.OUTPUT_MAX; n++) {
      const at = this.#core.output();
      switch (words[(at + abi.OUTPUT_KIND) >> 2]) {
        case abi.OUTPUT_SEND:
          this.#send(at);
          break;
        case abi.OUTPUT_FORWARD:
          this.#forward(at);
          break;
        case abi.OUTPUT_FRAME:
          this.totals.framed++;
          this.#batch!.add(at);
          break;
        case abi.OUTPUT_BRIDGE:
          this.totals.bridged++;
          this.#batch!.add(at);
          break;
        case abi.OUTPUT_STACK:
          this.totals.handed++; // A ring takes nothing from the stack.
          break;
        case abi.OUTPUT_BIND:
          this.#bind(at);
          break;
        case abi.OUTPUT_UNBIND:
          this.#unbind(at);
          break;
        case abi.OUTPUT_DIAL:
          this.streams.dial(at);
          break;
        case abi.OUTPUT_HANG:
          this.streams.hang(at);
          break;
        case abi.OUTPUT_EVENT:
          this.#events.write(at);
          break;
        case abi.OUTPUT_TIMEOUT:
          this.#batch?.flush();
          this.#alarm.set(words[(at + abi.OUTPUT_VALUE) >> 2]!, this.#runtime.now());
          return;
      }
    }
    throw new Error("the core gave more outputs than its queue holds");
  }

  #local(at: number): OpenEndpoint | undefined {
    const words = this.#words;
    return this.#endpoints.find(words, (at + abi.OUTPUT_LOCAL) >> 2, words[(at + abi.OUTPUT_LOCAL_PORT) >> 2]!);
  }

  #emit({ socket }: OpenEndpoint, at: number): void {
    if (!socket) {
      this.#batch!.add(at);
      return;
    }
    const words = this.#words;
    const payload = words[(at + abi.OUTPUT_PAYLOAD) >> 2]!;
    const bytes = this.#bytes.subarray(payload, payload + words[(at + abi.OUTPUT_LEN) >> 2]!);
    socket.send(bytes, this.#cache.text(words, (at + abi.OUTPUT_REMOTE) >> 2), words[(at + abi.OUTPUT_REMOTE_PORT) >> 2]!);
  }

  #send(at: number): void {
    if (this.#words[(at + abi.OUTPUT_VALUE) >> 2] !== 0) {
      if (this.streams.send(at)) this.totals.sent++;
      else this.totals.noSocket++;
      return;
    }
    const endpoint = this.#local(at);
    if (endpoint) {
      this.totals.sent++;
      this.#emit(endpoint, at);
    } else {
      this.totals.noSocket++;
      const address = this.#cache.text(this.#words, (at + abi.OUTPUT_LOCAL) >> 2);
      this.#complain("socket", { address, port: this.#words[(at + abi.OUTPUT_LOCAL_PORT) >> 2] }, "nothing sent: there is no socket on this address and port");
    }
  }

  #sendFailed(n: number, error: SystemError, from?: OpenEndpoint): void {
    if (this.#stopped) return;
    this.totals.sendFailed += n;
    const code = errorCode(error);
    const fields = from ? { code, address: from.address, port: from.port } : { code };
    this.#complain(code, fields, `a packet could not be sent: ${error.message}`);
  }

  #lost(n: number): void {
    this.totals.lost += n;
    this.#complain("lost", { frames: n }, "frames were lost: they came faster than they were taken");
  }

  #forward(at: number): void {
    const endpoint =
      this.#local(at) ??
      this.#foreign.open(
        this.#runtime.now(),
        () => this.#openForeign(at),
        (oldest) => this.#close(oldest),
      );
    if (endpoint) {
      this.totals.forwarded++;
      this.#emit(endpoint, at);
    } else {
      this.totals.forwardFailed++;
    }
  }

  /** What comes back to a foreign address comes from the other kind of realm. */
  #openForeign(at: number): OpenEndpoint | undefined {
    const words = this.#words;
    const kind = this.#config.realms[words[(at + abi.OUTPUT_REALM) >> 2]!]?.kind;
    const other = this.#config.realms.findIndex((realm) => realm.kind !== kind);
    const address = this.#cache.text(words, (at + abi.OUTPUT_LOCAL) >> 2);
    try {
      return this.#open(other, address, words[(at + abi.OUTPUT_LOCAL_PORT) >> 2]!, 0, "foreign");
    } catch (error) {
      this.#complain("forward", { address }, `a packet could not be forwarded in its sender's name: ${(error as Error).message}`);
      return undefined;
    }
  }

  #bind(at: number): void {
    const words = this.#words;
    const port = words[(at + abi.OUTPUT_LOCAL_PORT) >> 2]!;
    const address = this.#cache.text(words, (at + abi.OUTPUT_LOCAL) >> 2);
    if (words[(at + abi.OUTPUT_VALUE) >> 2] !== abi.TRANSPORT_UDP) {
      this.streams.bind(at);
      return;
    }
    if (this.#local(at)) return;
    try {
      const uses = words[(at + abi.OUTPUT_DETAIL) >> 2] === abi.POOL_SIGNAL ? PORT_SIGNALING : 0;
      this.#open(words[(at + abi.OUTPUT_REALM) >> 2]!, address, port, uses);
    } catch (error) {
      this.totals.bindFailed++;
      this.#complain("bind", { address, port }, (error as Error).message);
      this.#core.input(abi.KIND_REFUSED, at, this.clock());
    }
  }

  #unbind(at: number): void {
    if (this.#words[(at + abi.OUTPUT_VALUE) >> 2] !== abi.TRANSPORT_UDP) {
      this.streams.unbind(at);
      return;
    }
    const endpoint = this.#local(at);
    if (endpoint) this.#close(endpoint);
  }
}
