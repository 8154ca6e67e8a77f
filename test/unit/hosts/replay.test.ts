/*
 * Replays of made-up captures: what the capture would have been with Culvert in between. The terminals at
 * 192.0.2.x are behind NAT and call themselves 10.0.0.x; the recording shows them with the server at E, 203.0.113.5,
 * whose real address D is 10.9.0.10.
 */

import { describe, expect, test } from "vitest";
import { configRead, problemText } from "../../../hosts/shared/config.ts";
import type { Capture, CapturedPacket } from "../../../hosts/shared/capture/capture.ts";
import { fateOf } from "../../../hosts/shared/replay/fate.ts";
import { Replay, type Step } from "../../../hosts/shared/replay/replay.ts";
import { Summary, summaryText } from "../../../hosts/shared/replay/summary.ts";
import { Recording, seen, sip } from "./recording.ts";

const CONFIG = `
realms: { access: { media: 198.51.100.2 }, core: { address: 10.9.0.2 } }
services: { voice: { address: 203.0.113.5, servers: [10.9.0.10] } }
rules:
  - { from: 192.0.2.66/32, discard: true }
  - { to: 203.0.113.5, toPort: 5060, proxy: voice }
capacity: { terminals: 50 }
`;
const E = "203.0.113.5:5060";
const D = "10.9.0.10:5060";

async function replay(capture: Capture, asRecorded = true, text = CONFIG): Promise<{ steps: Step[]; packets: CapturedPacket[]; replay: Replay }> {
  const { config, problems } = configRead(text, "test.yaml");
  if (!config) throw new Error(problems.map(problemText).join("\n"));
  const opened = await Replay.open({ kind: "js" }, config, capture, { asRecorded });
  const steps = [...opened.steps()];
  return { steps, packets: steps.flatMap((step) => step.written), replay: opened };
}

/** Packets that steps with a datagram wrote. */
function caused(steps: Step[]): CapturedPacket[] {
  return steps.flatMap((step) => (step.kind === "datagram" ? step.written : []));
}

interface Party {
  name: string;
  wire: string;
  own: string;
}

const A: Party = { name: "alice", wire: "192.0.2.1:41000", own: "10.0.0.9:5060" };
const B: Party = { name: "bob", wire: "192.0.2.2:42000", own: "10.0.0.9:5062" };

function head(kind: string, method: string, branch: string, callId: string, from: Party): string[] {
  return [
    kind,
    `Via: SIP/2.0/UDP ${from.own};branch=z9hG4bK${branch};rport`,
    `From: <sip:${from.name}@203.0.113.5>;tag=f${callId}`,
    "To: <sip:bob@203.0.113.5>",
    `Call-ID: ${callId}@${from.own}`,
    `CSeq: 1 ${method}`,
  ];
}

function registered(party: Party, recording = new Recording(), at = 0): Recording {
  const lines = head("REGISTER sip:203.0.113.5 SIP/2.0", "REGISTER", party.name, party.name, party);
  const contact = `Contact: <sip:${party.name}@${party.own}>;expires=600`;
  const [host, port] = party.wire.split(":");
  const answered = lines
    .slice(1)
    .map((line) => line.replace(";rport", `;rport=${port};received=${host}`))
    .map((line) => (line.startsWith("To:") ? `${line};tag=t` : line));
  return recording.udp(at, party.wire, E, sip(...lines, contact)).udp(at + 5, E, party.wire, sip("SIP/2.0 200 OK", ...answered, contact));
}

const SDP = (address: string, port: number): string[] => [
  "",
  "v=0",
  `o=- 1 1 IN IP4 ${address}`,
  "s=-",
  `c=IN IP4 ${address}`,
  "t=0 0",
  `m=audio ${port} RTP/AVP 0`,
];

function rtp(sequence: number): Uint8Array {
  return Uint8Array.of(0x80, 0, 0, sequence, 0, 0, 0, sequence, 1, 2, 3, 4, ...new Array<number>(20).fill(0xd5));
}

