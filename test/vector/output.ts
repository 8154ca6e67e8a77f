/*
 * Output records of the core as values, read from an engine's memory.
 */

import * as abi from "#abi";
import { addressFrom } from "../../hosts/shared/address.ts";
import type { Engine } from "../parity/engine.ts";
import { binaryOf } from "./text.ts";

export interface Output {
  kind: number;
  realm: number;
  local: string;
  localPort: number;
  remote: string;
  remotePort: number;
  /** Binary string. */
  payload: string;
  value: number;
  detail: number;
  /** Handle of the connection that a dialled one is to be joined with, 0 for none. */
  partner: number;
  /** Of BIND: the machine does not open it. */
  refused?: boolean;
}

/** Index = TRANSPORT_*. */
export const TRANSPORTS = ["udp", "tcp", "tls", "ws", "wss"];

export function transportName(transport: number): string {
  return TRANSPORTS[transport] ?? String(transport);
}

/** Most outputs of one input: the queue holds fewer. */
const DRAIN_MAX = 2 * abi.OUTPUT_MAX;

async function outputRead(engine: Engine, at: number): Promise<Output> {
  const record = Buffer.from(await engine.read(at, abi.OUTPUT_SIZE));
  const word = (offset: number): number => record.readInt32LE(offset);
  const kind = word(abi.OUTPUT_KIND);
  const passes = kind === abi.OUTPUT_SEND || kind === abi.OUTPUT_FORWARD;
  const sends = passes || kind === abi.OUTPUT_FRAME || kind === abi.OUTPUT_BRIDGE || kind === abi.OUTPUT_STACK;
  const distant = passes || kind === abi.OUTPUT_DIAL;
  const addressed = distant || kind === abi.OUTPUT_BIND || kind === abi.OUTPUT_UNBIND;
  return {
    kind,
    realm: word(abi.OUTPUT_REALM),
    local: addressed ? addressFrom(record, abi.OUTPUT_LOCAL).text : "",
    localPort: addressed ? word(abi.OUTPUT_LOCAL_PORT) : 0,
    remote: distant ? addressFrom(record, abi.OUTPUT_REMOTE).text : "",
    remotePort: distant ? word(abi.OUTPUT_REMOTE_PORT) : 0,
    payload: sends ? binaryOf(await engine.read(word(abi.OUTPUT_PAYLOAD), word(abi.OUTPUT_LEN))) : "",
    value: word(abi.OUTPUT_VALUE),
    detail: word(abi.OUTPUT_DETAIL),
    partner: kind === abi.OUTPUT_DIAL ? word(abi.OUTPUT_LEN) : 0,
  };
}

/** Everything up to the timeout, which is the last; `onBind` is called with the record of each BIND and its number, from 1, and says whether it is refused. */
export async function outputsDrain(engine: Engine, onBind: (at: number, nth: number) => Promise<boolean>): Promise<Output[]> {
  const outputs: Output[] = [];
  let binds = 0;
  for (let i = 0; i < DRAIN_MAX; i++) {
    const at = await engine.output();
    const output = await outputRead(engine, at);
    outputs.push(output);
    if (output.kind === abi.OUTPUT_TIMEOUT) return outputs;
    if (output.kind === abi.OUTPUT_BIND) output.refused = await onBind(at, ++binds);
  }
  throw new Error(`${engine.name}: ${DRAIN_MAX} outputs and no timeout`);
}
