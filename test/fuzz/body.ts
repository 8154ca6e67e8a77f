/*
 * Bodies for the fuzz: session descriptions with what conformance (4.A2) is about, plain or inside a multipart.
 */

import type { Random } from "../unit/core/random.ts";

export interface Body {
  type: string;
  text: string;
}

const ATTRIBUTES = [
  "a=sendrecv",
  "a=sendonly",
  "a=inactive",
  "a=rtcp-mux",
  "a=rtcp:4711",
  "a=rtcp:4711 IN {c}",
  "a=mid:1",
  "a=ice-ufrag:abcd",
  "a=ice-pwd:abcdefghijklmnopqrstuv",
  "a=candidate:1 1 UDP 2130706431 {a} 4000 typ host",
  "a=candidate:1 2 UDP 2130706430 {a} 4001 typ host",
  "a=end-of-candidates",
  "a=bundle-only",
  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc",
  "a=fingerprint:sha-256 00:11",
  "a=altc:1 {c} 4000",
  "a=rtpmap:0 PCMU/8000",
  "a=fmtp:101 0-15",
  "b=AS:64",
  "i=c=IN IP4 9.9.9.9",
  "k=clear:m=audio",
];

/** Attributes of media over TCP (RFC 4145, RFC 6714). */
const STREAMS = [
  "a=setup:actpass",
  "a=setup:active",
  "a=setup:passive",
  "a=setup:holdconn",
  "a=setup:",
  "a=connection:existing",
  "a=connection:new",
  "a=msrp-cema",
  "a=msrp-cema",
];

function connection(address: string, random: Random): string {
  const own = `${address.includes(":") ? "IP6" : "IP4"} ${address}`;
  return random.chance(0.85) ? own : random.pick(["IP4 0.0.0.0", "IP6 ::", "IP4 224.2.1.1/127", "IP4 phone.invalid", "IP6 ::1", own]);
}

function mediaLines(address: string, random: Random): string[] {
  const port = random.pick([4000, 4002, 4100, 6000, 9, 0, 1, 65534, 65535]);
  const count = random.chance(0.1) ? `/${random.pick([1, 2, 3, 7, 8, 9, 255, 32767, 65535])}` : "";
  const [kind, proto, formats] = random.pick([
    ["audio", "RTP/AVP", "0 8 101"],
    ["audio", "RTP/AVP", "0"],
    ["video", "RTP/SAVPF", "96"],
    ["audio", "UDP/TLS/RTP/SAVPF", "111"],
    ["image", "udptl", "t38"],
    ["message", "TCP/MSRP", "*"],
    ["message", "TCP/TLS/MSRP", "*"],
    ["application", "TCP/BFCP", "*"],
    ["image", "TCP", "t38"],
    ["application", "UDP/BFCP", "*"],
    ["audio", "TCP/RTP/AVP", "0"],
  ]);
  const chosen = ATTRIBUTES.filter(() => random.chance(0.12)).map((line) => line.replace("{a}", address).replace("{c}", connection(address, random)));
  if (proto.startsWith("TCP")) chosen.push(...STREAMS.filter(() => random.chance(0.3)));
  const own = random.chance(0.4) ? [`c=IN ${connection(address, random)}`] : [];
  return [`m=${kind} ${port}${count} ${proto} ${formats}`, ...own, ...chosen];
}

/** Lines of a session that are nobody's address (RFC 8866 5), in the order that they have. */
const SESSION = ["i=c=IN IP4 10.0.0.1", "u=http://10.0.0.1/m=audio", "e=a@10.0.0.1", "p=+1 617 555-6011", "b=AS:256", "b=X-YZ:4294967295"];
const TIMES = ["t=0 0", "t=0 0", "t=2873397496 2873404696\r\nr=7d 1h 0 25h\r\nz=2882844526 -1h 2898848070 0", "t=9223372036854775807 0"];

function descriptionDraw(address: string, random: Random): string {
  const lines = [
    "v=0",
    `o=- ${random.pick([random.below(9), random.below(9), 2147483648, 4294967295, "18446744073709551615"])} ${random.below(9)} IN ${address.includes(":") ? "IP6" : "IP4"} ${address}`,
    "s=-",
    ...SESSION.filter(() => random.chance(0.04)),
    ...(random.chance(0.85) ? [`c=IN ${connection(address, random)}`] : []),
    random.pick(TIMES),
    ...(random.chance(0.1) ? ["a=group:ANAT 1 2", "a=group:BUNDLE 1", "a=ice-lite"] : []),
  ];
  const n = random.pick([1, 1, 1, 1, 2, 2, 3, 5, 0]);
  for (let i = 0; i < n; i++) lines.push(...mediaLines(address, random));
  const lineEnd = random.chance(0.9) ? "\r\n" : "\n";
  return lines.join(lineEnd).replaceAll("\r\n", lineEnd) + (random.chance(0.95) ? lineEnd : "");
}

/** Parts of a multipart body (RFC 2046 5.1) behind one another, with what may stand before and behind them. */
function multipartText(parts: string[], boundary: string, random: Random): string {
  const before = random.chance(0.1) ? "c=IN IP4 192.168.1.2 --bnd\r\n" : "";
  const after = random.chance(0.1) ? "m=audio 4000 RTP/AVP 0\r\n" : "";
  return `${before}${parts.map((part) => `--${boundary}${random.chance(0.1) ? " \t" : ""}\r\n${part}\r\n`).join("")}--${boundary}--\r\n${after}`;
}

/** Dialog information (RFC 4235), which a service that hides its topology maps and any other passes. */
function documentPart(address: string): string {
  const dialog = `<dialog id='call-1@${address}' call-id="call-1@${address}" local-tag="l"><local><target uri="sip:a@${address}:5062"/></local>`;
  const replaced = "<replaces call-id='&lt;2&gt;@192.168.1.2'/><remote><identity>sip:b@example.com</identity></remote></dialog>";
  return `Content-Type: application/dialog-info+xml\r\n\r\n${dialog}${replaced}`;
}

/** A body that goes with an offer or answer. */
export function bodyDraw(address: string, random: Random): Body {
  const text = descriptionDraw(address, random);
  if (random.chance(0.8)) return { type: random.pick(["application/sdp", "application/sdp", "Application/SDP ; charset=utf-8"]), text };
  const own = random.chance(0.5) ? `Content-Length: ${text.length}\r\n` : "";
  const described = `Content-Type: application/sdp\r\n${own}\r\n${text}`;
  const others = [
    "Content-Type: text/plain\r\n\r\nc=IN IP4 192.168.1.2\r\n",
    "\r\nnothing\r\n",
    documentPart(address),
    "Content-Type: application/isup;base=x\r\n\r\n\x01\x11\0\x0a",
  ];
  const parts = random.chance(0.5) ? [described, random.pick(others)] : [random.pick(others), described];
  const boundary = random.pick(["bnd", "bnd", "b", "-", "0123456789".repeat(7), "b'()+_,./:=?"]);
  if (random.chance(0.2)) {
    const inner = `Content-Type: multipart/alternative;boundary=inner\r\n\r\n${multipartText(parts, "inner", random)}`;
    return { type: `multipart/mixed;boundary="${boundary}"`, text: multipartText([inner], boundary, random) };
  }
  const type = random.pick(["mixed", "mixed", "related", "alternative"]);
  return { type: `multipart/${type};boundary="${boundary}"`, text: multipartText(parts, boundary, random) };
}
