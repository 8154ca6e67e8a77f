/*
 * The registrar's table (RFC 3261 10.3): address of record, by its user part, to Contacts as they were
 * written. No authentication. Invariant: bounded in users and in contacts per user; a request takes
 * effect wholly or not at all.
 */

import { type SipMessage, headerOf, headersOf, responseTo, sequenceOf } from "./message.ts";
import { readNameAddress, readUri } from "./uri.ts";

interface Binding {
  uri: string;
  callId: string;
  sequence: number;
  expiresAt: number;
}

const USER_MAX = 2000;
const CONTACT_MAX = 10;
const EXPIRES_DEFAULT = 3600;
const EXPIRES_MAX = 7200;

export class Registrar {
  readonly #users = new Map<string, Binding[]>();
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Contacts of a user that have not expired, the newest first. */
  contactsOf(user: string, now = Date.now()): string[] {
    const live = (this.#users.get(user) ?? []).filter((binding) => binding.expiresAt > now);
    return live.map((binding) => binding.uri).reverse();
  }

  register(request: SipMessage, tag: string, now = Date.now()): SipMessage {
    const user = readUri(readNameAddress(headerOf(request, "to") ?? "").uri)?.user ?? "";
    if (user === "") return responseTo(request, 404, "Not Found", tag);
    this.#expire(now);
    const contacts = headersOf(request, "contact");
    const header = Number(headerOf(request, "expires") ?? EXPIRES_DEFAULT);
    if (contacts.includes("*")) {
      if (contacts.length > 1 || header !== 0) return responseTo(request, 400, "Bad Contact", tag);
      this.#users.delete(user);
      this.#log(`${user} unregistered everywhere`);
    } else if (contacts.length > 0) {
      const refusal = this.#update(user, request, contacts, header, now);
      if (refusal !== "") return responseTo(request, 503, refusal, tag);
    }
    const response = responseTo(request, 200, "OK", tag);
    for (const binding of this.#users.get(user) ?? []) {
      const seconds = Math.max(0, Math.round((binding.expiresAt - now) / 1000));
      response.headers.push({ key: "contact", name: "Contact", value: `<${binding.uri}>;expires=${seconds}` });
    }
    return response;
  }

  /** Applies the Contacts of a REGISTER. Returns "" or why not. */
  #update(user: string, request: SipMessage, contacts: string[], header: number, now: number): string {
    const callId = headerOf(request, "call-id") ?? "";
    const sequence = sequenceOf(request).number;
    const bindings = [...(this.#users.get(user) ?? [])];
    for (const value of contacts) {
      const { uri, params } = readNameAddress(value);
      const seconds = Math.min(Number(params.get("expires") ?? header) || 0, EXPIRES_MAX);
      const at = bindings.findIndex((binding) => binding.uri === uri);
      const old = bindings[at];
      if (old !== undefined && old.callId === callId && old.sequence > sequence) return "Out Of Order";
      if (at >= 0) bindings.splice(at, 1);
      if (seconds > 0) bindings.push({ uri, callId, sequence, expiresAt: now + seconds * 1000 });
      if (old === undefined || seconds === 0) this.#log(`${user} ${seconds > 0 ? "registered" : "unregistered"} at ${uri}`);
    }
    if (bindings.length > CONTACT_MAX || (!this.#users.has(user) && this.#users.size >= USER_MAX)) return "Registrar Full";
    if (bindings.length > 0) this.#users.set(user, bindings);
    else this.#users.delete(user);
    return "";
  }

  #expire(now: number): void {
    for (const [user, bindings] of this.#users) {
      const live = bindings.filter((binding) => binding.expiresAt > now);
      if (live.length === 0) this.#users.delete(user);
      else if (live.length < bindings.length) this.#users.set(user, live);
    }
  }
}
