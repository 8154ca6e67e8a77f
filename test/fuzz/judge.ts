/*
 * The properties of what leaves the core, whatever went in (SPEC T2, S1, R2; CONFORMANCE 1, 3, 15, 25, 49). The judge reads
 * both messages with readers of its own and never asks the core what it meant.
 */

import * as abi from "#abi";
import { canonical } from "./address.ts";
import { descriptionsOf, isBodySigned, isRelayed, mediasOf, type MediaRead } from "./description.ts";
import { type Case, fail } from "./case.ts";
import { DIALOGS, Disguise, ELEMENTS, IDENTITIES, type Secrets } from "./disguise.ts";
import { bytesShow } from "./fault.ts";
import { Heard } from "./heard.ts";
import { isSend, type Output } from "./output.ts";
import { hostsOf, lengthOf, type MessageRead, messageRead, nameOf, requestHost, topViaHost } from "./reader.ts";

/** Whose addresses are whose. */
export interface Grounds extends Secrets {
  /** E, whom terminals take for the server. */
  service: string;
  server: string;
  /** Other machines of the core realm. */
  neighbours: string[];
  /** Ours in the core realm. */
  ours: string[];
  ice: "strip" | "relay" | "pass";
}

const PAYLOAD_MAX = 65507;
const ROUTABLE = ["via", "contact", "route", "record-route", "path", "service-route", "refer-to", "content-length", "expires"];

/** The start line and the headers of a message, each with its name and the lines that continue it. */
function headersCut(text: string): { name: string; lines: string }[] {
  const cut: string[] = [];
  for (const line of text.split("\n")) {
    if (/^\r?$/.test(line)) break;
    if (cut.length > 0 && /^[ \t]/.test(line)) cut[cut.length - 1] += `\n${line}`;
    else cut.push(line);
  }
  return cut.map((lines) => ({ name: nameOf(/^([^\s:]+)(?:[ \t]|\r?\n)*:/.exec(lines)?.[1] ?? ""), lines }));
}

function asksForIce(input: string): boolean {
  return (
    /\bice\b/i.test(input) && messageRead(input)?.headers.some(({ name, value }) => ["require", "supported"].includes(name) && /\bice\b/i.test(value)) === true
  );
}

function callIdOf(input: string): string {
  return messageRead(input)?.headers.find(({ name }) => name === "call-id" || name === "i")?.value ?? "";
}

export class Judge {
  private readonly heard = new Heard();
  /** Calls in which ICE was asked for: it is kept in all their messages. Where Call-IDs are hidden nobody can tell which these are. */
  private readonly iceCalls = new Set<string>();
  private readonly disguise: Disguise;

  constructor(private readonly grounds: Grounds) {
    this.disguise = new Disguise(grounds, this.heard);
  }

  /** Has the core side ever named this address, or the configuration? A token that is not forged can hold nothing else. */
  isNamed(remote: string): boolean {
    return remote === this.grounds.server || this.grounds.neighbours.includes(remote) || this.heard.told(remote);
  }

  check(one: Case): void {
    this.sizes(one);
    const sends = one.outputs.filter(isSend);
    if (one.result === abi.VERDICT_DISCARDED && sends.length > 0) fail("refusal", "it is discarded, and something leaves", one);
    if (one.result === abi.VERDICT_FORWARDED && sends.some(({ payload }) => payload !== one.input))
      fail("untouched", "it is forwarded, and not as it came", one);
    if (one.result === abi.VERDICT_TRANSLATED) this.translated(one, sends);
    if (one.valid && one.result < 0) fail("valid", `a valid message is refused: fault ${abi.faultReason(one.result)}`, one);
  }

  /** Notes what a side has said, before anything is judged that may come of it. */
  hear(inbound: boolean, source: string, input: string): void {
    this.heard.hear(inbound, source, input);
    if (asksForIce(input)) this.iceCalls.add(this.grounds.hide ? "" : callIdOf(input));
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
    if (one.inbound && !this.isNamed(remote)) fail("forged", `it goes to ${remote}, which the core side never named`, one);
    if (one.inbound) this.inward(one, input, message);
    else this.outward(one, message);
    this.disguise.check(one, input, message);
    this.preserved(one, text);
    this.described(one, input, message);
  }

  /**
   * Nothing that a terminal calls itself may be routable in the core realm, unless it calls itself what the server is, and names the
   * service; or comes from the service's own address, which a server has written and gets back.
   */
  private inward(one: Case, input: MessageRead, message: MessageRead): void {
    const { ours, server, service } = this.grounds;
    const hosts = (read: MessageRead): string[] =>
      (read.status === 0 ? topViaHost(read) : []).concat(...["contact", "record-route", "path"].map((name) => hostsOf(read, name))).map(canonical);
    const top = message.status === 0 ? topViaHost(input).map(canonical) : [];
    const claimed = new Set([...top, one.source].filter((text) => text !== "" && !ours.includes(text)));
    if (hosts(input).some((host) => ours.includes(host))) claimed.delete(server);
    if (this.heard.told(service)) claimed.delete(service);
    for (const host of hosts(message)) if (claimed.has(host)) fail("access address", `${host} is routable`, one);
  }

  /** Nor anything of the core realm in the access realm. */
  private outward(one: Case, message: MessageRead): void {
    const { server, neighbours, ours } = this.grounds;
    const register = message.headers.some(({ name, value }) => name === "cseq" && /REGISTER/.test(value));
    const names = ["route", "record-route", "path", "service-route", "refer-to", ...(register ? [] : ["contact"])];
    const hosts = (read: MessageRead): string[] => (read.status === 0 ? topViaHost(read) : []).concat(...names.map((name) => hostsOf(read, name)));
    const inside = [server, ...neighbours, ...ours];
    for (const host of hosts(message))
      if (inside.includes(canonical(host)) && !this.heard.claimed(canonical(host))) fail("core address", `${host} is routable`, one);
    const target = requestHost(message);
    const mine = canonical(target ?? "");
    if (one.valid && ours.includes(mine) && !this.heard.claimed(mine)) fail("core address", `the Request-URI still says ${target}`, one);
  }

  /** Names of the headers whose lines may change. */
  private get mutable(): string[] {
    const { hide, domain } = this.grounds;
    return [...ROUTABLE, ...(hide ? DIALOGS : []), ...(domain === "" ? [] : IDENTITIES)];
  }

  /** Headers come out as they went in, in their order, but for those that carry a routable address, a length or what is disguised. */
  private preserved(one: Case, text: string): void {
    const left = this.grounds.hide ? ELEMENTS : [];
    const before = headersCut(one.input.replace(/^[\r\n]+/, "")).filter(({ name }) => !left.includes(name));
    const after = headersCut(text);
    for (const [i, { name, lines }] of before.entries()) {
      if (i === 0 || lines === after[i]?.lines) continue;
      if (!this.mutable.includes(name)) fail("preserved", `header ${i} was "${bytesShow(lines)}" and is "${bytesShow(after[i]?.lines ?? "")}"`, one);
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
    if (candidate !== undefined && this.grounds.ice === "strip" && !this.iceCalls.has(this.grounds.hide ? "" : callIdOf(one.input)))
      fail("described", `"${candidate}" is left`, one);
  }
}
