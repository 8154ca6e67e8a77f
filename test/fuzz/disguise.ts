/*
 * What a service with `hide:` or `domain:` promises (test/vector/hide.md, domain.md): nothing of the one side where the other
 * reads it, an identity in the domain of who reads it, and what was turned comes back to its own side as it was.
 */

import * as abi from "#abi";
import { type Case, fail } from "./case.ts";
import type { Heard } from "./heard.ts";
import { domainsOf, headerValues, type MessageRead } from "./reader.ts";

export interface Secrets {
  hide: boolean;
  /** The servers' domain, "" for none; E, which the terminals have for it. */
  domain: string;
  service: string;
  /** What only its own side may see where the topology is hidden. */
  inner: { access: string[]; core: string[] };
}

/** Those that tell about an element are left out. */
export const ELEMENTS = ["user-agent", "server", "warning"];
export const DIALOGS = ["call-id", "replaces", "join", "target-dialog", "in-reply-to"];
/** Where nothing of a terminal's side, or of the servers', may stand. */
const INWARD = ["via", ...DIALOGS];
const OUTWARD = [...INWARD, "contact", "route", "record-route", "path", "service-route"];
export const IDENTITIES = ["from", "to", "p-asserted-identity", "p-preferred-identity"];
/** The longest that is sealed. */
const SEALED_MOST = 256;
const KNOWN_MOST = 5000;

function contains(value: string, secret: string): boolean {
  const at = value.indexOf(secret);
  return at >= 0 && !/[\w.-]/.test(value[at + secret.length] ?? "") && !/[\w-]/.test(value[at - 1] ?? "");
}

/** A Via without its maddr: that of a server passes (README, Status). */
function maddrLess(via: string): string {
  return via.replace(/;\s*maddr\s*=[^;,]*/i, "");
}

function tagLess(value: string): string {
  return value.replace(/;tag=[^;]*/, "");
}

/** What is turned in a message, by what it is: a Call-ID in every one, the others in requests, whose responses bring them back. */
function turnedOf(message: MessageRead, secrets: Secrets): [kind: string, values: string[]][] {
  const dialogs: [string, string[]][] = secrets.hide
    ? [
        ["call-id", headerValues(message, "call-id")],
        ["via", headerValues(message, "via").slice(1)],
      ]
    : [];
  const parties: [string, string[]][] = secrets.domain === "" ? [] : [["party", ["from", "to"].flatMap((name) => headerValues(message, name)).map(tagLess)]];
  return [...dialogs, ...parties, ["record-route", headerValues(message, "record-route")]];
}

export class Disguise {
  /** By direction, kind and what the other side has: what it was. */
  private readonly turned = new Map<string, string>();

  constructor(
    private readonly secrets: Secrets,
    private readonly heard: Heard,
  ) {}

  /** `before` went in, and left as `after`. */
  check(one: Case, before: MessageRead, after: MessageRead): void {
    if (!one.valid) return;
    if (this.secrets.hide) this.hidden(one, after);
    if (this.secrets.domain !== "") this.domain(one, after);
    this.restored(one, before, after);
    this.note(one, before, after);
  }

  private hidden(one: Case, after: MessageRead): void {
    const inner = one.inbound ? this.secrets.inner.access : this.secrets.inner.core;
    for (const { name, value } of after.headers) if (ELEMENTS.includes(name)) fail("hidden", `${name}: ${value} is left`, one);
    for (const name of one.inbound ? INWARD : OUTWARD) {
      for (const value of headerValues(after, name)) {
        const secret = inner.find((text) => contains(name === "via" ? maddrLess(value) : value, text));
        // What a terminal has said of itself it gets back.
        if (secret === undefined || value.length > SEALED_MOST || (!one.inbound && this.heard.claimed(secret))) continue;
        fail("hidden", `"${secret}" is left in ${name}: ${value}`, one);
      }
    }
    if (one.reason === abi.REASON_EXPOSED && after.headers.every(({ value }) => value.length <= SEALED_MOST))
      fail("hidden", "it is exposed, and has nothing that is too long", one);
  }

  private domain(one: Case, after: MessageRead): void {
    const { domain, service } = this.secrets;
    const wrong = one.inbound ? service : domain;
    for (const name of IDENTITIES) if (domainsOf(after, name).includes(wrong)) fail("domain", `${name} says ${wrong}`, one);
  }

  /** Where a value is known to stand for another, that one must have come out in its place. */
  private restored(one: Case, before: MessageRead, after: MessageRead): void {
    const results = new Map(turnedOf(after, this.secrets));
    for (const [kind, values] of turnedOf(before, this.secrets)) {
      if (kind !== "call-id" && before.status === 0) continue;
      for (const [i, value] of values.entries()) {
        const original = this.turned.get(`${one.inbound ? "core" : "access"} ${kind} ${value}`);
        const result = results.get(kind)![i];
        if (original === undefined || result === original) continue;
        // A terminal that calls itself E is E: then nobody can tell any more what E stands for in a route.
        if (kind !== "record-route" || !this.heard.usurped(this.secrets.service))
          fail("restored", `${kind} "${value}" stood for "${original}", and comes back as "${result}"`, one);
      }
    }
  }

  private note(one: Case, before: MessageRead, after: MessageRead): void {
    if (before.status !== 0) return;
    const results = new Map(turnedOf(after, this.secrets));
    for (const [kind, values] of turnedOf(before, this.secrets)) {
      // A terminal's own address is a port of ours for as long as its binding lives, and no longer.
      if (kind === "record-route" && one.inbound) continue;
      for (const [i, value] of values.entries()) this.learn(`${one.inbound ? "access" : "core"} ${kind} ${results.get(kind)![i]}`, value, one);
    }
  }

  private learn(key: string, value: string, one: Case): void {
    if (key.endsWith(` ${value}`)) return;
    const known = this.turned.get(key);
    if (known !== undefined && known !== value) fail("restored", `"${value}" and "${known}" have become the same`, one);
    if (this.turned.size >= KNOWN_MOST) this.turned.clear();
    this.turned.set(key, value);
  }
}
