/*
 * Which decoder a body goes to: the head first, then application/sdp alone or inside a multipart body.
 */

import { ld32 } from "../machine.ts";
import { MESSAGE, SCRATCH_ADDRESS } from "../memory/layout.ts";
import { CONTENT_MULTIPART, CONTENT_SDP, MESSAGE_BODY, MESSAGE_CONTENT, MESSAGE_END, MESSAGE_FLAGS, MESSAGE_FLAG_ENCODED } from "../memory/message.ts";
import { sessionDecode } from "./sdp/session.ts";
import { partNext } from "./sip/content.ts";
import { messageDecode } from "./sip/message.ts";

/** Parts of one body that are decoded. */
const PART_MAX: i32 = 32;

/** Decodes the SIP message in [p, end) into the Message record and its mentions. Returns 0 or a fault. */
export function sipDecode(p: i32, end: i32): i32 {
  const result: i32 = messageDecode(p, end);
  if (result < 0) return result;
  if ((ld32(MESSAGE + MESSAGE_FLAGS) & MESSAGE_FLAG_ENCODED) !== 0) return 0;
  const content: i32 = ld32(MESSAGE + MESSAGE_CONTENT);
  const body: i32 = ld32(MESSAGE + MESSAGE_BODY);
  const stop: i32 = ld32(MESSAGE + MESSAGE_END);
  if (content === CONTENT_SDP) return sessionDecode(body, stop);
  return content === CONTENT_MULTIPART ? partsDecode(body, stop) : 0;
}

function partsDecode(body: i32, end: i32): i32 {
  let at: i32 = body;
  for (let i: i32 = 0; i < PART_MAX; i++) {
    at = partNext(at, end, SCRATCH_ADDRESS);
    if (at <= 0) return at;
    const result: i32 = sessionDecode(ld32(SCRATCH_ADDRESS), ld32(SCRATCH_ADDRESS + 4));
    if (result < 0) return result;
  }
  return 0;
}
