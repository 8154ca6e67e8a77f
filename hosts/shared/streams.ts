/*
 * Connections between the core and the runtime: those that are accepted, those that the core dials, and what is said on
 * them. The core knows a connection by its handle.
 * Invariant: a handle stands in the table from the moment that the core knows it until HANG or KIND_CLOSE, so neither is
 * ever told of one that it does not know.
 */

import type { AddressCache } from "./addresscache.ts";
import { bindAdvice, isBindError } from "./bindadvice.ts";
import type { Certificates } from "./certificates.ts";
import type { StreamTransport } from "./config/settled.ts";
import * as abi from "./core.ts";
import type { CoreMemory } from "./core.ts";
import { type Destination, headerWrite, SLOT } from "./header.ts";
import type { Runtime, ServerTls, Stream, StreamListener, StreamReceiver, SystemError } from "./runtime.ts";

/** Bytes that may wait for one connection: who reads so slowly is cut off. */
const WAITING_MOST = 1 << 20;
/** A server that has not taken a connection by then is not reached: the terminal learns of it before its transaction ends (RFC 3261 17.1.1.2, 32 s). */
const DIAL_MOST_MS = 10_000;
/** Messages that are kept for the case that they do not arrive. */
const EARLY_MOST = 64;
const PAYLOAD_MOST = abi.INPUT_SIZE - abi.PACKET_PAYLOAD;
/** Index = TRANSPORT_*. */
const NAMES = ["udp", "tcp", "tls", "ws", "wss"] as const;

export interface StreamTotals {
  accepted: number;
  refused: number;
  dialled: number;
  /** Dialled, and not reached. */
  unreached: number;
  /** Cut off because the other end does not read. */
  choked: number;
}

export interface StreamSetting {
  memory: CoreMemory;
  runtime: Runtime;
  cache: AddressCache;
  certificates: Certificates;
  /** Of a listener that other workers have too, where there are some; throws what the system says. */
  descriptor(address: Int32Array, port: number): number | undefined;
  /** One input of the core and all that follows from it; negative for a fault. */
  input(kind: number, len: number): number;
  complain(key: string, fields: object, message: string): void;
}

interface Connection {
  stream: Stream;
  /**
   * What was sent before the connection was up; by TLS, before anything was heard: of TLS 1.3 a client is done before the server has
   * looked at its certificate (RFC 8446 2), and a server that does not like it closes.
   */
  early: Uint8Array[] | undefined;
  /** Until it is up. */
  timer?: unknown;
}

/** Where a connection came in. */
interface Arrival extends Destination {
  transport: StreamTransport;
  /** Is it for media? */
  media: boolean;
}

