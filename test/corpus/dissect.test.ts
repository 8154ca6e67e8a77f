/*
 * Our reading of captures against tshark's: the same datagrams in the same order, with the same addresses and lengths;
 * and captures that are read and written again are the same.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { captureRead, captureWrite } from "../../hosts/shared/capture/file.ts";
import { capturesOf, corpusMissing, corpusPath } from "./corpus.ts";
import { datagramsOf } from "./derive.ts";
import { datagramRows, dissectorMissing } from "./dissector.ts";

const captures = capturesOf("sip", ["sip", "tagged"]);
const missing = corpusMissing || dissectorMissing;
const TIMEOUT_MS = 20_000;

describe.skipIf(missing !== "")(`captures, read as tshark reads them${missing && ` [skipped: missing ${missing}]`}`, () => {
  test.each(captures)("%s", { timeout: TIMEOUT_MS }, async (name) => {
    const capture = captureRead(readFileSync(join(corpusPath, name)));
    const ours = datagramsOf(capture).map(({ source, destination, sourcePort, destinationPort, payload }) => [
      source.text,
      destination.text,
      sourcePort,
      destinationPort,
      payload.length + 8,
    ]);
    expect(ours).toEqual(await datagramRows(join(corpusPath, name)));
  });
});

describe.skipIf(corpusMissing !== "")("captures, written again", () => {
  test.each(captures)("%s", (name) => {
    const capture = captureRead(readFileSync(join(corpusPath, name)));
    for (const format of ["pcap", "pcapng"] as const) {
      const again = captureRead(Buffer.concat([...captureWrite(capture, format)]));
      expect(again.packets.map(({ bytes, ticks, wireLength }) => [Buffer.from(bytes).toString("base64"), ticks, wireLength])).toEqual(
        capture.packets.map(({ bytes, ticks, wireLength }) => [Buffer.from(bytes).toString("base64"), ticks, wireLength]),
      );
    }
  });
});
