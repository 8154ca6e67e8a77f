/*
 * The messages that the benchmarks send: a REGISTER, and an INVITE of 764 bytes with SDP, as phones write them.
 */

const CLAIMED = "10.11.0.10:5060";
export const INVITE_BYTES = 764;

function crlf(lines: string[]): string {
  return lines.map((line) => `${line}\r\n`).join("");
}

export function register(i: number, cseq: number): string {
  return crlf([
    "REGISTER sip:203.0.113.5 SIP/2.0",
    `Via: SIP/2.0/UDP ${CLAIMED};branch=z9hG4bKreg${i}c${cseq};rport`,
    "Max-Forwards: 70",
    `From: <sip:u${i}@203.0.113.5>;tag=r${i}`,
    `To: <sip:u${i}@203.0.113.5>`,
    `Call-ID: reg${i}@phone`,
    `CSeq: ${cseq} REGISTER`,
    `Contact: <sip:u${i}@${CLAIMED};transport=udp>`,
    "Expires: 3600",
    "Content-Length: 0",
    "",
  ]);
}

/** The registrar's 200 to what it got. */
export function registered(request: string): string {
  const line = (name: string): string => request.split("\r\n").find((text) => text.startsWith(`${name}:`))!;
  return crlf([
    "SIP/2.0 200 OK",
    line("Via"),
    line("From"),
    `${line("To")};tag=s1`,
    line("Call-ID"),
    line("CSeq"),
    `${line("Contact")};expires=3600`,
    "Content-Length: 0",
    "",
  ]);
}

/** The server's 200 to an INVITE, with an answer. */
export function answered(request: string): string {
  const line = (name: string): string => request.split("\r\n").find((text) => text.startsWith(`${name}:`))!;
  const body = crlf(["v=0", "o=server 1 1 IN IP4 10.9.0.10", "s=-", "c=IN IP4 10.9.0.10", "t=0 0", "m=audio 4000 RTP/AVP 0"]);
  const contact = ["Contact: <sip:10.9.0.10>", "Content-Type: application/sdp", `Content-Length: ${body.length}`, ""];
  return crlf(["SIP/2.0 200 OK", line("Via"), line("From"), `${line("To")};tag=s1`, line("Call-ID"), line("CSeq"), ...contact]) + body;
}

const BODY = crlf([
  "v=0",
  "o=phone 1468 1468 IN IP4 10.11.0.10",
  "s=call",
  "c=IN IP4 10.11.0.10",
  "t=0 0",
  "m=audio 16384 RTP/AVP 0 8 101",
  "a=rtpmap:0 PCMU/8000",
  "a=rtpmap:8 PCMA/8000",
  "a=rtpmap:101 telephone-event/8000",
  "a=fmtp:101 0-15",
  "a=ptime:20",
  "a=sendrecv",
]);

/** An INVITE of exactly INVITE_BYTES bytes; `call` makes it another call. */
export function invite(i: number, call: number): string {
  const head = (agent: string): string =>
    crlf([
      "INVITE sip:b@203.0.113.5 SIP/2.0",
      `Via: SIP/2.0/UDP ${CLAIMED};branch=z9hG4bKinv${i}c${call};rport`,
      "Max-Forwards: 70",
      `From: "User" <sip:u${i}@203.0.113.5>;tag=i${i}`,
      "To: <sip:b@203.0.113.5>",
      `Call-ID: inv${i}c${call}@phone`,
      "CSeq: 1 INVITE",
      `Contact: <sip:u${i}@${CLAIMED};transport=udp>`,
      "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS",
      `User-Agent: ${agent}`,
      "Content-Type: application/sdp",
      `Content-Length: ${BODY.length}`,
      "",
    ]);
  const missing = INVITE_BYTES - head("").length - BODY.length;
  return head("bench".padEnd(missing, "x")) + BODY;
}

/** What a softswitch that follows the Contact would send to end the call. */
export function bye(i: number, call: number): string {
  return crlf([
    "BYE sip:b@203.0.113.5 SIP/2.0",
    `Via: SIP/2.0/UDP ${CLAIMED};branch=z9hG4bKbye${i}c${call};rport`,
    "Max-Forwards: 70",
    `From: "User" <sip:u${i}@203.0.113.5>;tag=i${i}`,
    "To: <sip:b@203.0.113.5>;tag=b",
    `Call-ID: inv${i}c${call}@phone`,
    "CSeq: 2 BYE",
    "Content-Length: 0",
    "",
  ]);
}
