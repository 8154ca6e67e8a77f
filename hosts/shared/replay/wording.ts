/*
 * How mentions and messages are called when people read about them.
 */

import { Buffer } from "node:buffer";
import * as abi from "../core.ts";
import type { Mention, Observation } from "./observation.ts";

const ROLES: Record<number, string> = {
  [abi.ROLE_REQUEST_URI]: "Request-URI",
  [abi.ROLE_VIA]: "Via",
  [abi.ROLE_VIA_RECEIVED]: "Via received",
  [abi.ROLE_VIA_RPORT]: "Via rport",
  [abi.ROLE_VIA_LOWER]: "lower Via",
  [abi.ROLE_CONTACT]: "Contact",
  [abi.ROLE_ROUTE]: "Route",
  [abi.ROLE_RECORD_ROUTE]: "Record-Route",
  [abi.ROLE_PATH]: "Path",
  [abi.ROLE_SERVICE_ROUTE]: "Service-Route",
  [abi.ROLE_REFER_TO]: "Refer-To",
  [abi.ROLE_CONTENT_LENGTH]: "Content-Length",
  [abi.ROLE_EXPIRES]: "Expires",
  [abi.ROLE_CONTACT_EXPIRES]: "Contact expires",
  [abi.ROLE_SDP_ORIGIN]: "SDP o=",
  [abi.ROLE_SDP_CONNECTION]: "SDP c=",
  [abi.ROLE_SDP_PORT]: "SDP m= port",
  [abi.ROLE_SDP_RTCP_PORT]: "SDP a=rtcp port",
  [abi.ROLE_SDP_RTCP_ADDRESS]: "SDP a=rtcp address",
  [abi.ROLE_SDP_SETUP]: "SDP a=setup",
  [abi.ROLE_SDP_ICE]: "SDP ICE line",
  [abi.ROLE_SDP_ALTERNATIVE]: "SDP altc or ANAT line",
};

const NUMBERS = new Set([abi.ROLE_VIA_RPORT, abi.ROLE_CONTENT_LENGTH, abi.ROLE_EXPIRES, abi.ROLE_CONTACT_EXPIRES, abi.ROLE_SDP_PORT, abi.ROLE_SDP_RTCP_PORT]);
const LINES = new Set([abi.ROLE_SDP_ICE, abi.ROLE_SDP_ALTERNATIVE]);
const METHODS = new Map(
  Object.entries(abi).flatMap(([name, value]) => (name.startsWith("METHOD_") && typeof value === "number" ? [[value, name.slice(7)] as const] : [])),
);

export function roleName(role: number): string {
  return ROLES[role] ?? `role ${role}`;
}

/** How the mention is written. */
export function spellingName(mention: Mention): string {
  if (NUMBERS.has(mention.role)) return "number";
  if (LINES.has(mention.role)) return "line";
  if (mention.form === abi.FORM_IP4) return "IPv4";
  return mention.form === abi.FORM_IP6 ? "IPv6" : "name";
}

/** The method as a request line writes it: the payload has the name of one that the core does not know. */
function methodOf(payload: Uint8Array): string {
  return /^[!-~]{1,32}/.exec(Buffer.from(payload.subarray(0, 33)).toString("latin1"))?.[0] ?? "?";
}

/** "INVITE", or "200 INVITE" for a response. */
export function messageName(payload: Uint8Array, observation: Observation | undefined): string {
  const status = /^SIP\/2\.0 (\d{3})/i.exec(Buffer.from(payload.subarray(0, 12)).toString("latin1"))?.[1];
  if (status === undefined) return methodOf(payload);
  const method = METHODS.get(observation?.cseqMethod ?? 0);
  return method === undefined || method === "OTHER" ? status : `${status} ${method}`;
}

/** Words for why a mention says afterwards what it says. */
export function mentionReason(mention: Mention, inbound: boolean): string {
  const { role, changed, form } = mention;
  if (!changed) {
    if (NUMBERS.has(role)) return "as it was";
    if (role === abi.ROLE_SDP_SETUP) return "who connects: as it was";
    if (LINES.has(role)) return "kept: ICE is passed, or relayed beside our candidate";
    return form === abi.FORM_NAME ? "a name, not an address: left" : "not an address that needs mapping: left";
  }
  if (role === abi.ROLE_CONTENT_LENGTH) return "the body's new length";
  if (role === abi.ROLE_EXPIRES || role === abi.ROLE_CONTACT_EXPIRES) return "the expiry that this side is told";
  if (LINES.has(role)) return mention.after === "" ? "removed: it names an address that is not relayed" : "our relay candidate put in front";
  if (role === abi.ROLE_SDP_SETUP) return "who connects: the terminal, which a NAT hides";
  if (role >= abi.ROLE_SDP_ORIGIN) return inbound ? "our media address towards the server" : "our media address towards the terminal";
  if (mention.after.includes(";cvt=")) return "a server-side address behind E, sealed so that it comes back";
  if (role === abi.ROLE_VIA_RECEIVED || role === abi.ROLE_VIA_RPORT) return "what the other side sees";
  if (mention.text.includes(";cvt=")) return "what was sealed there, restored";
  return inbound ? "C:c for the terminal, or D for E" : "the terminal's own spelling, or E for D";
}
