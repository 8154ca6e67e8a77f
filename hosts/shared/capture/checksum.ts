/*
 * The Internet checksum (RFC 1071) and the UDP checksum over its pseudo-header (RFC 768, RFC 8200 8.1).
 */

/** Ones' complement sum of 16-bit words, carried on from `sum`; an odd last byte is padded with zero. */
export function sumAdd(sum: number, bytes: Uint8Array): number {
  let total = sum;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) total += (bytes[i]! << 8) | bytes[i + 1]!;
  if (even < bytes.length) total += bytes[even]! << 8;
  return total;
}

/** The checksum that a sum stands for. */
export function sumFold(sum: number): number {
  let total = sum;
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return ~total & 0xffff;
}

/** UDP checksum of a whole UDP packet whose checksum field is zero; addresses of 4 or 16 bytes. Never 0, which means none. */
export function udpChecksum(source: Uint8Array, destination: Uint8Array, packet: Uint8Array, protocol: number): number {
  const sum = sumAdd(sumAdd(protocol + packet.length, source), destination);
  return sumFold(sumAdd(sum, packet)) || 0xffff;
}
