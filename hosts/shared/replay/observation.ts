/*
 * What the core made of the message that it was just given: the Message, its Mentions and Edits, which stay in
 * memory until the next input (core/memory/message.ts). Texts are latin1, one character a byte.
 *
 * Invariant: everything here is a copy; positions count from the first byte of the payload.
 */

import { Buffer } from "node:buffer";
import * as abi from "../core.ts";
import type { Core } from "../core.ts";
import { addressFrom, endpointText } from "../address.ts";

/** A replacement of [at, end) of the payload. */
export interface Edit {
  at: number;
  end: number;
  before: string;
  after: string;
  /** Is it part of a mention? Else it is around one: brackets for a bare URI, a value for an empty rport. */
  mentioned: boolean;
}

/** One place where an address is written. */
export interface Mention {
  role: number;
  at: number;
  end: number;
  hostEnd: number;
  /** What the message says there. */
  text: string;
  /** What it says there afterwards; the same when nothing was changed. */
  after: string;
  form: number;
  changed: boolean;
}

/** Where one m= line's media goes on the wire: what its sides signalled, and our addresses. */
export interface MediaFlow {
  access: MediaSide;
  core: MediaSide;
}

export interface MediaSide {
  /** Ours. RTCP is one above when it is not muxed. */
  ourPort: number;
  pool: number;
  /** As signalled: "address:port", undefined until it is. */
  rtp: string | undefined;
  rtcp: string | undefined;
}

export interface Observation {
  method: number;
  status: number;
  cseqMethod: number;
  callId: string;
  mentions: Mention[];
  edits: Edit[];
  flows: MediaFlow[];
  /** First byte of the body, and the end of the message. */
  body: number;
  end: number;
}

/** Marks the scratch as empty, so that `observe` can tell whether the next input was decoded. */
export function observeReset(core: Core): void {
  const { words } = core.memory;
  words[(abi.MESSAGE + abi.MESSAGE_START) >> 2] = 0;
  words[(abi.MESSAGE + abi.MESSAGE_MENTION_COUNT) >> 2] = 0;
  words[(abi.MESSAGE + abi.MESSAGE_MEDIA_COUNT) >> 2] = 0;
  words[(abi.MESSAGE + abi.MESSAGE_EDIT_COUNT) >> 2] = 0;
}

class Reader {
  readonly words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(core: Core) {
    this.words = core.memory.words;
    this.#bytes = core.memory.bytes;
  }

  word(at: number): number {
    return this.words[at >> 2]!;
  }

  message(field: number): number {
    return this.word(abi.MESSAGE + field);
  }

  text(at: number, end: number): string {
    return Buffer.from(this.#bytes.subarray(at, Math.max(at, end))).toString("latin1");
  }

  endpoint(address: number, port: number): string | undefined {
    const number = this.word(port);
    return number > 0 ? endpointText(addressFrom(this.#bytes, address).text, number) : undefined;
  }
}

function editsRead(reader: Reader, start: number): Edit[] {
  const count = Math.min(reader.message(abi.MESSAGE_EDIT_COUNT), abi.EDIT_MAX);
  return Array.from({ length: count }, (_, i) => {
    const e = abi.EDITS + i * abi.EDIT_SIZE;
    const at = reader.word(e + abi.EDIT_AT);
    const end = reader.word(e + abi.EDIT_END);
    const text = reader.word(e + abi.EDIT_TEXT);
    return { at: at - start, end: end - start, before: reader.text(at, end), after: reader.text(text, text + reader.word(e + abi.EDIT_LEN)), mentioned: false };
  });
}

/** What [at, end) of the message says after the edits that lie inside, which are marked; an insertion belongs to what it stands before. */
function edited(text: string, at: number, end: number, edits: Edit[]): { after: string; changed: boolean } {
  let after = "";
  let from = at;
  let changed = false;
  for (const edit of edits) {
    if (edit.at < at || edit.end > end || (edit.at === edit.end && edit.at === end)) continue;
    after += text.slice(from - at, edit.at - at) + edit.after;
    from = edit.end;
    changed = true;
    edit.mentioned = true;
  }
  return { after: after + text.slice(from - at), changed };
}

/** What a person takes for the mention: in headers the whole URI when there is one, with its token. */
function mentionSpan(reader: Reader, m: number): [at: number, end: number] {
  const at = reader.word(m + abi.MENTION_AT);
  const token = reader.word(m + abi.MENTION_TOKEN);
  const tokenEnd = token === 0 ? 0 : token + reader.word(m + abi.MENTION_TOKEN_LEN);
  return [at, Math.max(reader.word(m + abi.MENTION_END), tokenEnd)];
}

function mentionsRead(reader: Reader, start: number, edits: Edit[]): Mention[] {
  const count = Math.min(reader.message(abi.MESSAGE_MENTION_COUNT), abi.MENTION_MAX);
  const mentions = Array.from({ length: count }, (_, i) => {
    const m = abi.MENTIONS + i * abi.MENTION_SIZE;
    const [at, end] = mentionSpan(reader, m);
    const text = reader.text(at, end);
    return {
      role: reader.word(m + abi.MENTION_ROLE) & abi.MENTION_ROLE_MASK,
      at: at - start,
      end: end - start,
      hostEnd: reader.word(m + abi.MENTION_HOST_END) - start,
      text,
      form: reader.word(m + abi.MENTION_FORM),
      ...edited(text, at - start, end - start, edits),
    };
  });
  return mentions.filter((mention) => mention.role !== abi.ROLE_DOCUMENT);
}

function sideRead(reader: Reader, side: number): MediaSide {
  return {
    ourPort: reader.word(side + abi.SIDE_PORT),
    pool: reader.word(side + abi.SIDE_POOL),
    rtp: reader.endpoint(side + abi.SIDE_RTP_ADDRESS, side + abi.SIDE_RTP_PORT),
    rtcp: reader.endpoint(side + abi.SIDE_RTCP_ADDRESS, side + abi.SIDE_RTCP_PORT),
  };
}

function flowsRead(core: Core, reader: Reader): MediaFlow[] {
  const count = Math.min(reader.message(abi.MESSAGE_MEDIA_COUNT), abi.MEDIA_MAX);
  const indices = Array.from({ length: count }, (_, i) => reader.word(abi.MEDIAS + i * abi.MEDIA_SIZE + abi.MEDIA_FLOW));
  const table = core.region(abi.REGION_FLOWS);
  return [...new Set(indices)]
    .filter((index) => index >= 0)
    .map((index) => {
      const flow = table + index * abi.FLOW_SIZE;
      return { access: sideRead(reader, flow + abi.FLOW_ACCESS), core: sideRead(reader, flow + abi.FLOW_CORE) };
    });
}

/** Reads it; undefined when the last input was not decoded as a message. */
export function observe(core: Core): Observation | undefined {
  const reader = new Reader(core);
  const start = reader.message(abi.MESSAGE_START);
  if (start === 0) return undefined;
  const edits = editsRead(reader, start);
  const callId = reader.message(abi.MESSAGE_CALL_ID);
  return {
    method: reader.message(abi.MESSAGE_METHOD),
    status: reader.message(abi.MESSAGE_STATUS),
    cseqMethod: reader.message(abi.MESSAGE_CSEQ_METHOD),
    callId: callId === 0 ? "" : reader.text(callId, callId + reader.message(abi.MESSAGE_CALL_ID_LEN)),
    mentions: mentionsRead(reader, start, edits),
    edits,
    flows: flowsRead(core, reader),
    body: Math.max(0, reader.message(abi.MESSAGE_BODY) - start),
    end: reader.message(abi.MESSAGE_END) - start,
  };
}
