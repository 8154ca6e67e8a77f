/*
 * Registrations: address of record ↔ binding, as the registrar granted them (RFC 3261 10.3). Identities are kept as
 * keyed 64-bit hashes. First key: the address of record, so that a response which lists them all settles them all.
 * Second key: address of record, user, spelling and Call-ID: a terminal whose NAT gave it a new address is known
 * again by these (RFC 3261 10.2.4 keeps the Call-ID over a boot cycle), and only the registrar's 2xx moves it.
 */

import { ld32, st32 } from "../machine.ts";
import {
  BINDING_REGISTRATIONS,
  BINDING_SPELLED,
  BINDING_SPELLED_LEN,
  REGISTRATION_AOR,
  REGISTRATION_BINDING,
  REGISTRATION_CALL_ID,
  REGISTRATION_HASH,
  REGISTRATION_MOVE_HASH,
  REGISTRATION_MOVE_LINK,
  REGISTRATION_SERVICE,
  REGISTRATION_USER,
} from "../memory/tables.ts";
import { hashBegin, hashBytes, hashEnd, hashHigh, hashWord } from "../bytes/hash.ts";
import { SCRATCH_KEYS } from "../memory/layout.ts";
import { bindingAt } from "./binding.ts";
import {
  CHAIN_MAX,
  SLAB_REGISTRATIONS,
  chainAdd,
  chainFirst,
  chainNext,
  chainRemove,
  listPush,
  listRemove,
  moveBucket,
  recordAt,
  recordGive,
  recordTake,
} from "./slab.ts";

/* The identities of the message in hand, two words each; written by registrationKeys. */
const KEY_AOR: i32 = SCRATCH_KEYS;
const KEY_CALL_ID: i32 = SCRATCH_KEYS + 8;
const KEY_USER: i32 = SCRATCH_KEYS + 16;

export function registrationAt(index: i32): i32 {
  return recordAt(SLAB_REGISTRATIONS, index);
}

function keyWrite(at: i32, p: i32, len: i32): void {
  hashBegin();
  hashBytes(p, len);
  st32(at, hashEnd());
  st32(at + 4, hashHigh());
}

/** Notes the address of record and the Call-ID that the calls below are about. */
export function registrationKeys(aor: i32, aorLen: i32, callId: i32, callIdLen: i32): void {
  keyWrite(KEY_AOR, aor, aorLen);
  keyWrite(KEY_CALL_ID, callId, callIdLen);
}

/** Notes the user part of the Contact that the calls below are about. */
export function registrationUser(user: i32, len: i32): void {
  keyWrite(KEY_USER, user, len);
}

function same64(a: i32, b: i32): boolean {
  return ld32(a) === ld32(b) && ld32(a + 4) === ld32(b + 4);
}

function aorHash(service: i32): i32 {
  return ld32(KEY_AOR) ^ service;
}

/** First registration (index + 1) of the noted address of record at a service, then the next after `index`; 0 for none. */
export function registrationFirst(service: i32): i32 {
  return registrationScan(chainFirst(SLAB_REGISTRATIONS, aorHash(service)), service);
}

export function registrationNext(index: i32, service: i32): i32 {
  return registrationScan(chainNext(SLAB_REGISTRATIONS, index), service);
}

function registrationScan(first: i32, service: i32): i32 {
  let next: i32 = first;
  for (let i: i32 = 0; i < CHAIN_MAX && next !== 0; i++) {
    const r: i32 = registrationAt(next - 1);
    if (same64(r + REGISTRATION_AOR, KEY_AOR) && ld32(r + REGISTRATION_SERVICE) === service) return next;
    next = chainNext(SLAB_REGISTRATIONS, next - 1);
  }
  return 0;
}

/** Index of the registration of the noted address of record and user at a binding, -1 for none. */
export function registrationFind(service: i32, binding: i32): i32 {
  let next: i32 = registrationFirst(service);
  for (let i: i32 = 0; i < CHAIN_MAX && next !== 0; i++) {
    const r: i32 = registrationAt(next - 1);
    if (ld32(r + REGISTRATION_BINDING) === binding && same64(r + REGISTRATION_USER, KEY_USER)) return next - 1;
    next = registrationNext(next - 1, service);
  }
  return -1;
}

export function registrationHasCallId(index: i32): boolean {
  return same64(registrationAt(index) + REGISTRATION_CALL_ID, KEY_CALL_ID);
}

