/*
 * Well-formed messages from terminals and from the core side, made up from what the run has seen: requests, and
 * responses to requests that came out of the core.
 */

import type { Random } from "../unit/core/random.ts";
import { bodyDraw, type Body } from "./body.ts";
import { type Message, messageOf } from "./message.ts";
import { type MessageRead, headerValues } from "./reader.ts";

/** Who speaks, and what it can say about the other side. */
export interface Speaker {
  /** host or host:port as it spells itself. */
  spelled: string;
  address: string;
  user: string;
  /** The domain of its identity. */
  home: string;
  /** A host behind it, which only its own side may see where the topology is hidden. */
  inner: string;
  inbound: boolean;
  /** URIs of the other side that it may call. */
  targets: string[];
  /** Route values it has learned. */
  routes: string[];
}

const METHODS = [
  "INVITE",
  "INVITE",
  "INVITE",
  "REGISTER",
  "REGISTER",
  "ACK",
  "BYE",
  "CANCEL",
  "UPDATE",
  "PRACK",
  "REFER",
  "INFO",
  "SUBSCRIBE",
  "NOTIFY",
  "MESSAGE",
  "OPTIONS",
  "PUBLISH",
  "FOO",
];
const STATUSES = [
  "100 Trying",
  "180 Ringing",
  "183 Session Progress",
  "200 OK",
  "200 OK",
  "200 OK",
  "202 Accepted",
  "302 Moved",
  "401 Unauthorized",
  "404 Not Found",
  "408 Request Timeout",
  "487 Request Terminated",
  "488 Not Acceptable",
  "503 No",
  "699 Odd",
];
/** Headers that any message may have, among them those that name a dialog, an element or an identity. */
function extrasDraw({ inner, home, user }: Speaker, random: Random): [string, string][] {
  const extras: [string, string][] = [
    ["Max-Forwards", "70"],
    ["User-Agent", `fuzz/1 (${inner})`],
    ["Server", `fuzz/1 (${inner})`],
    ["Warning", `399 ${inner} "not (quite) right"`],
    ["Subject", '"sip:192.168.1.2" <sip:a@192.168.1.2>'],
    ["Supported", "path, outbound, ice"],
    ["Session-Expires", "1800"],
    ["X-Odd", "192.168.1.2:5060"],
    ["P-Asserted-Identity", `"a" <sip:${user}@${home}>, tel:+123`],
    ["P-Preferred-Identity", `<sip:${user}@${home};user=phone>`],
    ["Replaces", `c${random.below(8)}@${inner};to-tag=t1;from-tag=r1`],
    ["Target-Dialog", `c${random.below(8)}@${inner} ;local-tag=t1;remote-tag=r1`],
    ["In-Reply-To", `c${random.below(8)}@${inner}, c1@${inner}`],
    ["Path", `<sip:${beside(inner)};lr>`],
    ["Service-Route", `<sip:${inner}:5080;lr>, <sip:b@${inner};lr>`],
    ["Allow", "INVITE, ACK, BYE"],
    ["Organization", "\xc3\xa9\xff"],
    ["Require", "ice"],
  ];
  return extras.filter(() => random.chance(0.08));
}

/** Few different identities, so that messages belong together. */
function identity(speaker: Speaker, random: Random): { callId: string; mine: string; theirs: string } {
  return { callId: `c${random.below(8)}@${speaker.inner}`, mine: random.pick(["t1", "t1", "t2"]), theirs: random.pick(["", "r1", "r1", "r2"]) };
}

function contactDraw(speaker: Speaker, random: Random): string {
  const own = `sip:${speaker.user}@${speaker.spelled}`;
  return random.pick([
    `<${own}>`,
    `<${own}>`,
    own,
    `<${own};transport=udp>;expires=${random.pick([60, 0, 3600])}`,
    `"a, \\"b\\" <sip:x@9.9.9.9>" <${own}>;q=0.5`,
    `<${own}>, <sip:other@9.9.9.9>`,
    `<${own};ob>;+sip.instance="<urn:uuid:1>"`,
    `${own};expires=120`,
  ]);
}

function viaDraw(speaker: Speaker, random: Random): string {
  const rport = random.pick([";rport", ";rport", "", ";maddr=".concat(speaker.address)]);
  return `SIP/2.0/UDP ${speaker.spelled};branch=z9hG4bK${random.below(40)}${rport}`;
}

/** Another host of the same side: below a name, and the same where it is an address. */
function beside(inner: string): string {
  return /^[a-z]/.test(inner) ? `below.${inner}` : inner;
}

/** Where the request came by before it was its sender's. */
function lowerDraw({ inner }: Speaker, random: Random): string {
  const one = (): string => `SIP/2.0/${random.pick(["UDP", "TCP"])} ${beside(inner)}:5070;branch=z9hG4bKb${random.below(9)}`;
  const first = one() + random.pick([";received=9.9.9.9", ';x="a,b;<>"', " ; rport = 7", "", `;maddr=${inner}`]);
  return random.chance(0.3) ? `${first}, ${one()}` : first;
}

