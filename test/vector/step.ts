/*
 * The steps of a vector, and how their one-line spellings are read: the info string of a fenced block
 * (`in 198.51.100.11:5060 -> 203.0.113.20:5060 @access +20ms`) and the code span of a list item (`advance 20s`).
 */

/** An address of ours or theirs as written; either part may hold a placeholder. */
export interface Endpoint {
  address: string;
  port: string;
}

export interface Route {
  from: Endpoint;
  to: Endpoint;
  realm: string | undefined;
}

/** How the text of a block becomes bytes: see text.ts. */
export type Flavour = "text" | "lf" | "hex" | "rtp" | "edit" | "exact";

/** What SIP is carried by; a connection has a name in a section. */
export type Transport = "udp" | "tcp" | "tls" | "ws" | "wss";

export interface Input {
  type: "in";
  line: number;
  /** Of a datagram. */
  route: Route | undefined;
  /** Name of the connection that it comes by. */
  connection: string | undefined;
  flavour: Flavour;
  text: string;
  waitMs: number;
  /** Is it left out of the pass that sends everything twice? */
  once: boolean;
  labels: Record<string, number>;
  /** Which of the ports that it asks for are refused: 1 for the first, 0 for all. */
  refused: number[];
}

/** A frame that comes in by an interface; its text is read by ../frame/layer.ts. */
export interface FrameInput {
  type: "frame";
  line: number;
  interface: string;
  text: string;
  edit: boolean;
  waitMs: number;
  once: boolean;
}

export interface Advance {
  type: "advance";
  line: number;
  ms: number;
}

export interface Again {
  type: "again";
  line: number;
  waitMs: number;
}

/** A connection is accepted, or (without a route) a dialled one is up at a port of ours. */
export interface Open {
  type: "open";
  line: number;
  connection: string;
  route: Route | undefined;
  transport: Transport;
  port: string;
}

export interface Close {
  type: "close";
  line: number;
  connection: string;
  /** What was to be sent on it: it was never up. */
  text: string;
}

/** A new configuration while running. */
export interface Reload {
  type: "reload";
  line: number;
  text: string;
}

/** The process ends, and another goes on with what was saved of it. */
export interface Restart {
  type: "restart";
  line: number;
  /** Time in between. */
  ms: number;
  /** As for an input, of the ports that are announced again. */
  refused: number[];
}

export type Action = Input | FrameInput | Advance | Again | Reload | Restart | Open | Close;

export interface Sent {
  type: "out" | "forward";
  line: number;
  route: Route | undefined;
  connection: string | undefined;
  flavour: Flavour | "same";
  text: string;
  /** DSCP and ECN of a datagram; 0 where it is not said. */
  labels: Record<string, number>;
}

/** A frame that goes out, goes on as it came, or is given to the stack. */
export interface FrameSent {
  type: "framed" | "bridged" | "handed";
  line: number;
  interface: string;
  text: string;
  edit: boolean;
  /** Is it not the frame that came last but the one before? */
  before: boolean;
  /** Is it the frame with its checksums right, which is what the card that it was left to would have sent? */
  completed: boolean;
}

export interface Opened {
  type: "bind" | "unbind";
  line: number;
  at: Endpoint;
  transport: Transport;
}

/** A connection is wanted, and gets a name. */
export interface Dialled {
  type: "dial";
  line: number;
  connection: string;
  route: Route;
  transport: Transport;
  /** The connection that it is to be joined with. */
  partner: string | undefined;
}

export interface Hung {
  type: "hang";
  line: number;
  connection: string;
}

export interface Verdict {
  type: "verdict";
  line: number;
  verdict: string | undefined;
  reason: string | undefined;
}

export interface Deadline {
  type: "timeout";
  line: number;
  /** -1 for never. */
  ms: number;
  about: boolean;
}

export interface Happened {
  type: "event";
  line: number;
  name: string;
}

export interface Silence {
  type: "nothing";
  line: number;
}

export interface After {
  type: "after";
  line: number;
  name: string;
}

