/*
 * Output records of the core as values, read from memory.
 */

import * as abi from "#abi";
import { addressTextAt } from "./address.ts";

export interface Output {
  kind: number;
  realm: number;
  local: string;
  localPort: number;
  remote: string;
  remotePort: number;
  /** Binary string: one character a byte. */
  payload: string;
  value: number;
  detail: number;
  /** Of a dialled connection the one that it is to be joined with, 0 for signaling. */
  partner: number;
}

export function isSend({ kind }: Output): boolean {
  return kind === abi.OUTPUT_SEND || kind === abi.OUTPUT_FORWARD;
}

function outputRead(bytes: Buffer, at: number): Output {
  const word = (offset: number): number => bytes.readInt32LE(at + offset);
  const kind = word(abi.OUTPUT_KIND);
  const sends = kind === abi.OUTPUT_SEND || kind === abi.OUTPUT_FORWARD;
  const aimed = sends || kind === abi.OUTPUT_DIAL;
  const addressed = aimed || kind === abi.OUTPUT_BIND || kind === abi.OUTPUT_UNBIND;
  const payload = sends ? word(abi.OUTPUT_PAYLOAD) : 0;
  return {
    kind,
    realm: addressed ? word(abi.OUTPUT_REALM) : 0,
    local: addressed ? addressTextAt(bytes, at + abi.OUTPUT_LOCAL) : "",
    localPort: addressed ? word(abi.OUTPUT_LOCAL_PORT) : 0,
    remote: aimed ? addressTextAt(bytes, at + abi.OUTPUT_REMOTE) : "",
    remotePort: aimed ? word(abi.OUTPUT_REMOTE_PORT) : 0,
    payload: sends ? bytes.toString("latin1", payload, payload + word(abi.OUTPUT_LEN)) : "",
    value: word(abi.OUTPUT_VALUE),
    detail: kind === abi.OUTPUT_TIMEOUT || kind === abi.OUTPUT_HANG || kind === abi.OUTPUT_FORWARD ? 0 : word(abi.OUTPUT_DETAIL),
    partner: kind === abi.OUTPUT_DIAL ? word(abi.OUTPUT_LEN) : 0,
  };
}

export function outputsRead(bytes: Buffer, places: number[]): Output[] {
  return places.map((at) => outputRead(bytes, at));
}

/** Do two memories say the same in the records at these places? */
export function outputsEqual(left: Buffer, right: Buffer, places: number[]): boolean {
  return places.every((at) => {
    if (left.compare(right, at, at + abi.OUTPUT_SIZE, at, at + abi.OUTPUT_SIZE) !== 0) return false;
    if (left.readInt32LE(at + abi.OUTPUT_KIND) !== abi.OUTPUT_SEND) return true;
    const payload = left.readInt32LE(at + abi.OUTPUT_PAYLOAD);
    const end = payload + left.readInt32LE(at + abi.OUTPUT_LEN);
    return left.compare(right, payload, end, payload, end) === 0;
  });
}
