/*
 * The same message written otherwise: everything that RFC 3261 7.3.1 and 25.1 allow and that a decoder has to cope with.
 * What comes out is as valid as what went in.
 */

import type { Random } from "../unit/core/random.ts";
import type { Header, Message } from "./message.ts";
import { listSplit } from "./reader.ts";

const COMPACT: Record<string, string> = {
  Via: "v",
  From: "f",
  To: "t",
  Contact: "m",
  "Call-ID": "i",
  "Content-Length": "l",
  "Content-Type": "c",
  Supported: "k",
  Subject: "s",
  "Refer-To": "r",
};
const LISTS = ["Via", "Contact", "Route", "Record-Route"];
const FOLDS = ["\r\n ", "\r\n\t", "\r\n  \t "];

type Style = (message: Message, random: Random) => void;

function one(message: Message, random: Random, names?: string[]): Header | undefined {
  const candidates = message.headers.filter(({ name }) => names === undefined || names.includes(name));
  return candidates.length === 0 ? undefined : random.pick(candidates);
}

function compact(message: Message): void {
  for (const header of message.headers) header.name = COMPACT[header.name] ?? header.name;
}

function spell(message: Message, random: Random): void {
  const header = one(message, random);
  if (header) header.name = random.pick([header.name.toUpperCase(), header.name.toLowerCase(), `${header.name} `, `${header.name}\t`]);
}

/** Folds at a space that stands outside quotes. */
function fold(message: Message, random: Random): void {
  const header = one(message, random, ["Via", "From", "To", "CSeq", "Subject", "Contact", "Content-Type"]);
  if (!header || header.value.includes('"')) return;
  const at = header.value.indexOf(" ");
  if (at > 0 && !/\r\n/.test(header.value)) header.value = header.value.slice(0, at) + random.pick(FOLDS) + header.value.slice(at + 1);
}

/** Folds before the value. */
function foldFirst(message: Message, random: Random): void {
  const header = one(message, random);
  if (header && header.name !== "Content-Length") header.value = `${random.pick(FOLDS).slice(0, 2)} ${header.value}`;
}

/** Values of one header in lines of their own, or the other way round. */
function lines(message: Message, random: Random): void {
  const name = random.pick(LISTS);
  const values = message.headers.filter((header) => header.name === name).flatMap(({ value }) => listSplit(value));
  const first = message.headers.findIndex((header) => header.name === name);
  if (first < 0) return;
  const written = random.chance(0.5) ? [{ name, value: values.join(random.pick([",", ", ", " ,\r\n "])) }] : values.map((value) => ({ name, value }));
  const others = message.headers.filter((header) => header.name !== name);
  message.headers = [...others.slice(0, first), ...written, ...others.slice(first)];
}

function shuffle(message: Message, random: Random): void {
  const at = random.below(message.headers.length);
  const [moved] = message.headers.splice(at, 1);
  const last = message.headers.findIndex(({ name }) => name === moved!.name);
  if (last >= 0) message.headers.splice(at, 0, moved!);
  else message.headers.splice(random.below(message.headers.length + 1), 0, moved!);
}

function parameters(message: Message, random: Random): void {
  const header = one(message, random, ["Contact", "Route", "Record-Route"]);
  if (header && header.value !== "*") header.value += random.pick([";x", ';y="a,b;<>"', " ; z = 1"]);
}

function bareLines(message: Message): void {
  message.lineEnd = "\n";
}

function escapes(message: Message, random: Random): void {
  const header = one(message, random, ["From", "To", "Contact"]);
  if (header?.value.startsWith("<")) header.value = random.pick(['"\\" <sip:a@192.168.1.2>, " ', "Anne Other ", '"\xc3\xa4" ', '""']) + header.value;
}

const STYLES: Style[] = [compact, spell, fold, foldFirst, lines, shuffle, parameters, bareLines, escapes];

/** Changes the style of a message in a few ways. */
export function styleChange(message: Message, random: Random): void {
  for (let i = random.pick([0, 1, 2, 4]); i > 0; i--) random.pick(STYLES)(message, random);
  // Folds and bare line ends do not mix.
  if (message.lineEnd === "\n") for (const header of message.headers) header.value = header.value.replaceAll("\r\n", "\n");
}
