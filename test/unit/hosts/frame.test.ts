/*
 * From frames to datagrams and back: link headers, tags and labels, fragments, checksums.
 */

import { describe, expect, test } from "vitest";
import { addressParse } from "../../../hosts/shared/address.ts";
import { sumAdd, sumFold } from "../../../hosts/shared/capture/checksum.ts";
import { type Datagram, datagramWrite } from "../../../hosts/shared/capture/datagram.ts";
import { type Fragment, type Frame, frameRead } from "../../../hosts/shared/capture/frame.ts";
import { linkRead, linkReversed, linkWrite } from "../../../hosts/shared/capture/link.ts";
import { Reassembly } from "../../../hosts/shared/capture/reassembly.ts";

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

/** IPv4 192.0.2.1:4660 to 198.51.100.2:5060, "hi!", checksums as tshark computes them. */
const IP4 = "4500001f0001000040118e96 c0000201 c6336402 123413c4000b643f 686921";
/** IPv6 2001:db8::1:4660 to 2001:db8::2:5060, "hi!". */
const IP6 = "60000000000b1140 20010db8000000000000000000000001 20010db8000000000000000000000002 123413c4000bf501 686921";
const MACS = "0200000000aa 0200000000bb";
const COOKED = "0000 0001 0006 020000000001 0000";

const LINKS: [name: string, linkType: number, ip4: string, ip6: string, vlans: number[], labels: number[]][] = [
  ["Ethernet", 1, `${MACS} 0800`, `${MACS} 86dd`, [], []],
  ["802.1Q", 1, `${MACS} 8100 a064 0800`, `${MACS} 8100 a064 86dd`, [100], []],
  ["802.1ad over 802.1Q", 1, `${MACS} 88a8 0007 8100 0064 0800`, `${MACS} 88a8 0007 8100 0064 86dd`, [7, 100], []],
  ["MPLS, two labels", 1, `${MACS} 8847 00400040 00065140`, `${MACS} 8847 00400040 00065140`, [], [1024, 101]],
  ["802.1Q and MPLS", 1, `${MACS} 8100 0064 8847 00065140`, `${MACS} 8100 0064 8847 00065140`, [100], [101]],
  ["Linux cooked", 113, `${COOKED} 0800`, `${COOKED} 86dd`, [], []],
  ["Linux cooked v2", 276, "0800 0000 00000003 0001 00 06 0200000000010000", "86dd 0000 00000003 0001 00 06 0200000000010000", [], []],
  ["raw IP", 101, "", "", [], []],
  ["raw IPv4 and IPv6", 228, "", "", [], []],
  ["loopback, little-endian host", 0, "02000000", "0a000000", [], []],
  ["loopback, big-endian host", 0, "00000002", "0000000a", [], []],
  ["loop", 108, "00000002", "0000000a", [], []],
];

function datagramOf(frame: Frame): Datagram {
  if (frame.kind !== "datagram") throw new Error(`not a datagram: ${JSON.stringify(frame)}`);
  return frame.datagram;
}

function read(linkType: number, bytes: Uint8Array): Datagram {
  return datagramOf(frameRead(linkType, bytes, bytes.length));
}

describe.each(LINKS)("%s", (_, linkType, ip4, ip6, vlans, labels) => {
  test.each([
    [4, ip4 + IP4, "192.0.2.1", "198.51.100.2"],
    [6, ip6 + IP6, "2001:db8::1", "2001:db8::2"],
  ])("IPv%i is read, and written byte for byte", (version, frame, source, destination) => {
    const datagram = read(linkType, hex(frame));
    expect(datagram).toMatchObject({ version, sourcePort: 4660, destinationPort: 5060, hops: 64, traffic: 0, checksummed: true });
    expect([datagram.source.text, datagram.destination.text]).toEqual([source, destination]);
    expect(Buffer.from(datagram.payload).toString()).toBe("hi!");
    expect([datagram.link.vlans, datagram.link.labels]).toEqual([vlans, labels]);
    expect(datagramWrite(datagram, 1)).toEqual(hex(frame));
  });

  test("the header names the other IP version when that is what it carries", () => {
    const link = linkRead(linkType, hex(ip4 + IP4))!;
    expect(Buffer.from(linkWrite(link, 6, 51)).toString("hex")).toBe(Buffer.from(hex(ip6)).toString("hex"));
  });
});

