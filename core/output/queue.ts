/*
 * The queue of outputs: filled by one input, drained to OUTPUT_TIMEOUT before the next (str0m's rule:
 * mutate once, drain, mutate again). Invariant: it never holds more than OUTPUT_MAX records; what a
 * message or a timer may need is asked for with messageRoom before it begins.
 */

import { copy, ld32, st32 } from "../machine.ts";
import {
  ASSEMBLY,
  ASSEMBLY_SIZE,
  ASSEMBLY_TOP,
  HEADER_BOUND,
  HEADER_OUT_HEAD,
  HEADER_OUT_TAIL,
  HEADER_REFUSED,
  OUTPUTS,
  OUTPUT_MAX,
  OUTPUT_SIZE,
} from "../memory/layout.ts";
import { HEADROOM } from "../memory/frame.ts";
import {
  OUTPUT_BIND,
  OUTPUT_DETAIL,
  OUTPUT_DIAL,
  OUTPUT_EVENT,
  OUTPUT_FORWARD,
  OUTPUT_FRAME,
  OUTPUT_HANG,
  OUTPUT_KIND,
  OUTPUT_LEN,
  OUTPUT_LOCAL,
  OUTPUT_LOCAL_PORT,
  OUTPUT_PAYLOAD,
  OUTPUT_REALM,
  OUTPUT_REMOTE,
  OUTPUT_REMOTE_PORT,
  OUTPUT_SEND,
  OUTPUT_TIMEOUT,
  OUTPUT_VALUE,
} from "../memory/output.ts";
import {
  CONNECTION_LOCAL,
  CONNECTION_LOCAL_PORT,
  CONNECTION_REALM,
  CONNECTION_REMOTE,
  CONNECTION_REMOTE_PORT,
  CONNECTION_SERVICE,
  CONNECTION_TRANSPORT,
} from "../memory/tables.ts";
import { addressCopy } from "../bytes/address.ts";
import { connectionAt } from "../table/connection.ts";
import { SLAB_CONNECTIONS, handleOf } from "../table/slab.ts";
import { timerWait } from "../table/timer.ts";

/** What one message may take in ASSEMBLY: itself, and an answer of ours. */
const ASSEMBLY_MESSAGE: i32 = 131072;

/** Forgets what was left: called at the door of every input. */
export function outputReset(): void {
  st32(HEADER_OUT_HEAD, 0);
  st32(HEADER_OUT_TAIL, 0);
  st32(HEADER_BOUND, OUTPUT_MAX);
  st32(HEADER_REFUSED, 0);
  st32(ASSEMBLY_TOP, ASSEMBLY);
}

/** Records that one message or timer may need. */
const MESSAGE_OUTPUTS: i32 = 300;

/** Is there room for `n` more records? */
export function outputRoom(n: i32): boolean {
  return ld32(HEADER_OUT_TAIL) + n < OUTPUT_MAX;
}

/** Is there room for all that another message or timer may need? */
export function messageRoom(): boolean {
  return outputRoom(MESSAGE_OUTPUTS);
}

function outputNext(kind: i32): i32 {
  const tail: i32 = ld32(HEADER_OUT_TAIL);
  const record: i32 = OUTPUTS + (tail << 6);
  if (tail < OUTPUT_MAX - 2) st32(HEADER_OUT_TAIL, tail + 1);
  st32(record + OUTPUT_KIND, kind);
  st32(record + OUTPUT_VALUE, 0);
  st32(record + OUTPUT_DETAIL, 0);
  return record;
}

/** Where the next bytes can be put together: everything that stands in ASSEMBLY has room for headers before it. */
export function assemblyAt(): i32 {
  return ld32(ASSEMBLY_TOP) + HEADROOM;
}

/** `len` bytes were put together there. */
export function assemblyTake(len: i32): void {
  st32(ASSEMBLY_TOP, (assemblyAt() + len + 3) & -4);
}

