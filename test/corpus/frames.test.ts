/*
 * Real captures as frames: what no rule takes goes on byte-identical, on JavaScript and WebAssembly in lockstep, whatever
 * it is; fragments too, once their datagram is whole.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as abi from "#abi";
import { captureRead } from "../../hosts/shared/capture/file.ts";
import { LINK_ETHERNET } from "../../hosts/shared/capture/link.ts";
import { isPiece } from "../frame/dissect.ts";
import { Lockstep } from "../fuzz/lockstep.ts";
import { builtMakers } from "../fuzz/variant.ts";
import { imageOf } from "../vector/image.ts";
import { capturesOf, corpusMissing, corpusPath } from "./corpus.ts";

const YAML = `
interfaces: { eth1: { mac: 02:00:00:00:01:01, peer: eth0 }, eth0: { mac: 02:00:00:00:00:01, peer: eth1 } }
realms:
  access: { interface: eth1, media: 203.0.113.21 }
  core: { interface: eth0, address: 192.0.2.2, media: 192.0.2.3 }
services:
  voice: { address: 203.0.113.20, servers: [192.0.2.10] }
`;

/** The frames that leave by the other interface. */
function bridged(lockstep: Lockstep): string[] {
  const tail = lockstep.word(abi.HEADER_OUT_TAIL);
  return Array.from({ length: tail }, (_, i) => abi.OUTPUTS + i * abi.OUTPUT_SIZE)
    .filter((at) => lockstep.word(at + abi.OUTPUT_KIND) === abi.OUTPUT_BRIDGE && lockstep.word(at + abi.OUTPUT_VALUE) === 1)
    .map((at) => {
      const start = lockstep.word(at + abi.OUTPUT_PAYLOAD);
      return lockstep.bytes.toString("latin1", start, start + lockstep.word(at + abi.OUTPUT_LEN));
    });
}

const captures = [...new Set(["sip", "rtp", "h225", "mgcp"].flatMap((protocol) => capturesOf(protocol, ["sip", "tagged", "rtp", "h323", "mgcp"])))];

describe.skipIf(corpusMissing !== "")(`captures as frames${corpusMissing && ` [skipped: missing ${corpusMissing}]`}`, () => {
  test.each(captures)("%s", async (name) => {
    const capture = captureRead(readFileSync(join(corpusPath, name)));
    const frames = capture.packets
      .filter((packet) => capture.interfaces[packet.interface]!.linkType === LINK_ETHERNET && packet.bytes.length <= abi.INPUT_SIZE - abi.FRAME_BYTES)
      .map(({ bytes }) => Buffer.from(bytes));
    const lockstep = await Lockstep.open(await builtMakers(), (await imageOf(YAML, "captures as frames")).memory, 1000);
    const out: string[] = [];
    for (const frame of frames) {
      const head = Buffer.alloc(abi.FRAME_BYTES);
      lockstep.run([[abi.INPUT, Buffer.concat([head, frame])]], abi.KIND_FRAME, frame.length, 1000);
      out.push(...bridged(lockstep));
    }
    const came = frames.map((frame) => frame.toString("latin1"));
    const whole = came.filter((_, i) => frames[i]!.length < 34 || !isPiece(frames[i]!));
    const pieces = came.filter((frame) => !whole.includes(frame));
    expect(out.filter((frame) => !pieces.includes(frame))).toEqual(whole);
    expect(out.filter((frame) => pieces.includes(frame) && !came.includes(frame))).toEqual([]);
  });
});
