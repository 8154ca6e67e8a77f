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

/** White space wherever RFC 3261 25.1 has SLASH, COLON, SEMI, EQUAL. */
function spread(message: Message, random: Random): void {
  const header = one(message, random, ["Via"]);
  if (!header || header.value.includes('"')) return;
  const space = random.pick([" ", "\t", "  "]);
  const [protocol, rest] = [header.value.slice(0, header.value.indexOf(" ")), header.value.slice(header.value.indexOf(" "))];
  header.value = protocol.replaceAll("/", `${space}/${space}`) + rest.replaceAll(";", `${space};${space}`).replaceAll("=", `${space}=${space}`);
}

/** Numbers at the ends of what their grammar allows. */
function numbers(message: Message, random: Random): void {
  const header = one(message, random, ["Max-Forwards", "Expires", "Contact", "Session-Expires"]);
  if (!header || header.value === "*") return;
  if (header.name === "Contact") header.value += random.pick([";expires=4294967295", ";q=0.000", ";q=1.000", ";expires=2147483648"]);
  else if (header.name === "Max-Forwards") header.value = random.pick(["0", "255", "070", "1"]);
  else header.value = random.pick(["0", "4294967295", "2147483647", "2147483648", "0000000000000000003600"]);
}

/** Lines that may stand more than once, and names that few know (RFC 3261 20, RFC 4028, 6665). */
function extras(message: Message, random: Random): void {
  const extra = random.pick([
    { name: "Supported", value: "" },
    { name: "k", value: "timer, 100rel" },
    { name: "x", value: "90;refresher=uas" },
    { name: "o", value: 'dialog;call-id="c1@10.0.0.1"' },
    { name: "a", value: '*;methods="INVITE,BYE"' },
    { name: "d", value: "no-fork" },
    { name: "X", value: "1" },
    { name: "!%*_+`'~", value: ':\\"' },
    { name: "Allow", value: "INVITE , ,ACK" },
    { name: "Date", value: "Sat, 13 Nov 2010 23:29:00 GMT" },
  ]);
  message.headers.splice(random.below(message.headers.length + 1), 0, extra);
}

/** A user part with escapes and a password, which nobody but its owner reads (RFC 3261 19.1.2). */
function users(message: Message, random: Random): void {
  const header = one(message, random, ["From", "To", "Contact"]);
  if (header)
    header.value = header.value.replace(
      /(<sips?:)(alice|anne|bob)@/,
      (_, begin: string, user: string) => `${begin}${random.pick([`%6${user}`, `${user}:p%40w`, `${user};x=1`, `+1-${user}?a`, `${user}%00`])}@`,
    );
}

const STYLES: Style[] = [compact, spell, fold, foldFirst, lines, shuffle, parameters, bareLines, escapes, spread, numbers, extras, users];

/** Changes the style of a message in a few ways. */
export function styleChange(message: Message, random: Random): void {
  for (let i = random.pick([0, 1, 2, 4]); i > 0; i--) random.pick(STYLES)(message, random);
  // Folds and bare line ends do not mix.
  if (message.lineEnd === "\n") for (const header of message.headers) header.value = header.value.replaceAll("\r\n", "\n");
}
