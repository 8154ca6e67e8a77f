import { describe, expect, test } from "vitest";
import { headersOf, readMessage } from "../../../../hosts/demo/message.ts";
import { Registrar } from "../../../../hosts/demo/registrar.ts";

function register(lines: string[], sequence = 1) {
  const head = [
    "REGISTER sip:lab SIP/2.0",
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
    "From: <sip:a@lab>;tag=1",
    "To: <sip:a@lab>",
    "Call-ID: c",
    `CSeq: ${sequence} REGISTER`,
  ];
  return readMessage(Buffer.from([...head, ...lines, "", ""].join("\r\n")))!;
}

function fresh(): Registrar {
  return new Registrar(() => undefined);
}

describe("registrar", () => {
  test("a Contact is kept as written, the expiry parameter before the header", () => {
    const registrar = fresh();
    const response = registrar.register(register(["Contact: <sip:a@10.0.0.1:5062;x=y>;expires=60", "Expires: 600"]), "t", 1000);
    expect(response.status).toBe(200);
    expect(headersOf(response, "contact")).toEqual(["<sip:a@10.0.0.1:5062;x=y>;expires=60"]);
    expect(registrar.contactsOf("a", 60_999)).toEqual(["sip:a@10.0.0.1:5062;x=y"]);
    expect(registrar.contactsOf("a", 61_001)).toEqual([]);
  });

  test("one leaves, all leave", () => {
    const registrar = fresh();
    registrar.register(register(["Contact: <sip:a@h1>, <sip:a@h2>", "Expires: 60"]), "t");
    registrar.register(register(["Contact: <sip:a@h1>;expires=0"], 2), "t");
    expect(registrar.contactsOf("a")).toEqual(["sip:a@h2"]);
    expect(registrar.register(register(["Contact: *", "Expires: 60"], 3), "t").status).toBe(400);
    expect(registrar.register(register(["Contact: *", "Expires: 0"], 4), "t").status).toBe(200);
    expect(registrar.contactsOf("a")).toEqual([]);
  });

  test("a query lists and changes nothing; an old CSeq is refused", () => {
    const registrar = fresh();
    registrar.register(register(["Contact: <sip:a@h1>"], 5), "t");
    expect(headersOf(registrar.register(register([], 6), "t"), "contact")).toHaveLength(1);
    expect(registrar.register(register(["Contact: <sip:a@h1>;expires=0"], 4), "t").status).toBe(503);
    expect(registrar.contactsOf("a")).toEqual(["sip:a@h1"]);
  });

  test("too many contacts are refused as a whole", () => {
    const registrar = fresh();
    const contacts = Array.from({ length: 11 }, (_, n) => `Contact: <sip:a@h${n}>`);
    expect(registrar.register(register(contacts), "t").status).toBe(503);
    expect(registrar.contactsOf("a")).toEqual([]);
  });
});
