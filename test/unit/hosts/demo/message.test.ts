import { describe, expect, test } from "vitest";
import { headerOf, headersOf, isComplete, readMessage, responseTo, writeMessage } from "../../../../hosts/demo/message.ts";
import { readNameAddress, readUri, splitTop, tagOf } from "../../../../hosts/demo/uri.ts";
import { viaReceive, viaTarget } from "../../../../hosts/demo/via.ts";

function message(text: string) {
  return readMessage(Buffer.from(text.replaceAll("\n", "\r\n"), "latin1"));
}

const INVITE = `INVITE sip:b@lab SIP/2.0
v: SIP/2.0/UDP 10.0.0.1:5062;rport;branch=z9hG4bK1, SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK0
f: "A, \\"x\\" <a>" <sip:a@lab>;tag=1
t: <sip:b@lab>
i: c1
CSeq: 7 INVITE
m: <sip:a@10.0.0.1:5062;x=y>, "two" <sip:a@10.0.0.2>
Subject: folded
 line
l: 4

v=0
rest`;

describe("message", () => {
  test("compact names, lists and folded lines", () => {
    const read = message(INVITE)!;
    expect(isComplete(read)).toBe(true);
    expect(headersOf(read, "via")).toHaveLength(2);
    expect(headersOf(read, "contact")).toEqual(["<sip:a@10.0.0.1:5062;x=y>", '"two" <sip:a@10.0.0.2>']);
    expect(headerOf(read, "subject")).toBe("folded line");
  });

  test("the body ends with Content-Length; a short one is no message", () => {
    expect(message(INVITE)!.body).toBe("v=0\r");
    expect(message(INVITE.replace("l: 4", "l: 400"))).toBeUndefined();
  });

  test("what is no SIP is refused", () => {
    for (const text of ["", "\n\n", "hello\n\n", "INVITE sip:b SIP/2.0\nno colon\n\n"]) expect(message(text)).toBeUndefined();
  });

  test("a response copies what it must and adds a tag once", () => {
    const request = message(INVITE)!;
    const response = writeMessage(responseTo(request, 180, "Ringing", "t9")).toString("latin1");
    expect(response).toMatch(/^SIP\/2\.0 180 Ringing\r\n/);
    expect(response).toContain("t: <sip:b@lab>;tag=t9\r\n");
    expect(response).not.toContain("sip:a@10.0.0.2");
  });
});

describe("uri", () => {
  test("parts of a URI", () => {
    expect(readUri("sip:a;p=1@[2001:db8::1]:5070;transport=udp;lr?X=y")).toMatchObject({ user: "a;p=1", host: "2001:db8::1", port: 5070 });
    expect(readUri("sip:192.0.2.1")).toMatchObject({ user: "", host: "192.0.2.1", port: 5060 });
    expect(readUri("tel:+1")).toBeUndefined();
  });

  test("parameters of a bare address are the header's", () => {
    expect(readNameAddress("sip:a@h;expires=60")).toEqual({ uri: "sip:a@h", params: new Map([["expires", "60"]]) });
    expect(readNameAddress('"<x>" <sip:a@h;x=1>;expires=60').uri).toBe("sip:a@h;x=1");
    expect(tagOf('"a;tag=no" <sip:a@h;tag=no>;tag=yes')).toBe("yes");
  });

  test("commas count outside quotes and brackets only", () => {
    expect(splitTop('"a,b" <sip:x,y@h>, <sip:z@h>', ",")).toEqual(['"a,b" <sip:x,y@h>', "<sip:z@h>"]);
  });
});

describe("via", () => {
  test("received and rport say where the request came from, and the response goes there", () => {
    const request = message(INVITE)!;
    expect(viaReceive(request, { address: "198.51.100.1", port: 40000 })).toBe(true);
    expect(headerOf(request, "via")).toBe("SIP/2.0/UDP 10.0.0.1:5062;rport=40000;branch=z9hG4bK1;received=198.51.100.1");
    expect(viaTarget(headerOf(request, "via")!)).toEqual({ address: "198.51.100.1", port: 40000 });
    expect(viaTarget("SIP/2.0/UDP name.invalid;branch=z")).toBeUndefined();
  });
});
