/*
 * The kinds of value in culvert.yaml, each read into what the rest works with. Messages say what was
 * expected; the value itself is only repeated where it cannot be a secret.
 */

import { z } from "zod";
import { addressParse, endpointParse, prefixParse } from "../address.ts";
import { durationParse } from "./duration.ts";
import { rangeParse } from "./range.ts";

/** Characters of a domain: a record of the core has a byte for its length. */
const DOMAIN_MOST = 63;

/** A string (or what `shape` takes) that `parse` reads, or the problem `expected`. */
function parsed<S extends z.ZodType<string | number, string | number>, T>(shape: S, parse: (value: z.output<S>) => T | undefined, expected: string) {
  return shape.transform((value, context): T => {
    const result = parse(value);
    if (result !== undefined) return result;
    context.issues.push({ code: "custom", input: value, message: `"${value}" is not ${expected}` });
    return z.NEVER;
  });
}

const word = z.string();
const wordOrNumber = z.union([z.string(), z.number()], { error: "must be text or a number" });

export const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/, "names are a letter, then up to 31 letters, digits, - or _");

export const address = parsed(word, addressParse, "an IP address such as 192.0.2.1 or 2001:db8::1 (names are not looked up)");

export const addresses = z
  .union([address, z.array(address).min(1)], { error: "must be an IP address, or a list of them in brackets" })
  .transform((value) => (Array.isArray(value) ? value : [value]));

export const endpoint = parsed(word, endpointParse, 'an address or address:port, such as 192.0.2.1:5060 or "[2001:db8::1]:5060"');

/** Six bytes. */
export const mac = parsed(
  word,
  (value) => (/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(value) ? Uint8Array.from(value.split(":"), (octet) => Number.parseInt(octet, 16)) : undefined),
  "a hardware address such as 02:00:5e:10:00:01",
);

/** A name as it stands in a URI; no literal, and no longer than the core has room for. */
export const domain = z
  .string()
  .max(DOMAIN_MOST, `must be at most ${DOMAIN_MOST} characters`)
  .regex(/^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/, "must be a domain such as example.com");

/** Such a name, or `*.` before it for all below, as the core has them: in lower case, without the star. */
export const hostName = parsed(
  word,
  (value) => (value.length <= DOMAIN_MOST && domain.safeParse(value.replace(/^\*\./, "")).success ? value.replace("*", "").toLowerCase() : undefined),
  `a name such as pbx.example.com, or *.example.com, of at most ${DOMAIN_MOST} characters`,
);

export const prefix = parsed(word, prefixParse, "a network such as 192.0.2.0/24, or an address");

/** Linux takes 15 characters (IFNAMSIZ); these are written into commands and nftables rules. */
export const device = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,14}$/, "must be the name of a network interface such as eth0 or eth0.100");

export const devices = z
  .union([device, z.array(device).min(1)], { error: "must be the name of an interface, or a list of them in brackets" })
  .transform((value) => (Array.isArray(value) ? value : [value]));

/** An interface of somebody else's router, such as GigabitEthernet0/0/1 or ge-0/0/1. */
export const portName = z.string().regex(/^[A-Za-z][A-Za-z0-9_./:-]{0,63}$/, "must be the name of an interface such as GigabitEthernet0/0/1");

export const duration = parsed(wordOrNumber, durationParse, 'a time such as "20s", "500ms" or "5m" (at most 7d), a number of seconds, or off');

export const portRange = parsed(wordOrNumber, rangeParse, 'a port or a range of ports such as "10000-19999"');

export const port = z.int().min(1).max(65535);

/** IP protocol numbers by the names people use. */
export const PROTOCOLS: Record<string, number> = { icmp: 1, tcp: 6, udp: 17, sctp: 132 };

export const protocol = parsed(
  wordOrNumber,
  (value) => {
    const number = typeof value === "number" ? value : PROTOCOLS[value];
    return number !== undefined && Number.isInteger(number) && number >= 0 && number <= 255 ? number : undefined;
  },
  "udp, tcp, or the number of an IP protocol",
);
