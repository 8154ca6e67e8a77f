/*
 * Damages the text of a message in the ways that find decoders out: boundary numbers in place of numbers, bytes, cuts,
 * doubled, missing and endless lines, forged and broken tokens, addresses in strange forms.
 */

import type { Random } from "../unit/core/random.ts";

const NUMBERS = [
  "0",
  "1",
  "-1",
  "+1",
  "00",
  "007",
  "127",
  "128",
  "255",
  "256",
  "32767",
  "32768",
  "65534",
  "65535",
  "65536",
  "131072",
  "2147483646",
  "2147483647",
  "2147483648",
  "-2147483648",
  "-2147483649",
  "4294967295",
  "4294967296",
  "4294967297",
  "9223372036854775807",
  "99999999999999999999999999",
  `1${"0".repeat(300)}`,
  `${"0".repeat(300)}1`,
  "",
  " ",
  "0x10",
  "1e3",
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
  "%00",
  "%40",
];
const HOSTS = [
  "0.0.0.0",
  "255.255.255.255",
  "224.0.0.1",
  "127.0.0.1",
  "[::1]",
  "[::]",
  "[::ffff:192.168.1.2]",
  "[::ffff:c0a8:102]",
  "::1",
  "a",
  "a.",
  "-",
  "1.2.3",
  "1.2.3.4.5",
  "256.1.1.1",
  "1.2.3.04",
  "192.168.1.2 ",
  "192.168.1.20",
  "[fd00:5::2]",
  "[FD00:5:0:0:0:0:0:2]",
  "[fd00:5::2%25eth0]",
  "[fd00:5::2",
  "fd00:5::2]",
  "[1:2:3:4:5:6:7:8:9]",
  "[:::]",
  "203.0.113.20",
  "10.9.0.2",
  "10.9.0.3",
  "10.9.0.10",
  "x".repeat(130),
  `${"x".repeat(62)}.`.repeat(6),
];

type Damage = (text: string, random: Random) => string;

function replaceOne(text: string, pattern: RegExp, random: Random, by: (found: string) => string): string {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return text;
  const one = random.pick(found);
  return text.slice(0, one.index) + by(one[0]) + text.slice(one.index + one[0].length);
}

const number: Damage = (text, random) => replaceOne(text, /\d+/g, random, () => random.pick(NUMBERS));
/** Numbers that mean something, in front of those in addresses and branches. */
const keyNumber: Damage = (text, random) =>
  replaceOne(text, /(?<=\b(?:CSeq|Content-Length|l|Expires|Max-Forwards)\s*:\s*|expires=|rport=|m=\w+ |a=rtcp:|:)\d+/gi, random, () => random.pick(NUMBERS));
const host: Damage = (text, random) => replaceOne(text, /\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]/gi, random, () => random.pick(HOSTS));
const byteChange: Damage = (text, random) => {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + random.pick(BYTES) + text.slice(at + random.below(2));
};
const bitFlip: Damage = (text, random) => {
  const at = random.below(text.length);
  return text.slice(0, at) + String.fromCharCode((text.charCodeAt(at) ^ (1 << random.below(8))) & 0xff) + text.slice(at + 1);
};
const cut: Damage = (text, random) => text.slice(0, random.below(text.length + 1));
const hole: Damage = (text, random) => {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + text.slice(at + random.below(40));
};
const lineEnds: Damage = (text, random) => replaceOne(text, /\r\n/g, random, () => random.pick(["\n", "\r", "\r\n ", "\r\n\t", "\r\r\n", "\n\r"]));
const token: Damage = (text, random) =>
  replaceOne(text, /(?<=cvt=)[a-z2-7]+/g, random, (found) => {
    const at = random.below(found.length);
    return random.pick([
      found.slice(0, at) + random.pick([..."abcdz2347"]) + found.slice(at + 1),
      found.slice(0, -1),
      `${found}a`,
      found.toUpperCase(),
      "",
      "a".repeat(random.pick([1, 26, 32, 53, 54, 200])),
      found + found,
    ]);
  });

