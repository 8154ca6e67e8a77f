/*
 * Methods: case-sensitive tokens (RFC 3261 7.1, 25.1). An unknown one is METHOD_OTHER and passes translated.
 */

import { ld16be, ld32be, ld8 } from "../../machine.ts";
import {
  METHOD_ACK,
  METHOD_BYE,
  METHOD_CANCEL,
  METHOD_INFO,
  METHOD_INVITE,
  METHOD_MESSAGE,
  METHOD_NOTIFY,
  METHOD_OPTIONS,
  METHOD_OTHER,
  METHOD_PRACK,
  METHOD_PUBLISH,
  METHOD_REFER,
  METHOD_REGISTER,
  METHOD_SUBSCRIBE,
  METHOD_UPDATE,
} from "../../memory/message.ts";

function methodOf6(p: i32): i32 {
  const word: i32 = ld32be(p);
  const tail: i32 = ld16be(p + 4);
  if (word === 0x494e5649 && tail === 0x5445) return METHOD_INVITE;
  if (word === 0x43414e43 && tail === 0x454c) return METHOD_CANCEL;
  if (word === 0x55504441 && tail === 0x5445) return METHOD_UPDATE;
  if (word === 0x4e4f5449 && tail === 0x4659) return METHOD_NOTIFY;
  return METHOD_OTHER;
}

function methodOf7(p: i32): i32 {
  const word: i32 = ld32be(p);
  const last: i32 = ld32be(p + 3);
  if (word === 0x4f505449 && last === 0x494f4e53) return METHOD_OPTIONS;
  if (word === 0x4d455353 && last === 0x53414745) return METHOD_MESSAGE;
  if (word === 0x5055424c && last === 0x4c495348) return METHOD_PUBLISH;
  return METHOD_OTHER;
}

/** METHOD_* of the token in [p, end). */
export function methodRead(p: i32, end: i32): i32 {
  const len: i32 = end - p;
  if (len === 3) {
    const word: i32 = (ld16be(p) << 8) | ld8(p + 2);
    if (word === 0x41434b) return METHOD_ACK;
    if (word === 0x425945) return METHOD_BYE;
  }
  if (len === 4 && ld32be(p) === 0x494e464f) return METHOD_INFO;
  if (len === 5) {
    if (ld32be(p) === 0x50524143 && ld8(p + 4) === 0x4b) return METHOD_PRACK;
    if (ld32be(p) === 0x52454645 && ld8(p + 4) === 0x52) return METHOD_REFER;
  }
  if (len === 6) return methodOf6(p);
  if (len === 7) return methodOf7(p);
  if (len === 8 && ld32be(p) === 0x52454749 && ld32be(p + 4) === 0x53544552) return METHOD_REGISTER;
  if (len === 9 && ld32be(p) === 0x53554253 && ld32be(p + 4) === 0x43524942 && ld8(p + 8) === 0x45) return METHOD_SUBSCRIBE;
  return METHOD_OTHER;
}
