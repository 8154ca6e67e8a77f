/*
 * Capture files: both formats, both byte orders, every time resolution, and files that are damaged.
 */

import { describe, expect, test } from "vitest";
import { type Capture, CaptureError, packetTime } from "../../../hosts/shared/capture/capture.ts";
import { captureRead, captureWrite } from "../../../hosts/shared/capture/file.ts";
import { frameRead } from "../../../hosts/shared/capture/frame.ts";

/** Writes fields one after the other in one byte order. */
class Pen {
  readonly #bytes: number[] = [];
  readonly #little: boolean;
  constructor(little: boolean) {
    this.#little = little;
  }
  #put(value: bigint, size: number): this {
    const bytes = Array.from({ length: size }, (_, i) => Number((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 0xffn));
    this.#bytes.push(...(this.#little ? bytes : bytes.reverse()));
    return this;
  }
  u16(value: number): this {
    return this.#put(BigInt(value), 2);
  }
  u32(value: number): this {
    return this.#put(BigInt(value), 4);
  }
  u64(value: bigint): this {
    return this.#put(value, 8);
  }
  raw(...bytes: number[]): this {
    this.#bytes.push(...bytes);
    return this;
  }
  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

const ORDERS: [string, boolean][] = [
  ["little-endian", true],
  ["big-endian", false],
];

function joined(parts: Iterable<Uint8Array>): Uint8Array {
  return Uint8Array.from([...parts].flatMap((part) => [...part]));
}

function pcap(little: boolean, magic: number, fraction: number): Uint8Array {
  const pen = new Pen(little).u32(magic).u16(2).u16(4).u32(0).u32(0).u32(96).u32(0x10000001);
  return pen.u32(1_700_000_000).u32(fraction).u32(3).u32(60).raw(1, 2, 3).u32(1_700_000_001).u32(0).u32(2).u32(2).raw(4, 5).bytes;
}

function block(little: boolean, type: number, body: Uint8Array): number[] {
  const padding = (4 - (body.length % 4)) % 4;
  const length = 12 + body.length + padding;
  return [
    ...new Pen(little)
      .u32(type)
      .u32(length)
      .raw(...body)
      .raw(...new Array<number>(padding).fill(0))
      .u32(length).bytes,
  ];
}

function section(little: boolean): number[] {
  return block(little, 0x0a0d0d0a, new Pen(little).u32(0x1a2b3c4d).u16(1).u16(0).u64(0xffffffffffffffffn).bytes);
}

function described(little: boolean, linkType: number, snapLength: number, options: Uint8Array): number[] {
  return block(
    little,
    1,
    new Pen(little)
      .u16(linkType)
      .u16(0)
      .u32(snapLength)
      .raw(...options).bytes,
  );
}

function enhanced(little: boolean, number: number, ticks: bigint, bytes: number[], wireLength = bytes.length): number[] {
  const pen = new Pen(little)
    .u32(number)
    .u32(Number(ticks >> 32n))
    .u32(Number(ticks & 0xffffffffn))
    .u32(bytes.length)
    .u32(wireLength);
  return block(little, 6, pen.raw(...bytes).bytes);
}

describe.each(ORDERS)("pcap, %s", (_, little) => {
  test.each([
    ["microseconds", 0xa1b2c3d4, 123_456, 1_700_000_000_123_456_000n],
    ["nanoseconds", 0xa1b23c4d, 123_456_789, 1_700_000_000_123_456_789n],
  ])("%s", (_, magic, fraction, time) => {
    const capture = captureRead(pcap(little, magic, fraction));
    expect(capture).toMatchObject({ format: "pcap", cut: false });
    expect(capture.interfaces).toMatchObject([{ linkType: 1, snapLength: 96 }]);
    expect(capture.packets.map((packet) => [...packet.bytes])).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect(capture.packets.map((packet) => packet.wireLength)).toEqual([60, 2]);
    expect(packetTime(capture, capture.packets[0]!)).toBe(time);
  });
});

describe.each(ORDERS)("pcapng, %s", (_, little) => {
  const nanoseconds = new Pen(little)
    .u16(2)
    .u16(4)
    .raw(...Buffer.from("eth1"))
    .u16(9)
    .u16(1)
    .raw(9, 0, 0, 0)
    .u16(0)
    .u16(0).bytes;
  const binary = new Pen(little).u16(9).u16(1).raw(0x8a, 0, 0, 0).u16(14).u16(8).u64(-5n).u16(0).u16(0).bytes;

  test("several interfaces, each with its own resolution and offset", () => {
    const capture = captureRead(
      Uint8Array.from([
        ...section(little),
        ...described(little, 1, 0, nanoseconds),
        ...described(little, 113, 64, binary),
        ...block(little, 5, new Uint8Array(12)),
        ...enhanced(little, 1, 10n * 1024n + 512n, [9], 90),
        ...enhanced(little, 0, 1_700_000_000_123_456_789n, [1, 2, 3]),
      ]),
    );
    expect(capture.interfaces).toEqual([
      { linkType: 1, snapLength: 0, ticksPerSecond: 1_000_000_000n, name: "eth1" },
      { linkType: 113, snapLength: 64, ticksPerSecond: 1024n, name: "" },
    ]);
    expect(capture.packets.map((packet) => packetTime(capture, packet))).toEqual([5_500_000_000n, 1_700_000_000_123_456_789n]);
    expect(capture.packets[0]).toMatchObject({ interface: 1, wireLength: 90 });
  });

  test("simple and obsolete packet blocks", () => {
    const simple = block(little, 3, new Pen(little).u32(7).raw(1, 2, 3, 4).bytes);
    const old = block(little, 2, new Pen(little).u16(0).u16(0).u32(0).u32(77).u32(2).u32(2).raw(8, 8).bytes);
    const capture = captureRead(Uint8Array.from([...section(little), ...described(little, 101, 4, new Uint8Array()), ...old, ...simple]));
    expect(capture.packets.map((packet) => [...packet.bytes])).toEqual([
      [8, 8],
      [1, 2, 3, 4],
    ]);
    expect(capture.packets.map((packet) => packet.ticks)).toEqual([77n, 77n]);
    expect(capture.packets[1]!.wireLength).toBe(7);
  });

  test("interface numbers begin anew in each section, of whatever byte order", () => {
    const capture = captureRead(
      Uint8Array.from([
        ...section(!little),
        ...described(!little, 1, 0, new Uint8Array()),
        ...enhanced(!little, 0, 1n, [1]),
        ...section(little),
        ...described(little, 276, 0, new Uint8Array()),
        ...enhanced(little, 0, 2n, [2]),
      ]),
    );
    expect(capture.packets.map((packet) => capture.interfaces[packet.interface]!.linkType)).toEqual([1, 276]);
  });
});

describe("writing", () => {
  const capture: Capture = {
    format: "pcapng",
    cut: false,
    interfaces: [
      { linkType: 1, snapLength: 0, ticksPerSecond: 1_000_000_000n, name: "lan" },
      { linkType: 1, snapLength: 0, ticksPerSecond: 1n << 20n, name: "" },
    ],
    packets: [
      { interface: 0, ticks: 1_700_000_000_123_456_789n, bytes: Uint8Array.of(1, 2, 3), wireLength: 3 },
      { interface: 1, ticks: 1_700_000_000n << 20n, bytes: Uint8Array.of(4, 5, 6, 7), wireLength: 100 },
      { interface: 0, ticks: 1_700_000_001_000_000_000n, bytes: new Uint8Array(), wireLength: 0 },
    ],
  };

  test("pcapng gives back what was written", () => {
    expect(captureRead(joined(captureWrite(capture, "pcapng")))).toEqual(capture);
  });

  test("pcap keeps nanoseconds when there are any", () => {
    const read = captureRead(joined(captureWrite(capture, "pcap")));
    expect(read.packets.map((packet) => packetTime(read, packet))).toEqual(capture.packets.map((packet) => packetTime(capture, packet)));
    expect(read.packets.map((packet) => packet.bytes)).toEqual(capture.packets.map((packet) => packet.bytes));
  });

  test("pcap of a microsecond pcap is the same file", () => {
    const bytes = pcap(true, 0xa1b2c3d4, 7);
    bytes[23] = 0;
    new DataView(bytes.buffer).setUint32(16, 262_144, true);
    expect(joined(captureWrite(captureRead(bytes), "pcap"))).toEqual(bytes);
  });

  test("pcap cannot hold two link types", () => {
    const mixed = { ...capture, interfaces: [capture.interfaces[0]!, { ...capture.interfaces[1]!, linkType: 101 }] };
    expect(() => [...captureWrite(mixed, "pcap")]).toThrow(/link types 1, 101.*\.pcapng/);
  });
});

describe("damage", () => {
  /** A generator of Park and Miller, so that a failure comes back. */
  function* random(seed: number): Generator<number> {
    for (let state = seed; ; ) {
      state = (state * 48_271) % 0x7fffffff;
      yield state;
    }
  }

  test.each<[string, Uint8Array]>([
    ["pcap", pcap(false, 0xa1b23c4d, 7)],
    [
      "pcapng",
      Uint8Array.from([
        ...section(true),
        ...described(true, 1, 0, new Pen(true).u16(2).u16(4).raw(65, 66, 67, 68).u16(9).u16(1).raw(6, 0, 0, 0).u16(0).u16(0).bytes),
        ...enhanced(true, 0, 1n, [1, 2, 3, 4, 5]),
      ]),
    ],
  ])("a damaged %s is read, or refused with a reason", (_, whole) => {
    const numbers = random(4711);
    const next = (below: number): number => numbers.next().value! % below;
    for (let round = 0; round < 3000; round++) {
      const bytes = whole.slice(0, next(4) === 0 ? next(whole.length) : whole.length);
      for (let n = next(4); n >= 0 && bytes.length > 0; n--) bytes[next(bytes.length)] = next(2) === 0 ? next(256) : [0, 1, 0x7f, 0xff][next(4)]!;
      try {
        const capture = captureRead(bytes);
        for (const packet of capture.packets) {
          packetTime(capture, packet);
          frameRead(capture.interfaces[packet.interface]!.linkType, packet.bytes, packet.wireLength);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(CaptureError);
      }
    }
  });

  test("a file that ends inside a record gives what came before", () => {
    const whole = pcap(true, 0xa1b2c3d4, 7);
    expect(captureRead(whole.subarray(0, whole.length - 1))).toMatchObject({ cut: true, packets: [{ wireLength: 60 }] });
    const blocks = Uint8Array.from([...section(true), ...described(true, 1, 0, new Uint8Array()), ...enhanced(true, 0, 1n, [1])]);
    expect(captureRead(blocks.subarray(0, blocks.length - 4))).toMatchObject({ cut: true, packets: [] });
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(), /has 0: was it written to the end/],
    ["text", Buffer.from("INVITE sip:bob@example.com"), /begins with 494e5649.*is it a capture/],
    ["gzip", Uint8Array.of(0x1f, 0x8b, 8, 0, 0), /gunzip/],
    ["the modified variant", Uint8Array.of(0x34, 0xcd, 0xb2, 0xa1), /a1b2cd34.*editcap/],
    ["an absurd record", pcap(true, 0xa1b2c3d4, 7).map((byte, i) => (i >= 32 && i < 36 ? 0xff : byte)), /record 1 at byte 24 claims 4294967295/],
    ["an absurd block", Uint8Array.from([...section(true), 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]), /block at byte 28 claims a length of 7/],
    ["a byte order of no machine", Uint8Array.from(section(true)).fill(0, 8, 12), /byte-order magic/],
    ["an interface that is not described", Uint8Array.from([...section(true), ...enhanced(true, 3, 0n, [1])]), /names interface 3/],
    [
      "a packet longer than its block",
      Uint8Array.from([...section(true), ...described(true, 1, 0, new Uint8Array()), ...enhanced(true, 0, 0n, [1]).map((byte, i) => (i === 20 ? 99 : byte))]),
      /claims 99 bytes/,
    ],
    ["a block too short for its kind", Uint8Array.from([...section(true), ...block(true, 6, new Uint8Array(4))]), /too short/],
  ])("%s", (_, bytes, message) => {
    expect(() => captureRead(bytes)).toThrow(CaptureError);
    expect(() => captureRead(bytes)).toThrow(message);
  });
});
