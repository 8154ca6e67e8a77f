/*
 * Run by ring.test.ts in a network namespace with two interfaces, each the other's end: two workers have a ring on far (hosts/linux/divide.c),
 * and who hears which frame is printed as JSON.
 */

import { addressParse } from "../../../hosts/shared/address.ts";
import * as abi from "../../../hosts/shared/core.ts";
import { PORT_SHARED, PORT_SIGNALING } from "../../../hosts/shared/runtime.ts";
import { End } from "./ringend.ts";

const FAR = "10.99.0.2";
const FAR_SIX = "2001:db8::2";
/** No interface has it. */
const SERVICE = "203.0.113.20";
const SIP = 5060;
/** Each worker's part of the ports, and how many a part has. */
const PARTS = [20_000, 30_000];
const PART = 1000;
const UDP = 17;

function addressBytes(text: string): Buffer {
  const { bytes } = addressParse(text)!;
  return Buffer.from(text.includes(":") ? bytes : bytes.slice(12));
}

/** An IP packet whose first bytes behind the header are a source port and a destination port. */
function packetOf(from: string, to: string, port: number, options: { protocol?: number; piece?: number; length?: number; source?: number } = {}): Buffer {
  const { protocol = UDP, piece = 0, length = 5, source = SIP } = options;
  const six = from.includes(":");
  const head = Buffer.alloc(six ? 8 : 12);
  if (six) {
    head[0] = 0x60;
    head[6] = protocol;
  } else {
    head[0] = 0x40 | length;
    head.writeUInt16BE(piece, 6);
    head[9] = protocol;
  }
  const ports = Buffer.alloc(40);
  ports.writeUInt16BE(source, 0);
  ports.writeUInt16BE(port, 2);
  const options4 = Buffer.alloc(six ? 0 : 4 * (length - 5));
  return Buffer.concat([head, addressBytes(from), addressBytes(to), options4, ports]);
}

/** In Ethernet, with what stands between the addresses and the packet. */
function framed(packet: Buffer, type = packet[0]! >> 4 === 6 ? "86dd" : "0800"): Buffer {
  return Buffer.concat([Buffer.from(`02000000000b020000000a01${type}`, "hex"), packet]);
}

const TERMINALS = Array.from({ length: 8 }, (_, i) => `198.51.100.${i + 8}`);
const TERMINALS_SIX = Array.from({ length: 8 }, (_, i) => `2001:db8:2::${(i + 16).toString(16)}`);

const FRAMES: Record<string, Buffer> = {
  "media of 0": framed(packetOf("192.0.2.1", FAR, PARTS[0]!)),
  "media of 1": framed(packetOf("192.0.2.1", FAR, PARTS[1]!)),
  "media of 1, by IPv6": framed(packetOf("2001:db8::9", FAR_SIX, PARTS[1]!)),
  "an idle port of 1": framed(packetOf("192.0.2.1", FAR, PARTS[1]! + 2)),
  "media of 1 in a VLAN": framed(packetOf("192.0.2.1", FAR, PARTS[1]!), "810000640800"),
  "media of 1 in two": framed(packetOf("192.0.2.1", FAR, PARTS[1]!), "88a80064810000070800"),
  "media of 1 behind a label": framed(packetOf("192.0.2.1", FAR, PARTS[1]!), "8847000641ff"),
  "a fragment": framed(packetOf("192.0.2.1", FAR, PARTS[1]!, { piece: 0x2000 })),
  "the last one": framed(packetOf("192.0.2.1", FAR, PARTS[1]!, { piece: 64 })),
  "IP options": framed(packetOf("192.0.2.1", FAR, PARTS[1]!, { length: 6 })),
  "an IPv6 extension": framed(packetOf("2001:db8::9", FAR_SIX, PARTS[1]!, { protocol: 60 })),
  ICMP: framed(packetOf("192.0.2.1", FAR, 0, { protocol: 1 })),
  TCP: framed(packetOf("192.0.2.1", FAR, PARTS[1]!, { protocol: 6 })),
  ESP: framed(packetOf("192.0.2.1", FAR, PARTS[1]!, { protocol: 50 })),
  ARP: framed(Buffer.alloc(46), "0806"),
  "no packet": framed(Buffer.alloc(2), "0800"),
};
for (const from of TERMINALS) FRAMES[`SIP ${from}`] = framed(packetOf(from, SERVICE, SIP));
for (const from of TERMINALS_SIX) FRAMES[`SIP ${from}`] = framed(packetOf(from, "2001:db8:1::20", SIP));
for (const from of TERMINALS) FRAMES[`elsewhere ${from}`] = framed(packetOf(from, "192.0.2.9", 4000));

/** Which workers hear each frame, and whose a terminal is by its port as well. */
function heardBy(by: "address" | "port"): Record<string, number[]> {
  const sender = new End();
  sender.ring("near");
  const workers = PARTS.map((first, index) => {
    const end = new End({ index, count: PARTS.length, by });
    if (end.ring("far", 1) !== 0) throw new Error("no ring");
    for (const address of [FAR, FAR_SIX]) {
      for (const other of PARTS) if (other !== first) end.others(address, other, other + PART);
      end.bind(address, first);
    }
    end.bind(SERVICE, SIP, PORT_SIGNALING | PORT_SHARED);
    return end;
  });
  const heard = Object.entries(FRAMES).map(([name, frame]) => {
    sender.send(abi.OUTPUT_FRAME, [frame]);
    const who = workers.flatMap((end, index) => (end.rest().some(({ bytes }) => bytes.subarray(-46).equals(frame.subarray(-46))) ? [index] : []));
    return [name, who] as const;
  });
  for (const end of [sender, ...workers]) end.shim.close();
  return Object.fromEntries(heard);
}

process.stdout.write(JSON.stringify({ address: heardBy("address"), port: heardBy("port") }));
