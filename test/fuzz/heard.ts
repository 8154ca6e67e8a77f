/*
 * What each side has spoken of, for the judge to ask when something looks wrong: a damaged message may name anything, and
 * what a terminal calls itself it gets back. Looked through only when somebody asks.
 */

import { canonical } from "./address.ts";

/** The lines of a message in which its sender says where it is. Those of a response say so in the Contact alone. */
function ownLines(input: string): string[] {
  const names = /^SIP\//i.test(input) ? /^(m|contact)[ \t]*:/i : /^(v|via|m|contact)[ \t]*:/i;
  return input.split("\n").filter((line) => names.test(line));
}

/** Every address that a text holds, in canonical form. */
function addressesOf(input: string): string[] {
  const literals = [...(input.match(/\d+\.\d+\.\d+\.\d+/g) ?? []), ...(input.match(/[0-9a-f]*(?::[0-9a-f.]*){2,}/gi) ?? [])];
  return literals.map((literal) => canonical(literal.replace(/\b0+(?=\d+(\.|$))/g, "")));
}

class Side {
  private readonly addresses = new Set<string>();
  private readonly texts: string[] = [];
  private read = 0;

  hear(source: string, text: string): void {
    this.addresses.add(source);
    this.texts.push(text);
  }

  named(address: string): boolean {
    for (; this.read < this.texts.length; this.read++) for (const one of addressesOf(this.texts[this.read]!)) this.addresses.add(one);
    return this.addresses.has(address);
  }

  wrote(text: string): boolean {
    return this.texts.some((one) => one.includes(text));
  }

  isItself(text: string): boolean {
    return this.texts.some((one) => one.includes(text) && ownLines(one).some((line) => line.includes(text)));
  }
}

export class Heard {
  private readonly access = new Side();
  private readonly core = new Side();

  hear(inbound: boolean, source: string, text: string): void {
    (inbound ? this.access : this.core).hear(source, text);
  }

  /** Has a terminal spoken of this address? A damaged one may call itself by an address of the core realm. */
  claimed(address: string): boolean {
    return this.access.named(address);
  }

  /** Has the core side spoken of this address? A token can hold nothing else. */
  told(address: string): boolean {
    return this.core.named(address) || this.core.wrote(address);
  }

  /** Has a terminal said that it is at this address? */
  usurped(address: string): boolean {
    return this.access.isItself(address);
  }
}