interface Listening {
  listener: StreamListener;
  /** What its peers are shown now; undefined for TCP and WebSocket. */
  shown: () => ServerTls | undefined;
  /** What it was given last. */
  tls: ServerTls | undefined;
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`;
}

export class Streams {
  readonly totals: StreamTotals = { accepted: 0, refused: 0, dialled: 0, unreached: 0, choked: 0 };
  readonly #setting: StreamSetting;
  readonly #words: Int32Array;
  readonly #listening = new Map<string, Listening>();
  readonly #streams = new Map<number, Connection>();

  constructor(setting: StreamSetting) {
    this.#setting = setting;
    this.#words = setting.memory.words;
    setting.certificates.onRenewal = () => this.#renew();
  }

  /** Connections that are open or being opened. */
  get size(): number {
    return this.#streams.size;
  }

  /** Takes connections of a service's terminals. */
  serve(realm: number, address: string, port: number, transport: StreamTransport, service: number): void {
    const { cache, certificates, descriptor } = this.#setting;
    const secure = transport === "tls" || transport === "wss";
    const here = { realm, words: cache.words(address)!, port, transport, media: false };
    try {
      this.#listen(address, here, () => (secure ? certificates.ofTerminals(service) : undefined), descriptor(here.words, port));
    } catch (error) {
      this.#listenFailed(address, here, error as SystemError);
    }
  }

  #listen(address: string, here: Arrival, shown: Listening["shown"], descriptor?: number): void {
    const { port, transport, media } = here;
    const tls = shown();
    const listener = this.#setting.runtime.listenStream({
      address,
      port,
      transport,
      media,
      tls,
      descriptor,
      onStream: (stream, from, fromPort) => this.#accept(stream, from, fromPort, here),
      onFailure: (error) => this.#listenFailed(address, here, error),
    });
    this.#listening.set(keyOf(address, port), { listener, shown, tls });
  }

  #listenFailed(address: string, { port, transport }: Arrival, error: SystemError): void {
    const what = isBindError(error) ? bindAdvice(error, transport.toUpperCase(), address, port) : `a connection failed before it was up: ${error.message}`;
    this.#setting.complain(`listen ${transport}`, { address, port, transport }, what);
  }

  /** Gives listeners what has changed. */
  #renew(): void {
    for (const [key, listening] of this.#listening) {
      const tls = listening.shown();
      if (!tls || tls === listening.tls) continue;
      listening.tls = tls;
      try {
        listening.listener.renew(tls);
      } catch (error) {
        this.#setting.complain(`renew ${key}`, { at: key }, `a new certificate is not used: ${(error as Error).message}`);
      }
    }
  }

  /** BIND of the core, for a transport other than UDP. */
  bind(at: number): void {
    const words = this.#words;
    const address = this.#setting.cache.text(words, (at + abi.OUTPUT_LOCAL) >> 2);
    const port = words[(at + abi.OUTPUT_LOCAL_PORT) >> 2]!;
    const transport = NAMES[words[(at + abi.OUTPUT_VALUE) >> 2]!];
    if (transport === undefined || transport === "udp" || this.#listening.has(keyOf(address, port))) return;
    const shown = (): ServerTls | undefined => (transport === "tls" ? this.#setting.certificates.ofServers(address) : undefined);
    const media = words[(at + abi.OUTPUT_DETAIL) >> 2] === abi.POOL_MEDIA;
    const here = { realm: words[(at + abi.OUTPUT_REALM) >> 2]!, words: this.#setting.cache.words(address)!, port, transport, media };
    if (transport === "tcp" || shown()) this.#listen(address, here, shown);
  }

  unbind(at: number): void {
    const words = this.#words;
    const key = keyOf(this.#setting.cache.text(words, (at + abi.OUTPUT_LOCAL) >> 2), words[(at + abi.OUTPUT_LOCAL_PORT) >> 2]!);
    this.#listening.get(key)?.listener.close();
    this.#listening.delete(key);
  }

  /** Tells the core of a connection. Who receives what it says, or undefined when the core will not have it. */
  #accept(stream: Stream, address: string, port: number, here: Arrival): StreamReceiver | undefined {
    const words = this.#words;
    const source = this.#setting.cache.words(address);
    if (!source) return undefined;
    headerWrite(words, abi.PROTOCOL_TCP, source, port, here);
    words[SLOT + (abi.PACKET_CONNECTION >> 2)] = 0;
    words[SLOT + (abi.PACKET_TRANSPORT >> 2)] = NAMES.indexOf(here.transport);
    const handle = this.#setting.input(abi.KIND_OPEN, 0);
    if (handle <= 0) {
      this.totals.refused++;
      return undefined;
    }
    this.totals.accepted++;
    this.#streams.set(handle, { stream, early: undefined });
    return this.#receiver(handle, here.media);
  }

  /** DIAL of the core. */
  dial(at: number): void {
    const words = this.#words;
    const { runtime, cache, certificates } = this.#setting;
    const handle = words[(at + abi.OUTPUT_VALUE) >> 2]!;
    const transport = NAMES[words[(at + abi.OUTPUT_DETAIL) >> 2]!];
    const address = cache.text(words, (at + abi.OUTPUT_REMOTE) >> 2);
    const port = words[(at + abi.OUTPUT_REMOTE_PORT) >> 2]!;
    const partner = words[(at + abi.OUTPUT_LEN) >> 2]!;
    const receiver = this.#receiver(handle, partner !== 0);
    const stream = runtime.dial({
      localAddress: cache.text(words, (at + abi.OUTPUT_LOCAL) >> 2),
      address,
      port,
      transport: transport === "tls" ? "tls" : "tcp",
      media: partner !== 0,
      tls: certificates.ofDialled(words[(at + abi.OUTPUT_PAYLOAD) >> 2]!),
      onOpen: (localPort) => {
        const connection = this.#streams.get(handle);
        if (!connection) return;
        if (transport !== "tls") connection.early = undefined;
        runtime.clearTimer(connection.timer);
        this.#streams.get(partner)?.stream.join(connection.stream);
        this.#tell(abi.KIND_OPEN, handle, localPort);
      },
      receiver: {
        ...receiver,
        onClose: (error) => {
          if (this.#streams.get(handle)?.early) this.#unreached(address, port, error);
          receiver.onClose(error);
        },
      },
    });
    this.totals.dialled++;
    this.#streams.set(handle, { stream, early: [], timer: runtime.setTimer(DIAL_MOST_MS, () => this.#abandon(handle, address, port)) });
  }

  /** A connection does not come to be up. */
  #abandon(handle: number, address: string, port: number): void {
    const connection = this.#streams.get(handle);
    if (!connection) return;
    this.#unreached(address, port, { name: "Error", message: `no answer within ${DIAL_MOST_MS / 1000} s`, code: "ETIMEDOUT" });
    this.#closed(handle);
    connection.stream.abort();
  }

  #unreached(address: string, port: number, error: SystemError | undefined): void {
    this.totals.unreached++;
    this.#setting.complain(
      `dial ${error?.code}`,
      { address, port, code: error?.code },
      `a connection could not be opened: ${error?.message ?? "it was closed"}`,
    );
  }

  /** What media brings does not come here. */
  #receiver(handle: number, media: boolean): StreamReceiver {
    const onClose = (): void => this.#closed(handle);
    return media ? { onClose } : { onData: (data) => this.#receive(handle, data), onClose };
  }

  /** With what was to be sent, if that did not arrive: the core answers it. */
  #closed(handle: number): void {
    const connection = this.#streams.get(handle);
    if (!connection) return;
    this.#streams.delete(handle);
    this.#setting.runtime.clearTimer(connection.timer);
    let len = 0;
    for (const bytes of connection.early ?? []) {
      if (len + bytes.length > PAYLOAD_MOST) break;
      this.#setting.memory.bytes.set(bytes, abi.INPUT + abi.PACKET_PAYLOAD + len);
      len += bytes.length;
    }
    this.#tell(abi.KIND_CLOSE, handle, 0, len);
  }

  #tell(kind: number, handle: number, localPort: number, len = 0): number {
    this.#words[SLOT + (abi.PACKET_CONNECTION >> 2)] = handle;
    this.#words[SLOT + (abi.PACKET_DESTINATION_PORT >> 2)] = localPort;
    return this.#setting.input(kind, len);
  }

  /** Hands the bytes in until all are taken; a connection that the core does not take them of is closed. */
  #receive(handle: number, data: Uint8Array): void {
    const { memory, input } = this.#setting;
    const connection = this.#streams.get(handle);
    if (connection) connection.early = undefined;
    for (let at = 0; at < data.length && this.#streams.has(handle); ) {
      const part = data.subarray(at, at + PAYLOAD_MOST);
      this.#words[SLOT + (abi.PACKET_CONNECTION >> 2)] = handle;
      memory.bytes.set(part, abi.INPUT + abi.PACKET_PAYLOAD);
      const taken = input(abi.KIND_STREAM, part.length);
      if (taken <= 0) {
        this.#streams.get(handle)?.stream.abort();
        return;
      }
      at += taken;
    }
  }

  /** SEND of the core on a connection. Returns false when it is gone. */
  send(at: number): boolean {
    const words = this.#words;
    const connection = this.#streams.get(words[(at + abi.OUTPUT_VALUE) >> 2]!);
    if (!connection) return false;
    const { stream, early } = connection;
    const payload = words[(at + abi.OUTPUT_PAYLOAD) >> 2]!;
    const bytes = this.#setting.memory.bytes.subarray(payload, payload + words[(at + abi.OUTPUT_LEN) >> 2]!);
    if (early && early.length < EARLY_MOST) early.push(bytes.slice());
    const waiting = stream.send(bytes);
    if (waiting > WAITING_MOST) {
      this.totals.choked++;
      stream.abort();
    }
    return true;
  }

  /** HANG of the core. */
  hang(at: number): void {
    const handle = this.#words[(at + abi.OUTPUT_VALUE) >> 2]!;
    const connection = this.#streams.get(handle);
    this.#streams.delete(handle);
    this.#setting.runtime.clearTimer(connection?.timer);
    connection?.stream.close();
  }

  stop(): void {
    for (const { listener } of this.#listening.values()) listener.close();
    this.#listening.clear();
    for (const { stream, timer } of this.#streams.values()) {
      this.#setting.runtime.clearTimer(timer);
      stream.close();
    }
    this.#streams.clear();
  }
}
