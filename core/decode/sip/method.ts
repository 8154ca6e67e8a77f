/*
 * Methods: case-sensitive tokens (RFC 3261 7.1, 25.1). An unknown one is METHOD_OTHER and passes translated.
 */

import { ld32le, ld8 } from "../../machine.ts";
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
  const word: i32 = ld32le(p);
  const tail: i32 = ld32le(p + 4) & 0xffff;
  if (word === 0x49564e49 && tail === 0x4554) return METHOD_INVITE;
  if (word === 0x434e4143 && tail === 0x4c45) return METHOD_CANCEL;
  if (word === 0x41445055 && tail === 0x4554) return METHOD_UPDATE;
  if (word === 0x49544f4e && tail === 0x5946) return METHOD_NOTIFY;
  return METHOD_OTHER;
}

function methodOf7(p: i32): i32 {
  const word: i32 = ld32le(p);
  const last: i32 = ld32le(p + 3);
  if (word === 0x4954504f && last === 0x534e4f49) return METHOD_OPTIONS;
  if (word === 0x5353454d && last === 0x45474153) return METHOD_MESSAGE;
  if (word === 0x4c425550 && last === 0x4853494c) return METHOD_PUBLISH;
  return METHOD_OTHER;
}

/** METHOD_* of the token in [p, end). */
export function methodRead(p: i32, end: i32): i32 {
  const len: i32 = end - p;
  if (len === 3) {
    const word: i32 = ld32le(p) & 0xffffff;
    if (word === 0x4b4341) return METHOD_ACK;
    if (word === 0x455942) return METHOD_BYE;
  }
  if (len === 4 && ld32le(p) === 0x4f464e49) return METHOD_INFO;
  if (len === 5) {
    if (ld32le(p) === 0x43415250 && ld8(p + 4) === 0x4b) return METHOD_PRACK;
    if (ld32le(p) === 0x45464552 && ld8(p + 4) === 0x52) return METHOD_REFER;
  }
  if (len === 6) return methodOf6(p);
  if (len === 7) return methodOf7(p);
  if (len === 8 && ld32le(p) === 0x49474552 && ld32le(p + 4) === 0x52455453) return METHOD_REGISTER;
  if (len === 9 && ld32le(p) === 0x53425553 && ld32le(p + 4) === 0x42495243 && ld8(p + 8) === 0x45) return METHOD_SUBSCRIBE;
  return METHOD_OTHER;
}
