/*
 * Whose a frame is among several workers (SPEC A1), which share nothing, so each tells by itself, and all the same: what comes to a port of
 * ours is its owner's; what a terminal sends to a service is that worker's which a hash of its address tells; all else is the first one's.
 * A host may spare a worker what is not its own (hosts/linux/divide.c), but for what is in fragments.
 */

import { ld32, ld32le, mul } from "../machine.ts";
import { CONFIG_WORKERS } from "../memory/layout.ts";
import { isMapped } from "../bytes/address.ts";

const COUNT: i32 = 0xff;
const BY_PORT: i32 = 1 << 16;
/** 0x9e3779b1 and 0x85ebca6b. */
const GOLDEN: i32 = -1640531535;
const MIXER: i32 = -2048144789;

/** Is this the worker that takes what is nobody's? */
export function isFirst(): boolean {
  return ((ld32(CONFIG_WORKERS) >>> 8) & COUNT) === 0;
}

/** Is a terminal at this address and port this worker's? As the kernel tells at its socket look-up: MINE in hosts/linux/steer.c. */
export function isMine(address: i32, port: i32): boolean {
  const workers: i32 = ld32(CONFIG_WORKERS);
  const count: i32 = workers & COUNT;
  if (count <= 1) return true;
  let x: i32 = ld32le(address + 12);
  if (!isMapped(address)) x ^= ld32le(address) ^ ld32le(address + 4) ^ ld32le(address + 8);
  /* The port as it stands on the wire. */
  const wire: i32 = ((port & 0xff) << 8) | ((port >>> 8) & 0xff);
  if ((workers & BY_PORT) !== 0) x ^= wire | (wire << 16);
  x = mul(x, GOLDEN);
  x = mul(x ^ (x >>> 15), MIXER);
  return mul(x >>> 16, count) >>> 16 === ((workers >>> 8) & COUNT);
}
