/*
 * Puts fragmented datagrams together (RFC 791 3.2, RFC 8200 4.5) for as long as RFC 8200 says, 60 seconds.
 *
 * Invariant: no byte of a datagram is ever taken from two fragments. An exact duplicate is dropped; any other
 * overlap discards the whole datagram and what still comes of it (RFC 5722 4; the same for IPv4, as Linux does).
 */

import { type Datagram, PROTOCOL_UDP } from "./datagram.ts";
import { type Fragment, udpRead } from "./frame.ts";

const WAIT_MS = 60_000;
const DATAGRAMS_MAX = 4096;
const CONTENT_MAX = 65_535;

interface Piece {
  fragment: Fragment;
  /** What the caller wants back with the whole. */
  packet: number;
}

interface Partial {
  startedAt: number;
  pieces: Piece[];
  /** Bytes of the whole, -1 until the last fragment is seen. */
  length: number;
  /** Overlap seen: nothing more will come of it. */
  spoilt: boolean;
}

export interface Whole {
  datagram: Datagram | undefined;
  /** The packets that it came in, in order of arrival. */
  packets: number[];
}

export interface ReassemblyLoss {
  /** Packets that brought again what was there already. */
  duplicate: number[];
  /** Packets of datagrams that were discarded for an overlap. */
  overlapping: number[];
  /** Packets of datagrams that were never complete. */
  incomplete: number[];
}

function fragmentKey(fragment: Fragment): string {
  return [fragment.link.vlans.join("."), fragment.link.labels.join("."), fragment.version, fragment.source.text, fragment.destination.text, fragment.id].join();
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export class Reassembly {
  readonly loss: ReassemblyLoss = { duplicate: [], overlapping: [], incomplete: [] };
  readonly #partials = new Map<string, Partial>();

  /** Takes a fragment that packet number `packet` carried. Returns the whole when it is complete. */
  add(fragment: Fragment, packet: number, now: number): Whole | undefined {
    this.expire(now - WAIT_MS);
    const key = fragmentKey(fragment);
    const partial = this.#partials.get(key) ?? { startedAt: now, pieces: [], length: -1, spoilt: false };
    this.#partials.set(key, partial);
    this.#place(partial, { fragment, packet });
    if (partial.spoilt || partial.length < 0) return undefined;
    const have = partial.pieces.reduce((sum, piece) => sum + piece.fragment.content.length, 0);
    if (have < partial.length) return undefined;
    this.#partials.delete(key);
    return assemble(partial);
  }

  #place(partial: Partial, piece: Piece): void {
    const { offset, content, more } = piece.fragment;
    const end = offset + content.length;
    const overlapping = partial.pieces.filter(({ fragment: other }) => offset < other.offset + other.content.length && other.offset < end);
    if (overlapping.some(({ fragment: other }) => other.offset === offset && sameBytes(other.content, content))) {
      this.loss.duplicate.push(piece.packet);
      return;
    }
    const beyond = partial.length >= 0 && (end > partial.length || (!more && end !== partial.length));
    const before = !more && partial.pieces.some(({ fragment: other }) => other.offset + other.content.length > end);
    if (partial.spoilt || overlapping.length > 0 || beyond || before || end > CONTENT_MAX || (more && content.length % 8 !== 0)) {
      this.loss.overlapping.push(...partial.pieces.map((each) => each.packet), piece.packet);
      partial.pieces = [];
      partial.spoilt = true;
      return;
    }
    if (!more) partial.length = end;
    partial.pieces.push(piece);
  }

  /** Gives up on what was started before `time`. */
  expire(time: number): void {
    for (const [key, partial] of this.#partials) {
      if (partial.startedAt >= time && this.#partials.size <= DATAGRAMS_MAX) return;
      this.loss.incomplete.push(...partial.pieces.map((piece) => piece.packet));
      this.#partials.delete(key);
    }
  }
}

function assemble(partial: Partial): Whole {
  const pieces = [...partial.pieces].sort((a, b) => a.fragment.offset - b.fragment.offset);
  const content = new Uint8Array(partial.length);
  for (const { fragment } of pieces) content.set(fragment.content, fragment.offset);
  const { id: _id, offset: _offset, more: _more, ...first } = pieces[0]!.fragment;
  const datagram = udpRead({ ...first, protocol: PROTOCOL_UDP, content });
  return { datagram, packets: partial.pieces.map((piece) => piece.packet) };
}
