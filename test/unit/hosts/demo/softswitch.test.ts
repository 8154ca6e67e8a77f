import { createSocket, type Socket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, test } from "vitest";
import { Softswitch } from "../../../../hosts/demo/softswitch.ts";

const ADDRESS = "127.0.0.1";
let softswitch: Softswitch;
let phone: Socket;
let answers: string[];

beforeEach(async () => {
  softswitch = await Softswitch.start({ address: ADDRESS, port: 0, media: { first: 45_000, last: 45_999 }, log: () => undefined });
  phone = createSocket("udp4");
  answers = [];
  phone.on("message", (data) => answers.push(data.toString("latin1")));
  await new Promise<void>((resolve) => phone.bind(0, ADDRESS, resolve));
});

afterEach(async () => {
  await softswitch.close();
  phone.close();
});

function send(text: string): void {
  phone.send(text, softswitch.port, ADDRESS);
}

/** Waits for an answer that matches. */
async function answer(pattern: RegExp): Promise<string> {
  for (let i = 0; i < 100; i++) {
    const found = answers.find((text) => pattern.test(text));
    if (found !== undefined) return found;
    await sleep(20);
  }
  throw new Error(`no ${pattern} in ${answers.join("\n")}`);
}

function request(method: string, user: string, extra: string[] = [], body = "", toTag = ""): string {
  const head = [
    `${method} sip:${user}@lab SIP/2.0`,
    "Via: SIP/2.0/UDP 192.0.2.9:5062;rport;branch=z9hG4bK7",
    "Max-Forwards: 70",
    "From: <sip:me@lab>;tag=f",
    `To: <sip:${user}@lab>${toTag}`,
    "Call-ID: one",
    `CSeq: 1 ${method}`,
    ...extra,
    `Content-Length: ${body.length}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

/** A reproducible stream of small numbers. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("softswitch", () => {
  test("ports and addresses that cannot be sent to end nowhere", async () => {
    const sdp = "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 no.such.host\r\nt=0 0\r\nm=audio 99999 RTP/AVP 0\r\n";
    send(request("REGISTER", "far", ["Contact: <sip:far@127.0.0.1:99999>"]));
    send(request("INVITE", "far"));
    send(request("INVITE", "tone", ["Contact: <sip:me@127.0.0.1:70000>"], sdp));
    send(request("OPTIONS", "echo").replace("192.0.2.9:5062;rport", "192.0.2.9:99999"));
    await answer(/^SIP\/2\.0 200 OK[\s\S]*CSeq: 1 INVITE/);
    await sleep(100);
    send(request("OPTIONS", "echo"));
    await answer(/^SIP\/2\.0 200 OK[\s\S]*CSeq: 1 OPTIONS/);
  });

  test("requests with a To tag that is nobody's are refused, not relayed", async () => {
    send(request("BYE", "me", ["Route: <sip:192.0.2.1:5060;lr>"], "", ";tag=x"));
    await answer(/^SIP\/2\.0 481/);
  });

  test("damaged messages do not end it", async () => {
    const random = generator(7);
    const methods = ["INVITE", "REGISTER", "ACK", "CANCEL", "BYE"];
    const extra = ["Contact: <sip:me@127.0.0.1:9>", "Record-Route: <sip:127.0.0.1;lr>", "Expires: 5"];
    const body = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n";
    for (let n = 0; n < 3000; n++) {
      const bytes = Buffer.from(request(methods[n % methods.length]!, "echo", extra, body), "latin1");
      for (let k = random(4); k >= 0; k--) bytes[random(bytes.length)] = random(256);
      phone.send(bytes.subarray(0, random(8) === 0 ? random(bytes.length) : bytes.length), softswitch.port, ADDRESS);
      if (n % 100 === 0) await sleep(5);
    }
    answers.length = 0;
    // Sent again, as UDP wants: the first one may meet a full buffer.
    const again = setInterval(() => send(request("OPTIONS", "echo").replace("Call-ID: one", "Call-ID: last")), 100);
    await answer(/^SIP\/2\.0 200 OK[\s\S]*Call-ID: last/).finally(() => clearInterval(again));
  });
});