describe("link headers", () => {
  test("PPPoE carries a length that follows the datagram", () => {
    const frame = hex(`${MACS} 8864 1100 0007 0021 0021 ${IP4}`);
    const datagram = read(1, frame);
    expect(datagramWrite(datagram, 1)).toEqual(frame);
    const longer = datagramWrite({ ...datagram, payload: hex("6869212121") }, 1)!;
    expect(Buffer.from(longer.subarray(14, 22)).toString("hex")).toBe("1100000700230021");
  });

  test("the way back swaps the Ethernet addresses", () => {
    const link = linkRead(1, hex(`${MACS} 0800 ${IP4}`))!;
    expect(Buffer.from(linkReversed(link).header).toString("hex")).toBe("0200000000bb0200000000aa0800");
  });

  test.each<[string, number, string]>([
    ["ARP", 1, `${MACS} 0806 0001`],
    ["an unknown link type", 147, IP4],
    ["a cut Ethernet header", 1, "0200000000aa"],
    ["a label stack without a bottom", 1, `${MACS} 8847 00400040`],
    ["a cut tag", 1, `${MACS} 8100 00`],
  ])("%s is not IP", (_, linkType, frame) => {
    expect(frameRead(linkType, hex(frame), hex(frame).length)).toEqual({ kind: "other", why: "not IP" });
  });
});

describe("IP and UDP", () => {
  const ethernet = `${MACS} 0800`;

  test.each<[string, string, string, number?]>([
    ["TCP", "450000140001000040060000c0000201c6336402", "not UDP: TCP"],
    ["SCTP", "450000140001000040840000c0000201c6336402", "not UDP: SCTP"],
    ["an unassigned protocol", "450000140001000040fa0000c0000201c6336402", "not UDP: IP protocol 250"],
    ["a header length below 20", IP4.replace("45", "44"), "damaged IP or UDP header"],
    ["a UDP length beyond the packet", IP4.replace("000b643f", "000c643f"), "damaged IP or UDP header"],
    ["a snapped packet", IP4.slice(0, -2), "cut short by the capture", 45],
    ["a packet that lies about its length", IP4.slice(0, -2), "damaged IP or UDP header"],
    ["neither version", "5500", "not IP"],
  ])("%s passes", (_, packet, why, wireLength) => {
    const bytes = hex(ethernet + packet);
    expect(frameRead(1, bytes, wireLength ?? bytes.length)).toEqual({ kind: "other", why });
  });

  test("padding and trailers are not payload", () => {
    expect(read(1, hex(`${ethernet} ${IP4} 0000000000000000`)).payload).toHaveLength(3);
  });

  test("a checksum of zero stays zero on IPv4 and is made on IPv6", () => {
    const datagram = read(1, hex(ethernet + IP4.replace("643f", "0000")));
    expect(datagram.checksummed).toBe(false);
    expect(Buffer.from(datagramWrite(datagram, 1)!).toString("hex")).toContain("123413c4000b0000");
    const six = { ...datagram, version: 6 as const, source: addressParse("2001:db8::1")!, destination: addressParse("2001:db8::2")! };
    expect(Buffer.from(datagramWrite(six, 1)!).toString("hex")).toContain("123413c4000bf501");
  });

  test("IPv6 extension headers are walked", () => {
    const options = IP6.replace("60000000000b11", "60000000001b00").replace("123413c4", "3c00010400000000 1100010400000000 123413c4");
    expect(read(1, hex(`${MACS} 86dd ${options}`)).payload).toHaveLength(3);
  });

  test("nothing longer than IP can carry is written", () => {
    const datagram = read(1, hex(ethernet + IP4));
    expect(datagramWrite({ ...datagram, payload: new Uint8Array(65_507) }, 1)).toHaveLength(14 + 65_535);
    expect(datagramWrite({ ...datagram, payload: new Uint8Array(65_508) }, 1)).toBeUndefined();
  });

  test("the checksum of RFC 1071 3", () => {
    expect(sumFold(sumAdd(0, hex("0001f203f4f5f6f7")))).toBe(0x220d);
  });
});

test("frames of every link type, damaged anywhere, are read or passed", () => {
  let state = 4711;
  const next = (below: number): number => {
    state = (state * 48_271) % 0x7fffffff;
    return state % below;
  };
  for (const [, linkType, ip4, ip6] of LINKS) {
    for (let round = 0; round < 500; round++) {
      const bytes = hex(round % 2 === 0 ? ip4 + IP4 : ip6 + IP6).slice();
      for (let n = next(4); n >= 0; n--) bytes[next(bytes.length)] = next(2) === 0 ? next(256) : [0, 1, 0x7f, 0xff][next(4)]!;
      const cut = bytes.subarray(0, next(3) === 0 ? next(bytes.length + 1) : bytes.length);
      expect(["datagram", "fragment", "other"]).toContain(frameRead(linkType, cut, bytes.length).kind);
    }
  }
});

