/*
 * Tokens: a server-side address inside the URI or Via that a terminal gets, sealed under our key (SPEC S1). What comes
 * back restores without a table, and what was not made here is refused.
 * Plain form: flags, service, port (2), address (4 or 16); with FLAG_EXTENDED also source port (2), pool, local port (2).
 */

import { copy, fill, ld16be, ld8, st16be, st32, st8 } from "../machine.ts";
import { addressCopy, isMapped, mappedWrite } from "../bytes/address.ts";
import { base32Read, base32Write } from "../bytes/base32.ts";
import { CIPHER_TAG, CIPHER_TAG_SIZE, CIPHER_TEXT, CIPHER_TEXT_SIZE, cipherOpen, cipherSeal } from "../bytes/cipher.ts";
import { SCRATCH_TOKEN } from "../memory/layout.ts";

const FLAG_PORT: i32 = 1;
const FLAG_IP6: i32 = 2;
const FLAG_EXTENDED: i32 = 4;
/** Above the flags: NAMED_* plus one of what was written about the transport, 0 when it still is. */
const NAMED_SHIFT: i32 = 3;
const NAMED_MASK: i32 = 7;

/* What a token says: 48 bytes of scratch, filled by tokenRead. */
/** Port, -1 for absent. */
export const TOKEN_PORT: i32 = SCRATCH_TOKEN;
/** Source port of the request (0: not said), pool and port of ours that it came to (port 0: not said). */
export const TOKEN_SOURCE_PORT: i32 = SCRATCH_TOKEN + 4;
export const TOKEN_POOL: i32 = SCRATCH_TOKEN + 8;
export const TOKEN_LOCAL_PORT: i32 = SCRATCH_TOKEN + 12;
export const TOKEN_ADDRESS: i32 = SCRATCH_TOKEN + 16;
/** NAMED_* plus one, 0 for nothing. */
export const TOKEN_NAMED: i32 = SCRATCH_TOKEN + 124;
/** The sealed bytes: tag and text. */
const SEALED: i32 = SCRATCH_TOKEN + 32;
const SEALED_MAX: i32 = CIPHER_TAG_SIZE + CIPHER_TEXT_SIZE;

/** Writes a token for an address at `to`; at most 53 characters. Returns the position after it. */
export function tokenWrite(to: i32, service: i32, address: i32, port: i32, sourcePort: i32, pool: i32, localPort: i32, named: i32): i32 {
  const ip4: boolean = isMapped(address);
  const extended: boolean = sourcePort !== 0 || localPort !== 0;
  fill(CIPHER_TEXT, 0, CIPHER_TEXT_SIZE);
  st8(CIPHER_TEXT, (port >= 0 ? FLAG_PORT : 0) | (ip4 ? 0 : FLAG_IP6) | (extended ? FLAG_EXTENDED : 0) | (named << NAMED_SHIFT));
  st8(CIPHER_TEXT + 1, service);
  st16be(CIPHER_TEXT + 2, port >= 0 ? port : 0);
  copy(CIPHER_TEXT + 4, ip4 ? address + 12 : address, ip4 ? 4 : 16);
  let len: i32 = ip4 ? 8 : 20;
  if (extended) {
    st16be(CIPHER_TEXT + len, sourcePort);
    st8(CIPHER_TEXT + len + 2, pool);
    st16be(CIPHER_TEXT + len + 3, localPort);
    len = len + 5;
  }
  cipherSeal(len);
  copy(SEALED, CIPHER_TAG, CIPHER_TAG_SIZE);
  copy(SEALED + CIPHER_TAG_SIZE, CIPHER_TEXT, len);
  return base32Write(to, SEALED, CIPHER_TAG_SIZE + len);
}

/** Reads a token of `len` characters into TOKEN_*. Returns false when it was not made here, or for another service. */
export function tokenRead(p: i32, len: i32, service: i32): boolean {
  const size: i32 = base32Read(SEALED, p, len, SEALED_MAX) - CIPHER_TAG_SIZE;
  if (size !== 8 && size !== 13 && size !== 20 && size !== 25) return false;
  copy(CIPHER_TAG, SEALED, CIPHER_TAG_SIZE);
  copy(CIPHER_TEXT, SEALED + CIPHER_TAG_SIZE, size);
  if (!cipherOpen(size)) return false;
  const flags: i32 = ld8(CIPHER_TEXT);
  const ip4: boolean = (flags & FLAG_IP6) === 0;
  const base: i32 = ip4 ? 8 : 20;
  if (ld8(CIPHER_TEXT + 1) !== service || size !== ((flags & FLAG_EXTENDED) !== 0 ? base + 5 : base)) return false;
  st32(TOKEN_NAMED, (flags >> NAMED_SHIFT) & NAMED_MASK);
  st32(TOKEN_PORT, (flags & FLAG_PORT) !== 0 ? ld16be(CIPHER_TEXT + 2) : -1);
  if (ip4) mappedWrite(TOKEN_ADDRESS, CIPHER_TEXT + 4);
  else addressCopy(TOKEN_ADDRESS, CIPHER_TEXT + 4);
  const extended: boolean = (flags & FLAG_EXTENDED) !== 0;
  st32(TOKEN_SOURCE_PORT, extended ? ld16be(CIPHER_TEXT + base) : 0);
  st32(TOKEN_POOL, extended ? ld8(CIPHER_TEXT + base + 2) : 0);
  st32(TOKEN_LOCAL_PORT, extended ? ld16be(CIPHER_TEXT + base + 3) : 0);
  return true;
}
