/*
 * The text of a message as both sides know it. One text says what goes in and what must come out: placeholders
 * stand for what a NAT has to translate, everything else must arrive as it is.
 *
 *   {C} {A}          address and port of the terminal, and its address alone; either may come out with or without :5060
 *   {H}              its host alone, as in c=
 *   {O}              its host in o=, which may be translated or left
 *   {T}              its private address, which must be left as it is
 *   {C2} …           the same of the other terminal
 *   {L}              the length of the body; what arrives must have the right one
 *   {pad}            as many x as fill an Ethernet frame
 *   {id}             a name of the case
 *   {name:4000}      a number, or any word, that the far side may know differently: 4000 here, bound there
 *   {name:{other}}   the same, where it is first another placeholder
 *   {name} {name+1}  that again, and the number after it
 */

export type Side = "in" | "out";

/** A terminal as the two sides know it. `seen` is where the servers saw its packets come from. */
export interface Terminal {
  host: string;
  port: number;
  seen: { host: string; port: number } | undefined;
}

export interface Meaning {
  id: string;
  client: Terminal;
  other: Terminal;
  names: Map<string, Record<Side, string>>;
}

/** What is wrong, and how far into the message; no text when nothing is. */
export interface Problem {
  text: string;
  line: number;
}

export const opposite = (side: Side): Side => (side === "in" ? "out" : "in");

const PLACEHOLDER = /\{(?:([CAHOT])(2?)|(L|pad)|(id)|([a-z][a-z0-9]*)(?:\+(\d+))?(?::([^{}]+|\{[^{}]+\}))?)\}/g;
const SIP_PORT = 5060;
/** What a UDP datagram over IPv4 may hold in a frame of 1,500 bytes. */
const FRAME = 1500 - 20 - 8;

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);
const quote = (literal: string): string => literal.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

function known(terminal: Terminal, side: Side): { host: string; port: number } {
  if (side === "in") return terminal;
  if (terminal.seen === undefined) throw new Error("nothing of this terminal was seen outside yet");
  return terminal.seen;
}

function addressText(letter: string, terminal: Terminal, side: Side): string {
  if (letter === "T" || letter === "O") return terminal.host;
  const { host, port } = known(terminal, side);
  if (letter === "H") return host;
  return letter === "A" && (side === "in" || port === SIP_PORT) ? bracketed(host) : `${bracketed(host)}:${port}`;
}

/** The last message body's length in place of {L}. */
function lengthFill(message: string): string {
  const at = message.indexOf("{L}");
  if (at < 0) return message;
  const empty = /\r\n\r\n|\n\n/.exec(message.slice(at));
  const head = empty === null ? message.length : at + empty.index + empty[0].length;
  const next = message.indexOf("{L}", at + 1);
  // On a stream the next message begins where its start line does.
  const end = next < 0 ? message.length : message.lastIndexOf("SIP/2.0\r\n", next);
  const body = next < 0 ? end - head : message.lastIndexOf("\n", end) + 1 - head;
  return lengthFill(message.slice(0, at) + Math.max(0, body) + message.slice(at + 3));
}

function nameText(meaning: Meaning, name: string, next: string | undefined, literal: string | undefined, side: Side): string {
  const key = next === undefined ? name : `${name}+${next}`;
  const first = literal === undefined ? undefined : templateFill(literal, meaning, side);
  if (!meaning.names.has(key) && first !== undefined) meaning.names.set(key, { in: "", out: "", [side]: first });
  const whole = meaning.names.get(key);
  if (whole !== undefined && whole[side] !== "") return whole[side];
  const base = meaning.names.get(name)?.[side] ?? "";
  if (base === "") throw new Error(`{${key}} is not known ${side}side`);
  return String(Number(base) + Number(next ?? 0));
}

/** What `side` writes. */
export function templateFill(template: string, meaning: Meaning, side: Side): string {
  const filled = template.replace(
    PLACEHOLDER,
    (whole, letter?: string, two?: string, length?: string, id?: string, name?: string, next?: string, literal?: string) => {
      if (letter !== undefined) return addressText(letter, two === "2" ? meaning.other : meaning.client, side);
      if (length !== undefined) return whole;
      return id !== undefined ? meaning.id : nameText(meaning, name!, next, literal, side);
    },
  );
  const measured = lengthFill(filled);
  return measured.replace("{pad}", "x".repeat(Math.max(0, FRAME - measured.length + "{pad}".length)));
}

function addressPattern(letter: string, terminal: Terminal, side: Side): string {
  if (letter === "T") return quote(terminal.host);
  const { host, port } = known(terminal, side);
  if (letter === "H") return quote(host);
  if (letter === "O") return `(?:${quote(terminal.host)}|${quote(host)})`;
  return `${quote(bracketed(host))}(?::${port})${port === SIP_PORT ? "?" : ""}`;
}

interface Pattern {
  source: string;
  groups: string[];
}

