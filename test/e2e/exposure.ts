/*
 * Which addresses a wire gave away: tshark decodes every SIP message and SDP body, and what routes is looked at.
 * Identity (From, To, Call-ID, the o= line) is left alone by design, so it is not.
 */

import type { Capture } from "./capture.ts";

/** An address of RFC 1918 as a word. */
export const PRIVATE = /(?:^|[^\d.])(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+/;
/** Fields by which one side might reach the other; an a= line may hold a port and an address. */
const ROUTABLE = [
  "sip.r-uri.host",
  "sip.Via.sent-by.address",
  "sip.Via.received",
  "sip.contact.host",
  "sip.contact.uri",
  "sip.Route.host",
  "sip.Record-Route.host",
  "sip.Path.host",
  "sip.Service-Route.host",
  "sdp.connection_info.address",
  "sdp.ice_candidate.address",
  "sdp.media_attribute.value",
];
/** Fewer messages than a registration and a call have prove nothing. */
const ROWS_LEAST = 4;

/** Rows of routable fields in which an address that matches is written, with the frame number in front. */
export async function exposures(capture: Capture, filter: string, address: RegExp): Promise<string[]> {
  const rows = await capture.fields(filter, ["frame.number", "sip.Request-Line", "sip.Status-Line", ...ROUTABLE]);
  if (rows.length < ROWS_LEAST) throw new Error(`${capture.path} holds ${rows.length} messages of "${filter}": too few to judge`);
  return rows.filter((row) => address.test(row.slice(3).join(" "))).map((row) => row.join(" | "));
}
