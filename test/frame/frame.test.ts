/*
 * The language of frames against tshark: what a description builds is what tshark reads, and our own dissector reads it as
 * it was written. Then tshark on every frame that the core sends in the vectors: nothing malformed, no checksum wrong but
 * those that came so.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as abi from "#abi";
import { LINK_ETHERNET } from "../../hosts/shared/capture/link.ts";
import { captureWrite } from "../../hosts/shared/capture/file.ts";
import { dissectorMissing, frameRows } from "../corpus/dissector.ts";
import { JsEngine } from "../parity/engine.ts";
import { frameOf } from "../vector/frame.ts";
import { libraryRead } from "../vector/library.ts";
import { sectionPlay } from "../vector/play.ts";
import { frameDissect, isPiece } from "./dissect.ts";
import { layersShow } from "./layer.ts";

const FOLDER = join("dist", "test", "frame");

/** Writes frames as a capture that tshark reads. */
function captureOf(name: string, frames: Uint8Array[]): string {
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, `${name}.pcap`);
  const packets = frames.map((bytes, i) => ({ interface: 0, ticks: BigInt(i) * 1_000_000n, bytes, wireLength: bytes.length }));
  const interfaces = [{ linkType: LINK_ETHERNET, snapLength: 0, ticksPerSecond: 1_000_000n, name: "" }];
  writeFileSync(file, Buffer.concat([...captureWrite({ format: "pcap", interfaces, packets, cut: false }, "pcap")]));
  return file;
}

interface Sample {
  text: string;
  /** What tshark says of it: field=value. */
  judged: Record<string, string>;
}

const ETH = "eth 02:00:00:00:00:0a -> 02:00:00:00:00:0b";

const SAMPLES: Sample[] = [
  {
    text: `${ETH}\nip 192.0.2.1 -> 198.51.100.2 ttl=9 dscp=46 ecn=2 df\nudp 5004 -> 6004\nhex 80 00 01`,
    judged: {
      "eth.src": "02:00:00:00:00:0a",
      "eth.dst": "02:00:00:00:00:0b",
      "ip.ttl": "9",
      "ip.dsfield.dscp": "46",
      "ip.dsfield.ecn": "2",
      "ip.flags.df": "1",
      "udp.dstport": "6004",
    },
  },
  {
    text: `${ETH} padding=3\nip 2001:db8::1 -> 2001:db8::2 ttl=9 dscp=34\nudp 5004 -> 6004\nhex 80`,
    judged: { "ipv6.src": "2001:db8::1", "ipv6.hlim": "9", "ipv6.tclass.dscp": "34", "udp.length": "9" },
  },
  {
    text: `${ETH}\nvlan 300 tpid=88a8 pcp=3\nvlan 100 pcp=5\nip 192.0.2.1 -> 198.51.100.2\nudp 1 -> 2\nhex 01`,
    judged: { "ieee8021ad.id": "300", "vlan.id": "100", "vlan.priority": "5", "udp.srcport": "1" },
  },
  {
    text: `${ETH}\nmpls 16 ttl=7 tc=5\nmpls 1000 ttl=6\nip 192.0.2.1 -> 198.51.100.2\nudp 1 -> 2\nhex 01`,
    judged: { "mpls.label": "16|1000", "mpls.exp": "5|0", "mpls.ttl": "7|6", "mpls.bottom": "0|1", "ip.src": "192.0.2.1" },
  },
  { text: `${ETH}\nip 192.0.2.1 -> 198.51.100.2\nudp 1 -> 2 checksum=none\nhex 01 02 03`, judged: { "udp.checksum.status": "3", "ip.checksum.status": "1" } },
  { text: `${ETH}\nip 192.0.2.1 -> 198.51.100.2\nudp 1 -> 2 checksum=bad\nhex 01 02 03`, judged: { "udp.checksum.status": "0" } },
  { text: `${ETH}\nip 192.0.2.1 -> 198.51.100.2\ntcp 1 -> 2\nhex 01`, judged: { "tcp.dstport": "2", "tcp.checksum.status": "1", "ip.proto": "6" } },
  {
    text: `${ETH}\nip 192.0.2.1 -> 198.51.100.2\nicmp 3/4 mtu=1400\nip 198.51.100.2 -> 192.0.2.9\nudp 5 -> 6\nhex 00`,
    judged: { "icmp.type": "3", "icmp.code": "4", "icmp.mtu": "1400", "icmp.checksum.status": "1", "ip.dst": "198.51.100.2|192.0.2.9" },
  },
  {
    text: `${ETH}\nip 2001:db8::1 -> 2001:db8::2\nicmp6 1/4\nip 2001:db8::2 -> 2001:db8::9\nudp 5 -> 6\nhex 00`,
    judged: { "icmpv6.type": "1", "icmpv6.code": "4", "icmpv6.checksum.status": "1", "ipv6.dst": "2001:db8::2|2001:db8::9" },
  },
];