/** A name at the far side: what it is bound to there, else any number or word, which is bound then. */
function namePattern(meaning: Meaning, key: string, side: Side, groups: string[]): string {
  const value = meaning.names.get(key);
  if (value !== undefined && value[side] !== "") return quote(value[side]);
  if (groups.includes(key)) return `\\k<g${groups.indexOf(key)}>`;
  groups.push(key);
  const [name, next] = key.split("+") as [string, string | undefined];
  const sent = value?.[opposite(side)] ?? (next === undefined ? "" : "0");
  const base = meaning.names.get(name)?.[side] ?? "";
  if (value === undefined && next !== undefined && base !== "") return `(?<g${groups.length - 1}>${Number(base) + Number(next)})`;
  return `(?<g${groups.length - 1}>${/^\d+$/.test(sent) ? "\\d+" : "\\S+?"})`;
}

function patternOf(template: string, meaning: Meaning, side: Side, groups: string[]): Pattern {
  let source = "";
  let end = 0;
  for (const found of template.matchAll(PLACEHOLDER)) {
    const [whole, letter, two, length, id, name, next] = found;
    source += quote(template.slice(end, found.index));
    if (letter !== undefined) source += addressPattern(letter, two === "2" ? meaning.other : meaning.client, side);
    else if (length !== undefined) source += length === "L" ? "\\d+" : "x+";
    else if (id !== undefined) source += quote(meaning.id);
    else source += namePattern(meaning, next === undefined ? name! : `${name}+${next}`, side, groups);
    end = found.index + whole.length;
  }
  return { source: source + quote(template.slice(end)), groups };
}

/** A line for a report: without what changes from run to run, and placeholders as what they stand for. */
function lineShow(line: string, meaning: Meaning, side: Side): string {
  const seen = meaning.client.seen ?? meaning.client;
  const here = side === "in" ? "inside" : "outside";
  const port = side === "in" || seen.port === SIP_PORT ? SIP_PORT : "port";
  const named = line.replaceAll(meaning.client.host, "inside").replaceAll(seen.host, "outside").replaceAll(meaning.id, "id");
  const said = named
    .replace(/\{(?:C|A)\}/g, `${here}:${port}`)
    .replace(/\{(?:H|O)\}/g, here)
    .replace(/\{(?:id|T)\}/g, (whole) => (whole === "{T}" ? "inside" : "id"))
    .replace(/\{([a-z]\w*)(?:\+\d+)?(?::[^{}]+)?\}/g, (_, name: string) => meaning.names.get(name)?.[opposite(side)] ?? "…");
  return said.trim() === "" ? "an empty line" : `\`${said.trim()}\``;
}

/** The first line that is not as it must be. */
function difference(template: string, actual: string, meaning: Meaning, side: Side): Problem {
  const [wanted, lines] = [template.split("\n"), actual.split("\n")];
  const wrong = wanted.findIndex((line, i) => !new RegExp(`^${patternOf(line, meaning, side, []).source}$`, "s").test(lines[i] ?? "\0"));
  if (wrong < 0) return { text: lines.length > wanted.length ? "goes on behind its end" : "numbers in it do not fit together", line: wanted.length };
  const is = lines[wrong] === undefined ? "its end" : lineShow(lines[wrong], meaning, side);
  return { text: `${is} instead of ${lineShow(wanted[wrong]!, meaning, side)}`, line: wrong };
}

/** Walks the messages by their lengths: they must end where the bytes do. One without a length runs to the end. */
function lengthWrong(actual: string): string {
  for (let at = 0; at < actual.length; ) {
    const empty = /\r\n\r\n|\n\n/.exec(actual.slice(at));
    const head = empty === null ? "" : actual.slice(at, at + empty.index);
    const said = /^(?:Content-Length|l)[ \t]*:\s*(\d+)/im.exec(head);
    if (empty === null || said === null) return "";
    at += empty.index + empty[0].length + Number(said[1]);
    if (at > actual.length) return "its Content-Length is not that of the body";
    if (at < actual.length && !/^[A-Z]+ \S+ SIP\/2\.0|^SIP\/2\.0 /.test(actual.slice(at))) return "its Content-Length is not that of the body";
  }
  return "";
}

/** No text when what arrived at `side` is what the template says, else how it differs. Binds names. */
export function templateProblem(template: string, actual: string, meaning: Meaning, side: Side): Problem {
  const { source, groups } = patternOf(template, meaning, side, []);
  const match = new RegExp(`^${source}$`, "s").exec(actual);
  if (match === null) return difference(template, actual, meaning, side);
  const length = template.includes("{L}") ? lengthWrong(actual) : "";
  if (length !== "") return { text: length, line: template.split("\n").length };
  for (const [i, key] of groups.entries()) {
    const value = meaning.names.get(key) ?? { in: "", out: "" };
    meaning.names.set(key, { ...value, [side]: match.groups![`g${i}`]! });
  }
  return { text: "", line: 0 };
}
