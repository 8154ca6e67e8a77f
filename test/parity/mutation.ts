/*
 * Damages a message in the ways that find parsers out: boundary numbers in place of numbers, bytes, cuts, doubled and
 * swapped lines, addresses of ours. Seeded: the same random numbers make the same damage.
 */

import type { Random } from "../unit/core/random.ts";

const NUMBERS = [
  "0",
  "1",
  "-1",
  "+1",
  "00",
  "255",
  "256",
  "65535",
  "65536",
  "2147483647",
  "2147483648",
  "4294967295",
  "4294967296",
  "4294967303",
  "99999999999999999999",
  "",
];
const BYTES = [
  "\0",
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  " ",
  "\t",
  "\x7f",
  "\x80",
  "\xff",
  ";",
  ",",
  ":",
  "<",
  ">",
  '"',
  "\\",
  "@",
  "[",
  "]",
  "=",
  "?",
  "%",
  "/",
  "*",
];
const HOSTS = [
  "0.0.0.0",
  "255.255.255.255",
  "224.0.0.1",
  "127.0.0.1",
  "[::1]",
  "[::ffff:192.168.1.2]",
  "::1",
  "a",
  "1.2.3",
  "1.2.3.4.5",
  "256.1.1.1",
  "203.0.113.20",
  "10.9.0.2",
  "10.9.0.3",
  "10.9.0.10",
];

function replaceOne(text: string, pattern: RegExp, random: Random, by: string): string {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return text;
  const one = random.pick(found);
  return text.slice(0, one.index) + by + text.slice(one.index + one[0].length);
}

function linesChange(text: string, random: Random): string {
  const lines = text.split("\r\n");
  const at = random.below(lines.length);
  switch (random.below(5)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(at, 0, lines[random.below(lines.length)]!);
      break;
    case 2:
      lines.splice(at, 0, ...Array.from({ length: random.pick([2, 20, 200]) }, () => lines[at]!));
      break;
    case 3:
      lines[at] = ` ${lines[at]}`;
      break;
    default:
      lines[at] = lines[at]!.replace(/[:=].*/, (rest) => rest.repeat(random.pick([2, 10, 100])));
  }
  return lines.join("\r\n");
}

/** A damaged copy. */
export function mutate(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  switch (random.below(8)) {
    case 0:
      return replaceOne(text, /\d+/g, random, random.pick(NUMBERS));
    case 1:
      return replaceOne(text, /\d+\.\d+\.\d+\.\d+/g, random, random.pick(HOSTS));
    case 2:
      return text.slice(0, at) + random.pick(BYTES) + text.slice(at + random.below(2));
    case 3:
      return text.slice(0, at);
    case 4:
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
    case 5:
      return text.slice(0, at) + text.slice(at + random.below(40));
    case 6:
      return replaceOne(text, /\r\n/g, random, random.pick(["\n", "\r", "\r\n ", "\r\n\t"]));
    default:
      return linesChange(text, random);
  }
}
