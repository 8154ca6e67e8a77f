/*
 * Where the mentions and medias of the message in hand stand: as many as there may be at all, or a few in a place of its own.
 */

import { st32 } from "../machine.ts";
import { MEDIAS, MEDIA_MAX, MENTIONS, MENTION_MAX, MESSAGE } from "../memory/layout.ts";
import { MESSAGE_MEDIAS, MESSAGE_MEDIA_MOST, MESSAGE_MENTIONS, MESSAGE_MENTION_MOST } from "../memory/message.ts";

/** Gives the next message to be decoded room for `mentionMost` mentions at `mentions` and `mediaMost` medias at `medias`. */
export function roomGive(mentions: i32, mentionMost: i32, medias: i32, mediaMost: i32): void {
  st32(MESSAGE + MESSAGE_MENTIONS, mentions);
  st32(MESSAGE + MESSAGE_MENTION_MOST, mentionMost);
  st32(MESSAGE + MESSAGE_MEDIAS, medias);
  st32(MESSAGE + MESSAGE_MEDIA_MOST, mediaMost);
}

/** Gives it all the room there is. */
export function roomWhole(): void {
  roomGive(MENTIONS, MENTION_MAX, MEDIAS, MEDIA_MAX);
}
