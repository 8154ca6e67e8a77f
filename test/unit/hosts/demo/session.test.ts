import { describe, expect, test } from "vitest";
import { readSession, writeAnswer, writeOffer } from "../../../../hosts/demo/session.ts";
import { encodeAlaw, encodeUlaw } from "../../../../hosts/demo/tone.ts";

function offer(media: string[]): string {
  return ["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", ...media, ""].join("\r\n");
}

describe("session", () => {
  test("the first usable audio line is taken, the others refused", () => {
    const text = offer([
      "m=video 4000 RTP/AVP 96",
      "m=audio 5000 RTP/AVP 9 8 0 101",
      "a=rtpmap:101 telephone-event/8000",
      "a=sendonly",
      "c=IN IP4 192.0.2.2",
      "m=audio 6000 RTP/AVP 0",
    ]);
    expect(readSession(text)).toEqual({ address: "192.0.2.2", port: 5000, payload: 8, eventPayload: 101, direction: "sendonly" });
    const answer = writeAnswer(text, "127.0.0.1", 7000, 1, 1);
    expect(answer.match(/^m=.*$/gm)).toEqual(["m=video 0 RTP/AVP 96", "m=audio 7000 RTP/AVP 8 101", "m=audio 0 RTP/AVP 0"]);
    expect(answer).toContain("a=recvonly\r\n");
  });

  test("encrypted, disabled or foreign audio is not", () => {
    for (const line of ["m=audio 5000 RTP/SAVP 0", "m=audio 0 RTP/AVP 0", "m=audio 5000 RTP/AVP 9"]) expect(readSession(offer([line]))).toBeUndefined();
  });

  test("the old hold (RFC 3264 8.4) is sendonly", () => {
    expect(readSession(offer(["m=audio 5000 RTP/AVP 0"]).replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0"))).toMatchObject({ direction: "sendonly" });
  });

  test("our own offer can be read back", () => {
    expect(readSession(writeOffer("127.0.0.1", 7000, 1, 1))).toEqual({
      address: "127.0.0.1",
      port: 7000,
      payload: 0,
      eventPayload: 101,
      direction: "sendrecv",
    });
  });
});

describe("G.711", () => {
  test("the values that other encoders give", () => {
    expect([0, 1000, -1000, 8000, -8000, 32767, -32768].map(encodeUlaw)).toEqual([0xff, 0xce, 0x4e, 0xa0, 0x20, 0x80, 0x00]);
    expect([0, 1000, -1000, 8000, -8000, 32767, -32768].map(encodeAlaw)).toEqual([0xd5, 0xfa, 0x7a, 0x8a, 0x0a, 0xaa, 0x2a]);
  });
});