function moveHash(service: i32, spelled: i32, len: i32): i32 {
  hashBegin();
  hashWord(ld32(KEY_AOR));
  hashWord(ld32(KEY_USER));
  hashWord(ld32(KEY_CALL_ID));
  hashWord(service);
  hashBytes(spelled, len);
  return hashEnd();
}

/** Index of the registration that the noted identities have under this spelling at whatever terminal, -1 for none. */
export function registrationElsewhere(service: i32, spelled: i32, len: i32): i32 {
  const hash: i32 = moveHash(service, spelled, len);
  let next: i32 = ld32(moveBucket(hash));
  for (let i: i32 = 0; i < CHAIN_MAX && next !== 0; i++) {
    const r: i32 = registrationAt(next - 1);
    if (
      ld32(r + REGISTRATION_MOVE_HASH) === hash &&
      ld32(r + REGISTRATION_SERVICE) === service &&
      same64(r + REGISTRATION_AOR, KEY_AOR) &&
      same64(r + REGISTRATION_USER, KEY_USER) &&
      same64(r + REGISTRATION_CALL_ID, KEY_CALL_ID)
    ) {
      return next - 1;
    }
    next = ld32(r + REGISTRATION_MOVE_LINK);
  }
  return -1;
}

function copy64(to: i32, from: i32): void {
  st32(to, ld32(from));
  st32(to + 4, ld32(from + 4));
}

/** Index of a new registration of the noted identities at a binding, -1 when the table is full. */
export function registrationTake(service: i32, binding: i32): i32 {
  const index: i32 = recordTake(SLAB_REGISTRATIONS);
  if (index < 0) return -1;
  const r: i32 = registrationAt(index);
  const b: i32 = bindingAt(binding);
  const hash: i32 = moveHash(service, b + BINDING_SPELLED, ld32(b + BINDING_SPELLED_LEN));
  st32(r + REGISTRATION_HASH, aorHash(service));
  st32(r + REGISTRATION_SERVICE, service);
  st32(r + REGISTRATION_BINDING, binding);
  copy64(r + REGISTRATION_AOR, KEY_AOR);
  copy64(r + REGISTRATION_USER, KEY_USER);
  copy64(r + REGISTRATION_CALL_ID, KEY_CALL_ID);
  st32(r + REGISTRATION_MOVE_HASH, hash);
  chainAdd(SLAB_REGISTRATIONS, aorHash(service), index);
  listPush(moveBucket(hash), r + REGISTRATION_MOVE_LINK, index);
  st32(b + BINDING_REGISTRATIONS, ld32(b + BINDING_REGISTRATIONS) + 1);
  return index;
}

/** Frees a registration. Returns its binding. */
export function registrationGive(index: i32): i32 {
  const r: i32 = registrationAt(index);
  const binding: i32 = ld32(r + REGISTRATION_BINDING);
  const b: i32 = bindingAt(binding);
  chainRemove(SLAB_REGISTRATIONS, ld32(r + REGISTRATION_HASH), index);
  listRemove(SLAB_REGISTRATIONS, moveBucket(ld32(r + REGISTRATION_MOVE_HASH)), REGISTRATION_MOVE_LINK, index);
  st32(b + BINDING_REGISTRATIONS, (ld32(b + BINDING_REGISTRATIONS) - 1) | 0);
  recordGive(SLAB_REGISTRATIONS, index);
  return binding;
}

/** The Call-ID that the last REGISTER used, so that a move is known by the newest. */
export function registrationRekey(index: i32): void {
  const r: i32 = registrationAt(index);
  if (registrationHasCallId(index)) return;
  const b: i32 = bindingAt(ld32(r + REGISTRATION_BINDING));
  listRemove(SLAB_REGISTRATIONS, moveBucket(ld32(r + REGISTRATION_MOVE_HASH)), REGISTRATION_MOVE_LINK, index);
  copy64(r + REGISTRATION_CALL_ID, KEY_CALL_ID);
  const hash: i32 = moveHash(ld32(r + REGISTRATION_SERVICE), b + BINDING_SPELLED, ld32(b + BINDING_SPELLED_LEN));
  st32(r + REGISTRATION_MOVE_HASH, hash);
  listPush(moveBucket(hash), r + REGISTRATION_MOVE_LINK, index);
}
