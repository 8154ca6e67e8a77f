/*
 * Batched sockets and packet rings (hosts/linux) for a core: its slots are filled by one call, it takes them by one input, and what it
 * sends leaves by one call. Invariant: what is to be sent leaves before the next input, since its bytes stand in the core's memory.
 */

import * as abi from "./core.ts";
import type { CoreMemory } from "./core.ts";
import type { Shim, SystemError } from "./runtime.ts";

/** Why a shim could not be opened, and the remedy, by the system's code. */
const ADVICE: Record<string, string> = {
  EPERM: "it wants the rights CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF",
  EINVAL: "the kernel has no BPF at the socket look-up (Linux 5.9)",
  ENOSYS: "the kernel has no BPF",
  ENODEV: "this machine has no such interface (`ip link` lists them)",
  EOPNOTSUPP: "it is no Ethernet",
  ENOPROTOOPT: "the kernel has no such packet sockets (Linux 4.20)",
  ENOMEM: "there is no memory for its ring (8 MiB)",
  EPROTO: "with `receive: xdp` tags that its card takes off would not be seen; `ethtool -K INTERFACE rxvlan off` has the card leave them",
  EBUSY:
    "`receive: xdp` cannot be had: somebody else has XDP or the first queue there, 6 MiB of memory may not be locked, or the kernel is too old (Linux 5.18)",
};

export function shimAdvice(code: string): string {
  return `${ADVICE[code] ?? "the system refuses it"} (${code})`;
}

/** Queues before the rings. */
const RINGS = 2;
/** Reads of one queue in a turn; then timers and connections have theirs, and the queue calls again. */
const READS_MOST = 16;
/** What `receive` adds to the number of packets when one is longer than its slot. */
const LONG = 256;
/** What it adds when frames were lost. */
const LOST = 512;
const INPUT_LEN = (abi.INPUT + abi.PACKET_LEN) >> 2;
/** Index in `exchange` of an address. */
const ADDRESS = abi.SLOT_MAX;
/** errno of a shim that knows as many addresses as it can; of an address that is not the machine's. */
const CROWDED = "ENOSPC";
const ELSEWHERE = "EADDRNOTAVAIL";

export interface BatchSetting {
  memory: CoreMemory;
  /** Index of the realm of an open port, -1 where none is open; the address stands at `words[at]`. */
  realmOf(at: number, port: number): number;
  /** One input of the core and all that follows from it; negative for a fault. */
  input(kind: number, len: number): number;
  /** Takes the datagram at INPUT alone. */
  single(): void;
  /** Are all to be taken alone? */
  readonly tracing: boolean;
  received(n: number): void;
  /** Frames for which there was no room. */
  lost(n: number): void;
  failed(n: number, error: SystemError): void;
}

export class Batch {
  readonly #shim: Shim;
  readonly #setting: BatchSetting;
  readonly #words: Int32Array;
  #waiting = 0;
  #stopped = false;

  constructor(shim: Shim, setting: BatchSetting) {
    this.#shim = shim;
    this.#setting = setting;
    this.#words = setting.memory.words;
    shim.watch((queue) => (queue < RINGS ? this.#read(queue) : this.#readRing(queue)));
  }

  #error(errno: number): SystemError {
    const code = this.#shim.code(errno);
    return Object.assign(new Error(code), { code });
  }

  /** Are frames read whole? Then what is for a port comes by a ring, and its socket only keeps others from it. */
  get #framing(): boolean {
    return this.#words[abi.CONFIG_INTERFACES >> 2] !== 0;
  }