export type Expectation = Sent | FrameSent | Opened | Dialled | Hung | Verdict | Deadline | Happened | Silence;
export type Step = Action | Expectation | After;

const FLAVOURS = ["lf", "hex", "rtp", "edit", "exact"];
const TRANSPORTS = ["udp", "tcp", "tls", "ws", "wss"];
/** Of a packet, by name: labels, protocol, and what stands in the traffic class. */
const LABELS = ["vlan", "vpn", "mpls", "proto", "dscp", "ecn"];

export class VectorError extends Error {}

function durationMs(text: string): number {
  const parts = /^(\d+)(ms|s|m|h)$/.exec(text);
  if (!parts) throw new VectorError(`"${text}" is not a time such as 20s or 500ms`);
  return Number(parts[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[parts[2] as "ms" | "s" | "m" | "h"];
}

export function endpointRead(text: string): Endpoint {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):(\d+|\{\w+(?:\+1)?\})$/.exec(text);
  if (!parts) throw new VectorError(`"${text}" is not address:port`);
  return { address: parts[1] ?? parts[2]!, port: parts[3]! };
}

function routeRead(words: string[]): Route {
  if (words[1] !== "->") throw new VectorError('expected "source -> destination"');
  const realm = words.find((word) => word.startsWith("@"));
  return { from: endpointRead(words[0]!), to: endpointRead(words[2] ?? ""), realm: realm?.slice(1) };
}

function transportRead(words: string[], otherwise: Transport): Transport {
  return (words.find((word) => TRANSPORTS.includes(word)) ?? otherwise) as Transport;
}

/** A route, or the name of a connection. */
function wayRead(words: string[]): { route: Route | undefined; connection: string | undefined } {
  const named = words[1] !== "->" && /^\w+$/.test(words[0] ?? "");
  return named ? { route: undefined, connection: words[0] } : { route: routeRead(words), connection: undefined };
}

function flavourRead(words: string[]): Flavour {
  return (words.find((word) => FLAVOURS.includes(word)) ?? "text") as Flavour;
}

function labelsRead(words: string[]): Record<string, number> {
  const pairs = words.map((word) => word.split("=")).filter(([name]) => LABELS.includes(name!));
  return Object.fromEntries(pairs.map(([name, value]) => [name!, Number(value)]));
}

/** `refused=1,3`, or `refused=all`. */
function refusedRead(words: string[]): number[] {
  const list = words.find((word) => word.startsWith("refused="))?.slice("refused=".length);
  if (list === undefined) return [];
  return list === "all" ? [0] : list.split(",").map(Number);
}

function wordsCheck(words: string[]): void {
  const known = (word: string): boolean =>
    [...FLAVOURS, "once", "same"].includes(word) ||
    /^@\w+$/.test(word) ||
    word.startsWith("refused=") ||
    /^\+\d+(ms|s|m|h)$/.test(word) ||
    LABELS.includes(word.split("=")[0]!);
  const odd = words.slice(words[1] === "->" ? 3 : 1).find((word) => !known(word));
  if (odd !== undefined) throw new VectorError(`"${odd}" is not a word of an info string`);
}

/** `in frame eth1 +20ms once edit`, `out frame eth0 edit`. */
function frameRead(comes: boolean, [name, ...words]: string[], text: string, line: number): Step {
  const wait = words.find((word) => word.startsWith("+"));
  const odd = words.find((word) => word !== wait && word !== "once" && word !== "edit");
  if (name === undefined || odd !== undefined) throw new VectorError(`"${odd ?? ""}" is not a word of a frame's info string`);
  const shared = { line, interface: name, text, edit: words.includes("edit") };
  if (!comes) return { type: "framed", ...shared, before: false, completed: false };
  return { type: "frame", ...shared, waitMs: wait ? durationMs(wait.slice(1)) : 0, once: words.includes("once") };
}

/** A fenced block, or undefined when it is none of ours. */
export function blockRead(info: string, text: string, line: number): Step | undefined {
  const [type, ...words] = info.split(/\s+/);
  if (info === "yaml reload") return { type: "reload", line, text };
  if (type === "close") return { type, line, connection: words[0] ?? "", text };
  if (type !== "in" && type !== "out" && type !== "forward") return undefined;
  if (words[0] === "frame") return frameRead(type === "in", words.slice(1), text, line);
  wordsCheck(words);
  const way = wayRead(words);
  if (type !== "in") return { type, line, ...way, flavour: words.includes("same") ? "same" : flavourRead(words), text, labels: labelsRead(words) };
  const wait = words.find((word) => word.startsWith("+"));
  return {
    type,
    line,
    ...way,
    flavour: flavourRead(words),
    text,
    waitMs: wait ? durationMs(wait.slice(1)) : 0,
    once: words.includes("once"),
    labels: labelsRead(words),
    refused: refusedRead(words),
  };
}

function verdictRead(words: string[], line: number): Verdict {
  const reason = words.find((word) => word.startsWith("reason="))?.slice("reason=".length);
  return { type: "verdict", line, verdict: words.find((word) => !word.includes("=")), reason };
}

function deadlineRead(word: string, line: number): Deadline {
  if (word === "never") return { type: "timeout", line, ms: -1, about: false };
  const about = word.startsWith("~");
  return { type: "timeout", line, ms: durationMs(about ? word.slice(1) : word), about };
}

/** `open t SOURCE -> DESTINATION tcp`, or `open t 41000`. */
function openRead([connection, ...words]: string[], line: number): Open {
  const accepted = words[1] === "->";
  return {
    type: "open",
    line,
    connection: connection ?? "",
    route: accepted ? routeRead(words) : undefined,
    transport: transportRead(words, "tcp"),
    port: accepted ? "" : (words[0] ?? ""),
  };
}

/** `dial k OURS -> THEIRS tcp`, and `with t` for media. */
function dialRead([connection, ...words]: string[], line: number): Dialled {
  const at = words.indexOf("with");
  const partner = at < 0 ? undefined : words[at + 1];
  return { type: "dial", line, connection: connection ?? "", route: routeRead(words), transport: transportRead(words, "tcp"), partner };
}

/** The code span of a list item, or undefined when it is none of ours. */
export function itemRead(span: string, line: number): Step | undefined {
  const [type, ...words] = span.trim().split(/\s+/);
  switch (type) {
    case "advance":
      return { type, line, ms: durationMs(words[0] ?? "") };
    case "restart":
      return { type, line, ms: durationMs(words.find((word) => word.startsWith("+"))?.slice(1) ?? "0ms"), refused: refusedRead(words) };
    case "again":
      return { type, line, waitMs: words[0] ? durationMs(words[0].replace(/^\+/, "")) : 0 };
    case "bind":
    case "unbind":
      return { type, line, at: endpointRead(words[0] ?? ""), transport: transportRead(words, "udp") };
    case "open":
      return openRead(words, line);
    case "dial":
      return dialRead(words, line);
    case "close":
      return { type, line, connection: words[0] ?? "", text: "" };
    case "hang":
      return { type, line, connection: words[0] ?? "" };
    case "event":
      return { type, line, name: words.join(" ") };
    case "verdict":
      return verdictRead(words, line);
    case "timeout":
      return deadlineRead(words[0] ?? "", line);
    case "nothing":
      return { type, line };
    case "same":
    case "forwarded":
      return { type: type === "same" ? "out" : "forward", line, ...wayRead(words), flavour: "same", text: "", labels: labelsRead(words) };
    case "bridged":
    case "handed":
      return { type, line, interface: words[0] ?? "", text: "", edit: false, before: words[1] === "before", completed: words[1] === "completed" };
    case "after":
      return { type, line, name: words.join(" ") };
    default:
      return undefined;
  }
}

export function isAction(step: Step): step is Action {
  return ["in", "frame", "advance", "again", "reload", "restart", "open", "close"].includes(step.type);
}