test.each(SAMPLES)("our dissector reads what is written: $text", ({ text }) => {
  const { built, lines } = frameOf(text);
  expect(layersShow(frameDissect(Buffer.from(built.bytes)).layers)).toBe(lines);
});

describe.skipIf(dissectorMissing !== "")(`tshark${dissectorMissing && ` [skipped: missing ${dissectorMissing}]`}`, () => {
  test("reads what is written", async () => {
    const file = captureOf(
      "samples",
      SAMPLES.map(({ text }) => frameOf(text).built.bytes),
    );
    const names = [...new Set(SAMPLES.flatMap(({ judged }) => Object.keys(judged)))];
    const rows = await frameRows(file, names);
    for (const [i, { judged, text }] of SAMPLES.entries()) {
      const read = Object.keys(judged).map((name) => [name, rows[i]![names.indexOf(name)]]);
      expect(Object.fromEntries(read), text).toEqual(judged);
    }
  });

  test("finds nothing wrong with what the core sends", async () => {
    const frames = await framesPlayed();
    expect(frames.length).toBeGreaterThan(20);
    const rows = await frameRows(captureOf("sent", frames), [
      "ip.checksum.status",
      "udp.checksum.status",
      "icmp.checksum.status",
      "icmpv6.checksum.status",
      "_ws.malformed",
    ]);
    const wrong = rows.flatMap((row, i) => (row.slice(0, 4).some((status) => status.split("|")[0] === "0") || row[4] !== "" ? [i] : []));
    const isDamaged = (frame: Buffer): boolean => !isPiece(frame) && /checksum=bad/.test(layersShow(frameDissect(frame).layers));
    const damaged = frames.flatMap((frame, i) => (isDamaged(Buffer.from(frame)) ? [i] : []));
    expect(wrong).toEqual(damaged);
  });
});

/** Keeps the frames that an engine sends. */
class Recorder extends JsEngine {
  readonly frames: Uint8Array[] = [];

  override output(): number {
    const at = super.output();
    const record = new DataView(this.read(at, abi.OUTPUT_SIZE).buffer);
    const word = (offset: number): number => record.getInt32(offset, true);
    if (word(abi.OUTPUT_KIND) === abi.OUTPUT_FRAME) this.frames.push(this.read(word(abi.OUTPUT_PAYLOAD), word(abi.OUTPUT_LEN)));
    return at;
  }
}

/** Every frame that the vectors about frames lead to. */
async function framesPlayed(): Promise<Uint8Array[]> {
  const { createCore } = (await import("#core")) as unknown as { createCore: ConstructorParameters<typeof JsEngine>[0] };
  const recorder = new Recorder(createCore);
  for (const { file, sections } of libraryRead()) {
    const framed = sections.filter(({ turns }) => turns.some(({ action }) => action.type === "frame"));
    for (const section of framed) await sectionPlay(section, file, [recorder], "written", false);
  }
  return recorder.frames;
}
