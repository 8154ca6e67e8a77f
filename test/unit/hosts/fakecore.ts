/*
 * A core that answers each input with the outputs that a test lays out, over a real memory.
 */

import { addressParse } from "../../../hosts/shared/address.ts";
import * as abi from "../../../hosts/shared/core.ts";

export interface FakeOutput {
  kind: number;
  realm?: number;
  local?: [string, number];
  remote?: [string, number];
  payload?: string;
  /** Of a DIAL: its service, and what it is to be joined with. */
  service?: number;
  partner?: number;
  value?: number;
  detail?: number;
}

export interface FakeInput {
  kind: number;
  now: number;
  realm: number;
  source: [string, number];
  destination: [string, number];
  labels: number[];
  payload: string;
}

export interface FakeCore extends abi.Core {
  inputs: FakeInput[];
  /** Of each KIND_REFUSED, the port of the record that it is about. */
  refused: number[];
  booted: number | undefined;
  /** What the next input gives; OUTPUT_TIMEOUT with the delay is added. */
  next(outputs: FakeOutput[], delayMs?: number): void;
  /** Makes the next input throw, as a trap does. */
  trap: boolean;
  bootResult: number;
  /** What every input gives. */
  result: number;
}

const PAYLOAD_AT = abi.ASSEMBLY;

export function fakeCore(): FakeCore {
  const buffer = new ArrayBuffer(abi.TABLES);
  const bytes = new Uint8Array(buffer);
  const words = new Int32Array(buffer);
  let outputs: FakeOutput[] = [];
  let delay = -1;

  const hostAt = (at: number): string => [...bytes.subarray(at + 12, at + 16)].join(".");
  const field = (offset: number): number => words[(abi.INPUT + offset) >> 2]!;
  const write = (output: FakeOutput): void => {
    const at = abi.OUTPUTS;
    const set = (offset: number, value = 0): void => void (words[(at + offset) >> 2] = value);
    const payload = new TextEncoder().encode(output.payload ?? "");
    bytes.set(payload, PAYLOAD_AT);
    set(abi.OUTPUT_KIND, output.kind);
    set(abi.OUTPUT_REALM, output.realm);
    set(abi.OUTPUT_LOCAL_PORT, output.local?.[1]);
    set(abi.OUTPUT_REMOTE_PORT, output.remote?.[1]);
    set(abi.OUTPUT_PAYLOAD, output.service ?? PAYLOAD_AT);
    set(abi.OUTPUT_LEN, output.partner ?? payload.length);
    set(abi.OUTPUT_VALUE, output.value);
    set(abi.OUTPUT_DETAIL, output.detail);
    bytes.set(addressParse(output.local?.[0] ?? "::")!.bytes, at + abi.OUTPUT_LOCAL);
    bytes.set(addressParse(output.remote?.[0] ?? "::")!.bytes, at + abi.OUTPUT_REMOTE);
  };

  const fake: FakeCore = {
    kind: "js",
    memory: { bytes, words, view: new DataView(buffer) },
    inputs: [],
    refused: [],
    booted: undefined,
    trap: false,
    bootResult: 0,
    result: 0,
    next(list, delayMs = -1) {
      outputs = [...list];
      delay = delayMs;
    },
    boot(now) {
      fake.booted = now;
      return fake.bootResult;
    },
    region: () => 0,
    input(kind, len, now) {
      if (kind === abi.KIND_REFUSED) {
        fake.refused.push(words[(len + abi.OUTPUT_LOCAL_PORT) >> 2]!);
        return fake.result;
      }
      const payload = new TextDecoder().decode(bytes.subarray(abi.INPUT + abi.PACKET_PAYLOAD, abi.INPUT + abi.PACKET_PAYLOAD + len));
      fake.inputs.push({
        kind,
        now,
        realm: field(abi.PACKET_REALM),
        source: [hostAt(abi.INPUT + abi.PACKET_SOURCE), field(abi.PACKET_SOURCE_PORT)],
        destination: [hostAt(abi.INPUT + abi.PACKET_DESTINATION), field(abi.PACKET_DESTINATION_PORT)],
        labels: [field(abi.PACKET_VPN), field(abi.PACKET_VLAN), field(abi.PACKET_MPLS)],
        payload,
      });
      if (fake.trap) throw new Error("unreachable");
      return fake.result;
    },
    output() {
      write(outputs.shift() ?? { kind: abi.OUTPUT_TIMEOUT, value: delay });
      return abi.OUTPUTS;
    },
  };
  return fake;
}
