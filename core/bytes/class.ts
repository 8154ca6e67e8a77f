/*
 * Character classes by table (as picohttpparser has them): one load tells what a byte may be part of. The table is
 * written at boot, in memory like everything else.
 */

import { ld8, st8 } from "../machine.ts";
import { CLASSES } from "../memory/layout.ts";

/** token of RFC 3261 25.1: alphanumerics and - . ! % * _ + ` ' ~ */
export const CLASS_TOKEN: i32 = 1;
/** Space, tab, or a line end that folding left inside a value (RFC 3261 7.3.1). */
export const CLASS_SPACE: i32 = 2;
/** Letters, digits, hyphen and dot of a host name; the underscore is deployed. */
export const CLASS_HOST: i32 = 4;

function classAdd(c: i32, classes: i32): void {
  st8(CLASSES + c, ld8(CLASSES + c) | classes);
}

export function classesInit(): void {
  for (let c: i32 = 0; c < 256; c++) st8(CLASSES + c, 0);
  for (let c: i32 = 48; c < 58; c++) classAdd(c, CLASS_TOKEN | CLASS_HOST);
  for (let c: i32 = 97; c < 123; c++) {
    classAdd(c, CLASS_TOKEN | CLASS_HOST);
    classAdd(c - 32, CLASS_TOKEN | CLASS_HOST);
  }
  for (let c: i32 = 9; c < 14; c++) if (c !== 11 && c !== 12) classAdd(c, CLASS_SPACE);
  classAdd(32, CLASS_SPACE);
  classAdd(33, CLASS_TOKEN);
  classAdd(37, CLASS_TOKEN);
  classAdd(39, CLASS_TOKEN);
  classAdd(42, CLASS_TOKEN);
  classAdd(43, CLASS_TOKEN);
  classAdd(45, CLASS_TOKEN | CLASS_HOST);
  classAdd(46, CLASS_TOKEN | CLASS_HOST);
  classAdd(95, CLASS_TOKEN | CLASS_HOST);
  classAdd(96, CLASS_TOKEN);
  classAdd(126, CLASS_TOKEN);
}

/** Is the byte value `c` in one of the classes? */
export function classHas(c: i32, classes: i32): boolean {
  return (ld8(CLASSES + c) & classes) !== 0;
}

/** Exclusive end of the run of bytes of these classes that begins at `p`. */
export function classEnd(p: i32, end: i32, classes: i32): i32 {
  let at: i32 = p;
  while (at < end && (ld8(CLASSES + ld8(at)) & classes) !== 0) at++;
  return at;
}
