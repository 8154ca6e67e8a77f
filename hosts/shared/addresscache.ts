/*
 * Between the texts that sockets speak and the four words of an address in memory, without parsing for
 * each packet. Invariant: bounded in both directions; what falls out is parsed again.
 */

import { addressFrom, addressParse, addressWords } from "./address.ts";

const TEXTS_MOST = 16_384;
/** A power of two: slots of the table from words to text. */
const SLOTS = 8192;

export class AddressCache {
  readonly #words = new Map<string, Int32Array>();
  readonly #keys = new Int32Array(SLOTS * 4);
  readonly #texts: (string | undefined)[] = new Array<string | undefined>(SLOTS).fill(undefined);

  /** The words of an IP literal in the order of memory, or undefined for what is none. Not to be changed. */
  words(text: string): Int32Array | undefined {
    return this.#words.get(text) ?? this.#read(text);
  }

  #read(text: string): Int32Array | undefined {
    const address = addressParse(text);
    if (!address) return undefined;
    const words = addressWords(address);
    if (this.#words.size >= TEXTS_MOST) this.#words.clear();
    this.#words.set(text, words);
    return words;
  }

  /** The text of the address at `words[at]`. */
  text(words: Int32Array, at: number): string {
    const a = words[at]!;
    const b = words[at + 1]!;
    const c = words[at + 2]!;
    const d = words[at + 3]!;
    const mixed = Math.imul(a ^ Math.imul(b, 31) ^ Math.imul(c, 131) ^ Math.imul(d, 0x01000193), 0x9e3779b1 | 0);
    const slot = mixed >>> 19;
    const key = slot * 4;
    const keys = this.#keys;
    const text = this.#texts[slot];
    if (text !== undefined && keys[key] === a && keys[key + 1] === b && keys[key + 2] === c && keys[key + 3] === d) return text;
    return this.#write(slot, words.slice(at, at + 4));
  }

  #write(slot: number, words: Int32Array): string {
    const { text } = addressFrom(new Uint8Array(words.buffer), 0);
    this.#keys.set(words, slot * 4);
    this.#texts[slot] = text;
    return text;
  }
}
