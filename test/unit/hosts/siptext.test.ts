/*
 * SIP messages as text: where hosts are substituted, and that nothing else changes.
 */

import { describe, expect, test } from "vitest";
import { bodyReplace, headerValue, hostOf, sipJoin, sipSplit, sipSubstitute, type SipText } from "../../../hosts/shared/replay/siptext.ts";

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

function split(text: string): SipText {
  const message = sipSplit(bytes(text));
  if (!message) throw new Error(`not SIP: ${text}`);
  return message;
}

function text(message: SipText): string {
  return Buffer.from(sipJoin(message)).toString("latin1");
}

const START = "INVITE sip:bob@example.com SIP/2.0\r\n";

describe("what is put together again", () => {
  test.each([
    ["a request with a body", `${START}Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nContent-Length: 3\r\n\r\nabc`],
    ["a response", "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\n\r\n"],
    ["bare line feeds", "OPTIONS sip:a SIP/2.0\nVia: SIP/2.0/UDP a\nl: 0\n\nxyz\n\n"],
    ["folded lines", `${START}Subject: one\r\n two\r\n\tthree\r\nVia:\r\n SIP/2.0/UDP a\r\n\r\n`],
    ["no empty line", `${START}Via: SIP/2.0/UDP a`],
    ["8-bit bytes and NUL", `${START}Subject: \xff\x00\x80\r\n\r\n\x00\xfe`],
    ["no headers", `${START}\r\n`],
  ])("%s", (_, message) => {
    expect(text(split(message))).toBe(message);
    expect(
      text(
        sipSubstitute(
          split(message),
          () => undefined,
          () => ({ host: "x", port: 1 }),
        ),
      ),
    ).toBe(message);
  });

  test.each(["", "\r\n\r\n", "\0\0\0\0", "RTP", "GET / HTTP/1.1\r\n\r\n", "SIP/2.0 OK\r\n\r\n"])("%j is not SIP", (message) => {
    expect(sipSplit(bytes(message))).toBeUndefined();
  });
});

describe("substitution", () => {
  const known: Record<string, string> = { "10.0.0.9:5060": "C:1", "10.0.0.9": "C:2", "[2001:db8::9]:5062": "[2001:db8::c]:3" };
  const changed = (line: string): string => {
    const message = split(`${START}${line}\r\n\r\n`);
    return sipSubstitute(
      message,
      (host) => known[host],
      () => ({ host: "198.51.100.7", port: 7 }),
    ).headers[0]!.line.trimEnd();
  };

  test.each([
    ["Contact: <sip:a@10.0.0.9:5060>", "Contact: <sip:a@C:1>"],
    ["Contact: sip:a@10.0.0.9;expires=60", "Contact: sip:a@C:2;expires=60"],
    ["m: <sip:10.0.0.9>, <sips:b@10.0.0.9:5060;lr>", "m: <sip:C:2>, <sips:b@C:1;lr>"],
    ["Contact: <sip:a@[2001:db8::9]:5062>", "Contact: <sip:a@[2001:db8::c]:3>"],
    ["Contact: <sip:a@10.0.0.90:5060>", "Contact: <sip:a@10.0.0.90:5060>"],
    ["Contact: <sip:a@110.0.0.9>", "Contact: <sip:a@110.0.0.9>"],
    ["Contact: <sip:a@10.0.0.9:50600>", "Contact: <sip:a@10.0.0.9:50600>"],
    ["Contact: *", "Contact: *"],
    ['Contact: "sip:10.0.0.9 \\" sip:10.0.0.9" <sip:a@10.0.0.9>', 'Contact: "sip:10.0.0.9 \\" sip:10.0.0.9" <sip:a@C:2>'],
    ["Contact: <sip:10.0.0.9%40x@10.0.0.9>", "Contact: <sip:10.0.0.9%40x@C:2>"],
    ["Contact: <tel:+1;phone-context=10.0.0.9>", "Contact: <tel:+1;phone-context=10.0.0.9>"],
    ["Route: <sip:10.0.0.9;lr>,\r\n <sip:10.0.0.9:5060;lr>", "Route: <sip:C:2;lr>,\r\n <sip:C:1;lr>"],
    ["Record-Route: <sip:10.0.0.9;lr>", "Record-Route: <sip:C:2;lr>"],
    ["PATH: <sip:10.0.0.9;lr>", "PATH: <sip:C:2;lr>"],
    ["Refer-To: <sip:a@10.0.0.9?Replaces=x>", "Refer-To: <sip:a@C:2?Replaces=x>"],
    ["Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK10.0.0.9", "Via: SIP/2.0/UDP C:1;branch=z9hG4bK10.0.0.9"],
    ["v: SIP / 2.0 / UDP  10.0.0.9 ;rport=99;received=192.0.2.1", "v: SIP / 2.0 / UDP  C:2 ;rport=7;received=198.51.100.7"],
    [
      "Via: SIP/2.0/UDP b;received=1.1.1.1, SIP/2.0/UDP 10.0.0.9;rport;received=2.2.2.2",
      "Via: SIP/2.0/UDP b;received=1.1.1.1, SIP/2.0/UDP C:2;rport;received=198.51.100.7",
    ],
    ["From: <sip:a@10.0.0.9>;tag=1", "From: <sip:a@10.0.0.9>;tag=1"],
    ["Call-ID: 1@10.0.0.9", "Call-ID: 1@10.0.0.9"],
    ['Authorization: Digest uri="sip:10.0.0.9"', 'Authorization: Digest uri="sip:10.0.0.9"'],
  ])("%s", (before, after) => expect(changed(before)).toBe(after));

  test("the Request-URI, but not a status line", () => {
    const substitute = (message: string): string =>
      sipSubstitute(
        split(message),
        (host) => known[host],
        () => ({ host: "x", port: 1 }),
      ).startLine;
    expect(substitute("BYE sip:a@10.0.0.9:5060;transport=udp SIP/2.0\r\n\r\n")).toBe("BYE sip:a@C:1;transport=udp SIP/2.0\r\n");
    expect(substitute("SIP/2.0 200 sip:10.0.0.9\r\n\r\n")).toBe("SIP/2.0 200 sip:10.0.0.9\r\n");
  });

  test("a hostile header takes no time to speak of", () => {
    const long = `Contact: ${"sip:a;".repeat(20_000)}@\r\nVia: SIP/2.0/UDP ${'"'.repeat(20_000)}`;
    const started = performance.now();
    sipSubstitute(
      split(`${START}${long}\r\n\r\n`),
      () => undefined,
      () => ({ host: "x", port: 1 }),
    );
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("parts", () => {
  const message = split(`${START}Route: <sip:r1:5070;lr>, <sip:r2>\r\nv: SIP/2.0/UDP v1:5080;rport\r\nv: SIP/2.0/UDP v2\r\ni : 7@h\r\nl:  3 \r\n\r\nabc`);

  test("hosts", () => {
    expect([hostOf(message, "request-uri"), hostOf(message, "route"), hostOf(message, "via")]).toEqual(["example.com", "r1:5070", "v1:5080"]);
    expect(hostOf(split("SIP/2.0 200 OK\r\n\r\n"), "request-uri")).toBeUndefined();
  });

  test("header values, compact names and white space included", () => {
    expect([headerValue(message, "call-id"), headerValue(message, "content-length"), headerValue(message, "to")]).toEqual(["7@h", "3", ""]);
  });

  test("another body has another length", () => {
    expect(text(bodyReplace(message, "defgh"))).toContain("\r\nl:  5 \r\n\r\ndefgh");
  });
});
