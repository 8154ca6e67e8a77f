/*
 * Did a recording hear a tone? Goertzel's algorithm over windows of 200 ms, as the lab's tone.py does.
 */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export interface Heard {
  windows: number;
  /** Windows in which the tone holds more than 80 % of the energy. */
  good: number;
  /** Greatest share of energy at the tone in any window. */
  best: number;
}

const WINDOW_S = 0.2;
/** Root mean square below which a window counts as silence. */
const SILENCE = 300;
const DOMINANT = 0.8;

interface Samples {
  rate: number;
  values: Int16Array;
}

/** First channel of a 16-bit PCM WAV file. A recorder that was stopped may have left the sizes in its header at zero. */
function readWav(path: string): Samples {
  const data = readFileSync(path);
  let at = 12;
  let channels = 1;
  let rate = 8000;
  while (at + 8 <= data.length) {
    const name = data.toString("latin1", at, at + 4);
    const size = data.readUInt32LE(at + 4);
    if (name === "fmt ") {
      channels = data.readUInt16LE(at + 10);
      rate = data.readUInt32LE(at + 12);
    }
    if (name === "data") break;
    at += 8 + size + (size & 1);
  }
  const count = Math.max(0, Math.floor((data.length - at - 8) / (2 * channels)));
  return { rate, values: Int16Array.from({ length: count }, (_, n) => data.readInt16LE(at + 8 + n * 2 * channels)) };
}

/** Share of the energy of a window that lies at `hz`. */
function share(window: Int16Array, hz: number, rate: number): { share: number; rms: number } {
  const k = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let s1 = 0;
  let s2 = 0;
  let energy = 0;
  for (const value of window) {
    const s0 = value + k * s1 - s2;
    s2 = s1;
    s1 = s0;
    energy += value * value;
  }
  const power = ((s1 * s1 + s2 * s2 - k * s1 * s2) * 2) / window.length;
  return { share: power / (energy || 1), rms: Math.sqrt(energy / window.length) };
}

export function heardIn(path: string, hz: number): Heard {
  const { rate, values } = readWav(path);
  const length = Math.floor(rate * WINDOW_S);
  const heard: Heard = { windows: 0, good: 0, best: 0 };
  for (let at = 0; at + length <= values.length; at += length) {
    const window = share(values.subarray(at, at + length), hz, rate);
    heard.windows++;
    if (window.share > DOMINANT && window.rms > SILENCE) heard.good++;
    heard.best = Math.max(heard.best, window.share);
  }
  return heard;
}

/** What the last recording in a baresip folder heard; no windows when there is none. */
export function heardBy(folder: string, hz: number): Heard {
  const recording = readdirSync(folder)
    .filter((name) => /^dump-.*-dec\.wav$/.test(name))
    .sort()
    .pop();
  return recording === undefined ? { windows: 0, good: 0, best: 0 } : heardIn(join(folder, recording), hz);
}