/** Lines dropped, doubled, many times over, or endless. */
const lines: Damage = (text, random) => {
  const all = text.split("\r\n");
  const at = random.below(all.length);
  const line = all[at]!;
  switch (random.below(6)) {
    case 0:
      all.splice(at, 1);
      break;
    case 1:
      all.splice(at, 0, all[random.below(all.length)]!);
      break;
    case 2:
      all.splice(at, 0, ...Array.from({ length: random.pick([2, 20, 200, 600]) }, () => line));
      break;
    case 3:
      all[at] = line.replace(/[:=].*/, (rest) => rest.repeat(random.pick([2, 10, 100])));
      break;
    case 4:
      all[at] = line.replace(/[:=].*/, (rest) => `${rest},${rest.slice(1)}`.repeat(random.pick([1, 40, 300])));
      break;
    default:
      all[at] = line + "x".repeat(random.pick([100, 1000, 20_000]));
  }
  return all.join("\r\n");
};

/** The body of one message behind the head of itself, cut or doubled. */
const body: Damage = (text, random) => {
  const at = text.indexOf("\r\n\r\n") + 4;
  return random.pick([text + text.slice(at), text.slice(0, at + random.below(30)), text + text, text.slice(at) + text]);
};

/** Something taken from one place and put in another: headers into the body, SDP lines before the media that they are of. */
const move: Damage = (text, random) => {
  const all = text.split(/(?<=\n)/);
  const [taken] = all.splice(random.below(all.length), 1);
  all.splice(random.below(all.length + 1), 0, taken ?? "");
  return all.join("");
};
/** Blocks of lines many times over, such as media with all that belongs to them. */
const blocks: Damage = (text, random) => {
  const all = text.split(/(?<=\n)/);
  const at = random.below(all.length);
  const block = all.slice(at, at + random.pick([1, 2, 4, 8]));
  all.splice(at, 0, ...Array.from({ length: random.pick([1, 3, 33, 130]) }, () => block).flat());
  return all.join("");
};
/** White space, also with a line end in it, in the middle of anything. */
const gap: Damage = (text, random) => {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + random.pick([" ", "\t", "\r\n ", "\r\n\t", "\n ", "\r\n \r\n "]) + text.slice(at);
};
/** Quotes, brackets and escapes that are not closed, or closed twice. */
const pairs: Damage = (text, random) =>
  replaceOne(text, /["<>()]|%[0-9a-f]{2}|\\./gi, random, (found) => random.pick(["", found + found, `${found}\\`, '"', "<", ">", "%", "%4", "%zz", "\\"]));
/** A header that may stand once, twice and different; or a list where one value belongs. */
const double: Damage = (text, random) =>
  replaceOne(text, /^(Call-ID|i|CSeq|From|To|f|t|Content-Length|l|Content-Type|c|Max-Forwards)[ \t]*:[^\r\n]*/gim, random, (found) => {
    const value = found.slice(found.indexOf(":") + 1);
    const other = value.replace(/[0-9a-z]/i, (char) => (char === "1" ? "2" : "1"));
    return random.pick([`${found}\r\n${found}`, `${found}\r\n${found.slice(0, found.indexOf(":") + 1)}${other}`, `${found},${other}`, `${found};${other}`]);
  });
/** Delimiters of parts: others, none, the last one first. */
const delimiter: Damage = (text, random) =>
  replaceOne(text, /--(?:bnd|inner|b)(?:--)?|boundary="?[^"\r\n]*"?/g, random, (found) =>
    random.pick([
      "",
      `${found}--`,
      `${found}x`,
      found.slice(0, -1),
      `-${found}`,
      "--bnd",
      "--inner--",
      'boundary=""',
      "boundary=b",
      `boundary="${"b".repeat(71)}"`,
    ]),
  );
/** The count of a media line's ports, and its port. */
const ports: Damage = (text, random) => replaceOne(text, /(?<=^m=\w+ )\d+(?:\/\d+)?/gm, random, () => `${random.pick(NUMBERS)}/${random.pick(NUMBERS)}`);

const STRUCTURED: Damage[] = [move, blocks, gap, pairs, double, delimiter, ports];
const DAMAGES: Damage[] = [
  ...STRUCTURED,
  number,
  keyNumber,
  keyNumber,
  host,
  host,
  byteChange,
  byteChange,
  bitFlip,
  cut,
  hole,
  lineEnds,
  token,
  token,
  lines,
  lines,
  body,
];

/** Longest payload of a UDP datagram over IPv4. */
export const PAYLOAD_MAX = 65507;

/** A damaged copy. */
export function damage(text: string, random: Random): string {
  let damaged = text;
  for (let i = random.pick([1, 1, 1, 2, 3, 6]); i > 0 && damaged.length > 0; i--) damaged = random.pick(DAMAGES)(damaged, random).slice(0, PAYLOAD_MAX);
  return damaged;
}