describe("signaling recorded without Culvert", () => {
  test("the server sees C:c, and the terminal what it saw in the recording", async () => {
    const { capture } = registered(A);
    const { steps } = await replay(capture);
    const [request, answer] = seen(caused(steps));
    expect(request!.to).toBe(D);
    expect(request!.from).toMatch(/^10\.9\.0\.2:\d+$/);
    expect(request!.text).toContain(`Via: SIP/2.0/UDP ${request!.from};`);
    expect(request!.text).toContain(`Contact: <sip:alice@${request!.from}>`);
    expect(request!.text).not.toContain("10.0.0.9:5060>");
    expect(answer).toEqual(seen(capture.packets)[1]);
    expect(steps.map((step) => step.kind === "datagram" && step.mirrored)).toEqual([false, "signaling"].map((each) => each || undefined));
  });

  test("what leaves is marked as the realm says, else as it came", async () => {
    const text = CONFIG.replace("media: 198.51.100.2", "media: 198.51.100.2, dscp: { signal: 24 }");
    const { steps } = await replay(registered(A).capture, true, text);
    expect(caused(steps).map(({ bytes }) => bytes[15])).toEqual([0xb8, 24 << 2]);
  });

  test("without the mirror the server's answer is for nobody, and goes on untouched", async () => {
    const { capture } = registered(A);
    const { steps, packets } = await replay(capture, false);
    expect(steps.map((step) => step.kind === "datagram" && fateOf(step.outcome))).toEqual(["translated", "passed"]);
    expect(packets[1]).toEqual(capture.packets[1]);
  });

  test("a server's request to a terminal that is not known goes on untouched", async () => {
    const { capture } = new Recording().udp(
      0,
      E,
      A.wire,
      sip("OPTIONS sip:alice@10.0.0.9:5060 SIP/2.0", "Via: SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bKq", "Call-ID: q", "CSeq: 1 OPTIONS"),
    );
    const { packets } = await replay(capture);
    expect(packets).toEqual(capture.packets);
  });

  test("a server's request reaches the terminal by the binding of its Contact", async () => {
    const recording = registered(A).udp(
      100,
      E,
      A.wire,
      sip(
        "OPTIONS sip:alice@10.0.0.9:5060 SIP/2.0",
        "Via: SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bKq",
        "From: <sip:s@s>;tag=s",
        "To: <sip:alice@s>",
        "Call-ID: q",
        "CSeq: 1 OPTIONS",
      ),
    );
    const { steps } = await replay(recording.capture);
    const request = steps.at(-1)!;
    if (request.kind !== "datagram") throw new Error("no datagram");
    expect(request.fed.source.text).toBe("10.9.0.10");
    expect(Buffer.from(request.fed.payload).toString()).toContain("Via: SIP/2.0/UDP 10.9.0.10:5060;branch=z9hG4bKq");
    const [sent] = seen(request.written);
    expect(sent).toMatchObject({ from: E, to: A.wire });
    expect(sent!.text).toMatch(/^OPTIONS sip:alice@10\.0\.0\.9:5060 SIP/);
  });

  test("a contact behind the server comes back sealed, and is restored for the server", async () => {
    const invite = head("INVITE sip:bob@203.0.113.5 SIP/2.0", "INVITE", "i", "c1", A);
    const via = `Via: SIP/2.0/UDP ${A.own};branch=z9hG4bKi;rport=41000;received=192.0.2.1`;
    const answered = ["SIP/2.0 200 OK", via, ...invite.slice(2, 3), "To: <sip:bob@203.0.113.5>;tag=b", ...invite.slice(4), "Contact: <sip:bob@10.9.0.77:5080>"];
    const ack = head("ACK sip:bob@10.9.0.77:5080 SIP/2.0", "ACK", "k", "c1", A);
    const recording = registered(A)
      .udp(100, A.wire, E, sip(...invite, `Contact: <sip:alice@${A.own}>`, ...SDP("10.0.0.9", 4000)))
      .udp(110, E, A.wire, sip(...answered, ...SDP("10.9.0.77", 6000)))
      .udp(120, A.wire, "10.9.0.77:5080", sip(...ack));
    const { steps } = await replay(recording.capture);
    const sent = seen(caused(steps));
    expect(sent[3]!.text).toMatch(/Contact: <sip:bob@203\.0\.113\.5;cvt=[a-z0-9]+>/);
    expect(sent[4]).toMatchObject({ to: "10.9.0.77:5080" });
    expect(sent[4]!.text).toMatch(/^ACK sip:bob@10\.9\.0\.77:5080 SIP/);
    const last = steps.at(-1)!;
    expect(last.kind === "datagram" && `${last.fed.destination.text}:${last.fed.destinationPort}`).toBe(E);
  });

  test("what a proxy passes on from one terminal to another is what it got from us", async () => {
    const invite = head("INVITE sip:bob@203.0.113.5 SIP/2.0", "INVITE", "i", "c2", A);
    const contact = `Contact: <sip:alice@${A.own}>`;
    const body = SDP("10.0.0.9", 4000);
    const onward = [`INVITE sip:bob@${B.own} SIP/2.0`, "Via: SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bKs", ...invite.slice(1), contact];
    const recording = registered(B, registered(A), 20)
      .udp(100, A.wire, E, sip(...invite, contact, ...body))
      .udp(105, E, B.wire, sip(...onward, ...body));
    const { steps } = await replay(recording.capture);
    const [toServer, fromServer] = steps.flatMap((step) => (step.kind === "datagram" ? [step] : [])).slice(-2);
    const sent = seen(toServer!.written)[0]!;
    const fed = Buffer.from(fromServer!.fed.payload).toString("latin1");
    expect(fed).toContain(`Contact: <sip:alice@${sent.from}>`);
    expect(fed.split("\r\n\r\n")[1]).toBe(sent.text.split("\r\n\r\n")[1]);
    expect(seen(fromServer!.written)[0]).toMatchObject({ from: E, to: B.wire });
  });
});

