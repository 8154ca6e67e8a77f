/*
 * The yardstick of the message benchmark, in the portable subset so that it runs in the same engine: what any
 * rewriting proxy must do at least: look at every byte once for line ends and colons, and copy the message.
 */

import { copy, ld8 } from "../../core/machine.ts";

/** Scans [p, p+len) by hand, copies it to `to`. Returns lines and colons seen, so that nothing is optimised away. */
export function yardRun(p: i32, len: i32, to: i32): i32 {
  let lines: i32 = 0;
  let colons: i32 = 0;
  const end: i32 = p + len;
  for (let at: i32 = p; at < end; at++) {
    const c: i32 = ld8(at);
    if (c === 10) lines++;
    else if (c === 58) colons++;
  }
  copy(to, p, len);
  return (lines << 16) | colons;
}
