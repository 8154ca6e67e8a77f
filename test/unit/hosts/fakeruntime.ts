/*
 * A runtime without a network: sockets that note what is sent and take packets from the test, and a clock
 * that stands still until it is moved.
 */

import type { DialRequest, ListenRequest, Runtime, Stream, StreamListenRequest, StreamReceiver, SystemError } from "../../../hosts/shared/runtime.ts";

export interface Sent {
  from: string;
  fromPort: number;
  to: string;
  toPort: number;
  data: string;
}

interface Timer {
  at: number;
  callback: () => void;
}

export interface FakeRuntime extends Runtime {
  /** Open sockets by "address port". */
  sockets: Map<string, ListenRequest>;
  sent: Sent[];
  /** Listeners for connections by "address port". */
  listeners: Map<string, StreamListenRequest>;
  dialled: DialRequest[];
  /** What was done with connections and listeners: "7 send text", "7 close", "7 abort", "7 join 8", "192.0.2.1 5061 renew certificate". */
  done: string[];
  /** A connection from there arrives at a listener. Its receiver, or undefined when it is refused. */
  /** Bytes that wait on every connection. */
  waiting: number;
  connect(to: string, toPort: number, from: string, fromPort: number): StreamReceiver | undefined;
  timersStarted: number;
  /** Makes `listen` fail for an address with a system's code. */
  refuse: Map<string, string>;
  advance(ms: number): void;
  /** A packet arrives at a socket. */
  deliver(to: string, toPort: number, data: string, from: string, fromPort: number): void;
}

let streams = 0;
const names = new WeakMap<Stream, number>();

/** A connection that only notes what is done with it. */
function streamMake(done: string[], waiting: () => number): Stream {
  const number = ++streams;
  const stream: Stream = {
    send(payload) {
      done.push(`${number} send ${new TextDecoder().decode(payload)}`);
      return waiting();
    },
    close: () => void done.push(`${number} close`),
    abort: () => void done.push(`${number} abort`),
    join: (other) => void done.push(`${number} join ${names.get(other)}`),
  };
  names.set(stream, number);
  return stream;
}

export function fakeRuntime(): FakeRuntime {
  streams = 0;
  const timers = new Set<Timer>();
  let clock = 1000;
  const fake: FakeRuntime = {
    name: "fake",
    shim: () => "there is none",
    sockets: new Map(),
    sent: [],
    listeners: new Map(),
    dialled: [],
    done: [],
    waiting: 0,
    certificateCheck(certificates) {
      if (certificates === "junk") throw new Error("there is no certificate in it");
    },
    listenStream(request) {
      const key = `${request.address} ${request.port}`;
      fake.listeners.set(key, request);
      return { renew: ({ certificate }) => void fake.done.push(`${key} renew ${certificate}`), close: () => void fake.listeners.delete(key) };
    },
    dial(request) {
      fake.dialled.push(request);
      return streamMake(fake.done, () => fake.waiting);
    },
    connect: (to, toPort, from, fromPort) =>
      fake.listeners.get(`${to} ${toPort}`)!.onStream(
        streamMake(fake.done, () => fake.waiting),
        from,
        fromPort,
      ),
    timersStarted: 0,
    refuse: new Map(),
    listen(request) {
      const key = `${request.address} ${request.port}`;
      const code = fake.refuse.get(request.address) ?? (fake.sockets.has(key) ? "EADDRINUSE" : undefined);
      if (code) throw Object.assign(new Error(`bind ${code}`), { code }) satisfies SystemError;
      fake.sockets.set(key, request);
      return {
        send: (payload, to, toPort) =>
          void fake.sent.push({ from: request.address, fromPort: request.port, to, toPort, data: new TextDecoder().decode(payload) }),
        close: () => void fake.sockets.delete(key),
      };
    },
    now: () => clock,
    setTimer(delayMs, callback) {
      fake.timersStarted++;
      const timer = { at: clock + delayMs, callback };
      timers.add(timer);
      return timer;
    },
    clearTimer: (timer) => void timers.delete(timer as Timer),
    randomFill: (bytes) => bytes.fill(7),
    advance(ms) {
      const end = clock + ms;
      for (;;) {
        const next = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers.delete(next);
        clock = Math.max(clock, next.at);
        next.callback();
      }
      clock = end;
    },
    deliver(to, toPort, data, from, fromPort) {
      fake.sockets.get(`${to} ${toPort}`)!.onPacket(new TextEncoder().encode(data), from, fromPort);
    },
  };
  return fake;
}