/** Bytes that ASSEMBLY has left. */
export function assemblyLeft(): i32 {
  return (ASSEMBLY + ASSEMBLY_SIZE - ld32(ASSEMBLY_TOP)) | 0;
}

/** Keeps a copy of [p, p+len) until the queue is drained. Returns its address, 0 when there is no room. */
export function outputKeep(p: i32, len: i32): i32 {
  const at: i32 = assemblyAt();
  if (at + len > ASSEMBLY + ASSEMBLY_SIZE) return 0;
  copy(at, p, len);
  assemblyTake(len);
  return at;
}

/** Appends a copy of a record. Returns its address. */
export function outputCopy(record: i32): i32 {
  const next: i32 = outputNext(ld32(record + OUTPUT_KIND));
  copy(next, record, OUTPUT_SIZE);
  return next;
}

/** Address of the last record. */
export function outputLast(): i32 {
  return OUTPUTS + ((ld32(HEADER_OUT_TAIL) - 1) << 6);
}

/** Says of the last record how it is to leave: HINT_* and an adjacency. */
export function outputHint(hint: i32): void {
  st32(outputLast() + OUTPUT_DETAIL, hint);
}

/** Takes the last record back. */
export function outputDrop(): void {
  st32(HEADER_OUT_TAIL, (ld32(HEADER_OUT_TAIL) - 1) | 0);
}

/** A frame record of `kind`. */
export function outputFrame(kind: i32, realm: i32, number: i32, p: i32, len: i32): void {
  const record: i32 = outputNext(kind);
  st32(record + OUTPUT_REALM, realm);
  st32(record + OUTPUT_PAYLOAD, p);
  st32(record + OUTPUT_LEN, len);
  st32(record + OUTPUT_VALUE, number);
}

/** A SEND or FORWARD record from `local` to `remote`. */
export function outputSend(kind: i32, realm: i32, local: i32, localPort: i32, remote: i32, remotePort: i32, payload: i32, len: i32): void {
  const record: i32 = outputNext(kind);
  st32(record + OUTPUT_REALM, realm);
  st32(record + OUTPUT_LOCAL_PORT, localPort);
  st32(record + OUTPUT_REMOTE_PORT, remotePort);
  st32(record + OUTPUT_PAYLOAD, payload);
  st32(record + OUTPUT_LEN, len);
  addressCopy(record + OUTPUT_LOCAL, local);
  addressCopy(record + OUTPUT_REMOTE, remote);
}

/** A SEND on a connection. */
export function outputStream(connection: i32, payload: i32, len: i32): void {
  const c: i32 = connectionAt(connection);
  const tail: i32 = OUTPUTS + (ld32(HEADER_OUT_TAIL) << 6);
  outputSend(
    OUTPUT_SEND,
    ld32(c + CONNECTION_REALM),
    c + CONNECTION_LOCAL,
    ld32(c + CONNECTION_LOCAL_PORT),
    c + CONNECTION_REMOTE,
    ld32(c + CONNECTION_REMOTE_PORT),
    payload,
    len,
  );
  st32(tail + OUTPUT_VALUE, handleOf(SLAB_CONNECTIONS, connection));
}

/** DIAL of a connection to an address and port, to be joined with another (0: with none). */
export function outputDial(connection: i32, remote: i32, port: i32, partner: i32): void {
  const c: i32 = connectionAt(connection);
  const record: i32 = outputNext(OUTPUT_DIAL);
  st32(record + OUTPUT_REALM, ld32(c + CONNECTION_REALM));
  st32(record + OUTPUT_LOCAL_PORT, ld32(c + CONNECTION_LOCAL_PORT));
  st32(record + OUTPUT_REMOTE_PORT, port);
  st32(record + OUTPUT_PAYLOAD, ld32(c + CONNECTION_SERVICE));
  st32(record + OUTPUT_LEN, partner);
  st32(record + OUTPUT_VALUE, handleOf(SLAB_CONNECTIONS, connection));
  st32(record + OUTPUT_DETAIL, ld32(c + CONNECTION_TRANSPORT));
  addressCopy(record + OUTPUT_LOCAL, c + CONNECTION_LOCAL);
  addressCopy(record + OUTPUT_REMOTE, remote);
}

