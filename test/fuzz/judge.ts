/*
 * The properties of what leaves the core, whatever went in (SPEC T2, S1, R2; CONFORMANCE 1, 3, 15, 25, 49). The judge reads
 * both messages with readers of its own and never asks the core what it meant.
 */

import * as abi from "#abi";
import { canonical } from "./address.ts";
import { descriptionsOf, isBodySigned, isRelayed, mediasOf, type MediaRead } from "./description.ts";
import { bytesShow, CoreFault } from "./fault.ts";
import { isSend, type Output } from "./output.ts";
import { hostsOf, lengthOf, type MessageRead, messageRead, requestHost, viaHosts } from "./reader.ts";

/** Whose addresses are whose. */
export interface Grounds {
  server: string;
  /** Other machines of the core realm. */
  neighbours: string[];
  /** Ours in the core realm. */
  ours: string[];
  ice: "strip" | "relay" | "pass";
}

/** One datagram and what came of it. */
export interface Case {
  inbound: boolean;
  source: string;
  input: string;
  /** Is it a message that RFC 3261 allows? */
  valid: boolean;
  result: number;
  reason: number;
  outputs: Output[];
}

const PAYLOAD_MAX = 65507;
const ROUTABLE = ["via", "contact", "route", "record-route", "path", "service-route", "refer-to", "content-length", "expires"];
const COMPACT: Record<string, string> = { v: "via", m: "contact", l: "content-length", r: "refer-to" };

function asksForIce(input: string): boolean {
  return messageRead(input)?.headers.some(({ name, value }) => ["require", "supported"].includes(name) && /\bice\b/i.test(value)) ?? false;
}

function callIdOf(input: string): string {
  return messageRead(input)?.headers.find(({ name }) => name === "call-id" || name === "i")?.value ?? "";
}

function fail(property: string, what: string, { input, outputs }: Case): never {
  const sent = outputs.filter(isSend).map(({ payload, remote, remotePort }) => `--- to ${remote}:${remotePort}\n${bytesShow(payload)}`);
  throw new CoreFault(property, `${what}\n--- in\n${bytesShow(input)}\n${sent.join("\n")}`);
}

export class Judge {
  /** What terminals have called themselves: a damaged one may take an address of the core realm, which it then gets back. */
  private readonly claimed = new Set<string>();
  /** What the core side has told of its addresses; a token can hold nothing else. */
  private readonly told = new Set<string>();
  private readonly spoken: string[] = [];
  /** Calls in which ICE was asked for: it is kept in all their messages. */
  private readonly iceCalls = new Set<string>();

  constructor(private readonly grounds: Grounds) {}

  check(one: Case): void {
    this.sizes(one);
    const sends = one.outputs.filter(isSend);
    if (one.result === abi.VERDICT_DISCARDED && sends.length > 0) fail("refusal", "it is discarded, and something leaves", one);
    if (one.result === abi.VERDICT_FORWARDED && sends.some(({ payload }) => payload !== one.input))
      fail("untouched", "it is forwarded, and not as it came", one);
    if (one.result === abi.VERDICT_TRANSLATED) this.translated(one, sends);
    if (one.valid && one.result < 0) fail("valid", `a valid message is refused: fault ${abi.faultReason(one.result)}`, one);
  }

  /** Notes the addresses that a side has spoken of, before anything is judged that may use them. */
  hear(inbound: boolean, source: string, input: string): void {
    const literals = [...(input.match(/\d+\.\d+\.\d+\.\d+/g) ?? []), ...(input.match(/[0-9a-f]*(?::[0-9a-f.]*){2,}/gi) ?? [])];
    if (!inbound) this.spoken.push(input);
    if (asksForIce(input)) this.iceCalls.add(callIdOf(input));
    for (const text of [source, ...literals.map((literal) => canonical(literal.replace(/\b0+(?=\d+(\.|$))/g, "")))])
      (inbound ? this.claimed : this.told).add(text);
  }

  private sizes(one: Case): void {
    if (one.outputs.length > abi.OUTPUT_MAX) fail("sizes", `${one.outputs.length} outputs`, one);
    for (const { payload, remotePort, localPort } of one.outputs.filter(isSend)) {
      if (payload.length > PAYLOAD_MAX) fail("sizes", `${payload.length} bytes leave`, one);
      if (remotePort < 0 || remotePort > 65535 || localPort < 1 || localPort > 65535) fail("sizes", `from port ${localPort} to port ${remotePort}`, one);
    }
  }

