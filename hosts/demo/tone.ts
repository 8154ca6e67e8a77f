/*
 * A tone in G.711 (ITU-T G.711): one whole number of periods, encoded once, repeated for ever.
 */

export const TONE_HZ = 440;
const RATE = 8000;
const AMPLITUDE = 8000;
/** 200 samples hold exactly 11 periods of 440 Hz at 8 kHz. */
const PERIOD = 200;

export const PAYLOAD_PCMU = 0;
export const PAYLOAD_PCMA = 8;

/** One 16-bit sample as µ-law. */
export function encodeUlaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32635) + 132;
  const exponent = Math.max(0, Math.floor(Math.log2(magnitude)) - 7);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

/** One 16-bit sample as A-law. */
export function encodeAlaw(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80;
  const magnitude = Math.min(sample < 0 ? -sample - 1 : sample, 32767);
  const exponent = magnitude < 256 ? 0 : Math.floor(Math.log2(magnitude)) - 7;
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

function period(encode: (sample: number) => number): Uint8Array {
  return Uint8Array.from({ length: PERIOD }, (_, n) => encode(Math.round(AMPLITUDE * Math.sin((2 * Math.PI * TONE_HZ * n) / RATE))));
}

const PERIODS = new Map([
  [PAYLOAD_PCMU, period(encodeUlaw)],
  [PAYLOAD_PCMA, period(encodeAlaw)],
]);

/** Writes `length` samples of the tone, from sample number `from` on, as the payload type says. */
export function writeTone(to: Uint8Array, at: number, length: number, from: number, payload: number): void {
  const samples = PERIODS.get(payload) ?? PERIODS.get(PAYLOAD_PCMU)!;
  for (let n = 0; n < length; n++) to[at + n] = samples[(from + n) % PERIOD]!;
}