describe("media recorded without Culvert", () => {
  const invite = head("INVITE sip:bob@203.0.113.5 SIP/2.0", "INVITE", "i", "c3", A);
  const via = `Via: SIP/2.0/UDP ${A.own};branch=z9hG4bKi;rport=41000;received=192.0.2.1`;
  const call = registered(A)
    .udp(100, A.wire, E, sip(...invite, `Contact: <sip:alice@${A.own}>`, ...SDP("10.0.0.9", 4000)))
    .udp(
      110,
      E,
      A.wire,
      sip(
        "SIP/2.0 200 OK",
        via,
        ...invite.slice(2, 3),
        "To: <sip:bob@203.0.113.5>;tag=b",
        ...invite.slice(4),
        "Contact: <sip:bob@203.0.113.5:5060>",
        ...SDP("10.9.0.50", 6000),
      ),
    );
  for (let i = 0; i < 10; i++)
    call.udp(200 + 20 * i, "192.0.2.1:44000", "10.9.0.50:6000", rtp(i)).udp(205 + 20 * i, "10.9.0.50:6000", "192.0.2.1:44000", rtp(i));

  test("goes to our ports, and out of them on the other side", async () => {
    const { steps } = await replay(call.capture);
    const media = steps.flatMap((step) => (step.kind === "datagram" && step.mirrored === "media" ? [step] : []));
    expect(media).toHaveLength(20);
    const relayed = media.filter((step) => fateOf(step.outcome) === "relayed");
    expect(relayed.length).toBeGreaterThan(15);
    const [inbound, outbound] = [seen(relayed.at(-2)!.written)[0]!, seen(relayed.at(-1)!.written)[0]!];
    expect([inbound.to, outbound.to]).toEqual(["10.9.0.50:6000", "192.0.2.1:44000"]);
    expect([inbound.from, outbound.from]).toEqual([expect.stringMatching(/^10\.9\.0\.2:/), expect.stringMatching(/^198\.51\.100\.2:/)]);
    for (const step of relayed) expect(seen(step.written)[0]!.text).toBe(Buffer.from(step.recorded.payload).toString("latin1"));
  });

  test("the frames are addressed to whom they were seen to reach", async () => {
    const { steps } = await replay(call.capture);
    const last = steps.at(-1)!;
    if (last.kind !== "datagram") throw new Error("no datagram");
    const [written, recorded] = [last.written[0]!, call.capture.packets.at(-1)!];
    expect(written.bytes.subarray(0, 14)).toEqual(recorded.bytes.subarray(0, 14));
    expect(written.ticks).toBe(recorded.ticks);
    /* Traffic class kept, one hop less. */
    expect([written.bytes[15], written.bytes[22]]).toEqual([0xb8, 63]);
  });

  test("twice the same", async () => {
    const [one, two] = [await replay(call.capture), await replay(call.capture)];
    expect(two.packets).toEqual(one.packets);
  });
});