describe.each([4, 6] as const)("fragments, IPv%i", (version) => {
  const payload = Uint8Array.from({ length: 100 }, (_, i) => i);
  const udp = Uint8Array.from([...hex("123413c4006c0000"), ...payload]);

  function packet(offset: number, end: number, more: boolean, bytes = udp): Uint8Array {
    const content = bytes.subarray(offset, end);
    const word = (value: number): number[] => [value >> 8, value & 255];
    if (version === 4) {
      return Uint8Array.from([
        ...hex("4500"),
        ...word(20 + content.length),
        ...hex("0042"),
        ...word((more ? 0x2000 : 0) | (offset >> 3)),
        ...hex("40110000 c0000201 c6336402"),
        ...content,
      ]);
    }
    const header = [...hex("60000000"), ...word(8 + content.length), ...hex("2c40 20010db8000000000000000000000001 20010db8000000000000000000000002")];
    return Uint8Array.from([...header, ...hex("1100"), ...word(offset | (more ? 1 : 0)), ...hex("00000042"), ...content]);
  }

  function fragment(...args: Parameters<typeof packet>): Fragment {
    const bytes = packet(...args);
    const frame = frameRead(101, bytes, bytes.length);
    if (frame.kind !== "fragment") throw new Error(`not a fragment: ${JSON.stringify(frame)}`);
    return frame.fragment;
  }

  const PIECES: [number, number, boolean][] = [
    [0, 40, true],
    [40, 80, true],
    [80, 108, false],
  ];

  test.each([[[0, 1, 2]], [[2, 1, 0]], [[1, 2, 0]], [[0, 0, 2, 2, 1]]])("in the order %j", (order) => {
    const reassembly = new Reassembly();
    const wholes = order.map((i, n) => reassembly.add(fragment(...PIECES[i]!), n, n));
    expect(wholes.slice(0, -1).every((whole) => whole === undefined)).toBe(true);
    expect(wholes.at(-1)!.datagram).toMatchObject({ version, sourcePort: 4660, destinationPort: 5060, payload });
    expect(reassembly.loss.overlapping).toEqual([]);
  });

  test.each<[string, [number, number, boolean][]]>([
    [
      "one byte range twice",
      [
        [0, 40, true],
        [32, 80, true],
        [80, 108, false],
      ],
    ],
    [
      "a fragment inside another",
      [
        [0, 80, true],
        [40, 48, true],
        [80, 108, false],
      ],
    ],
    [
      "bytes behind the last fragment",
      [
        [80, 108, false],
        [104, 112, true],
        [0, 80, true],
      ],
    ],
    [
      "two different ends",
      [
        [80, 108, false],
        [40, 80, false],
        [0, 40, true],
      ],
    ],
    [
      "a length that is not a multiple of eight",
      [
        [0, 41, true],
        [40, 108, false],
      ],
    ],
  ])("%s discards the whole datagram", (_, pieces) => {
    const reassembly = new Reassembly();
    const longer = Uint8Array.from([...udp, 0, 0, 0, 0]);
    for (const [n, [offset, end, more]] of pieces.entries()) expect(reassembly.add(fragment(offset, end, more, longer), n, n)).toBeUndefined();
    expect(reassembly.add(fragment(40, 80, true), 9, 9)).toBeUndefined();
    expect(reassembly.loss.overlapping.length).toBeGreaterThanOrEqual(pieces.length - 1);
  });

  test("a fragment with the same place and other bytes does not win", () => {
    const reassembly = new Reassembly();
    reassembly.add(fragment(...PIECES[0]!), 0, 0);
    reassembly.add(
      fragment(
        0,
        40,
        true,
        udp.map((byte) => byte ^ 1),
      ),
      1,
      0,
    );
    expect(reassembly.loss.overlapping).toEqual([0, 1]);
  });

  test("what stays incomplete for a minute is given up", () => {
    const reassembly = new Reassembly();
    reassembly.add(fragment(...PIECES[0]!), 0, 0);
    reassembly.expire(1);
    expect(reassembly.loss.incomplete).toEqual([0]);
  });
});