function bodyHeaders(body: Body | undefined, random: Random): [string, string][] {
  const length: [string, string][] = random.chance(0.9) ? [["Content-Length", "auto"]] : [];
  return body ? [["Content-Type", body.type], ...length] : length;
}

function tagged(uri: string, tag: string): string {
  return tag === "" ? `<${uri}>` : `<${uri}>;tag=${tag}`;
}

export function requestDraw(speaker: Speaker, random: Random): Message {
  const method = random.pick(METHODS);
  const { callId, mine, theirs } = identity(speaker, random);
  const target = method === "REGISTER" ? `sip:${speaker.home}` : random.pick(speaker.targets);
  const from = `sip:${speaker.user}@${speaker.home}`;
  const to = method === "REGISTER" ? from : random.pick([target, `sip:bob@${speaker.home}`]);
  const body =
    ["INVITE", "ACK", "UPDATE", "PRACK", "INFO", "MESSAGE", "OPTIONS"].includes(method) && random.chance(0.6) ? bodyDraw(speaker.address, random) : undefined;
  const vias: [string, string][] = [["Via", viaDraw(speaker, random)]];
  if (random.chance(0.25)) vias.push(["Via", lowerDraw(speaker, random)]);
  const routes: [string, string][] = random.chance(0.3) && speaker.routes.length > 0 ? [["Route", random.pick(speaker.routes)]] : [];
  if (!speaker.inbound && random.chance(0.6)) routes.push(["Record-Route", `<sip:${speaker.spelled};lr>`]);
  const contact: [string, string][] =
    method === "ACK" || method === "BYE" ? [] : [["Contact", method === "REGISTER" && random.chance(0.08) ? "*" : contactDraw(speaker, random)]];
  const expires: [string, string][] = ["REGISTER", "SUBSCRIBE"].includes(method) ? [["Expires", random.pick(["3600", "60", "0"])]] : [];
  const refer: [string, string][] = method === "REFER" ? [["Refer-To", `<${random.pick(speaker.targets)}?Replaces=a%40${speaker.inner}%3Bto-tag%3Dt1>`]] : [];
  return messageOf(
    `${method} ${target} SIP/2.0`,
    [
      ...vias,
      ...routes,
      ["From", tagged(from, mine)],
      ["To", tagged(to, theirs)],
      ["Call-ID", callId],
      ["CSeq", `${random.pick([1, 1, 2, 3, 0, 2147483647])} ${method}`],
      ...contact,
      ...expires,
      ...refer,
      ...extrasDraw(speaker, random),
      ...bodyHeaders(body, random),
    ],
    body?.text,
  );
}

/** The Contacts as a registrar lists them, perhaps with those of others, or none at all. */
function registeredDraw(contacts: [string, string][], random: Random): [string, string][] {
  if (random.chance(0.1)) return [];
  const listed = contacts.map(([name, value]): [string, string] => [
    name,
    value === "*" || /expires/.test(value) ? value : `${value};expires=${random.pick([30, 60, 300])}`,
  ]);
  return random.chance(0.2) ? [...listed, ["Contact", "<sip:anne@192.168.1.20:5060>;expires=99"]] : listed;
}

/** A response to a request as it came out of the core. */
export function responseDraw(request: MessageRead, speaker: Speaker, source: { address: string; port: number }, random: Random): Message {
  const register = /^REGISTER/.test(request.start);
  const status = register && random.chance(0.6) ? "200 OK" : random.pick(STATUSES);
  const copied = (name: string, as: string): [string, string][] => request.headers.filter((header) => header.name === name).map(({ value }) => [as, value]);
  const vias = copied("via", "Via");
  const top = vias[0];
  if (top) top[1] = viaFill(top[1], source);
  const to = headerValues(request, "to")[0] ?? "<sip:x@example.com>";
  const contacts: [string, string][] = register ? registeredDraw(copied("contact", "Contact"), random) : [["Contact", contactDraw(speaker, random)]];
  const body = !register && random.chance(0.6) ? bodyDraw(speaker.address, random) : undefined;
  return messageOf(
    `SIP/2.0 ${status}`,
    [
      ...vias,
      ...copied("record-route", "Record-Route"),
      ...copied("from", "From"),
      ["To", /;tag=/.test(to) ? to : `${to};tag=${random.pick(["r1", "r1", "r2"])}`],
      ...copied("call-id", "Call-ID"),
      ...copied("cseq", "CSeq"),
      ...contacts,
      ...extrasDraw(speaker, random),
      ...bodyHeaders(body, random),
    ],
    body?.text,
  );
}

/** `received` and `rport` as a server fills them in (RFC 3581 4). */
function viaFill(via: string, source: { address: string; port: number }): string {
  const [first, ...others] = [via];
  const filled = first!.replace(/;rport(?=;|,|\s|$)/i, `;received=${source.address};rport=${source.port}`);
  return [filled, ...others].join(", ");
}