  private translated(one: Case, sends: Output[]): void {
    if (sends.length !== 1) fail("translated", `${sends.length} datagrams leave`, one);
    const text = sends[0]!.payload;
    const message = messageRead(text);
    const input = messageRead(one.input);
    if (!message || !input) return;
    const length = lengthOf(message);
    if (length !== undefined && length !== message.body.length) fail("length", `Content-Length ${length}, and ${message.body.length} bytes follow`, one);
    const { remote } = sends[0]!;
    if (one.inbound && remote !== this.grounds.server && !this.told.has(remote) && !this.spoken.some((text) => text.includes(remote)))
      fail("forged", `it goes to ${remote}, which the core side never named`, one);
    if (one.inbound) this.inward(one, input, message);
    else this.outward(one, message);
    this.preserved(one, text);
    this.described(one, input, message);
  }

  /** Nothing that a terminal calls itself may be routable in the core realm. */
  private inward(one: Case, input: MessageRead, message: MessageRead): void {
    const top = message.status === 0 ? viaHosts(input).slice(0, 1) : [];
    const claimed = new Set([...top.map(canonical), one.source].filter((text) => text !== "" && !this.grounds.ours.includes(text)));
    const found = (message.status === 0 ? viaHosts(message).slice(0, 1) : []).concat(
      ...["contact", "record-route", "path"].map((name) => hostsOf(message, name)),
    );
    for (const host of found) if (claimed.has(canonical(host))) fail("access address", `${host} is routable`, one);
  }

  /** Nor anything of the core realm in the access realm. */
  private outward(one: Case, message: MessageRead): void {
    const { server, neighbours, ours } = this.grounds;
    const register = message.headers.some(({ name, value }) => name === "cseq" && /REGISTER/.test(value));
    const names = ["route", "record-route", "path", "service-route", "refer-to", ...(register ? [] : ["contact"])];
    const hosts = (read: MessageRead): string[] => (read.status === 0 ? viaHosts(read).slice(0, 1) : []).concat(...names.map((name) => hostsOf(read, name)));
    const inside = [server, ...neighbours, ...ours].filter((address) => !this.claimed.has(address));
    for (const host of hosts(message)) if (inside.includes(canonical(host))) fail("core address", `${host} is routable`, one);
    const target = requestHost(message);
    const mine = canonical(target ?? "");
    if (one.valid && ours.includes(mine) && !this.claimed.has(mine)) fail("core address", `the Request-URI still says ${target}`, one);
  }

  /** Header lines come out as they went in, in their order, but for those that carry a routable address or a length. */
  private preserved(one: Case, text: string): void {
    const before = one.input.replace(/^[\r\n]+/, "").split("\n");
    const after = text.split("\n");
    let name = "";
    for (const [i, line] of before.entries()) {
      if (/^\r?$/.test(line)) return;
      if (!/^[ \t]/.test(line)) name = (/^([^\s:]+)\s*:/.exec(line)?.[1] ?? "").toLowerCase();
      if (i === 0 || line === after[i]) continue;
      if (!ROUTABLE.includes(COMPACT[name] ?? name)) fail("preserved", `line ${i + 1} was "${bytesShow(line)}" and is "${bytesShow(after[i] ?? "")}"`, one);
    }
  }

  /** Media that a media proxy takes over is not to be had at the sender's address any more. */
  private described(one: Case, input: MessageRead, message: MessageRead): void {
    if (this.grounds.ice === "pass" || (one.inbound && isBodySigned(input)) || !one.valid) return;
    const before = descriptionsOf(input).flatMap(mediasOf);
    const after = descriptionsOf(message).flatMap(mediasOf);
    if (before.length !== after.length) fail("described", `${before.length} media lines become ${after.length}`, one);
    for (const [i, media] of before.entries()) this.media(one, media, after[i]!);
  }

  private media(one: Case, before: MediaRead, after: MediaRead): void {
    const host = before.connection.split(" ")[1] ?? "";
    const address = canonical(host);
    if (!isRelayed(before) || address === "" || /^(0\.0\.0\.0|::|22[4-9]\.|23\d\.|ff)/i.test(address) || host.includes("/")) return;
    if (after.connection === before.connection) fail("described", `c= still says ${before.connection}`, one);
    const rtcp = after.lines.find((line) => /^a=rtcp:\d+ IN /.test(line));
    if (rtcp?.includes(address)) fail("described", `"${rtcp}" is left`, one);
    const candidate = after.lines.find((line) => line.startsWith("a=candidate:") && line.includes(` ${address} `));
    if (candidate !== undefined && this.grounds.ice === "strip" && !this.iceCalls.has(callIdOf(one.input))) fail("described", `"${candidate}" is left`, one);
  }
}
