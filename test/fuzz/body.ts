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

function connection(address: string, random: Random): string {
  const own = `${address.includes(":") ? "IP6" : "IP4"} ${address}`;
  return random.chance(0.85) ? own : random.pick(["IP4 0.0.0.0", "IP6 ::", "IP4 224.2.1.1/127", "IP4 phone.invalid", "IP6 ::1", own]);
}

function mediaLines(address: string, random: Random): string[] {
  const port = random.pick([4000, 4002, 4100, 6000, 9, 0, 1, 65534, 65535]);
  const count = random.chance(0.1) ? `/${random.pick([1, 2, 8, 9])}` : "";
  const [kind, proto, formats] = random.pick([
    ["audio", "RTP/AVP", "0 8 101"],
    ["audio", "RTP/AVP", "0"],
    ["video", "RTP/SAVPF", "96"],
    ["audio", "UDP/TLS/RTP/SAVPF", "111"],
    ["image", "udptl", "t38"],
    ["message", "TCP/MSRP", "*"],
    ["application", "UDP/BFCP", "*"],
    ["audio", "TCP/RTP/AVP", "0"],
  ]);
  const chosen = ATTRIBUTES.filter(() => random.chance(0.12)).map((line) => line.replace("{a}", address).replace("{c}", connection(address, random)));
  const own = random.chance(0.4) ? [`c=IN ${connection(address, random)}`] : [];
  return [`m=${kind} ${port}${count} ${proto} ${formats}`, ...own, ...chosen];
}

export function descriptionDraw(address: string, random: Random): string {
  const lines = [
    "v=0",
    `o=- ${random.below(9)} ${random.below(9)} IN ${address.includes(":") ? "IP6" : "IP4"} ${address}`,
    "s=-",
    ...(random.chance(0.85) ? [`c=IN ${connection(address, random)}`] : []),
    "t=0 0",
    ...(random.chance(0.1) ? ["a=group:ANAT 1 2", "a=group:BUNDLE 1", "a=ice-lite"] : []),
  ];
  const n = random.pick([1, 1, 1, 1, 2, 2, 3, 5, 0]);
  for (let i = 0; i < n; i++) lines.push(...mediaLines(address, random));
  return `${lines.join("\r\n")}\r\n`;
}

/** Dialog information (RFC 4235), which a service that hides its topology maps and any other passes. */
function documentPart(address: string): string {
  const dialog = `<dialog id='call-1@${address}' call-id="call-1@${address}" local-tag="l"><local><target uri="sip:a@${address}:5062"/></local>`;
  const replaced = "<replaces call-id='&lt;2&gt;@192.168.1.2'/><remote><identity>sip:b@example.com</identity></remote></dialog>";
  return `--bnd\r\nContent-Type: application/dialog-info+xml\r\n\r\n${dialog}${replaced}\r\n`;
}

/** A body that goes with an offer or answer. */
export function bodyDraw(address: string, random: Random): Body {
  const text = descriptionDraw(address, random);
  if (random.chance(0.85)) return { type: "application/sdp", text };
  const own = random.chance(0.5) ? `Content-Length: ${text.length}\r\n` : "";
  const first = `--bnd\r\nContent-Type: application/sdp\r\n${own}\r\n${text}\r\n`;
  const second = text.length % 2 === 0 ? documentPart(address) : "--bnd\r\nContent-Type: text/plain\r\n\r\nc=IN IP4 192.168.1.2\r\n\r\n";
  return { type: 'multipart/mixed;boundary="bnd"', text: `${random.chance(0.5) ? first + second : second + first}--bnd--\r\n` };
}