/** HANG of a connection. */
export function outputHang(connection: i32): void {
  st32(outputNext(OUTPUT_HANG) + OUTPUT_VALUE, handleOf(SLAB_CONNECTIONS, connection));
}

/** Is there room for another message to be put together? */
export function assemblyRoom(): boolean {
  return assemblyLeft() >= ASSEMBLY_MESSAGE;
}

/** BIND or UNBIND of an address of ours for a transport; `detail` is the kind of its pool. */
export function outputSocket(kind: i32, realm: i32, local: i32, port: i32, transport: i32, detail: i32): void {
  const record: i32 = outputNext(kind);
  if (kind === OUTPUT_BIND && !hasBound()) st32(HEADER_BOUND, ld32(HEADER_OUT_TAIL) - 1);
  st32(record + OUTPUT_REALM, realm);
  st32(record + OUTPUT_LOCAL_PORT, port);
  st32(record + OUTPUT_REMOTE_PORT, 0);
  st32(record + OUTPUT_PAYLOAD, 0);
  st32(record + OUTPUT_LEN, 0);
  st32(record + OUTPUT_VALUE, transport);
  st32(record + OUTPUT_DETAIL, detail);
  addressCopy(record + OUTPUT_LOCAL, local);
}

/** An event about the record with this handle. */
export function outputEvent(code: i32, handle: i32, detail: i32): void {
  const record: i32 = outputNext(OUTPUT_EVENT);
  st32(record + OUTPUT_REALM, code);
  st32(record + OUTPUT_VALUE, handle);
  st32(record + OUTPUT_DETAIL, detail);
}

/** What is queued from now on is another message's. */
export function outputBegin(): void {
  st32(HEADER_BOUND, OUTPUT_MAX);
}

/** Has the message in hand asked for a port? */
export function hasBound(): boolean {
  return ld32(HEADER_BOUND) < OUTPUT_MAX;
}

/** Is the record at `at` a BIND, and the last that was drained? */
export function outputIsBound(at: i32): boolean {
  const head: i32 = ld32(HEADER_OUT_HEAD);
  return head > 0 && at === OUTPUTS + ((head - 1) << 6) && ld32(at + OUTPUT_KIND) === OUTPUT_BIND;
}

/** Has draining come to what the message in hand asked for? */
export function hasBegun(): boolean {
  return ld32(HEADER_OUT_HEAD) > ld32(HEADER_BOUND);
}

/** Takes what is to be sent out of the queue; all else stays, in its order. */
export function outputUnsend(): void {
  const tail: i32 = ld32(HEADER_OUT_TAIL);
  let kept: i32 = ld32(HEADER_OUT_HEAD);
  for (let i: i32 = kept; i < tail; i++) {
    const record: i32 = OUTPUTS + (i << 6);
    const kind: i32 = ld32(record + OUTPUT_KIND);
    if (kind === OUTPUT_SEND || kind === OUTPUT_FRAME || kind === OUTPUT_FORWARD) continue;
    if (i > kept) copy(OUTPUTS + (kept << 6), record, OUTPUT_SIZE);
    kept++;
  }
  st32(HEADER_OUT_TAIL, kept);
}

/** Next record to be done; when all are, a TIMEOUT record. */
export function outputTake(): i32 {
  const head: i32 = ld32(HEADER_OUT_HEAD);
  if (head < ld32(HEADER_OUT_TAIL)) {
    st32(HEADER_OUT_HEAD, head + 1);
    return OUTPUTS + (head << 6);
  }
  const record: i32 = OUTPUTS + (OUTPUT_MAX - 1) * OUTPUT_SIZE;
  st32(record + OUTPUT_KIND, OUTPUT_TIMEOUT);
  st32(record + OUTPUT_VALUE, timerWait());
  return record;
}
