/*
 * Packet rings on the interfaces of a configuration (hosts/linux): opened in their order, which is the core's. What the
 * configuration does not say of an interface, the machine does.
 */

import { addressWords } from "./address.ts";
import { shimAdvice } from "./batch.ts";
import type { Interface, Pool } from "./config.ts";
import * as abi from "./core.ts";
import type { Log } from "./log.ts";
import type { Shim } from "./runtime.ts";

/** Bytes of an interface's name, the last of them zero. */
const NAME_BYTES = 16;
/** Bits of what the shim says of it: it is up; what the core makes leaves by AF_XDP. */
const UP = 1;
const XDP = 2;
/** Bits of what is wanted: frames that are for others; UDP for ports of ours by AF_XDP. */
const PROMISCUOUS = 1;
const DIVERTED = 2;

function ringOpen(shim: Shim, one: Interface, log: Log): Interface {
  const { name, mac, peer, mtu, receive } = one;
  const words = shim.exchange.subarray(abi.SLOT_MAX, abi.SLOT_MAX + NAME_BYTES / 4);
  const bytes = new Uint8Array(words.buffer, words.byteOffset, NAME_BYTES);
  bytes.fill(0).set(new TextEncoder().encode(name).subarray(0, NAME_BYTES - 1));
  // Frames that go on, or that are for another address than the device's own, are heard only so.
  const result = shim.ring((peer !== undefined || mac !== undefined ? PROMISCUOUS : 0) | (receive === "xdp" ? DIVERTED : 0));
  if (result < 0) throw new Error(`interfaces.${name}: its frames cannot be read: ${shimAdvice(shim.code(result))}`);
  const [taken, bits] = [words[2]!, words[3]!];
  if ((bits & XDP) === 0) log.info({ interface: name }, `frames leave by ${name} through a packet socket: AF_XDP, which costs less, cannot be had there`);
  if ((bits & UP) === 0) log.warn({ interface: name }, `interface ${name} is down; frames come and go when it is up`);
  if (taken < mtu) log.info({ interface: name, mtu: taken }, `interface ${name} takes IP packets of ${taken} bytes, and not of ${mtu}`);
  return { ...one, mac: mac ?? bytes.slice(0, 6), mtu: Math.min(mtu, taken) };
}

/** Opens them all. Returns what is known of each. Throws what a person can read. */
export function ringsOpen(shim: Shim, interfaces: Interface[], log: Log): Interface[] {
  const opened = interfaces.map((one) => ringOpen(shim, one, log));
  for (const { name, peer } of opened) {
    const others = peer === undefined ? "are left to this machine" : `go on by ${opened[peer]!.name}`;
    log.info({ io: "ring", interface: name }, `frames of ${name} are read whole; those that are not for Culvert ${others}`);
  }
  return opened;
}

/** Rings need not hear what is for the ports of other workers. */
export function othersTell(shim: Shim, pools: Pool[]): void {
  for (const { address, ports, whole } of pools) {
    if (!whole) continue;
    shim.exchange.set(addressWords(address), abi.SLOT_MAX);
    shim.others(whole.first, ports.first - 1);
    shim.others(ports.last + 1, whole.last);
  }
}