describe("the rest", () => {
  test("what is not UDP is written as it was, and packets from a Culvert are left out", async () => {
    const arp = Uint8Array.from([...new Array<number>(12).fill(2), 8, 6, 0, 1]);
    const recording = new Recording().frame(0, arp).udp(10, "10.9.0.2:12345", D, "made anew").udp(20, "192.0.2.9:7", "192.0.2.10:7", "unrelated");
    const { steps, packets } = await replay(recording.capture);
    expect(steps.map((step) => step.kind)).toEqual(["passed", "left", "datagram"]);
    expect(packets).toEqual([recording.capture.packets[0], recording.capture.packets[2]]);
  });

  test("timeouts are served at their time, and what they send is written then", async () => {
    const recording = registered(A).udp(90_000, "192.0.2.9:7", "192.0.2.10:7", "later");
    const { steps } = await replay(recording.capture);
    const timeouts = steps.flatMap((step) => (step.kind === "timeout" ? [step] : []));
    const probes = timeouts.flatMap((step) => step.written.map((packet) => ({ packet, now: step.now })));
    expect(probes.length).toBeGreaterThan(0);
    for (const { packet, now } of probes) {
      expect(seen([packet])[0]).toMatchObject({ from: E, to: A.wire });
      expect(packet.ticks).toBe(recording.capture.packets[0]!.ticks + BigInt(now) * 1000n);
    }
  });

  test("the summary says what happened", async () => {
    const recording = registered(A).udp(50, "192.0.2.66:5060", E, "scan").udp(60, "192.0.2.9:7", "192.0.2.10:7", "x");
    const { steps, replay: opened } = await replay(recording.capture);
    const summary = new Summary(recording.capture.packets.length, false, (rule) => `rule ${rule}`);
    for (const step of steps) summary.add(step);
    const record = summary.finish(opened.loss);
    expect(record).toMatchObject({
      packets: 4,
      datagrams: 4,
      written: 3,
      mirrored: { signaling: 1, media: 0 },
      fates: { translated: 2, dropped: 1, passed: 1 },
      rules: [
        { rule: "rule 0", packets: 1 },
        { rule: "rule 1", packets: 1 },
        { rule: "rule -1", packets: 1 },
      ],
      messages: { REGISTER: { translated: 1 }, "200 REGISTER": { translated: 1 } },
      dropped: { "rule-discard": 1 },
      passed: { "otherwise-forward": 1 },
      faults: {},
    });
    expect(record.mentions).toMatchObject({ Via: 2, Contact: 2 });
    expect(summaryText(record)).toContain("4 packets read, 4 UDP datagrams taken, 3 packets written");
  });
});