  /** Opens a port for `uses`, PORT_* bits. Returns false when there is no room for its address; throws what the system says. */
  open(address: Int32Array, port: number, uses: number): boolean {
    this.#shim.exchange.set(address, ADDRESS);
    const result = this.#shim.bind(port, uses);
    if (result >= 0) return true;
    const error = this.#error(result);
    if (error.code === CROWDED && !this.#framing) return false;
    // Nobody on this machine can have the port.
    if (error.code === ELSEWHERE && this.#framing) return true;
    throw error;
  }

  /** Descriptor of a listener for `uses`, PORT_* bits; throws what the system says. */
  listen(address: Int32Array, port: number, uses: number): number {
    this.#shim.exchange.set(address, ADDRESS);
    const result = this.#shim.listen(port, uses);
    if (result < 0) throw this.#error(result);
    return result;
  }

  close(address: Int32Array, port: number): void {
    this.flush();
    this.#shim.exchange.set(address, ADDRESS);
    this.#shim.unbind(port);
  }

  /** The record at `at` is to be sent: a datagram, or a frame. */
  add(at: number): void {
    this.#shim.exchange[this.#waiting++] = at;
    if (this.#waiting === abi.SLOT_MAX) this.flush();
  }

  /** Sends what waits. */
  flush(): void {
    const n = this.#waiting;
    if (n === 0) return;
    this.#waiting = 0;
    const failed = this.#shim.send(n);
    if (failed > 0) this.#setting.failed(failed, this.#error(this.#shim.failure()));
  }

  #read(queue: number): void {
    for (let reads = 0; reads < READS_MOST && !this.#stopped; reads++) {
      const result = this.#shim.receive(queue);
      const n = result & (LONG - 1);
      if (n === 0) return;
      this.#setting.received(n);
      if (result >= LONG || this.#setting.tracing) this.#takeSingly(n);
      else this.#take(abi.KIND_BATCH, this.#address(n));
      if (n < abi.SLOT_MAX) return;
    }
  }

  #readRing(queue: number): void {
    for (let reads = 0; reads < READS_MOST && !this.#stopped; reads++) {
      const result = this.#shim.receive(queue);
      if ((result & LOST) !== 0) this.#setting.lost(this.#shim.lost());
      const n = (result & LONG) !== 0 ? 1 : result & (LONG - 1);
      if (n === 0) return;
      this.#setting.received(n);
      if ((result & LONG) !== 0) this.#setting.input(abi.KIND_FRAME, this.#words[INPUT_LEN]!);
      else this.#take(abi.KIND_FRAMES, n);
    }
  }

  /** Writes the realm of a slot. Returns false for a packet to a port that has been closed meanwhile. */
  #realm(slot: number): boolean {
    const at = slot >> 2;
    const realm = this.#setting.realmOf(at + (abi.PACKET_DESTINATION >> 2), this.#words[at + (abi.PACKET_DESTINATION_PORT >> 2)]!);
    this.#words[at + (abi.PACKET_REALM >> 2)] = realm;
    return realm >= 0;
  }

  /** Writes realms; slots that nobody wants give way to those behind them. Returns how many are left. */
  #address(n: number): number {
    let kept = 0;
    for (let i = 0; i < n; i++) {
      const slot = abi.SLOTS + i * abi.SLOT_SIZE;
      if (!this.#realm(slot)) continue;
      if (kept < i) this.#setting.memory.bytes.copyWithin(abi.SLOTS + kept * abi.SLOT_SIZE, slot, slot + abi.SLOT_SIZE);
      kept++;
    }
    return kept;
  }

  /** Hands in `n` slots; the core may take fewer at once. */
  #take(kind: number, n: number): void {
    for (let left = n; left > 0; ) {
      const taken = this.#setting.input(kind, left);
      if (taken <= 0) return;
      left -= taken;
      const from = abi.SLOTS + taken * abi.SLOT_SIZE;
      if (left > 0) this.#setting.memory.bytes.copyWithin(abi.SLOTS, from, from + left * abi.SLOT_SIZE);
    }
  }

  #takeSingly(n: number): void {
    for (let i = 0; i < n; i++) {
      if (!this.#realm(abi.SLOTS + i * abi.SLOT_SIZE)) continue;
      this.#shim.lay(i);
      this.#setting.single();
    }
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#shim.close();
  }
}
