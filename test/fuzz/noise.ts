/*
 * What is not SIP: media with boundary fields, STUN, keep-alives, and anything at all.
 */

import type { Random } from "../unit/core/random.ts";

const WORDS = [0, 1, -1, 0x7fffffff, -0x80000000, 0x8000, 0xffff, 0x10000];

function anything(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: random.below(most) }, () => random.below(256)));
}

/** RTP or RTCP, its fields at their limits. */
export function mediaDraw(random: Random): Buffer {
  const packet = Buffer.alloc(random.pick([12, 12, 20, 172, 11, 8, 4, 1, 0, 1500]), random.below(256));
  if (packet.length >= 4) {
    packet[0] = random.pick([0x80, 0x80, 0x80, 0x90, 0xbf, 0x7f, 0xc0, 0]);
    packet[1] = random.pick([0, 0, 8, 0x80, 127, 191, 192, 200, 201, 223, 224, 255]);
    packet.writeUInt16BE(random.pick([0, 1, 2, 3, 4, 5, 127, 128, 129, 0x7fff, 0x8000, 0xffff]), 2);
  }
  if (packet.length >= 12) packet.writeInt32BE(random.pick(WORDS), 8);
  return packet;
}

function stunDraw(random: Random): Buffer {
  const packet = Buffer.alloc(random.pick([20, 20, 28, 19, 8]));
  packet.writeUInt16BE(random.pick([0x0001, 0x0101, 0x0011]), 0);
  packet.writeUInt32BE(random.pick([0x2112a442, 0x2112a442, 0x2112a443]), 4);
  return packet;
}

/** A datagram for a signaling port. */
export function noiseDraw(random: Random): Buffer {
  switch (random.below(5)) {
    case 0:
      return stunDraw(random);
    case 1:
      return Buffer.from(random.pick(["", "\r\n", "\r\n\r\n", "\0\0\0\0", "\r\n\r\n\r\n\r\n\r\n\r\n", "\0"]), "latin1");
    case 2:
      return Buffer.from(
        random.pick([
          "GET / HTTP/1.1\r\n\r\n",
          "\x16\x03\x01\x02\x00",
          "\xf8abc",
          "SIP/2.0",
          "INVITE",
          "A B SIP/2.0\r\n\r\n",
          "SIP/2.0 \r\n\r\n",
          "SIP/2.0 2147483648 x\r\n\r\n",
        ]),
        "latin1",
      );
    default:
      return anything(random, random.pick([4, 40, 400]));
  }
}
